"""Rounds over the stays a store keeps, and the wards' lists they write."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.indicators import Indicator
from negative_list.policy import shipped
from negative_list.prescription import Encounter, Patient, Prescription
from negative_list.readers.stored import StoreFact
from negative_list.rules import RuleList
from negative_list.site import Sites
from reminder.reports.stored import indicator_report, indicator_rows, ward_report, ward_rows
from reminder.reports.writing import written
from reminder.rounds import Round, changes_on, make_round, next_round
from reminder.service import Active
from reminder.stores.base import Kept
from reminder.stores.opening import open_store
from tests.negative_list.builders import DRUG, fact, line, listed, rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.rules import Rule
    from reminder.stores.sqlstore import SqlStore

BEGUN = datetime(2026, 3, 1, 8)
COURSE = c.DaysOfUse(
    lines=c.Lines(items=c.Items(codes=(DRUG,)), window=c.Window(unit="course", length=1)), above=Decimal(14)
)
NIGHTLY = time(2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """An empty store on disk."""
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def stay(key: str = "e1", **facts: Any) -> Kept:
    """The last body of a stay with a long order from 1 March; the stay goes on."""
    told = {"encounter.visit_mode": "inpatient", "encounter.ward": "W1", "encounter.bed": "7", **facts}
    order = line("long", begins=BEGUN, encounter_id=key, facts={"long_order": True})
    encounter = Encounter(id=key, lines=(order,), facts=told)
    body = Prescription(encounter=encounter, patient=Patient(id="p1"), institution_id="H1", at=BEGUN)
    return Kept(prescription=body, received_at=datetime(2026, 3, 1, 1, tzinfo=UTC))


def active(*rules: Rule) -> Active:
    """A list and the shipped policy."""
    return Active(compiled=compile(RuleList(rules=rules)), policy=shipped(), sites=Sites())


def on(day: int) -> datetime:
    """Nine in the morning of a day in March, by the hospital's clock."""
    return datetime(2026, 3, day, 1, tzinfo=UTC)


def open_rows(store: SqlStore) -> list[tuple[str, str, str]]:
    """What is open: rule, line, and from when on it is not paid."""
    return [(one.rule_id, one.line_id, one.starts_on) for one in store.findings()]


def test_the_last_payable_day_is_announced_the_day_before(store: SqlStore) -> None:
    """A course of 14 days: nothing on the 13th, announced on the 14th, found on the 15th."""
    store.keep([stay()])
    rules = active(rule(COURSE, action="warn"))
    rounds = [(make_round(rules, store, on(day)), open_rows(store)) for day in (13, 14, 15)]
    assert rounds == [
        (Round(stays=1), []),
        (Round(stays=1, announced=1), [("r", "long", "2026-03-15")]),
        (Round(stays=1, found=1), [("r", "long", "")]),
    ]


def test_the_ward_reads_how_long_the_course_is(store: SqlStore) -> None:
    """Each day is a slice of one day; the limit is held against all of them."""
    store.keep([stay()])
    make_round(active(rule(COURSE, action="warn")), store, on(15))
    (found,) = store.findings()
    assert "（累计用药天数：15天）" in found.message


def test_a_round_made_again_changes_nothing(store: SqlStore) -> None:
    """What is open stays open since it was first found."""
    store.keep([stay()])
    rules = active(rule(COURSE, action="warn"))
    for day in (15, 15, 16):
        make_round(rules, store, on(day))
    assert [one.found_at for one in store.findings()] == [on(15)]


def test_what_is_found_no_more_is_closed(store: SqlStore) -> None:
    """The rule is gone from the list: its finding is settled, and still known."""
    store.keep([stay()])
    make_round(active(rule(COURSE, action="warn")), store, on(15))
    make_round(active(), store, on(16))
    assert (open_rows(store), [one.closed_at for one in store.findings(only_open=False)]) == ([], [on(16)])


def test_facts_of_other_systems_count(store: SqlStore) -> None:
    """What the store knows of the stay decides, as in a check."""
    store.keep([stay()])
    told = StoreFact(subject="e1", fact="encounter.present", value=False, source="beds")
    store.put_facts([told], at=on(1))
    assert make_round(active(rule(fact("encounter.present", yes=False))), store, on(10)).found == 1


