"""``verify`` finds whatever was done to a journal, on both databases, and says up to where it could."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from reminder.journal.chain import hash_of
from reminder.journal.naming import other_chain
from tests.journal.records import T0, written
from tests.journal.tampering import Place, Raw, entries, got, put, report_on

if TYPE_CHECKING:
    from reminder.journal.base import Row
    from reminder.journal.store import SqlJournal

COUNT, COVERED = 12, 10
COLUMNS = ("at", "kind", "decision_id", "institution_id", "patient_key", "encounter_key", "asked", "hash", "brief")
BODY = "content"
DRAWS = 60


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Checkpoints of another disk."""
    return Place(tmp_path)


@pytest.fixture
def rows(journal: SqlJournal, place: Place) -> list[Row]:
    """Twelve entries of chain ``a``, of which a checkpoint covers ten, and a chain ``b`` it covers whole."""
    drafts = entries(COUNT)
    found = written(journal, drafts[:COVERED], "a")
    written(journal, drafts[:3], "b")
    place.checkpointer().make(journal)
    return [*found, *written(journal, drafts[COVERED:], "a")]


def kinds(journal: SqlJournal, place: Place) -> list[tuple[str, str, int]]:
    """Kind, chain and entry of every problem."""
    return [(problem.kind, problem.chain, problem.seq) for problem in report_on(journal, place).problems]


def place_of(raw: Raw, seq: int, chain: str = "a") -> int:
    """The number an entry lies under."""
    ((found,),) = raw(
        "SELECT e.id FROM entry e JOIN chain c ON c.number = e.id >> 40 WHERE c.name = ? AND e.id & 1023 = ?",
        chain,
        seq,
    )
    return int(found)


def cut(raw: Raw, journal: SqlJournal, rows: list[Row], last: int) -> None:
    """Entries after ``last`` are gone, and the store's own word about the end says so too."""
    for seq in range(last + 1, COUNT + 1):
        at = place_of(raw, seq)
        raw("DELETE FROM entry WHERE id = ?", at)
        raw("DELETE FROM body WHERE id = ?", at)
    raw("UPDATE chain SET seq = ?, hash = ? WHERE name = 'a'", last, rows[last - 1].hash)


def test_a_journal_as_it_was_written_is_sound(journal: SqlJournal, place: Place, rows: list[Row]) -> None:
    """And it is said up to where absence is proved, for each chain by itself."""
    report = report_on(journal, place)
    assert (report.sound, report.lines, len(rows)) == (True, 1, COUNT)
    assert [(p.chain, p.first, p.last, p.proved, p.proved_at) for p in report.proofs] == [
        ("a", 1, COUNT, COVERED, T0),
        ("b", 1, 3, 3, T0),
    ]


@pytest.mark.parametrize("column", COLUMNS)
def test_an_entry_edited_in_any_column_is_found(
    journal: SqlJournal, place: Place, rows: list[Row], raw: Raw, column: str
) -> None:
    """The columns an entry is found by and its brief too; a changed hash breaks the next entry as well."""
    values: dict[str, Any] = {"at": "2026-01-05T01:00:07.000250", "kind": "saved", "hash": bytes(32), "brief": b"\x91"}
    put(raw, column, place_of(raw, 5), values.get(column, "other"))
    found = kinds(journal, place)
    assert found[0] == ("entry", "a", 5)
    assert found[1:] == ([("entry", "a", 6)] if column == "hash" else [])


def test_a_body_edited_by_somebody_who_knows_its_form_is_found(
    journal: SqlJournal, place: Place, rows: list[Row], raw: Raw
) -> None:
    """One taken from another entry is whole in itself, and still not what was written here."""
    raw(
        "UPDATE body SET content = (SELECT content FROM body WHERE id = ?) WHERE id = ?",
        place_of(raw, 9),
        place_of(raw, 5),
    )
    assert kinds(journal, place) == [("entry", "a", 5)]


def test_an_entry_edited_with_its_hash_made_anew_is_found_at_the_next(
    journal: SqlJournal, place: Place, rows: list[Row], raw: Raw
) -> None:
    """For that hangs on the hash that was."""
    edited = msgspec.structs.replace(rows[4], institution_id="H2")
    raw(
        "UPDATE entry SET institution_id = 'H2', hash = ? WHERE id = ?",
        hash_of(rows[3].hash, "a", 5, edited),
        place_of(raw, 5),
    )
    assert kinds(journal, place) == [("disagrees", "a", 5), ("entry", "a", 6)]


def test_an_entry_removed_is_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """By its number; which checkpoint covers it is told."""
    at = place_of(raw, 5)
    raw("DELETE FROM entry WHERE id = ?", at)
    raw("DELETE FROM body WHERE id = ?", at)
    (problem,) = report_on(journal, place).problems
    assert str(problem) == ("chain `a`: entry 5 is missing, as the checkpoint of 2026-01-05T01:00:00Z (line 1) shows")


def test_a_body_removed_is_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """An entry that cannot be read does not keep the others from being checked."""
    raw("DELETE FROM body WHERE id = ?", place_of(raw, 5))
    raw("UPDATE entry SET kind = 'gap' WHERE id = ?", place_of(raw, 8))
    assert kinds(journal, place) == [("entry", "a", 5), ("entry", "a", 8)]


