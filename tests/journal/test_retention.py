"""Retention: whole months, sealed first; ``verify`` accepts a beginning that is missing with a signed record only."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from reminder.journal import retention
from reminder.journal.base import Draft, Head
from reminder.journal.chain import instant_text, rows_of
from reminder.journal.checkpoints import CheckpointsError
from reminder.journal.coding import encode
from reminder.journal.entries import Changed
from reminder.journal.own import OwnEntries
from reminder.journal.retention import ChainBrokenError, Removal, Remover, due_spans
from reminder.journal.writer import append_in_turn
from tests.journal.journals import journal_on
from tests.journal.memory_store import MemoryJournalStore
from tests.journal.records import written
from tests.journal.tampering import Place, drafted, raw_on, report_on
from tests.stores.desks import run, until

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.journal.store import SqlJournal

FOLDER = "0123456789ab"
CHAIN = f"{FOLDER}-0"
OFFICE = f"{FOLDER}-office"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
OWN = OwnEntries(engine="test", encode=encode)


def entry(at: datetime) -> Draft:
    """An entry of an instant."""
    return drafted(Changed(engine="test", at=at, what="list", digest=f"{at:%Y%m%d%H%M%S}"))


def instants(*days: str) -> list[Draft]:
    """An entry at noon of each day."""
    return [entry(datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)) for day in days]


DAYS = ("2026-01-03", "2026-01-31", "2026-02-01", "2026-02-28", "2026-01-30", "2026-03-01", "2026-05-09")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Checkpoints of another disk."""
    return Place(tmp_path)


@pytest.fixture
def rows(journal: SqlJournal, place: Place) -> list[Row]:
    """Entries of four months, one of them written late, with a checkpoint; and one chain of somebody else's."""
    found = written(journal, instants(*DAYS), CHAIN)
    written(journal, instants("2026-01-05"), "ffffffffffff-0")
    written(journal, instants("2026-01-05"), OFFICE)
    place.checkpointer().make(journal)
    return found


def removed(store: JournalStore, place: Place, limit: datetime) -> Removal:
    """What is taken out, as a command does it."""
    remover = Remover(FOLDER, place.keys, place.checkpointer(), OWN)
    return remover.remove(store, limit, NOW, partial(append_in_turn, store, OFFICE))


def test_a_span_is_a_month_of_which_everything_is_older() -> None:
    """What was written late belongs to the span it lies in; the month of the limit stays."""
    rows, _ = rows_of(Head(chain=CHAIN), instants(*DAYS))
    spans = list(due_spans(iter(rows), Head(chain=CHAIN), datetime(2026, 3, 1, tzinfo=UTC)))
    assert [(span.first, span.last, f"{span.begin:%m-%d}", f"{span.end:%m-%d}") for span in spans] == [
        (1, 2, "01-03", "01-31"),
        (3, 5, "01-30", "02-28"),
    ]
    assert [span.kinds for span in spans] == [{"list": 2}, {"list": 3}]
    assert spans[1].hash == rows[4].hash


def test_old_months_go_with_a_signed_record_and_the_journal_stays_sound(
    journal: SqlJournal, place: Place, rows: list[Row]
) -> None:
    """The rest hangs on the hash the record names; an entry tells of each span; the office's chain stays whole."""
    done = removed(journal, place, datetime(2026, 3, 15, tzinfo=UTC))
    assert (done.entries, len(done.spans)) == (5, 2)
    assert [row.seq for row in journal.chain(CHAIN)] == [6, 7]
    told = [msgspec.json.decode(row.body) for row in journal.chain(OFFICE) if row.kind == "removed"]
    assert [(one["chain"], one["first"], one["last"]) for one in told] == [(CHAIN, 1, 2), (CHAIN, 3, 5)]
    report = report_on(journal, place)
    assert report.problems == ()
    proof = next(proof for proof in report.proofs if proof.chain == CHAIN)
    assert (proof.first, proof.sealed, proof.entries) == (6, 5, 2)


def test_only_chains_of_the_own_folder_go(journal: SqlJournal, place: Place, rows: list[Row]) -> None:
    """Another sidecar on the database signs for its own."""
    removed(journal, place, datetime(2026, 12, 1, tzinfo=UTC))
    assert [head.chain for head in journal.heads() if list(journal.chain(head.chain))] == [OFFICE, "ffffffffffff-0"]