def test_findings_without_an_order_are_not_the_wards(store: SqlStore) -> None:
    """What an encounter itself is found for was told when it was checked."""
    store.keep([stay()])
    about = rule(fact("encounter.visit_mode", "inpatient"), trigger=rule().trigger.__class__(encounter=True))
    assert make_round(active(about), store, on(10)) == Round(stays=1)


def test_each_stay_is_told_apart(store: SqlStore) -> None:
    """Two stays, two rows, by ward and bed."""
    store.keep([stay("e2", **{"encounter.ward": "W2"}), stay("e1")])
    make_round(active(rule(COURSE, action="warn")), store, on(20))
    assert [(one.ward, one.encounter_key) for one in store.findings()] == [("W1", "e1"), ("W2", "e2")]


def test_the_wards_list_is_readable(store: SqlStore) -> None:
    """Chinese headings and civil times in a table and a CSV; nothing says so."""
    store.keep([stay()])
    make_round(active(rule(COURSE, action="warn")), store, on(15))
    rows = list(ward_rows(store.findings(), Sites().default.zone))
    table = written(ward_report(rows), "table").decode()
    assert "病区" in table
    assert "2026-03-15 09:00" in table
    assert "警告" in table
    assert written(ward_report(rows), "csv").startswith(b"\xef\xbb\xbf" + "医疗机构,病区".encode())
    assert written(ward_report(rows), "table", english=True).startswith(b"institution")
    assert written(ward_report([]), "table").decode() == "（无）\n"


def test_a_stay_without_ward_is_found_by_its_department_and_order(store: SqlStore) -> None:
    """Most bodies tell a department only: it leads to the patient with the bed, the admission and the order."""
    told: dict[str, Any] = {"encounter.ward": "", "encounter.department_name": "神经内科"}
    store.keep([stay(**told | {"encounter.admitted_at": datetime(2026, 2, 28, 20)})])
    make_round(active(rule(COURSE, action="warn")), store, on(15))
    (row,) = ward_rows(store.findings(), Sites().default.zone)
    places = [row[name] for name in ("ward", "department", "bed", "admitted_on", "line_id", "ordered_at")]
    assert places == ["", "神经内科", "7", "2026-02-28", "long", "2026-03-01 08:00"]
    assert "神经内科" in written(ward_report([row]), "table").decode()


def test_a_stay_that_was_told_without_any_place_says_so(store: SqlStore) -> None:
    """Nobody looks for a ward in an empty cell."""
    store.keep([stay(**{"encounter.ward": "", "encounter.bed": ""})])
    make_round(active(rule(COURSE, action="warn")), store, on(15))
    rows = list(ward_rows(store.findings(), Sites().default.zone))
    assert "（未报病区、科室、床位）" in written(ward_report(rows), "table").decode()
    assert "(no ward, department or bed told)" in written(ward_report(rows), "csv", english=True).decode()
    assert b'"ward":""' in written(ward_report(rows, for_people=False), "json")


def test_what_was_saved_without_an_institution_is_no_row_of_nothing() -> None:
    """Zero of zero of no institution is left out; a figure of it says what is missing."""
    nothing = Indicator(
        class_id="R56", name="n", institution_id="", part=0, whole=0, unit="fen", percent=None, uncounted=0
    )
    found = [nothing, replace(nothing, part=1, whole=2, percent=Decimal(50))]
    assert [row["whole"] for row in indicator_rows(found)] == [2]
    assert "（未报医疗机构）" in written(indicator_report(found), "table").decode()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 8, 1), datetime(2026, 3, 8, 2)),
        (datetime(2026, 3, 8, 3), datetime(2026, 3, 9, 2)),
        (datetime(2026, 3, 9, 3), datetime(2026, 3, 10, 0, 5)),
        (datetime(2026, 3, 10, 0, 5), datetime(2026, 3, 10, 2)),
    ],
)
def test_a_round_is_due_at_night_and_when_a_rule_starts(now: datetime, due: datetime) -> None:
    """Two o'clock every night; five past midnight where a rule starts that day."""
    compiled = listed(rule(COURSE, valid_from=date(2026, 3, 10)))
    assert next_round(now, NIGHTLY, compiled) == due


def test_the_day_after_a_rule_ended_is_a_change() -> None:
    """What it found is found no more."""
    compiled = listed(rule(COURSE, valid_to=date(2026, 3, 10)))
    assert [changes_on(compiled, date(2026, 3, day)) for day in (10, 11, 12)] == [False, True, False]
