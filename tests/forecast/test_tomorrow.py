"""The list of tomorrow: what runs, what was not saved, and what will be written again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.compile import canonical_lines, compile
from negative_list.decide import decide_whole
from negative_list.policy import shipped
from negative_list.prescription import Diagnosed, Encounter, Line, Patient, Prescription
from negative_list.rules import Basis, Rule, RuleList, Text, Trigger
from reminder.forecast.ordered import Listed, Order
from reminder.forecast.page import written
from reminder.forecast.tomorrow import coming_of, tomorrow
from reminder.ids import decision_id
from reminder.journal.artifacts import list_artifact
from reminder.journal.chain import rows_of
from reminder.journal.drafts import Digests, Made, decided_draft, saved_draft
from reminder.journal.engine import engine
from reminder.journal.opening import open_journal
from reminder.stores.base import Kept, Saved
from reminder.stores.keys import Keys
from reminder.stores.opening import open_store
from reminder.under_keys import under_keys

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.forecast.tomorrow import Coming
    from reminder.journal.base import Draft

DRUG, OTHER = "XA02BCA218A001010101881", "XJ01DDT082B001010104021"
NOW = datetime(2026, 3, 15, 2, 30, tzinfo=UTC)
AT = datetime(2026, 3, 16)
"""The planned activation: midnight after."""

KEYS = Keys((b"k" * 32,))
DIGESTS = Digests(engine=engine())


def rule(code: str, **given: Any) -> Rule:
    """Nobody may have an item."""
    fields: dict[str, Any] = {
        "id": f"no-{code[:4]}",
        "class_id": "R67",
        "title": "不得使用",
        "trigger": Trigger(codes=(code,)),
        "violation": c.Age(above=Decimal(0)),
        "action": "block",
        "message": Text(zh="不得使用"),
        "basis": Basis(document="规定"),
    }
    return Rule(**(fields | given))


def body(code: str = DRUG, begins: datetime = AT - timedelta(days=2), **given: Any) -> Prescription:
    """One line of an item for a patient of 46, by a doctor of the second ward."""
    facts = {"line.quantity": Decimal(1), "line.amount_fen": 1200, "line.item_type": "drug"} | given.pop("line", {})
    told = {"encounter.ward": "二病区", "encounter.bed": "12", "encounter.doctor_id": "D7"} | given.pop("visit", {})
    ids = {"patient": "P1", "encounter": "E1"} | given
    line = Line(id="L1", encounter_id=ids["encounter"], codes=(code,), name="奥美拉唑", begins=begins, facts=facts)
    return Prescription(
        encounter=Encounter(id=ids["encounter"], lines=(line,), diagnoses=(Diagnosed(name="胃炎"),), facts=told),
        patient=Patient(id=ids["patient"], facts={"patient.birth_date": date(1980, 1, 1)}),
        institution_id="H1",
        at=begins,
    )


def asked(told: Prescription, now: datetime) -> Draft:
    """A decision about a body, by a list without rules."""
    keyed, at = under_keys(KEYS, told), told.at or AT
    compiled = compile(RuleList(rules=()))
    ident = decision_id(int(now.timestamp() * 1000), 1)
    whole = decide_whole(compiled, keyed.prescription, at, decision_id=ident)
    made = Made(keyed=keyed, now=now, at=at, zone="Asia/Shanghai", whole=whole, digests=DIGESTS)
    return decided_draft(made, KEYS, compiled, shipped())[0]


def saved(told: Prescription, now: datetime) -> Draft:
    """That it was saved."""
    keyed = under_keys(KEYS, told).prescription
    record = Saved(
        institution_id="H1",
        encounter_key=keyed.encounter.id,
        patient_key=keyed.patient.id,
        prescription_id="RX",
        revision=1,
        saved_at=now,
        encounter=msgspec.structs.replace(keyed.encounter, lines=()),
        lines=keyed.encounter.lines,
    )
    return saved_draft(record, DIGESTS, now, "Asia/Shanghai")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose journal keeps the active list, which has no rules."""
    journal = open_journal(tmp_path / "data")
    journal.keep(list_artifact(compile(RuleList(rules=())), NOW))
    journal.close()
    return tmp_path / "data"


