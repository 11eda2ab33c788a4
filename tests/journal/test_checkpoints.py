"""Checkpoints: when they are made, what they say, how they are signed, and a second place that cannot be written."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from reminder.journal import checkpoints
from reminder.journal.attested import read_attested
from reminder.journal.base import Head
from reminder.journal.checkpoints import Checkpointer, CheckpointsError, keep_checkpoints
from reminder.journal.lines import LineFile
from reminder.journal.signing import SigningError, TrustedKeys, open_signing_key, public_files
from reminder.journal.writer import append_in_turn
from tests.journal.journals import CHAIN, LONG_S, NOW, draft, journal_on
from tests.journal.memory_store import MemoryJournalStore
from tests.stores.desks import run, until


def checkpointer(folder: Path) -> Checkpointer:
    """One that writes into a folder of the test."""
    return Checkpointer(folder / "elsewhere" / "checkpoints.jsonl", folder / "keys", lambda: NOW)


def filled(count: int = 3) -> MemoryJournalStore:
    """A store with some entries."""
    store = MemoryJournalStore()
    append_in_turn(store, CHAIN, [draft(n) for n in range(count)])
    return store


def trusted(folder: Path) -> TrustedKeys:
    """The keys made in a folder of the test."""
    return TrustedKeys(public_files(folder / "keys"))


def test_a_checkpoint_says_how_far_every_chain_had_come(tmp_path: Path) -> None:
    """It is one JSON object on a line, which names its key, and holds under the public one."""
    store, made = filled(), checkpointer(tmp_path)
    assert made.make(store)
    (line,) = made.path.read_text("utf-8").splitlines()
    said = json.loads(line)
    head = store.head(CHAIN)
    assert said["heads"] == [[CHAIN, 3, head.hash.hex()]]
    assert (said["at"], said["count"], said["number"], said["previous"]) == ("2026-03-02T08:30:00Z", 3, 1, "")
    attested = read_attested(LineFile(made.path).lines(), trusted(tmp_path))
    assert attested.problems == []
    assert attested.chain(CHAIN).places() == [(3, head.hash)]


def test_nothing_is_said_twice_and_each_line_names_the_one_before(tmp_path: Path) -> None:
    """Another process goes on where the first one ended."""
    store, first = filled(), checkpointer(tmp_path)
    assert [first.make(store), first.make(store)] == [True, False]
    append_in_turn(store, CHAIN, [draft(9)])
    assert [first.make(store), checkpointer(tmp_path).make(store)] == [True, True]
    lines = [raw for _, raw in LineFile(first.path).lines()]
    said = [json.loads(raw) for raw in lines]
    assert [(one["number"], one["heads"][0][1]) for one in said] == [(1, 3), (2, 4), (1, 4)]
    assert read_attested(enumerate(lines, 1), trusted(tmp_path)).problems == []


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_line_taken_out_is_missed_by_the_one_after_it(tmp_path: Path, gone: int) -> None:
    """Be it the first, one inside, or the last of a process that ended."""
    store, first = filled(), checkpointer(tmp_path)
    for writer in (first, first, first, checkpointer(tmp_path)):
        append_in_turn(store, CHAIN, [draft(7)])
        writer.make(store)
    lines = list(LineFile(first.path).lines())
    del lines[gone]
    found = read_attested(lines, trusted(tmp_path)).problems
    assert ["lines are missing" in problem.text for problem in found][:1] == [True]


def test_an_edited_line_and_a_strangers_line_say_nothing(tmp_path: Path) -> None:
    """What the bytes were changed to is not what was signed; a key that is not trusted signs nothing."""
    store, made = filled(), checkpointer(tmp_path)
    made.make(store)
    content = made.path.read_bytes()
    made.path.write_bytes(content.replace(b'"count":3', b'"count":2'))
    (edited,) = read_attested(LineFile(made.path).lines(), trusted(tmp_path)).problems
    assert "edited, or forged" in edited.text
    made.path.write_bytes(content)
    open_signing_key(tmp_path / "other")
    stranger = read_attested(LineFile(made.path).lines(), TrustedKeys(public_files(tmp_path / "other")))
    assert ("not among those trusted" in stranger.problems[0].text, stranger.lines) == (True, 0)


def test_a_line_edited_so_that_it_cannot_be_read_was_not_cut_off(tmp_path: Path) -> None:
    """It has its end: somebody was there."""
    store, made = filled(), checkpointer(tmp_path)
    made.make(store)
    content = made.path.read_bytes()
    for before, after in ((b'"at":"2026-0', b'"at":"2026-2'), (b'"count":3', b'"count":"x"'), (b"signature", b"sig")):
        assert before in content
        made.path.write_bytes(content.replace(before, after))
        attested = read_attested(LineFile(made.path).lines(), trusted(tmp_path))
        assert [str(problem) for problem in attested.problems] == [
            "checkpoint line 1: cannot be read, and is whole: it was edited"
        ]
        assert attested.notes == []


def test_a_line_cut_off_by_a_crash_harms_no_other(tmp_path: Path) -> None:
    """It stays a line of its own, and is told without alarm."""
    store, first = filled(), checkpointer(tmp_path)
    first.make(store)
    with first.path.open("ab") as file:
        file.write(b'{"what":"checkpoint","at":"2026-0')
    append_in_turn(store, CHAIN, [draft(9)])
    checkpointer(tmp_path).make(store)
    attested = read_attested(LineFile(first.path).lines(), trusted(tmp_path))
    assert (attested.lines, attested.problems) == (2, [])
    assert attested.notes == ["line 2 is not a whole one: it was cut off when it was written"]


def test_the_signing_key_is_made_once_and_its_files_are_no_secrets_of_patients(tmp_path: Path) -> None:
    """The private file is nobody else's to read; a file that is no key is refused by name."""
    assert open_signing_key(tmp_path).id == open_signing_key(tmp_path).id
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-0001.pem", "journal-0001.pub"]
    assert (tmp_path / "journal-0001.pem").stat().st_mode & 0o077 == 0
    (tmp_path / "journal-0001.pem").write_bytes(b"nothing")
    with pytest.raises(SigningError, match="is no key"):
        open_signing_key(tmp_path)
    with pytest.raises(SigningError, match="is no public key"):
        TrustedKeys([tmp_path / "journal-0001.pem"])
    with pytest.raises(SigningError, match="cannot be read"):
        TrustedKeys([tmp_path / "none.pub"])


