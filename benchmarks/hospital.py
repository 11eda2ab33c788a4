"""A month of a large hospital: what is checked, saved and said, as entries of a journal.

What happens is drawn: encounters of one to many checks, by doctors of some forty departments in three institutions, one
of which only ever sends 3101; lines changed, left out, paid by the patient, justified by a diagnosis that was added,
gone on with by a reason, left by the exit, saved as they were, never saved; words about them late, repeated, changed,
given by nobody, and about findings nobody knows; shadow rules, unknown ones, ones about the encounter; discharge.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.structs import replace

from benchmarks.hospital_cases import ZONE, Case, Rule, World, make_world, maybe
from negative_list.decision import Decision, Finding, NotEvaluated
from negative_list.prescription import Diagnosed, Encounter, Line, Patient, Prescription
from negative_list.rules import ACTIONS
from reminder.ids import decision_id, reminder_id
from reminder.journal.entries import Age, Decided, Entry, Feedback, Found, Saved

__all__ = ["BEGIN", "DAYS", "events"]

BEGIN = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
"""Midnight of 1 April in Shanghai."""

DAYS = 30
_ENGINE = "0.2.0+month"
_JUNK = {"": "", ".": "one character", "asdf": "keyboard run", "的的的的": "repeats", "同意": "copied default"}
_TEXTS = ("已告知患者并签字", "病情需要，指南推荐", "上级医师同意", "外院化验支持", *list(_JUNK)[1:])


# --- entries ----------------------------------------------------------------------------------------------------------


def _item_of(line: Line) -> str:
    return line.codes[0]


def _day_of(line: Line, at: datetime) -> str:
    moment = line.begins or (at + ZONE)
    return moment.date().isoformat()


def _decided(case: Case, at: datetime) -> Decided:
    """A check of the encounter as it stands."""
    rng = case.rng
    ident = decision_id(int(at.timestamp() * 1000), rng.getrandbits(80))
    found = tuple(_found(ident, place, case, one, at) for place, one in enumerate(case.found()))
    unsure = tuple(rng.sample(case.world.rules, 1)) if maybe(rng, 0.15) else ()
    return Decided(
        engine=_ENGINE,
        at=at,
        institution_id=case.institution,
        decision_id=ident,
        decided_at=(at + ZONE).replace(tzinfo=None),
        face="3101" if case.institution == "H2" else "grpc",
        request_id=f"Q{case.serial}",
        prescription=_prescription(case, at),
        age=Age(months=case.months),
        list="a" * 64,
        policy="b" * 64,
        codes="c" * 64,
        release=case.release,
        found=found,
        answer=Decision(
            decision=max((one.action for one in found if one.shown), key=ACTIONS.index, default="pass"),
            decision_id=ident,
            policy="b" * 64,
            findings=tuple(_told(one) for one in found if one.shown),
            not_evaluated=tuple(
                NotEvaluated(rule_id=rule.ident, class_name="限制", needs=("history",), reason="coverage")
                for rule in unsure
            ),
        ),
        elapsed_us=rng.randrange(80, 4000),
    )


def _prescription(case: Case, at: datetime) -> Prescription:
    facts: dict[str, Any] = {
        "encounter.visit_mode": case.mode,
        "encounter.scene": (case.scene,),
        "encounter.department_code": f"{case.department:04d}",
        "encounter.doctor_id": f"D{case.doctor:05d}",
        "encounter.fee_fen": sum(int(str(line.facts["line.amount_fen"])) for line in case.lines),
    }
    if case.mode == "inpatient":
        facts["encounter.ward"] = f"W{case.department:02d}"
    if case.discharged is not None:
        facts["encounter.discharged_at"] = case.discharged
    diagnoses = tuple(Diagnosed(codes=(code,), name="诊断", main=not n) for n, code in enumerate(case.diagnoses))
    return Prescription(
        encounter=Encounter(
            id=case.key, lines=tuple(case.lines), diagnoses=diagnoses, facts=facts, complete=case.institution != "H3"
        ),
        patient=Patient(id=case.patient, facts={"patient.sex": "女"}),
        institution_id=case.institution,
        at=(at + ZONE).replace(tzinfo=None),
    )


def _found(ident: str, place: int, case: Case, one: tuple[Rule, tuple[Line, ...]], at: datetime) -> Found:
    rule, lines = one
    keys = [(_item_of(line), _day_of(line, at)) for line in lines] or [("", (at + ZONE).date().isoformat())]
    return Found(
        finding_id=f"{ident}-{place}",
        rule_id=rule.ident,
        rule_version=1,
        class_id=rule.class_id,
        own_action=rule.action,
        action="pass" if rule.shadow else rule.action,
        shown=not rule.shadow,
        unknown=rule.unknown,
        fund_only=rule.fund_only,
        addressee=rule.addressee,
        lines=tuple(line.id for line in lines),
        amount_fen=sum(int(str(line.facts["line.amount_fen"])) for line in lines) if lines else None,
        reminders=tuple(reminder_id(case.key, rule.ident, item, day) for item, day in keys),
    )


def _told(found: Found) -> Finding:
    return Finding(
        finding_id=found.finding_id,
        rule_id=found.rule_id,
        class_id=found.class_id,
        class_name="限制",
        rule_version=1,
        action=found.action,
        unknown=found.unknown,
        lines=found.lines,
        addressee=found.addressee,
        amount_fen=found.amount_fen,
        fund_only=found.fund_only,
        message="【警告】药品：请核对适应症，医保不支付",
        basis="药品目录",
    )


def _fed_back(case: Case, about: Decided, found: Found, at: datetime, done: Any, **more: Any) -> Feedback:
    """A word about a finding."""
    rng = case.rng
    text = rng.choice(_TEXTS) if done in {"overridden", "exited", "wrong_rule"} and maybe(rng, 0.7) else ""
    base: dict[str, Any] = {
        "reason_code": rng.choice(("R1", "R2", "other")) if done in {"overridden", "exited"} else "",
        "reason_text": text,
        "junk": _JUNK.get(text, ""),
        "done_at": at,
        "answer_ms": rng.randrange(300, 30_000) if maybe(rng, 0.8) else None,
    }
    return Feedback(
        engine=_ENGINE,
        at=at,
        institution_id=case.institution,
        finding_id=found.finding_id,
        decision_id=about.decision_id,
        encounter_key=case.key,
        patient_key=case.patient,
        rule_id=found.rule_id,
        class_id=found.class_id,
        reminders=found.reminders,
        lines=found.lines,
        done=done,
        doctor_id=f"D{case.doctor:05d}",
        **base | more,
    )


def _saved(case: Case, at: datetime, revision: int, *, void: bool = False) -> Saved:
    """The current lines as they were saved; none where the prescription is void."""
    told = _prescription(case, at).encounter
    lines = () if void else tuple(line for line in case.lines if line.current)
    return Saved(
        engine=_ENGINE,
        at=at,
        institution_id=case.institution,
        patient_key=case.patient,
        encounter_key=case.key,
        prescription_id=f"RX{case.key[:8]}-{case.serial}",
        revision=revision,
        saved_at=at,
        encounter=replace(told, lines=()),
        lines=lines,
    )


# --- what happens -----------------------------------------------------------------------------------------------------

_DONE = (
    *("changed", "changed", "withdrawn", "self_paid", "justified", "overridden", "overridden", "exited"),
    *("ignored", "ignored", "wrong_rule", "abandoned"),
)
_TOLD_AS = {"changed", "withdrawn", "self_paid", "overridden", "exited", "wrong_rule"}


def _happened(world: World, number: int, at: datetime, rng: Random) -> Iterator[Entry]:
    """One encounter from its first check to its last entry, in time."""
    case = Case(world, number, at, rng)
    rounds = rng.choice((2, 3, 5)) if case.mode == "inpatient" else 1
    for turn in range(rounds):
        if turn:
            at += timedelta(hours=rng.uniform(4, 40))
            case.order(at, rng.choice((0, 1, 2, 3)))
        for entry in _round(case, at):
            at = max(at, entry.at)
            yield entry
    if case.mode == "inpatient" and maybe(rng, 0.6):
        at += timedelta(hours=rng.uniform(1, 30))
        case.lines = [replace(line, current=False) for line in case.lines]
        case.discharged = (at + ZONE).replace(tzinfo=None, microsecond=0)
        yield _decided(case, at)


def _round(case: Case, at: datetime) -> Iterator[Entry]:
    """Check, react to what is found, check again, and save."""
    rng = case.rng
    first = _decided(case, at)
    yield first
    abandoned = False
    if case.sends and maybe(rng, 0.03):
        yield from _waved_through(case, first, at)
        return
    for found in first.found:
        done = rng.choice(_DONE) if found.shown else "ignored"
        abandoned = abandoned or done == "abandoned"
        at += timedelta(seconds=rng.uniform(1, 40))
        yield from _words(case, first, found, at, done)
        _react(case, found, done)
    if abandoned:
        return
    if first.found and maybe(rng, 0.8):
        at += timedelta(seconds=rng.uniform(1, 60))
        if maybe(rng, 0.02):
            case.release = "2026-05"
        yield _decided(case, at)
    if maybe(rng, 0.1):
        yield from _settled(case, at)
    if case.sends and maybe(rng, 0.7):
        at += timedelta(seconds=rng.uniform(1, 60))
        yield _saved(case, at, 1)
        if maybe(rng, 0.05):
            at += timedelta(minutes=rng.uniform(1, 300))
            yield _saved(case, at, rng.choice((0, 2)), void=maybe(rng, 0.5))


def _settled(case: Case, at: datetime) -> Iterator[Entry]:
    """A check at the cashier's, of all there is; sometimes under the next release of the list."""
    if maybe(case.rng, 0.1):
        case.release = "2026-05"
    case.scene = "6"
    yield _decided(case, at + timedelta(seconds=case.rng.uniform(61, 90)))
    case.scene = "2"


