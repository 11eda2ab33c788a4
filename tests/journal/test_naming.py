"""Names of chains, and entries of commands that share one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reminder.journal.naming import OFFICE, chain_name, folder_id, is_office, other_chain
from reminder.journal.writer import append_in_turn
from reminder.stores.base import StoreError
from tests.journal.journals import draft
from tests.journal.memory_store import MemoryJournalStore


def test_the_id_of_a_data_folder_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    """Several workers that start together find the same one."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(folder_id(tmp_path / "data"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {folder_id(tmp_path / "data")}
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["chain"]


def test_each_worker_has_its_chain_and_commands_share_one(tmp_path: Path) -> None:
    """Named after the folder; a chain that had to be left has a further word."""
    own = folder_id(tmp_path)
    assert [chain_name(tmp_path), chain_name(tmp_path, 1), chain_name(tmp_path, OFFICE)] == [
        f"{own}-0",
        f"{own}-1",
        f"{own}-office",
    ]
    assert other_chain(f"{own}-0").startswith(f"{own}-0-")
    assert [is_office(name) for name in (f"{own}-office", other_chain(f"{own}-office"), f"{own}-0")] == [
        True,
        True,
        False,
    ]


def test_a_damaged_id_is_not_written_over(tmp_path: Path) -> None:
    """Another name would hide that the folder's chains went on elsewhere."""
    (tmp_path / "chain").write_text("what?", "utf-8")
    with pytest.raises(StoreError, match="does not hold the id"):
        chain_name(tmp_path)


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "data").write_text("a file", "utf-8")
    with pytest.raises(StoreError, match="give the rights"):
        chain_name(tmp_path / "data")


def test_commands_that_write_at_once_take_turns() -> None:
    """Whoever comes second takes the next place, and nothing is written twice or lost."""
    store = MemoryJournalStore()
    threads = [
        threading.Thread(target=lambda n=n: append_in_turn(store, "x-office", [draft(n), draft(n + 100)]))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = list(store.chain("x-office"))
    assert sorted(row.decision_id for row in rows) == sorted(
        draft(n + m).decision_id for n in range(4) for m in (0, 100)
    )
    assert store.groups == [2, 2, 2, 2]


def test_an_entry_that_can_never_be_kept_is_the_commands_error() -> None:
    """It is not tried again and again."""
    store = MemoryJournalStore()
    store.refuses = lambda _row: True
    with pytest.raises(StoreError, match="refuse"):
        append_in_turn(store, "x-office", [draft(1)])
    assert store.tries == 1
