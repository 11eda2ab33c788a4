"""Processes killed, connections cut and syncs asked for: what was said to be written is, and nothing is by halves."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from reminder.journal.base import Head
from reminder.journal.chain import follows, rows_of
from reminder.journal.opening import open_journal
from reminder.journal.postgres import JournalDatabase, open_postgres_journal
from reminder.journal.sqlite import JournalFile, open_sqlite_journal
from reminder.stores.base import StoreError
from tests.journal.records import EMPTY, draft, drafts, written
from tests.stores.desks import until

if TYPE_CHECKING:
    from reminder.journal.store import Into

WORKER = """
import sys
from pathlib import Path
from reminder.journal.base import Head
from reminder.journal.chain import rows_of
from reminder.journal.opening import open_journal
from tests.journal.records import draft

journal = open_journal(Path(sys.argv[1]), sys.argv[2])
head = journal.head("a")
for number in range(100_000):
    rows, head = rows_of(head, [draft(number, body=bytes(3000)) for _ in range(7)])
    journal.append(rows)
    print(head.seq, head.hash.hex(), flush=True)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of a database, "" for a file."""
    return str(request.getfixturevalue("postgres")) if request.param == "postgres" else ""


def test_what_was_said_to_be_written_survives_a_kill(tmp_path: Path, database: str, root: Path) -> None:
    """Every group that was answered is there whole, at most one more, and the chain holds and goes on."""
    command = [sys.executable, "-c", WORKER, str(tmp_path), database]
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as worker:
            assert worker.stdout is not None
            heard = [worker.stdout.readline() for _ in range(20)]
            worker.kill()
            heard += [line for line in worker.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        ended(database)
        journal = open_journal(tmp_path, database)
        before, ends = EMPTY, set()
        for row in journal.chain("a"):
            assert follows(row, before) is None
            before = Head(chain="a", seq=row.seq, hash=row.hash)
            ends.add(f"{row.seq} {row.hash.hex()}\n")
        assert set(heard) <= ends
        last = int(heard[-1].split()[0])
        assert journal.head("a") == before
        assert before.seq - last in {0, 7}
        written(journal, drafts(7))
        journal.close()


def ended(database: str) -> None:
    """The server is done with what a killed process had sent: it commits that after the process is gone."""
    if not database:
        return
    with psycopg.connect(database, autocommit=True) as other:
        others = """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
        asyncio.run(until(lambda: other.execute(others).fetchone() == (0,)))


class CutError(Exception):
    """The process would have ended here."""


@pytest.mark.parametrize("table", ["body", "stay"])
def test_a_group_cut_off_in_the_middle_is_undone(
    opening: Callable[[], Any], table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its entries nor the chain's new end stay; the same group is written afterwards."""
    journal = opening()
    driver = journal._driver  # noqa: SLF001 - fails in the middle
    whole = driver.insert

    def cut(writing: object, tables: list[Into]) -> None:
        names = [name for name, _, _ in tables]
        whole(writing, tables[: names.index(table)] or tables[:1])
        raise CutError

    kept = written(journal, drafts(2))
    rows, head = rows_of(journal.head("a"), [draft(k, patient_key=f"new{k}") for k in range(20)])
    with monkeypatch.context() as patch:
        patch.setattr(driver, "insert", cut)
        with pytest.raises(CutError):
            journal.append(rows)
    assert list(journal.chain("a")) == kept
    assert journal.head("a").seq == 2
    journal.append(rows)
    assert journal.head("a") == head
    assert list(journal.chain("a")) == kept + rows
    journal.close()


def test_a_commit_whose_answer_was_lost_is_done_again(postgres: str) -> None:
    """The server wrote it and the connection broke: the group is told as failed, and once more as written."""
    journal = open_postgres_journal(postgres)
    rows, head = rows_of(journal.head("a"), drafts(3))
    lose_the_answer(journal._driver)  # type: ignore[arg-type] # noqa: SLF001
    with pytest.raises(StoreError) as lost:
        journal.append(rows)
    assert lost.value.kind == "gone"
    journal.append(rows)
    assert journal.head("a") == head
    assert list(journal.chain("a")) == rows
    journal.close()


def lose_the_answer(driver: JournalDatabase) -> None:
    """The next transaction is committed, and then its connection is gone."""
    whole = driver.writing

    @contextlib.contextmanager
    def losing() -> Iterator[Any]:
        driver.writing = whole  # type: ignore[method-assign]
        with whole() as writing:
            yield writing
        raise StoreError("gone", "the answer was lost")

    driver.writing = losing  # type: ignore[method-assign]


def test_a_server_that_ended_our_connections_is_asked_again(postgres: str) -> None:
    """What broke is told once; the same group goes in on a new connection, and reads do not notice."""
    journal = open_postgres_journal(postgres)
    rows = written(journal, drafts(2))
    more, _ = rows_of(journal.head("a"), drafts(2))
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(StoreError, match="the database cannot be used") as gone:
        journal.append(more)
    assert gone.value.kind == "gone"
    journal.append(more)
    assert [journal.decision(row.decision_id) for row in rows] == rows
    assert list(journal.chain("a")) == rows + more
    journal.close()


def test_every_write_is_synced_whatever_the_server_says(postgres: str) -> None:
    """A database whose default is to answer before the disk has it is told otherwise by each of our connections."""
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        driver = JournalDatabase(postgres + "?options=-csynchronous_commit%3Doff")
        with driver.writing() as writing:
            assert writing.rows("SHOW synchronous_commit", ()) == [("on",)]
        driver.close()
    finally:
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


def test_every_write_to_a_file_is_synced(tmp_path: Path) -> None:
    """The write-ahead log with ``synchronous=FULL`` (2), also on a connection made anew."""
    open_sqlite_journal(tmp_path / "journal.sqlite").close()
    driver = JournalFile(tmp_path / "journal.sqlite")
    for _ in range(2):
        with driver.writing() as writing:
            assert writing.rows("PRAGMA synchronous", ()) == [(2,)]
            assert writing.rows("PRAGMA journal_mode", ()) == [("wal",)]
        driver.close()


def test_a_log_left_behind_is_read_by_the_next_start(tmp_path: Path) -> None:
    """What was committed and is in the log only (the process ended there) is in the journal."""
    journal = open_sqlite_journal(tmp_path / "journal.sqlite")
    rows = written(journal, drafts(30))
    left = {name: (tmp_path / name).read_bytes() for name in ("journal.sqlite", "journal.sqlite-wal")}
    other = tmp_path / "after the end"
    other.mkdir()
    for name, content in left.items():
        (other / name).write_bytes(content)
    journal.close()
    found = open_sqlite_journal(other / "journal.sqlite")
    assert list(found.chain("a")) == rows
    assert found.head("a") == Head(chain="a", seq=30, hash=rows[-1].hash)
    found.close()
