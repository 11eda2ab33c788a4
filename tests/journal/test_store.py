"""What every journal store promises: what was written is there, once, in its place, and is found."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reminder.journal.base import NO_HASH, Artifact, DamagedError, Head
from reminder.journal.chain import rows_of
from reminder.journal.statements import place
from reminder.stores.base import StoreError
from tests.journal.records import EMPTY, T0, after, draft, drafts, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reminder.journal.base import Row
    from reminder.journal.store import SqlJournal


def refused(journal: SqlJournal, rows: Sequence[Row]) -> str:
    """Why entries cannot be written."""
    with pytest.raises(StoreError) as error:
        journal.append(rows)
    assert error.value.kind == "refused"
    return str(error.value)


def test_an_empty_journal_says_so(journal: SqlJournal) -> None:
    """Nothing is there, and nothing asked for is found."""
    assert journal.head("a") == Head(chain="a", seq=0, hash=NO_HASH)
    assert journal.heads() == []
    assert list(journal.chain("a")) == list(journal.period(T0, after(9))) == []
    assert journal.decision("x") is journal.asked("x") is None
    assert journal.artifact("x") is None
    assert journal.about("x") == journal.of_encounter(["x"]) == journal.of_patient(["x"]) == []
    assert journal.count(T0, after(9)) == 0


def test_what_was_written_is_read_as_it_was(opening: Callable[[], SqlJournal], journal: SqlJournal) -> None:
    """Every field, at once and after a restart, whatever letters stand in it."""
    strange = draft(7, institution_id="H'\"\\%s?", asked="问 %b", brief=bytes(range(256)), body="正文".encode() * 5000)
    rows = written(journal, [draft(1), strange, draft(3, kind="gap", decision_id="", brief=b"", body=b"{}")])
    assert list(journal.chain("a")) == rows
    again = opening()
    assert list(again.chain("a")) == rows
    again.close()
    assert [row.receipt for row in rows] == [row.hash.hex()[:16] for row in rows]


def test_a_chain_is_read_from_anywhere_to_anywhere(journal: SqlJournal) -> None:
    """Numbers that are not there are no error; each chain has its own."""
    rows = written(journal, drafts(9))
    other = written(journal, drafts(3), chain="b")
    assert list(journal.chain("a", 3)) == rows[2:]
    assert list(journal.chain("a", 3, 5)) == rows[2:5]
    assert list(journal.chain("a", -1, 100)) == rows
    assert list(journal.chain("a", 10)) == list(journal.chain("a", 5, 4)) == list(journal.chain("c")) == []
    assert journal.heads() == [Head(chain=rows[-1].chain, seq=len(rows), hash=rows[-1].hash) for rows in (rows, other)]
    assert journal.head("b").seq == 3


def test_groups_of_any_size_and_of_several_chains_are_written(journal: SqlJournal) -> None:
    """One entry, more than one statement takes, and two chains at once."""
    rows, head = rows_of(EMPTY, drafts(1))
    more, head = rows_of(head, drafts(150))
    other, _ = rows_of(Head(chain="b"), drafts(40))
    journal.append([])
    journal.append(rows)
    journal.append([row for pair in zip(more, other, strict=False) for row in pair] + more[40:])
    assert list(journal.chain("a")) == rows + more
    assert list(journal.chain("b")) == other
    assert journal.head("a") == head


def test_the_same_entries_again_change_nothing(opening: Callable[[], SqlJournal], journal: SqlJournal) -> None:
    """A commit whose answer was lost is done again, by this process or its successor, in groups cut otherwise."""
    rows, head = rows_of(EMPTY, drafts(6))
    journal.append(rows[:4])
    journal.append(rows[:4])
    later = opening()
    for part in (rows[1:3], rows[2:6], rows, rows[5:]):
        later.append(part)
        assert list(later.chain("a")) == rows[: max(4, part[-1].seq)]
    later.close()
    assert journal.head("a") == head
    journal.append(rows)
    assert list(journal.chain("a")) == rows


def test_another_entry_in_a_taken_place_is_refused(journal: SqlJournal) -> None:
    """Whoever else writes a chain is told to go on in another; nothing of the group is written."""
    rows = written(journal, drafts(3))
    fork, _ = rows_of(Head(chain="a", seq=2, hash=rows[1].hash), [draft(8), draft(9)])
    assert "entry 3 is another; go on in a new one" in refused(journal, fork)
    assert "entry 1 is another" in refused(journal, [replace(rows[0], hash=NO_HASH)])
    assert list(journal.chain("a")) == rows


def test_an_entry_that_does_not_follow_the_last_one_is_refused(journal: SqlJournal) -> None:
    """Neither a gap nor a hash over something else gets into a chain."""
    rows, _ = rows_of(EMPTY, drafts(5))
    assert "ends at 0: entry 2 does not follow it" in refused(journal, rows[1:])
    journal.append(rows[:2])
    assert "ends at 2: entry 4 does not follow it" in refused(journal, rows[3:])
    foreign, _ = rows_of(Head(chain="a", seq=2, hash=NO_HASH), [draft(3)])
    assert "somebody else writes chain `a`" in refused(journal, foreign)
    assert list(journal.chain("a")) == rows[:2]
    journal.append(rows[2:])
    assert list(journal.chain("a")) == rows


def test_a_group_is_written_whole_or_not_at_all(journal: SqlJournal) -> None:
    """What is wrong with one chain of a group keeps the other's entries out, too; afterwards both go on."""
    rows, _ = rows_of(EMPTY, drafts(2))
    wrong, _ = rows_of(Head(chain="b", seq=5, hash=NO_HASH), drafts(1))
    refused(journal, [*rows, *wrong])
    assert journal.heads() == []
    journal.append(rows)
    assert list(journal.chain("a")) == rows


