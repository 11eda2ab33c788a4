"""What a check is told of a patient's past, whoever told it and in whatever order."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from negative_list.prescription import Diagnosed
from reminder.stores import reading
from reminder.stores.base import Coverage
from tests.stores.builders import AT, DAY, HERE, NOW, THERE, encounter, fact, fed, later, line, saved, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from negative_list.prescription import History
    from reminder.stores.base import Saved, Wanted
    from reminder.stores.sqlstore import SqlStore


def history(store: SqlStore, asked: Wanted | None = None) -> History:
    """The history a check is told."""
    told = store.read(asked or wanted()).history
    assert told is not None
    return told


def ids(store: SqlStore, asked: Wanted | None = None) -> list[str]:
    """The ids of the lines a check is told, sorted."""
    return sorted(one.id for one in history(store, asked).lines)


def test_a_saved_line_is_told_as_it_was_with_its_institution(store: SqlStore) -> None:
    """A line comes back whole: in force, under its encounter's key, with who it belongs to."""
    ordered = line(encounter_id="the caller's", current=True, stops=DAY + timedelta(days=7), facts={"line.days": 7})
    assert store.save([saved(ordered)]) == 1
    expected = msgspec.structs.replace(
        ordered, encounter_id="e1", current=False, facts={"line.institution_id": HERE, "line.days": 7}
    )
    assert history(store).lines == (expected,)


REVISIONS = (
    saved(line("R1"), revision=1),
    saved(line("R1"), line("R2"), revision=2, saved_at=later(1)),
    saved(line("R3"), revision=3, saved_at=later(2)),
)


@pytest.mark.parametrize(
    "order", [*itertools.permutations(REVISIONS)], ids=lambda order: str([s.revision for s in order])
)
def test_the_highest_revision_stands_in_whatever_order_they_come(store: SqlStore, order: Sequence[Saved]) -> None:
    """Of the revisions of one prescription only the lines of the highest are known."""
    for one in order:
        store.save([one])
    assert ids(store) == ["R3"]


@pytest.mark.parametrize("first", ["written", "voided"])
def test_an_empty_revision_voids_the_prescription(store: SqlStore, first: str) -> None:
    """Nothing is left of a voided prescription, also where its lines come after the void."""
    void = saved(revision=2, saved_at=later(1))
    store.save([saved(line()), void] if first == "written" else [void, saved(line())])
    told = history(store)
    assert (told.lines, told.encounters) == ((), ())


def test_a_prescription_taken_up_again_after_a_void_is_known(store: SqlStore) -> None:
    """A revision after the void counts like any other."""
    store.save([saved(line(), revision=1), saved(revision=2), saved(line("R2"), revision=3)])
    assert ids(store) == ["R2"]


def test_saving_again_changes_nothing(store: SqlStore) -> None:
    """The same word twice counts once, and the second time is no change."""
    assert [store.save([saved(line())]) for _ in range(3)] == [1, 0, 0]
    assert ids(store) == ["R1"]


def test_of_one_revision_told_twice_the_later_stands(store: SqlStore) -> None:
    """A sender who does not number revisions is understood by the time."""
    earlier, after = saved(line("R1")), saved(line("R2"), saved_at=later(5))
    store.save([after, earlier])
    assert ids(store) == ["R2"]


def test_prescriptions_are_known_by_institution_encounter_and_number(store: SqlStore) -> None:
    """The same number in another encounter or institution is another prescription."""
    others = (
        saved(line("R2", encounter_id="e2"), encounter_key="e2"),
        saved(line("R3"), institution_id=THERE, encounter_key="e3"),
        saved(line("R4"), prescription_id="RX2"),
    )
    assert store.save([saved(line("R1")), *others]) == 4
    assert ids(store) == ["R1", "R2", "R3", "R4"]


def test_a_record_of_a_feed_replaces_the_one_of_the_same_id(store: SqlStore) -> None:
    """A feed's record is known by institution and id; a later one stands, also where the earlier comes after it."""
    assert store.put_history([fed(line("R2"))], at=later(1)) == 1
    assert store.put_history([fed(line("R1"))], at=NOW) == 0
    assert store.put_history([fed(line("R2"))], at=later(2)) == 0
    assert ids(store) == ["R2"]


def test_a_feed_takes_a_record_out_by_telling_nothing(store: SqlStore) -> None:
    """A record without lines and encounter is gone."""
    store.put_history([fed(line())], at=NOW)
    assert store.put_history([fed()], at=later(1)) == 1
    assert ids(store) == []


def test_a_line_saved_here_and_fed_from_elsewhere_counts_once(store: SqlStore) -> None:
    """The copy saved here is the one that is told, whichever came first."""
    copy = line("R1", facts={"line.quantity": Decimal(9)})
    store.put_history([fed(copy, line("R2"))], at=NOW)
    store.save([saved(line("R1"))])
    assert ids(store) == ["R1", "R2"]
    assert {one.facts["line.institution_id"] for one in history(store).lines if one.id == "R1"} == {HERE}


