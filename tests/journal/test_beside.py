"""The process that appends beside the sidecar: never needed, and whatever it does, each entry stands once."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from reminder.journal import beside
from reminder.journal.base import Head
from reminder.journal.beside import COMMAND, Beside
from reminder.journal.chain import follows, rows_of
from reminder.journal.child import LENGTH, Answer, Group, Where, answered, serve
from reminder.journal.opening import open_journal
from reminder.stores.base import StoreError
from tests.journal.journals import CHAIN, journal_on
from tests.journal.journals import draft as told
from tests.journal.records import EMPTY, drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reminder.journal.base import Appended, Row

LONG_S = 60.0

OPEN = """
import os
import sys
import time

import msgspec
from reminder.journal import child
from reminder.journal.child import LENGTH, Answer

def say(content):
    sys.stdout.buffer.write(LENGTH.pack(len(content)) + content)
    sys.stdout.buffer.flush()

def heard():
    return sys.stdin.buffer.read(LENGTH.unpack(sys.stdin.buffer.read(LENGTH.size))[0])

heard()
say(msgspec.msgpack.encode(Answer(serial=0)))
group = msgspec.msgpack.decode(heard(), type=child.Group)
"""
"""A process that says it is open, and has heard a group."""

IDLE = """
import sys, time
with open(sys.argv[1], "a") as mark:
    before = mark.tell()
    mark.write("x")
time.sleep(1000 * before)
"""
"""A process that ends at once when it is the first, and else does nothing."""

WRONG = {
    "it ends": "",
    "half an answer": "sys.stdout.buffer.write(b'\\x40\\0\\0\\0half')",
    "no message": "say(b'\\xc1')",
    "another answer": "say(msgspec.msgpack.encode(Answer(serial=7)))",
    "no hashes": "say(msgspec.msgpack.encode(Answer(serial=1)))",
    "no hash": "say(msgspec.msgpack.encode(Answer(serial=1, hashes=[b'x'] * len(group.drafts))))",
}
"""What a process may do instead of answering."""


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """A journal in each kind of database."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    return Where(data=str(tmp_path), database=url)


@contextmanager
def started(where: Where, command: Sequence[str] = COMMAND) -> Iterator[Beside]:
    """A process that has opened the journal; ended afterwards."""
    open_journal(Path(where.data), where.database).close()
    process = Beside(where, command)
    process.start()
    try:
        until(lambda: process.ready)
        yield process
    finally:
        process.stop()


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def script(then: str) -> list[str]:
    """A process that does something else with its first group."""
    return [sys.executable, "-c", OPEN + then]


def rows_in(where: Where) -> list[Row]:
    """What stands in the chain of the tests."""
    journal = open_journal(Path(where.data), where.database)
    try:
        return list(journal.chain("a"))
    finally:
        journal.close()


def test_the_process_appends_and_tells_the_hashes(where: Where) -> None:
    """Groups stand in the chain one after the other, and the hashes are the ones they would have had."""
    rows, _ = rows_of(EMPTY, drafts(7))
    first, end = rows_of(EMPTY, drafts(7)[:3])
    with started(where) as process:
        hashes = [process.append(EMPTY, drafts(7)[:3]), process.append(end, drafts(7)[3:])]
    assert hashes == [[row.hash for row in first], [row.hash for row in rows[3:]]]
    assert rows_in(where) == rows


def test_what_the_process_wrote_is_written_again_without_harm(where: Where) -> None:
    """Where the answer was lost, the same entries are written here: each stands once."""
    rows, end = rows_of(EMPTY, drafts(4))
    with started(where) as process:
        process.append(EMPTY, drafts(4))
        journal = open_journal(Path(where.data), where.database)
        journal.append(rows)
        journal.append(rows_of(end, drafts(2))[0])
        journal.close()
    assert [row.seq for row in rows_in(where)] == [1, 2, 3, 4, 5, 6]


def test_a_process_that_ends_in_the_middle_of_its_answer_has_written(tmp_path: Path) -> None:
    """It wrote, and ended before it said so: the caller is told nothing is known."""
    then = "child.answered(child.open_journal(child.Path(sys.argv[1])).append, group)\nos._exit(1)\n"
    with started(Where(data=str(tmp_path)), [*script(then), str(tmp_path)]) as process:
        assert process.append(EMPTY, drafts(3)) is None
    rows, _ = rows_of(EMPTY, drafts(3))
    journal = open_journal(tmp_path)
    journal.append(rows)
    journal.close()
    assert rows_in(Where(data=str(tmp_path))) == rows


