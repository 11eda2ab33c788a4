"""A small hospital's journal: whole entries with their briefs, as the sidecar writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from negative_list.classes import class_name
from negative_list.decision import Decision, Finding
from negative_list.prescription import Encounter, Line, Patient, Prescription
from reminder.ids import decision_id, reminder_id
from reminder.journal.base import Draft, Kind
from reminder.journal.briefs import brief_of
from reminder.journal.chain import rows_of
from reminder.journal.coding import encode
from reminder.journal.entries import Decided, Entry, Feedback, Found, Gap, Saved
from reminder.journal.opening import open_journal

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.rules import Action
    from reminder.journal.base import JournalStore

__all__ = ["RULES", "Hospital", "finding_id", "month", "two_days", "written_in", "written_to"]

CLASSES = {"R-sex": "R67", "R-days": "R09", "R-dup": "R69", "=1+1": "R43"}
RULES = tuple(CLASSES)
"""Rules of the examples; the last one's id is a text somebody wants a spreadsheet to work out."""

_ITEMS = ("XL02BBA326A001010102180", "XJ01DDT082B001010104021", "T001700688", "001203000010000")
_MORNING = datetime(2026, 1, 5, 1, tzinfo=UTC)  # nine o'clock in Shanghai


def finding_id(number: int, place: int = 1) -> str:
    """The id of a finding of the decision of that number."""
    return f"{_decision_id(number)}{place:010}"


def _decision_id(number: int) -> str:
    return decision_id(1_767_574_800_000 + number, number)


class Hospital:
    """Tells what happened, entry by entry."""

    def __init__(self, begin: datetime = _MORNING, number: int = 0) -> None:
        self.begin = begin
        self.drafts: list[Draft] = []
        self._number = number

    def check(  # noqa: PLR0913 - what a test says of a check
        self,
        minute: float,
        encounter: str,
        *rules: str,
        doctor: str = "D1",
        department: str = "内科",
        action: Action = "warn",
        institution: str = "H1",
        unknown: bool = False,
        fen: int = 2560,
        message: str = "",
        in_force: bool = False,
    ) -> int:
        """A check of one line, the first item, that these rules are found on; returns its number."""
        self._number += 1
        number, at = self._number, self.begin + timedelta(minutes=minute)
        begins = (self.begin + timedelta(hours=8)).replace(tzinfo=None)
        lines = (_line("L1", _ITEMS[0], begins, current=not in_force), _line("L2", _ITEMS[1], begins, current=True))
        facts: dict[str, Any] = {
            "encounter.doctor_id": doctor,
            "encounter.department_code": department,
            "encounter.visit_mode": "outpatient",
            "encounter.ward": "W1",
            "encounter.med_type": "11",
            "encounter.scene": ("2",),
            "encounter.total_fen": 5300,
        }
        findings = tuple(
            Finding(
                finding_id=finding_id(number, place),
                rule_id=rule,
                rule_version=1,
                class_id=CLASSES[rule],
                class_name=class_name(CLASSES[rule]),
                action=action,
                unknown=unknown,
                lines=("L1",),
                message=message or f"【警告】{rule}",
                amount_fen=fen,
            )
            for place, rule in enumerate(rules, 1)
        )
        day = f"{begins:%Y-%m-%d}"
        found = tuple(
            Found(
                finding_id=one.finding_id,
                rule_id=one.rule_id,
                rule_version=1,
                class_id=one.class_id,
                own_action=action,
                action=action,
                shown=True,
                unknown=unknown,
                lines=one.lines,
                amount_fen=fen,
                reminders=(reminder_id(encounter, one.rule_id, _ITEMS[0], day),),
            )
            for one in findings
        )
        prescription = Prescription(
            encounter=Encounter(id=encounter, lines=lines, facts=facts),
            patient=Patient(id=f"p-{encounter}"),
            institution_id=institution,
            at=at.replace(tzinfo=None) + timedelta(hours=8),
        )
        entry = Decided(
            engine="test",
            at=at,
            institution_id=institution,
            decision_id=_decision_id(number),
            decided_at=cast("datetime", prescription.at),
            prescription=prescription,
            found=found,
            answer=Decision(decision=action if rules else "pass", decision_id=_decision_id(number), findings=findings),
            elapsed_us=1250,
        )
        self._add("decision", entry, encounter, _decision_id(number))
        return number

    def feedback(self, minute: float, encounter: str, number: int, done: Any, place: int = 1, **more: Any) -> None:
        """What was done about a finding of a check."""
        at = self.begin + timedelta(minutes=minute)
        named = finding_id(number, place)
        told: dict[str, Any] = {"institution_id": "H1", "doctor_id": "D1", "done_at": at} | more
        entry = Feedback(
            engine="test",
            at=at,
            finding_id=named,
            decision_id=_decision_id(number),
            encounter_key=encounter,
            done=done,
            **told,
        )
        self._add("feedback", entry, encounter, _decision_id(number))

    def saved(self, minute: float, encounter: str, *items: int) -> None:
        """A prescription with these of the two lines was saved."""
        at = self.begin + timedelta(minutes=minute)
        begins = (self.begin + timedelta(hours=8)).replace(tzinfo=None)
        lines = tuple(_line(f"L{place}", _ITEMS[place - 1], begins, current=True) for place in items)
        entry = Saved(
            engine="test",
            at=at,
            institution_id="H1",
            patient_key="p",
            encounter_key=encounter,
            prescription_id="P1",
            revision=1,
            saved_at=at,
            encounter=Encounter(id=encounter),
            lines=lines,
        )
        self._add("saved", entry, encounter)

    def lost(self, minute: float, count: int) -> None:
        """So many answers never came to be written."""
        at = self.begin + timedelta(minutes=minute)
        self._add("gap", Gap(engine="test", at=at, lost=count, begin=at, end=at, why="full"))

    def _add(self, kind: Kind, entry: Entry, encounter: str = "", decision: str = "") -> None:
        draft = Draft(
            kind=kind,
            at=entry.at,
            decision_id=decision,
            institution_id=entry.institution_id,
            encounter_key=encounter,
            brief=brief_of(entry),
            body=encode(entry),
        )
        self.drafts.append(draft)