def test_of_two_writers_of_a_chain_one_is_refused(opening: Callable[[], SqlJournal], journal: SqlJournal) -> None:
    """Both have read the same head; the second finds the place taken, and goes on in a chain of its own."""
    written(journal, drafts(2))
    other = opening()
    rows = written(other, [draft(2)])
    lost, _ = rows_of(Head(chain="a", seq=2, hash=list(journal.chain("a"))[1].hash), [draft(3)])
    assert "go on in a new one" in refused(journal, lost)
    mine, theirs = written(journal, [draft(3)], "b"), written(other, [draft(4)])
    assert list(journal.chain("a", 3)) == rows + theirs
    assert list(other.chain("b")) == mine
    other.close()


def test_a_decision_is_found_with_all_that_names_it(journal: SqlJournal) -> None:
    """The decision alone by its id; feedback and appeals with it, in the order of time."""
    told = {"decision_id": "D1", "body": b"{}", "brief": b""}
    rows = written(
        journal,
        [
            draft(5, kind="appeal", **told),
            draft(1, decision_id="D1"),
            draft(3, kind="feedback", **told),
            draft(2, decision_id="D2"),
            draft(4, kind="gap", decision_id=""),
        ],
    )
    assert journal.decision("D1") == rows[1]
    assert journal.about("D1") == [rows[1], rows[2], rows[0]]
    assert journal.about("D3") == journal.about("") == []
    assert journal.decision("") is None


def test_the_latest_decision_of_a_repetition_is_found(journal: SqlJournal) -> None:
    """By what was asked, not by what other kinds of entries say of it; "" is asked by nobody."""
    rows = written(
        journal,
        [draft(2, asked="q"), draft(1, asked="q"), draft(3, asked="q", kind="feedback"), draft(4, asked="")],
    )
    assert journal.asked("q") == rows[0]
    assert journal.asked("other") is journal.asked("") is None