def test_two_entries_swapped_are_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """Each stands on another's hash now, and so does the one after them."""
    first, second = place_of(raw, 5), place_of(raw, 6)
    for old, new in ((first, -1), (second, first), (-1, second)):
        raw("UPDATE entry SET id = ? WHERE id = ?", new, old)
        raw("UPDATE body SET id = ? WHERE id = ?", new, old)
    assert kinds(journal, place) == [("entry", "a", 5), ("entry", "a", 6), ("entry", "a", 7)]


@pytest.mark.parametrize("last", [9, 5, 0])
def test_the_last_entries_removed_are_found_up_to_the_checkpoint(
    journal: SqlJournal, place: Place, rows: list[Row], raw: Raw, last: int
) -> None:
    """Although the store's own word about the end was changed with them."""
    cut(raw, journal, rows, last)
    (problem,) = report_on(journal, place).problems
    assert (problem.kind, problem.chain) == ("missing", "a")
    assert "line 1) shows" in problem.text


def test_what_no_checkpoint_covers_is_said(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """The end after the last checkpoint can be cut off unseen: the statement ends where the proof does."""
    cut(raw, journal, rows, COVERED)
    report = report_on(journal, place)
    assert (report.sound, report.proofs[0].proved, report.proofs[0].last) == (True, COVERED, COVERED)


def test_the_end_cut_off_by_somebody_who_forgets_the_stores_word_is_found(
    journal: SqlJournal, place: Place, rows: list[Row], raw: Raw
) -> None:
    """The store knows how far the chain had come, also past the last checkpoint."""
    raw("DELETE FROM entry WHERE id = ?", place_of(raw, COUNT))
    assert kinds(journal, place) == [("missing", "a", 0)]


def test_an_entry_put_behind_the_end_is_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """With a right hash, but nobody's word that the chain had come so far."""
    raw("UPDATE chain SET seq = ?, hash = ? WHERE name = 'a'", COUNT - 1, rows[-2].hash)
    assert kinds(journal, place) == [("order", "a", COUNT)]


def test_a_chain_written_anew_is_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """Entry inserted, every later one renumbered, every hash made again: the checkpoint names another end."""
    raw("DELETE FROM entry")
    raw("DELETE FROM body")
    raw("DELETE FROM chain WHERE name = 'a'")
    drafts = entries(COUNT)
    journal.close()
    written(journal, [*drafts[:4], drafts[1], *drafts[4:]], "a")
    assert ("attested", "a", COVERED) in kinds(journal, place)


def test_a_whole_chain_removed_is_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """Nothing in the store names it any more, but the checkpoint does."""
    number = place_of(raw, 1, "b") >> 40
    raw("DELETE FROM entry WHERE id >> 40 = ?", number)
    raw("DELETE FROM body WHERE id >> 40 = ?", number)
    raw("DELETE FROM chain WHERE name = 'b'")
    assert kinds(journal, place) == [("missing", "b", 0)]


def test_a_chain_under_another_name_is_found(journal: SqlJournal, place: Place, rows: list[Row], raw: Raw) -> None:
    """The name is part of every hash."""
    raw("UPDATE chain SET name = ? WHERE name = 'b'", other_chain("a"))
    found = kinds(journal, place)
    assert ("missing", "b", 0) in found
    assert sum(kind == "entry" for kind, *_ in found) == 3


def test_missing_checkpoints_are_found_when_many_should_be_there(journal: SqlJournal, place: Place) -> None:
    """Ten minutes of entries have ten checkpoints; without any the file was taken away, or could not be written."""
    drafts = entries(2)
    late = msgspec.structs.replace(entries(1)[0], at=T0 + timedelta(minutes=11))
    written(journal, [*drafts, late], "a")
    found = report_on(journal, place)
    assert [problem.kind for problem in found.problems] == ["disagrees", "unattested"]
    assert "11 minutes" in found.problems[1].text


def mutated(value: Any, draw: random.Random) -> Any:
    """A value with one bit of one byte changed (of a text: one letter)."""
    if isinstance(value, str):
        at = draw.randrange(len(value)) if value else 0
        return (
            value[:at] + draw.choice("abcxyz0123456789-:TD").replace(value[at : at + 1] or "\n", "#") + value[at + 1 :]
        )
    content = bytearray(bytes(value) or b"\0")
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(content)


def test_any_byte_of_any_column_of_any_entry_changed_is_found(
    journal: SqlJournal, place: Place, rows: list[Row], raw: Raw
) -> None:
    """Drawn at random, with the seed said; the journal is sound again when the byte is put back."""
    for seed in range(DRAWS):
        draw = random.Random(seed)
        column = draw.choice((*COLUMNS, BODY))
        at = place_of(raw, draw.randrange(1, COUNT + 1))
        before = got(raw, column, at)
        put(raw, column, at, mutated(before, draw))
        assert not report_on(journal, place).sound, f"seed {seed}: {column}"
        put(raw, column, at, before)
    assert report_on(journal, place).sound