@pytest.mark.parametrize("then", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_none_and_the_process_is_replaced(
    then: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a process says that is no answer: nothing is known of the group, and another process takes its place."""
    monkeypatch.setattr(beside, "AGAIN_S", 0.01)
    stays = then and "half" not in then
    with started(Where(data=str(tmp_path)), script(then + ("\ntime.sleep(1000)" if stays else ""))) as process:
        assert process.append(EMPTY, drafts(3)) is None
        until(lambda: process.ready)


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it waits no longer than agreed."""
    monkeypatch.setattr(beside, "HANGS_S", 0.05)
    monkeypatch.setattr(beside, "_LOOK_S", 0.01)
    with started(Where(data=str(tmp_path)), script("time.sleep(1000)")) as process:
        assert process.append(EMPTY, drafts(3)) is None
        assert not process.ready


def test_what_the_store_did_not_take_is_done_again_by_the_caller(tmp_path: Path) -> None:
    """The process stays: it is the store that failed, and the caller finds out why."""
    _, end = rows_of(EMPTY, drafts(9))
    with started(Where(data=str(tmp_path))) as process:
        assert process.append(end, drafts(2)) is None
        assert process.ready
        assert process.append(EMPTY, drafts(2)) is not None


def test_the_kind_of_a_failure_is_told() -> None:
    """What the store says goes back with its kind."""

    def full(rows: Sequence[Row]) -> None:
        raise StoreError("full", f"no room for {len(rows)}")

    assert answered(full, Group(serial=3, before=EMPTY, drafts=drafts(2))) == Answer(
        serial=3, failed="full: no room for 2"
    )


def test_a_text_that_is_no_unicode_is_left_to_the_caller(tmp_path: Path) -> None:
    """Half a character cannot be sent; the process is none the worse."""
    with started(Where(data=str(tmp_path))) as process:
        assert process.append(EMPTY, drafts(1, asked="\ud800")) is None
        assert process.append(EMPTY, drafts(1)) is not None


def test_a_resting_process_is_not_asked(tmp_path: Path) -> None:
    """While something else writes for long, the caller writes."""
    with started(Where(data=str(tmp_path))) as process:
        with process.resting():
            assert process.append(EMPTY, drafts(1)) is None
        assert process.append(EMPTY, drafts(1)) is not None


def test_a_process_that_never_begins_is_tried_again_and_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for one that is not ready, and a stop ends it."""
    monkeypatch.setattr(beside, "AGAIN_S", 0.01)
    mark = tmp_path / "starts"
    process = Beside(Where(data=str(tmp_path)), [sys.executable, "-c", IDLE, str(mark)])
    process.start()
    until(lambda: mark.exists() and len(mark.read_text("utf-8")) == 2)  # the first ended at once, the second stays
    assert process.append(EMPTY, drafts(1)) is None
    process.stop()
    assert not process.ready


def test_a_program_that_is_not_there_is_no_harm(tmp_path: Path) -> None:
    """The caller writes, as if there were no process."""
    process = Beside(Where(data=str(tmp_path)), [str(tmp_path / "missing")])
    process.start()
    assert process.append(EMPTY, drafts(1)) is None
    process.stop()


def test_the_process_ends_with_its_input(tmp_path: Path) -> None:
    """The sidecar is gone, by whatever death: so is the process, and without complaint."""
    open_journal(tmp_path).close()
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(framed(Where(data=str(tmp_path))))
        process.stdin.flush()
        assert process.stdout.read(LENGTH.size)
        process.stdin.close()
        assert process.wait(LONG_S) == 0


def framed(message: msgspec.Struct) -> bytes:
    """A message as it travels."""
    content = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(content)) + content


@pytest.mark.parametrize(("gone", "cut", "count"), [(False, 0, 2), (True, 0, 0), (False, 1, 0)])
def test_a_group_nobody_waits_for_is_not_written(tmp_path: Path, gone: bool, cut: int, count: int) -> None:
    """A group whose sender has gone, and one that came by halves: nobody was answered, nothing is written."""
    open_journal(tmp_path).close()
    told = framed(Where(data=str(tmp_path))) + framed(Group(serial=1, before=EMPTY, drafts=drafts(2)))
    sink = io.BytesIO()
    serve(io.BytesIO(told[: len(told) - cut]), sink, lambda: gone)
    assert sink.getvalue().startswith(framed(Answer(serial=0)))
    assert len(rows_in(Where(data=str(tmp_path)))) == count


def test_a_journal_goes_on_when_the_process_dies(where: Where) -> None:
    """Entries stand in their order, each once, before, while and after the process is gone; all are in time."""
    answers = asyncio.run(_with_a_death(where))
    assert all(answer.journaled for answer in answers)
    store = open_journal(Path(where.data), where.database)
    rows = list(store.chain(CHAIN))
    store.close()
    assert [row.decision_id for row in rows if row.kind == "decision"] == [
        told(number).decision_id for number in range(10)
    ]
    assert [row.receipt for row in rows if row.kind == "decision"] == [answer.receipt for answer in answers]
    ends = [Head(chain=row.chain, seq=row.seq, hash=row.hash) for row in rows]
    assert [follows(row, end) for row, end in zip(rows[1:], ends, strict=False)] == [None] * (len(rows) - 1)


def test_the_process_makes_no_journal(tmp_path: Path) -> None:
    """Where there is none, the folder was moved away, say: it ends, and nothing is made in its place."""
    sink = io.BytesIO()
    serve(io.BytesIO(framed(Where(data=str(tmp_path / "data")))), sink, lambda: False)
    assert (sink.getvalue(), list(tmp_path.iterdir())) == (b"", [])


async def _with_a_death(where: Where) -> list[Appended]:
    process = Beside(where)
    async with journal_on(lambda: open_journal(Path(where.data), where.database), by=process) as journal:
        while not process.ready:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        answers = [await journal.append(told(number), LONG_S) for number in range(5)]
        assert process._child is not None  # noqa: SLF001 - it is to be killed as by the system
        process._child.process.kill()  # noqa: SLF001
        return answers + [await journal.append(told(number), LONG_S) for number in range(5, 10)]