def test_a_second_place_that_cannot_be_written_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries go on, and the text is gone when the place is back."""
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.0)
    blocked = tmp_path / "elsewhere"
    blocked.write_text("a file where a folder should be", "utf-8")

    async def work() -> None:
        store, made = MemoryJournalStore(), checkpointer(tmp_path)
        async with journal_on(lambda: store) as journal:
            keep_checkpoints(journal, made)
            assert (await journal.append(draft(1), LONG_S)).journaled
            await until(lambda: any("checkpoints are not written" in text for text in journal.degraded))
            assert (await journal.append(draft(2), LONG_S)).journaled
            assert journal.serving
            await asyncio.to_thread(blocked.unlink)
            await until(lambda: journal.degraded == ())
            head = store.head(CHAIN)
        attested = read_attested(LineFile(made.path).lines(), trusted(tmp_path))
        assert attested.chain(CHAIN).places()[-1] == (head.seq, head.hash)

    run(work)


def test_a_place_that_hangs_is_told_and_keeps_no_stop_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a share may for hours: entries go on, and the process ends."""
    monkeypatch.setattr(checkpoints, "HANGS_S", 0.2)
    stuck = threading.Event()
    monkeypatch.setattr(LineFile, "append", lambda _file, _raw: stuck.wait(60))

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            keep_checkpoints(journal, checkpointer(tmp_path))
            assert (await journal.append(draft(1), LONG_S)).journaled
            await until(lambda: any("does not answer" in text for text in journal.degraded))
            assert (await journal.append(draft(2), LONG_S)).journaled

    try:
        run(work)
    finally:
        stuck.set()


def test_a_journal_that_stops_leaves_a_checkpoint_of_its_end(tmp_path: Path) -> None:
    """So what a stopped journal holds is provable to its last entry."""

    async def work() -> None:
        store, made = MemoryJournalStore(), checkpointer(tmp_path)
        async with journal_on(lambda: store) as journal:
            keep_checkpoints(journal, made)
            for number in range(3):
                await journal.append(draft(number), LONG_S)
        attested = read_attested(LineFile(made.path).lines(), trusted(tmp_path))
        end = attested.chain(CHAIN).end
        assert end is not None
        assert Head(chain=CHAIN, seq=end.seq).seq == store.head(CHAIN).seq == 4

    run(work)


def test_what_was_killed_before_its_first_look_is_signed_by_who_starts_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is looked at again: a sidecar killed again and again leaves no hours unsigned."""
    monkeypatch.setattr("reminder.journal.checkpoints._LOOK_S", 2 * LONG_S)

    async def work() -> None:
        left, made = filled(10), checkpointer(tmp_path)
        async with journal_on(lambda: left) as journal:
            keep_checkpoints(journal, made)
            await until(made.path.exists)
            await until(
                lambda: read_attested(LineFile(made.path).lines(), trusted(tmp_path)).chain(CHAIN).end is not None
            )
            end = read_attested(LineFile(made.path).lines(), trusted(tmp_path)).chain(CHAIN).end
            assert end is not None
            assert end.seq >= 10

    run(work)


def test_an_older_copy_put_back_is_told_at_the_start(tmp_path: Path) -> None:
    """The store ends before the last checkpoint says: entries are gone."""
    checkpointer(tmp_path).make(filled(10))

    async def work() -> None:
        older = filled(4)
        async with journal_on(lambda: older) as journal:
            keep_checkpoints(journal, checkpointer(tmp_path))
            await until(lambda: any("entries are gone" in text for text in journal.degraded))
            assert f"chain `{CHAIN}` ends at" in journal.degraded[0]
            assert "its checkpoint says 10" in journal.degraded[0]

    run(work)


def test_a_checkpoint_without_its_store_is_an_error_of_the_store(tmp_path: Path) -> None:
    """And one that cannot be written says where."""
    (tmp_path / "keys").write_text("a file", "utf-8")
    with pytest.raises(CheckpointsError, match="the signing key in"):
        checkpointer(tmp_path).make(filled())