def test_a_chain_that_is_gone_whole_goes_on_where_it_ended(journal: SqlJournal, place: Place, rows: list[Row]) -> None:
    """Its numbers never begin again, and its record stands for all of it."""
    removed(journal, place, datetime(2026, 12, 1, tzinfo=UTC))
    assert report_on(journal, place).sound
    written(journal, instants("2026-11-19"), CHAIN)
    report = report_on(journal, place)
    proof = next(proof for proof in report.proofs if proof.chain == CHAIN)
    assert (report.problems, proof.first, proof.sealed) == ((), 8, 7)


def test_entries_taken_out_without_a_record_are_missing(journal: SqlJournal, place: Place, rows: list[Row]) -> None:
    """And a record somebody else signed is none."""
    journal.remove([*due_spans(iter(rows), None, datetime(2026, 3, 1, tzinfo=UTC))])
    assert [problem.kind for problem in report_on(journal, place).problems] == ["missing"]


def test_a_removal_that_was_interrupted_is_ended_by_the_next(
    journal: SqlJournal, place: Place, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed is not sealed again; half of a span gone is told as such meanwhile."""
    spans = list(due_spans(iter(rows), Head(chain=CHAIN), datetime(2026, 3, 1, tzinfo=UTC)))
    checkpointer = place.checkpointer()
    for span in spans:
        checkpointer.seal(span)
    half = msgspec.structs.replace(spans[1], last=4)
    journal.remove([spans[0], half])
    report = report_on(journal, place)
    assert (report.problems, len(report.notes)) == ((), 1)
    assert "not yet taken out whole" in report.notes[0]
    done = removed(journal, place, datetime(2026, 3, 15, tzinfo=UTC))
    assert (done.spans, done.entries) == ((), 1)
    assert report_on(journal, place).sound


def test_a_span_that_is_not_what_was_written_is_not_removed(
    request: pytest.FixtureRequest, journal: SqlJournal, place: Place, rows: list[Row], tmp_path: Path
) -> None:
    """Sealing it would hide what was done to it."""
    on_file = request.node.callspec.params["opening"] == "sqlite"
    raw = raw_on(tmp_path / "journal.sqlite" if on_file else str(request.getfixturevalue("postgres")))
    raw("UPDATE entry SET institution_id = 'H9' WHERE at = ?", instant_text(rows[2].at))
    with pytest.raises(ChainBrokenError, match="entry 3 is not what was written"):
        removed(journal, place, datetime(2026, 3, 15, tzinfo=UTC))
    assert len(list(journal.chain(CHAIN))) == len(DAYS)


def test_nothing_is_removed_that_cannot_be_sealed(journal: SqlJournal, place: Place, rows: list[Row]) -> None:
    """The record comes first."""
    place.path.unlink()
    place.path.mkdir()
    with pytest.raises(CheckpointsError):
        removed(journal, place, datetime(2026, 3, 15, tzinfo=UTC))
    assert len(list(journal.chain(CHAIN))) == len(DAYS)


def test_old_months_go_at_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the civil time has passed; what is younger than the days of the settings stays."""
    monkeypatch.setattr(retention, "_LOOK_S", 0.01)
    store, place = MemoryJournalStore(), Place(tmp_path)
    append_in_turn(store, CHAIN, instants("2025-01-05", "2026-02-20"))
    hours = iter([1, 1, 4])

    def civil() -> datetime:
        return datetime(2026, 3, 2, next(hours, 5))

    async def work() -> None:
        remover = Remover(FOLDER, place.keys, place.checkpointer(), OWN)
        async with journal_on(lambda: store, CHAIN) as journal:
            journal.beside(retention.keep_on(journal, remover, 180, civil, time(3)))
            await until(lambda: any(row.kind == "removed" for row in store.rows.values()))
            assert journal.degraded == ()
        assert [row.kind for row in store.chain(CHAIN)][:2] == ["list", "started"]

    run(work)


def test_a_removal_that_fails_is_told(tmp_path: Path) -> None:
    """And the journal goes on."""
    store, place = MemoryJournalStore(), Place(tmp_path)
    place.path.mkdir(parents=True)
    append_in_turn(store, CHAIN, instants("2025-01-05"))

    async def work() -> None:
        remover = Remover(FOLDER, place.keys, place.checkpointer(), OWN)
        async with journal_on(lambda: store, CHAIN) as journal:
            assert await retention.remove_old(journal, remover, 180) is None
            assert "old entries are not removed" in journal.degraded[0]

    run(work)
