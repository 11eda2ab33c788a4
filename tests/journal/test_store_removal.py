"""What retention takes out is out, with what only it named; everything else is as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminder.journal.base import Artifact, Head
from tests.journal.records import T0, after, draft, drafts, sealed, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.journal.store import SqlJournal


def naming(number: int, digest: str) -> bytes:
    """The body of a decision made with a list."""
    return b'{"kind":"decision","n":%d,"list":"%s","policy":"same"}' % (number, digest.encode())


def keep(journal: SqlJournal, *names: str) -> None:
    """Keep lists under these digests."""
    for name in names:
        journal.keep(Artifact(digest=name, kind="list", content=name.encode(), first_at=T0))


def kept(journal: SqlJournal, *names: str) -> list[str]:
    """Which of these artifacts are there."""
    return [name for name in names if journal.artifact(name)]


def test_a_span_is_taken_out_whole(journal: SqlJournal) -> None:
    """From every read; what stands before and behind it stays, and a second time there is nothing left."""
    rows = written(journal, drafts(1200, patient_key="p", encounter_key="e"))
    other = written(journal, drafts(5), chain="b")
    assert journal.remove([sealed(rows[100:1150])]) == 1050
    left = rows[:100] + rows[1150:]
    assert list(journal.chain("a")) == left
    assert list(journal.chain("b")) == other
    assert journal.of_patient(["p"], limit=2000) == journal.of_encounter(["e"], limit=2000) == left[::-1]
    assert journal.count(T0, after(9999)) == len(left) + 5
    assert journal.remove([sealed(rows[100:1150])]) == 0


def test_a_chain_goes_on_behind_what_was_taken_out(opening: Callable[[], SqlJournal], journal: SqlJournal) -> None:
    """Also where nothing of it is left: numbers never begin anew."""
    rows = written(journal, drafts(3))
    other = opening()
    assert other.remove([sealed(rows)]) == 3
    other.close()
    assert journal.head("a") == Head(chain="a", seq=3, hash=rows[-1].hash)
    assert journal.heads() == [journal.head("a")]
    more = written(journal, drafts(2))
    assert [row.seq for row in more] == [4, 5]
    assert list(journal.chain("a")) == more


def test_a_chain_that_is_not_there_loses_nothing(journal: SqlJournal) -> None:
    """Neither does one whose span was never written."""
    rows = written(journal, drafts(3))
    elsewhere = sealed(written(journal, drafts(1), chain="b"))
    journal.remove([elsewhere])
    assert journal.remove([elsewhere, sealed([*rows[2:], *written(journal, [draft(8)])])]) == 2
    assert list(journal.chain("a")) == rows[:2]


def test_an_artifact_goes_with_the_last_entry_that_names_it(journal: SqlJournal) -> None:
    """Not before; what no entry has named yet stays."""
    keep(journal, "l1", "l2", "same", "coming")
    first = written(journal, [draft(k, body=naming(k, "l1")) for k in range(4)])
    later = written(journal, [draft(k, body=naming(k, "l2")) for k in range(4)], chain="b")
    journal.remove([sealed(first[:2])])
    assert kept(journal, "l1", "l2", "same", "coming") == ["l1", "l2", "same", "coming"]
    journal.remove([sealed(first[2:])])
    assert kept(journal, "l1", "l2", "same", "coming") == ["l2", "same", "coming"]
    journal.remove([sealed(later)])
    assert kept(journal, "l1", "l2", "same", "coming") == ["coming"]


def test_an_artifact_another_chain_names_stays(journal: SqlJournal) -> None:
    """Workers share what they decide with."""
    keep(journal, "l1")
    mine = written(journal, [draft(1, body=naming(1, "l1"))], chain="a")
    written(journal, [draft(1, body=naming(1, "l1"))], chain="b")
    journal.remove([sealed(mine)])
    assert kept(journal, "l1") == ["l1"]


def test_an_artifact_named_again_after_a_removal_stays(opening: Callable[[], SqlJournal], journal: SqlJournal) -> None:
    """A writer that thinks it has said so is told by another's removal that it has to say it again."""
    rows = written(journal, [draft(1, body=naming(1, "l1"))])
    other = opening()
    other.remove([sealed(rows)])
    keep(other, "l1")
    again = written(journal, [draft(k, body=naming(k, "l1"), patient_key="p1") for k in range(3)])
    other.remove([sealed(again[:2])])
    other.close()
    assert kept(journal, "l1") == ["l1"]
    assert journal.of_patient(["p1"]) == again[2:]


def test_a_patient_is_found_after_part_of_the_stay_went(journal: SqlJournal) -> None:
    """By the entries that are left of an encounter; by none when all are gone."""
    rows = written(journal, drafts(4, patient_key="p", encounter_key="e"))
    journal.remove([sealed(rows[:3])])
    assert journal.of_patient(["p"]) == rows[3:]
    journal.remove([sealed(rows[3:])])
    assert journal.of_patient(["p"]) == []


def test_every_kind_that_names_digests_counts(journal: SqlJournal) -> None:
    """A change of policy names the one before and the one after; a feedback's text names none."""
    keep(journal, "p1", "p2", "l1", "c1", "no")
    rows = written(
        journal,
        [
            draft(1, kind="policy", body=b'{"kind":"policy","digest":"p2","before":"p1"}'),
            draft(2, kind="started", body=b'{"kind":"started","list":"l1","codes":"c1"}'),
            draft(3, kind="feedback", body=b'{"kind":"feedback","list":"no"}'),
        ],
    )
    journal.remove([sealed(rows[2:])])
    assert kept(journal, "p1", "p2", "l1", "c1", "no") == ["p1", "p2", "l1", "c1", "no"]
    journal.remove([sealed(rows[:2])])
    assert kept(journal, "p1", "p2", "l1", "c1", "no") == ["no"]