def test_two_texts_with_one_sum_are_told_apart(journal: SqlJournal) -> None:
    """Entries are looked for by a short sum, which different texts may share."""
    one, two = "plumless", "buckeroo"
    assert zlib.crc32(one.encode()) == zlib.crc32(two.encode())
    rows = written(
        journal, [draft(k, asked=text, encounter_key=text, patient_key=text) for k, text in enumerate((one, two))]
    )
    assert [journal.asked(one), journal.asked(two)] == rows
    assert (journal.of_encounter([one]), journal.of_encounter([two])) == ([rows[0]], [rows[1]])
    assert (journal.of_patient([one]), journal.of_patient([two])) == ([rows[0]], [rows[1]])


def test_an_encounter_is_read_from_its_latest_entry_on(journal: SqlJournal) -> None:
    """Under any of its keys, of some kinds or all, no more than asked for."""
    kinds = ["decision", "feedback", "saved", "decision", "decision"]
    keys = ["e1", "e1", "older", "e2", ""]
    rows = written(journal, [draft(9 - k, kind=kind, encounter_key=keys[k]) for k, kind in enumerate(kinds)])
    assert journal.of_encounter(["e1", "older"]) == rows[:3]
    assert journal.of_encounter(["older", "e1"], limit=2) == rows[:2]
    assert journal.of_encounter(["e1", "older"], ["feedback", "saved"]) == rows[1:3]
    assert journal.of_encounter([""]) == journal.of_encounter([]) == journal.of_encounter(["e3"]) == []


def test_a_patient_is_read_over_all_encounters(journal: SqlJournal) -> None:
    """Entries without an encounter, too; nothing of who shares an encounter's key."""
    rows = written(
        journal,
        [
            draft(9, patient_key="p1", encounter_key="e1"),
            draft(8, patient_key="p1", encounter_key="e1"),
            draft(7, patient_key="older", encounter_key="e2"),
            draft(6, patient_key="p1", encounter_key=""),
            draft(5, patient_key="p1", encounter_key="", asked="q"),
            draft(4, patient_key="p2", encounter_key="e1"),
            draft(3, patient_key="", encounter_key="e1"),
        ],
    )
    assert journal.of_patient(["p1", "older"]) == rows[:5]
    assert journal.of_patient(["p1"], limit=2) == rows[:2]
    assert journal.of_patient(["p2"]) == [rows[5]]
    assert journal.of_patient(["", "p3"]) == journal.of_patient([]) == []


def test_artifacts_are_kept_once(journal: SqlJournal) -> None:
    """The first word stays; what is none is none."""
    kept = Artifact(digest="d1", kind="list", content=b"\0rules", first_at=T0)
    journal.keep(kept)
    journal.keep(replace(kept, content=b"other", first_at=after(1)))
    assert journal.artifact("d1") == kept
    assert journal.artifact("d2") is None


@pytest.mark.parametrize(
    "statement", ["UPDATE body SET content = ? WHERE id = ?", "DELETE FROM body WHERE ? <> '' AND id = ?"]
)
def test_a_damaged_entry_is_named_and_the_next_can_be_read(journal: SqlJournal, statement: str) -> None:
    """It is no crash; who checks the chain goes on behind it, and briefs need no body."""
    rows = written(journal, drafts(3))
    with journal._driver.writing() as writing:  # noqa: SLF001 - as a broken disk would
        writing.many(statement, [(b"broken", place(1, 2))])
    before: list[Row] = []
    with pytest.raises(DamagedError, match="entry 2 of chain `a` is damaged") as error:
        before.extend(journal.chain("a"))
    assert (error.value.chain, error.value.seq, error.value.kind) == ("a", 2, "refused")
    assert list(journal.chain("a", first=3)) == rows[2:]
    with pytest.raises(DamagedError):
        journal.decision(rows[1].decision_id)
    assert len(list(journal.briefs(T0, after(9), by_encounter=False))) == 3


def test_an_instant_nobody_can_read_is_damage(journal: SqlJournal) -> None:
    """An edited field is no crash either."""
    written(journal, drafts(1))
    with journal._driver.writing() as writing:  # noqa: SLF001
        writing.many("UPDATE entry SET at = ? WHERE id = ?", [("yesterday", place(1, 1))])
    with pytest.raises(DamagedError, match="a field cannot be read"):
        list(journal.chain("a"))