def _waved_through(case: Case, about: Decided, at: datetime) -> Iterator[Entry]:
    """Everything is gone on with within a second, and saved as it was."""
    for found in about.found:
        if found.shown:
            at += timedelta(seconds=0.1)
            yield _fed_back(case, about, found, at, "overridden")
    yield _saved(case, at + timedelta(seconds=20), 1)


def _words(case: Case, about: Decided, found: Found, at: datetime, done: str) -> Iterator[Entry]:
    """What is told of a finding: nothing, the truth, something else, late, twice, by nobody."""
    rng = case.rng
    if not case.sends or done not in _TOLD_AS or not found.shown or maybe(rng, 0.35):
        return
    told: Any = done if maybe(rng, 0.93) else rng.choice(sorted(_TOLD_AS))
    late = timedelta(days=rng.uniform(0, 5)) if maybe(rng, 0.03) else timedelta()
    automatic = maybe(rng, 0.04)
    pace: dict[str, Any] = {"automatic": True, "answer_ms": rng.randrange(0, 900)} if automatic else {}
    first = _fed_back(case, about, found, at + late, told, **pace)
    yield first
    if maybe(rng, 0.03):
        yield replace(first, at=first.at + timedelta(seconds=5), times=1)
    if maybe(rng, 0.03):
        yield _fed_back(case, about, found, at + late + timedelta(minutes=2), rng.choice(sorted(_TOLD_AS)))
    if maybe(rng, 0.01):
        nobody = {"finding_id": f"{'7' * 26}-0", "known": False, "reminders": (), "rule_id": "", "decision_id": ""}
        yield replace(first, at=first.at + timedelta(seconds=6), **nobody)