def test_a_fed_line_without_an_id_is_a_copy_by_its_day(store: SqlStore) -> None:
    """Where one side has no line id, the same item on the same day of the encounter is the same line."""
    store.save([saved(line("R1"))])
    store.put_history([fed(line("#1", begins=DAY.replace(hour=20)))], at=NOW)
    assert ids(store) == ["R1"]


def test_two_lines_of_one_record_are_no_copies_of_each_other(store: SqlStore) -> None:
    """A charge that stands twice in one record was made twice."""
    store.save([saved(line("#1"), line("#2"))])
    assert ids(store) == ["#1", "#2"]


def test_prescriptions_saved_under_different_ids_are_no_copies_of_each_other(store: SqlStore) -> None:
    """Line numbers are often unique in a prescription only; what a feed tells of one of them is a copy still."""
    bare = line("1", begins=DAY.replace(hour=0, minute=0), has_clock=False)
    store.save([saved(bare, prescription_id=name) for name in ("RXA", "RXB")])
    store.put_history([fed(line("1"), line("#2"))], at=NOW)
    assert (ids(store), history(store).unique) == (["1", "1"], True)


def test_lines_of_another_patient_are_not_told(store: SqlStore) -> None:
    """What is known of others stays with them."""
    store.save([saved(line(), patient_key="p2")])
    assert ids(store) == []


def test_a_patient_nobody_knows_has_no_history(store: SqlStore) -> None:
    """Without a key nothing is found, the voided prescriptions of others neither."""
    store.save([saved(revision=2)])
    told = history(store, wanted(patient_key=""))
    assert (told.lines, told.encounters, told.since, told.complete) == ((), (), None, False)


def test_one_patient_under_several_keys_is_one(store: SqlStore) -> None:
    """Keys are joined whether the lines or the word of their being one came first, and over several steps."""
    for key in ("p1", "p2", "p3"):
        store.save([saved(line(f"R-{key}"), patient_key=key, prescription_id=key)])
    assert store.put_aliases([("p1", "p2"), ("p3", "p2"), ("p1", "p3")]) == 2
    assert [ids(store, wanted(patient_key=key)) for key in ("p1", "p2", "p3")] == [["R-p1", "R-p2", "R-p3"]] * 3


def test_keys_joined_by_several_at_once_are_one(opening: Callable[[], SqlStore]) -> None:
    """Sidecars that tell of the same patient at the same moment do not disturb each other."""
    stores = [opening() for _ in range(4)]
    pairs = [(f"k{number}", f"k{number + 1}") for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda place: [stores[place].put_aliases([pair]) for pair in pairs[place::4]], range(4)))
    stores[0].save([saved(line(), patient_key="k0")])
    assert ids(stores[1], wanted(patient_key="k40")) == ["R1"]
    for one in stores:
        one.close()


def test_one_encounter_under_two_keys_is_one(store: SqlStore) -> None:
    """Lines of an alias of the asking encounter stand under its key, so that copies in the body are seen."""
    store.save([saved(line("R1", encounter_id="old"), encounter_key="old")])
    store.put_history([fed(line("R1", encounter_id="now"))], at=NOW)
    store.put_aliases([("now", "old")])
    told = history(store)
    assert [(one.id, one.encounter_id) for one in told.lines] == [("R1", "now")]
    assert told.encounters == ()


def test_what_was_written_under_an_older_secret_is_found(store: SqlStore) -> None:
    """Keys of older secrets are the patient's and the encounter's, without anybody having said so."""
    store.save(
        [
            saved(line("R1"), patient_key="p0", encounter_key="now0"),
            saved(line("R2"), patient_key="p0b", prescription_id="RX2"),
        ]
    )
    store.put_aliases([("p0", "p0b")])
    store.put_facts([fact(subject="p0"), fact(subject="now0", fact="encounter.rescue")], at=NOW)
    asked = wanted("p1", "now", patient_before=("p0",), encounter_before=("now0",))
    assert sorted((one.id, one.encounter_id) for one in history(store, asked).lines) == [("R1", "now"), ("R2", "e1")]
    assert sorted(one.subject for one in store.read(asked).facts) == ["now", "p1"]


def test_encounters_are_told_once_with_what_the_latest_record_says(store: SqlStore) -> None:
    """Facts of one encounter are gathered from its records; where they differ, the latest is right."""
    first = encounter(admitted_at=DAY, ward="W1", bed="1")
    last = msgspec.structs.replace(encounter(ward="W2"), diagnoses=(Diagnosed(codes=("E11",), name="糖尿病"),))
    store.save(
        [
            saved(line("R1"), encounter=first),
            saved(line("R2", begins=DAY + timedelta(days=1)), encounter=last, prescription_id="RX2"),
        ]
    )
    (told,) = history(store).encounters
    assert told.facts == {"encounter.admitted_at": DAY, "encounter.ward": "W2", "encounter.bed": "1"}
    assert told.diagnoses == last.diagnoses
    assert told.lines == ()


