"""The journal's file held, full, not writable, damaged, deleted or copied while it is written."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reminder.journal.base import Head
from reminder.journal.chain import follows, rows_of
from reminder.journal.sqlite import open_sqlite_journal
from reminder.stores.base import StoreError
from tests.journal.records import EMPTY, T0, after, draft, drafts, sealed, written

if TYPE_CHECKING:
    from reminder.journal.base import Row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a journal with two entries."""
    file = tmp_path / "journal.sqlite"
    journal = open_sqlite_journal(file)
    written(journal, drafts(2))
    journal.close()
    return file


def kept(path: Path) -> list[Row]:
    """The entries of chain ``a`` a new process finds."""
    journal = open_sqlite_journal(path)
    try:
        return list(journal.chain("a"))
    finally:
        journal.close()


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program writes, and does not end."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_held_file_is_told_and_written_once_it_is_free(path: Path) -> None:
    """Reading goes on meanwhile; the same group is written afterwards."""
    journal = open_sqlite_journal(path, busy_s=0.05)
    rows, _ = rows_of(journal.head("a"), drafts(3))
    with held(path):
        with pytest.raises(StoreError, match=r"another program has held `.*journal.sqlite`") as locked:
            journal.append(rows)
        assert len(list(journal.chain("a"))) == 2
    assert locked.value.kind == "locked"
    journal.append(rows)
    assert list(journal.chain("a", 3)) == rows
    journal.close()


def test_a_full_disk_is_told_and_nothing_is_half_written(path: Path) -> None:
    """What was there stays; with space again the same group is written."""
    full = open_sqlite_journal(path, most_bytes=path.stat().st_size)
    rows, _ = rows_of(full.head("a"), [draft(k, brief=bytes(3000)) for k in range(50)])
    with pytest.raises(StoreError, match="no space is left") as error:
        full.append(rows)
    assert error.value.kind == "full"
    assert len(list(full.chain("a"))) == 2
    full.close()
    roomy = open_sqlite_journal(path)
    roomy.append(rows)
    roomy.close()
    assert kept(path)[2:] == rows


def test_a_file_that_may_not_be_written_is_still_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry says what to change."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode = DELETE")  # a log's shared memory would have to be written
    connect = sqlite3.connect

    def read_only(file: Path, **how: Any) -> sqlite3.Connection:
        opened: sqlite3.Connection = connect(f"file:{file}?mode=ro", uri=True, **how)
        return opened

    monkeypatch.setattr(sqlite3, "connect", read_only)
    journal = open_sqlite_journal(path)
    with pytest.raises(StoreError, match="may not be written; give the rights") as error:
        written(journal, drafts(1))
    assert error.value.kind == "read-only"
    assert len(list(journal.chain("a"))) == 2
    journal.close()


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    """A damaged file is not written over."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database at all, but long enough to be one" * 100)
    with pytest.raises(StoreError, match=r"`.*journal.sqlite` is damaged") as error:
        open_sqlite_journal(path)
    assert error.value.kind == "gone"
    assert path.read_bytes().startswith(b"no database")


def test_a_deleted_file_is_not_written_on(path: Path) -> None:
    """The next group is told so; the one after it begins a new file, in which the chain starts anew."""
    journal = open_sqlite_journal(path)
    written(journal, drafts(1))
    rows, _ = rows_of(journal.head("a"), drafts(1))
    for file in path.parent.glob("journal.sqlite*"):
        file.unlink()
    with pytest.raises(StoreError, match="is not there any more") as error:
        journal.append(rows)
    assert error.value.kind == "gone"
    with pytest.raises(StoreError, match="chain `a` ends at 0: entry 4 does not follow it"):
        journal.append(rows)
    fresh = written(journal, drafts(2))
    journal.close()
    assert kept(path) == fresh


def test_a_file_put_back_from_a_copy_is_written_from_then_on(path: Path) -> None:
    """Not the one that was moved away, which nobody would look into."""
    journal = open_sqlite_journal(path)
    copy = path.with_name("copy.sqlite")
    journal.copy_to(copy)
    rows = written(journal, drafts(1))
    path.rename(path.with_name("away.sqlite"))
    copy.rename(path)
    with pytest.raises(StoreError, match="is not the file it was"):
        journal.append(rows)
    journal.append(rows)
    journal.close()
    assert kept(path)[2:] == rows


def test_a_folder_that_was_moved_away_and_back_is_the_same(path: Path) -> None:
    """Nothing is made in its place meanwhile."""
    journal = open_sqlite_journal(path)
    rows, _ = rows_of(journal.head("a"), drafts(1))
    away = path.parent.with_name("elsewhere")
    path.parent.rename(away)
    for _ in range(2):
        with pytest.raises(StoreError, match="is not there any more"):
            journal.append(rows)
    assert not path.parent.exists()
    away.rename(path.parent)
    journal.append(rows)
    journal.close()
    assert kept(path)[2:] == rows


def test_a_copy_made_while_it_is_written_is_of_one_moment(path: Path) -> None:
    """Every entry of it follows the one before, and its head is its last entry's; the writer never fails."""
    journal = open_sqlite_journal(path)
    head = journal.head("a")
    done, failed = threading.Event(), []

    def write() -> None:
        number, last = 0, head
        while not done.is_set() and number < 5000:
            rows, last = rows_of(last, [draft(number, body=bytes(2000))])
            try:
                journal.append(rows)
            except StoreError as error:
                failed.append(str(error))
                return
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            copy = path.with_name(f"copy{number}.sqlite")
            journal.copy_to(copy)
            assert_whole(copy)
    finally:
        done.set()
        writer.join()
    journal.close()
    assert failed == []


def assert_whole(path: Path) -> None:
    """A journal's chain ``a`` holds together."""
    copied = open_sqlite_journal(path)
    before = EMPTY
    for row in copied.chain("a"):
        assert follows(row, before) is None
        before = Head(chain="a", seq=row.seq, hash=row.hash)
    assert before == copied.head("a")
    copied.close()


def test_the_log_is_emptied_beside_the_writer(path: Path) -> None:
    """Written for as long as it takes, what was written reaches the file without a commit's doing."""
    journal = open_sqlite_journal(path)
    before, head = path.stat().st_size, journal.head("a")
    for _ in range(600):
        rows, head = rows_of(head, drafts(10, brief=bytes(500)))
        journal.append(rows)
        if path.stat().st_size > before:
            break
    assert path.stat().st_size > before
    journal.close()


def test_a_removal_lets_others_write_in_between(path: Path) -> None:
    """A long span is taken out in steps, each of which ends before the next."""
    journal, other = open_sqlite_journal(path), open_sqlite_journal(path)
    rows = written(journal, drafts(3000))
    remover = threading.Thread(target=journal.remove, args=([sealed(rows)],))
    remover.start()
    more = [written(other, [draft(number)], "b")[0] for number in range(5)]
    remover.join()
    assert list(journal.chain("b")) == more
    assert list(journal.chain("a")) == list(other.chain("a", 1, 2))
    assert journal.count(T0, after(9999)) == 2 + len(more)
    journal.close()
    other.close()