def two_days() -> list[Draft]:
    """The two days docs/reports.md shows: three rules, four doctors, most outcomes."""
    first, second = Hospital(), Hospital(_MORNING + timedelta(days=1), 100)
    one = first.check(0, "e1", "R-sex", doctor="D1", action="block", message="【拦截】男性不能用")
    first.feedback(1, "e1", one, "changed", reason_text="已换药")
    first.check(10, "e2", "R-dup", doctor="D1")
    first.check(12, "e2", "R-dup", doctor="D1")
    first.saved(13, "e2", 1, 2)
    two = first.check(20, "e3", "R-dup", "R-days", doctor="D2", department="外科")
    first.feedback(
        20.5, "e3", two, "overridden", reason_code="other", reason_text="无", junk="says_nothing", doctor_id="D2"
    )
    first.feedback(20.6, "e3", two, "self_paid", 2, doctor_id="D2")
    first.saved(21, "e3", 1, 2)
    first.check(70, "e4", doctor="D3", department="外科")
    three = second.check(0, "e5", "R-dup", doctor="D2", department="外科")
    second.feedback(2, "e5", three, "overridden", reason_code="emergency", doctor_id="D2")
    four = second.check(5, "e6", "R-sex", doctor="D3", department="外科", action="block")
    second.feedback(6, "e6", four, "exited", reason_code="emergency", doctor_id="D3")
    five = second.check(9, "e9", "R-sex", doctor="D1", action="block")
    second.feedback(10, "e9", five, "exited", reason_code="emergency")
    second.check(15, "e7", "R-days", doctor="D4", department="儿科")
    second.saved(16, "e7", 2)
    second.check(30, "e8", "R-dup", doctor="D4", department="儿科", unknown=True)
    second.lost(40, 2)
    return [*first.drafts, *second.drafts]


def _line(name: str, code: str, begins: datetime, *, current: bool) -> Line:
    facts: dict[str, Any] = {
        "line.quantity": Decimal(1),
        "line.amount_fen": 2560,
        "line.item_type": "drug",
        "line.paid_by": "fund",
    }
    return Line(
        id=name, encounter_id="e", codes=(code,), name=f"药品{code[-3:]}", begins=begins, current=current, facts=facts
    )


def month(days: int = 3, doctors: int = 3, per_day: int = 20) -> Iterator[Draft]:
    """Days of work: checks with and without findings, of which some are answered and some are saved."""
    for day in range(days):
        told = Hospital(_MORNING + timedelta(days=day), day * per_day)
        for n in range(per_day):
            key, rule = f"e{day}-{n}", RULES[(n * n + day) % len(RULES)]
            about: dict[str, Any] = {"doctor": f"D{n % doctors:05}", "department": f"科室{n % 5}"}
            found = (rule,) if n % 3 else ()
            number = told.check(n, key, *found, action=("warn", "block", "remind")[n % 3], **about)
            if found and n % 4 == 1:
                told.feedback(n + 0.5, key, number, ("changed", "overridden", "withdrawn")[n % 3], reason_code="other")
            if n % 5:
                told.saved(n + 1, key, *((1, 2) if n % 2 else (2,)))
        yield from told.drafts


def written_to(data: Path, drafts: Iterable[Draft]) -> JournalStore:
    """A journal in a data folder with these entries."""
    data.mkdir(parents=True, exist_ok=True)
    store = open_journal(data)
    written_in(store, drafts)
    return store


def written_in(store: JournalStore, drafts: Iterable[Draft]) -> None:
    """Write these entries into a journal, as one chain."""
    rows, _ = rows_of(store.head("a"), list(drafts))
    for first in range(0, len(rows), 500):
        store.append(rows[first : first + 500])