def order(data: Path, *rules: Rule) -> Order:
    """What is asked about a coming list."""
    file = data / "coming.jsonl"
    file.write_bytes(b"".join(canonical_lines(RuleList(rules=rules))))
    digest = compile(RuleList(rules=())).digest
    return Order(
        active=Listed(kind="journal", place=digest),
        coming=Listed(kind="canonical", place=str(file), version="2"),
        policy=shipped(),
        data=str(data),
        at=AT,
        begin=AT.date(),
        end=AT.date(),
        now=NOW,
    )


def write(data: Path, *drafts: Draft) -> None:
    """Entries in the journal."""
    journal = open_journal(data)
    journal.append(rows_of(journal.head("a"), drafts)[0])
    journal.close()


def coming(data: Path, *rules: Rule) -> Coming:
    """The list of tomorrow."""
    return coming_of(order(data, *rules), lambda _done, _whole: None)


def test_a_running_order_the_coming_list_forbids_is_named_with_ward_and_bed(data: Path) -> None:
    """A rule that begins on the day is in force then; what has stopped is not named, and no patient is."""
    store = open_store(data)
    running = body(line={"line.long_order": True}, patient="p" * 32, encounter="e" * 32)
    ended = body(line={"line.days": 1}, patient="q" * 32, encounter="f" * 32)
    store.keep([Kept(prescription=one, received_at=NOW) for one in (running, ended)])
    store.close()
    made = coming(data, rule(DRUG, valid_from=AT.date()))
    (row,) = made.rows
    assert (row.kind, row.ward, row.bed, row.item, row.line_id) == ("running", "二病区", "12", "奥美拉唑", "L1")
    assert (row.action, row.confirmed, row.before, row.amount_fen) == ("warn", "block", "pass", 1200)
    assert (row.ordered_on, made.looked_at) == ((AT - timedelta(days=2)).date().isoformat(), {"running": 1})
    page = written(tomorrow(order(data, rule(DRUG)), lambda _done, _whole: None), "html").decode()
    assert "二病区" in page
    assert "p" * 32 not in page


def test_a_prescription_nobody_said_was_saved_is_a_draft(data: Path) -> None:
    """One that was saved is not, nor is one of last week."""
    hour = timedelta(hours=1)
    kept, left, old = body(encounter="E1"), body(encounter="E2"), body(encounter="E3")
    write(
        data,
        asked(old, NOW - timedelta(days=7)),
        asked(kept, NOW - 3 * hour),
        asked(left, NOW - 2 * hour),
        saved(kept, NOW - hour),
    )
    made = coming(data, rule(DRUG))
    assert [(row.kind, row.decision_id != "", row.doctor) for row in made.rows] == [("draft", True, "D7")]
    assert made.looked_at == {"draft": 1}


def test_a_drug_given_again_and_again_is_judged_on_the_day_its_supply_ends(data: Path) -> None:
    """By the age of that day; one given once, or that lasts longer, is not expected."""
    visit = {"encounter.visit_mode": "outpatient"}

    def given(days_ago: int, item: str, days: int, encounter: str) -> Draft:
        begins = datetime(2026, 3, 15, 9) - timedelta(days=days_ago)
        told = body(item, begins, line={"line.days": days}, visit=visit, encounter=encounter)
        return asked(told, NOW - timedelta(days=days_ago))

    write(data, given(50, DRUG, 28, "A"), given(40, OTHER, 28, "B"), given(22, DRUG, 28, "C"))
    made = coming(data, rule(DRUG), rule(OTHER))
    (row,) = [one for one in made.rows if one.kind == "repeat"]
    assert (row.due_on, row.rule_id, row.confirmed) == ("2026-03-21", "no-XA02", "block")
    assert made.looked_at == {"repeat": 1}


def test_what_cannot_be_judged_is_counted_and_not_listed(data: Path) -> None:
    """A weight nobody told."""
    write(data, asked(body(), NOW - timedelta(hours=1)))
    made = coming(data, rule(DRUG, violation=c.Fact(fact="patient.weight_kg", above=Decimal(90))))
    assert (made.rows, made.open_) == ((), 1)