def _react(case: Case, found: Found, done: str) -> None:
    """What the doctor does to the lines: found no more where it is done well."""
    lines = set(found.lines)
    if done == "withdrawn":
        case.lines = [line for line in case.lines if line.id not in lines]
    elif done == "justified":
        case.diagnoses.append(f"J{case.rng.randrange(10, 99)}.900")
    elif done in {"changed", "self_paid"}:
        facts: dict[str, Any] = {"line.quantity": Decimal("0.5")} if done == "changed" else {"line.paid_by": "self"}
        case.lines = [replace(line, facts={**line.facts, **facts}) if line.id in lines else line for line in case.lines]
    if done in {"changed", "self_paid", "justified"}:
        case.gone |= {(found.rule_id, line) for line in lines}


def events(decisions: int, seed: int, share: tuple[int, int] = (0, 1)) -> Iterator[Entry]:
    """Entries of a month in the order of time, until so many decisions; ``share``: the k-th of n workers' part."""
    world, rng, (worker, workers) = make_world(), Random(f"{seed}/{share[0]}"), share
    pending: list[tuple[datetime, int, Entry]] = []
    serial, made, spacing = itertools.count(), 0, timedelta(days=DAYS) / max(1, decisions // workers) * 2.0
    for number in itertools.count():
        at = BEGIN + spacing * number
        while pending and (pending[0][0] <= at or made >= decisions // workers):
            entry = heapq.heappop(pending)[2]
            yield entry
        if made >= decisions // workers:
            return
        for entry in _happened(world, number * workers + worker, at, rng):
            made += isinstance(entry, Decided)
            heapq.heappush(pending, (entry.at, next(serial), entry))