def test_the_encounter_that_asks_is_not_told_to_itself(store: SqlStore) -> None:
    """Its lines saved before are; what it is, the body says."""
    store.save([saved(line())])
    told = history(store, wanted(encounter_key="e1"))
    assert ([one.id for one in told.lines], told.encounters) == (["R1"], ())


def test_a_private_fact_is_not_kept(store: SqlStore) -> None:
    """The dictionary's private facts are not written down."""
    store.save([saved(line(facts={"line.doctor_name": "测试医生", "line.doctor_id": "T001"}))])
    assert history(store).lines[0].facts == {"line.institution_id": HERE, "line.doctor_id": "T001"}


def test_only_what_is_wanted_is_read(store: SqlStore) -> None:
    """A check that needs no history is told none, and one that needs no facts no facts."""
    store.save([saved(line())])
    assert store.read(wanted(history=False)).history is None
    assert store.read(wanted("p1", facts=False)).facts == ()


def test_a_patient_with_too_many_lines_is_told_the_latest(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit the oldest records are left out, and the coverage begins after them."""
    monkeypatch.setattr(reading, "MOST_LINES", 5)
    days = [DAY - timedelta(days=back) for back in range(4)]
    store.save(
        [
            saved(line(f"a{k}", begins=day), line(f"b{k}", begins=day), prescription_id=f"RX{k}")
            for k, day in enumerate(days)
        ]
    )
    store.put_history((), [Coverage(complete=True)], at=NOW)
    told = store.read(wanted())
    assert told.history is not None
    assert sorted(one.id for one in told.history.lines) == ["a0", "a1", "b0", "b1"]
    assert told.cut_at == days[2]
    assert told.history.since == told.history.own_since == days[2] + timedelta(microseconds=1)
    assert not told.history.complete


def test_a_read_with_little_time_asks_for_no_more_than_it_can_work_up(store: SqlStore) -> None:
    """The latest records are asked for, as many as the time is worth, and the coverage begins after them."""
    days = [DAY - timedelta(days=back) for back in range(10)]
    store.save([saved(line(f"R{k}", begins=day), prescription_id=str(k)) for k, day in enumerate(days)])
    bounds = reading.Bounds(records=3)
    told = reading.told(wanted(), store._driver.read(reading.queries(wanted(), bounds)), bounds)  # noqa: SLF001
    assert told.history is not None
    assert [one.id for one in told.history.lines] == ["R0", "R1", "R2"]
    assert told.cut_at == days[2]


def test_a_read_without_time_tells_nothing_and_promises_nothing(store: SqlStore) -> None:
    """Time is up before the first record: the coverage begins after the last line."""
    store.save([saved(line())])
    told = store.read(wanted(), within_s=-1)
    assert told.history is not None
    assert (told.history.lines, told.cut_at) == ((), DAY)
    assert told.history.since is None


def test_encounters_of_a_span_are_told_with_all_their_lines(store: SqlStore) -> None:
    """An encounter with a line or an admission in the span is told whole, copies once, each patient's under one key."""
    store.save(
        [
            saved(line("R1"), line("R2", begins=AT)),
            saved(encounter_key="e2", prescription_id="RX2", revision=2),
            saved(
                line("R9", encounter_id="e3", begins=AT), encounter_key="e3", encounter=encounter("e3", admitted_at=DAY)
            ),
        ]
    )
    store.put_history(
        [fed(line("R1"), patient_key="p2"), fed(line("R5", encounter_id="e5", begins=AT), record_id="F2")], at=NOW
    )
    store.put_aliases([("p1", "p2")])
    span = store.saved_encounters(DAY, DAY + timedelta(days=1))
    told = {one.encounter.id: (one.institution_id, sorted(line.id for line in one.lines)) for one in span}
    assert told == {"e1": (HERE, ["R1", "R2"]), "e3": (HERE, ["R9"])}


def test_what_ended_before_is_forgotten(store: SqlStore) -> None:
    """A record goes when the last of its lines ended, and nothing is promised of the time before."""
    store.save(
        [
            saved(line("R1")),
            saved(line("R2"), line("R3", begins=DAY, stops=AT), prescription_id="RX2"),
        ]
    )
    store.put_history((), [Coverage(since=datetime(2020, 1, 1)), Coverage(patient_key="p9", complete=True)], at=NOW)
    assert store.forget(AT) == 1
    assert ids(store) == ["R2", "R3"]
    assert history(store).since == AT
    assert history(store, wanted(patient_key="p9")).since == AT
    store.put_history((), [Coverage(since=datetime(2020, 1, 1))], at=later(1))
    assert store.forget(DAY) == 0
    assert (history(store).since, store.read(wanted()).forgotten_before) == (AT, AT)
