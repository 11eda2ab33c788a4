"""The sidecar's half of the wire: the messages of ``reminder.v1`` become bodies, decisions become messages."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError, Message

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.body import check_bytes
from negative_list.readers.rows import check_lines
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from negative_list.decision import Decision, FactSeen, Finding, NotEvaluated, Suggestion
    from negative_list.prescription import Note

__all__ = [
    "ACTIONS",
    "ADDRESSEES",
    "KINDS",
    "RESULTS",
    "WHYS",
    "body_of",
    "check_request",
    "encounter_body",
    "message_in",
    "parse",
    "response_of",
    "saved_response_of",
    "value_in",
    "value_out",
]

M = TypeVar("M", bound=Message)

ACTIONS = {"pass": pb.ACTION_PASS, "remind": pb.ACTION_REMIND, "warn": pb.ACTION_WARN, "block": pb.ACTION_BLOCK}
ADDRESSEES = {
    "doctor": pb.ADDRESSEE_DOCTOR,
    "charge_entry": pb.ADDRESSEE_CHARGE_ENTRY,
    "pharmacy": pb.ADDRESSEE_PHARMACY,
    "registration": pb.ADDRESSEE_REGISTRATION,
    "office": pb.ADDRESSEE_OFFICE,
}
RESULTS = {"definite": pb.RESULT_DEFINITE, "suspicious": pb.RESULT_SUSPICIOUS}
KINDS = {
    "drop": pb.SUGGESTION_KIND_DROP,
    "quantity": pb.SUGGESTION_KIND_QUANTITY,
    "days": pb.SUGGESTION_KIND_DAYS,
    "self_pay": pb.SUGGESTION_KIND_SELF_PAY,
}
WHYS = {
    "missing_facts": pb.NOT_EVALUATED_REASON_MISSING_FACTS,
    "coverage": pb.NOT_EVALUATED_REASON_COVERAGE,
    "not_read": pb.NOT_EVALUATED_REASON_NOT_READ,
    "never_sent": pb.NOT_EVALUATED_REASON_NEVER_SENT,
    "deadline": pb.NOT_EVALUATED_REASON_DEADLINE,
}
"""The words of the records' closed fields, each with its number in the matching enum."""


_SHORT = 64  # characters


# --- decision to response ---------------------------------------------------------------------------------------------


def response_of(decision: Decision) -> pb.CheckResponse:
    """The message of a decision; nothing of it is left out."""
    return pb.CheckResponse(
        decision=ACTIONS[decision.decision],
        decision_id=decision.decision_id or "",
        receipt=decision.receipt,
        release=decision.release,
        journaled=decision.journaled,
        policy=decision.policy,
        findings=[_finding_out(finding) for finding in decision.findings],
        not_evaluated=[_not_evaluated_out(rule) for rule in decision.not_evaluated],
        notes=[_note_out(note) for note in decision.notes],
        elapsed_us=decision.elapsed_us,
    )


def saved_response_of(changed: int, notes: Iterable[Note], *, waits: bool, journaled: bool) -> pb.RecordSavedResponse:
    """The message of what became of a saved prescription."""
    return pb.RecordSavedResponse(
        stored=not waits,
        spooled=waits,
        changed=bool(changed) and not waits,
        notes=[_note_out(note) for note in notes],
        journaled=journaled,
    )


def _note_out(note: Note) -> pb.Note:
    return pb.Note(code=note.code, message=note.message, line=note.line, field=note.field)


def _finding_out(finding: Finding) -> pb.Finding:
    return pb.Finding(
        finding_id=finding.finding_id,
        rule_id=finding.rule_id,
        rule_version=finding.rule_version,
        class_name=finding.class_name,
        class_id=finding.class_id,
        action=ACTIONS[finding.action],
        unknown=finding.unknown,
        lines=finding.lines,
        involved=finding.involved,
        message=finding.message,
        basis=finding.basis,
        facts=[_fact_out(fact) for fact in finding.facts],
        amount_fen=finding.amount_fen,
        suggestions=[_suggestion_out(suggestion) for suggestion in finding.suggestions],
        fund_only=finding.fund_only,
        addressee=ADDRESSEES[finding.addressee],
        result=RESULTS[finding.result],
        needs=finding.needs,
        reasons=[pb.Reason(code=r.code, text_zh=r.text.zh, text_en=r.text.en, fact=r.fact) for r in finding.reasons],
        exited=finding.exited,
    )


def _fact_out(fact: FactSeen) -> pb.FactSeen:
    value = None if fact.value is None else value_out(fact.value)
    return pb.FactSeen(fact=fact.fact, subject=fact.subject, value=value, unit=fact.unit, source=fact.source)


def _suggestion_out(suggestion: Suggestion) -> pb.Suggestion:
    value = None if suggestion.value is None else str(suggestion.value)
    return pb.Suggestion(kind=KINDS[suggestion.kind], lines=suggestion.lines, text=suggestion.text, value=value)


def _not_evaluated_out(rule: NotEvaluated) -> pb.NotEvaluated:
    return pb.NotEvaluated(
        rule_id=rule.rule_id,
        class_name=rule.class_name,
        needs=rule.needs,
        reason=WHYS[rule.reason],
        lines=rule.lines,
    )


def value_out(value: object) -> pb.FactValue:
    """A flag, whole number, exact number, text or several words; anything else as its text."""
    if isinstance(value, bool):
        return pb.FactValue(flag=value)
    if isinstance(value, int):
        return pb.FactValue(whole=value)
    if isinstance(value, Decimal):
        return pb.FactValue(decimal=str(value))
    if isinstance(value, tuple | list):
        return pb.FactValue(words=pb.Words(items=[str(word) for word in value]))
    return pb.FactValue(text=str(value))


# --- request to body --------------------------------------------------------------------------------------------------


def parse(data: bytes) -> pb.CheckRequest:
    """The message of ``data``.

    Raises:
        RequestError: When it is none, or has other fields beside a national body.
        LimitError: When it is too long or has too many lines.
    """
    request = message_in(data, pb.CheckRequest)
    check_request(request)
    return request


def message_in(data: bytes, kind: type[M]) -> M:
    """The message of a kind that ``data`` holds.

    Raises:
        RequestError: When it holds none.
        LimitError: When it is too long.
    """
    check_bytes(len(data), "request")
    name = kind.DESCRIPTOR.name
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise _refused(
            "request",
            f"不是 reminder.v1.{name} 消息 (not a {name} message); 请按 proto 编码 (encode it by the proto)",
        ) from error


def check_request(request: pb.CheckRequest) -> None:
    """Refuse a request that has other fields beside a national body, or too many lines.

    Raises:
        RequestError: It has; ``LimitError`` over the limit.
    """
    if request.national_body and len(request.ListFields()) > 1:
        raise _refused(
            "national_body",
            "不能与其他字段同时出现 (no other field may be set beside it); 请只用一种 (use one of the two)",
        )
    encounters = (request.encounter, *request.other_encounters)
    check_lines(sum(len(encounter.lines) for encounter in encounters), "encounter.lines")


def body_of(request: pb.CheckRequest) -> dict[str, Any]:
    """The JSON body a message stands for; what was not sent is left out."""
    body: dict[str, Any] = {
        "request_id": request.request_id,
        "institution_id": request.institution_id,
        "time": request.time,
        "scene": _words(request.scene),
        "other_encounters": [encounter_body(encounter) for encounter in request.other_encounters],
    }
    if request.HasField("patient"):
        body["patient"] = _patient_body(request.patient)
    if request.HasField("encounter"):
        body["encounter"] = encounter_body(request.encounter)
    return body


def _patient_body(patient: pb.Patient) -> dict[str, Any]:
    body: dict[str, Any] = {"id": patient.id, "sex": patient.sex, "birth_date": patient.birth_date}
    if patient.facts:
        body["facts"] = _facts_body(patient.facts)
    return body


def encounter_body(encounter: pb.Encounter) -> dict[str, Any]:
    """The JSON of an encounter."""
    body: dict[str, Any] = {
        "id": encounter.id,
        "visit_mode": encounter.visit_mode,
        "insurance": _words(encounter.insurance),
        "admitted_at": encounter.admitted_at,
        "discharged_at": encounter.discharged_at,
        "department_code": encounter.department_code,
        "department_name": encounter.department_name,
        "doctor_id": encounter.doctor_id,
        "institution_id": encounter.institution_id,
        "diagnoses": [{"code": d.code, "name": d.name, "main": d.main, "stage": d.stage} for d in encounter.diagnoses],
        "operations": [{"code": o.code, "name": o.name, "main": o.main} for o in encounter.operations],
        "lines": [_line_body(line) for line in encounter.lines],
    }
    if encounter.HasField("institution_level"):
        body["institution_level"] = encounter.institution_level
    if encounter.facts:
        body["facts"] = _facts_body(encounter.facts)
    return body


def _line_body(line: pb.Line) -> dict[str, Any]:
    # Written out: a loop over the names takes twice as long, and lines are most of a request. Of the numbers only a
    # zero has to be told from an absence.
    body: dict[str, Any] = {
        "id": line.id,
        "code": line.code,
        "local_code": line.local_code,
        "name": line.name,
        "item_type": line.item_type,
        "begins": line.begins,
        "stops": line.stops,
        "quantity": line.quantity,
        "unit": line.unit,
        "rx_no": line.rx_no,
        "group_no": line.group_no,
        "paid_by": line.paid_by,
    }
    if (current := line.current) or line.HasField("current"):
        body["current"] = current
    if (price := line.unit_price_fen) or line.HasField("unit_price_fen"):
        body["unit_price_fen"] = price
    if (listed := line.list_price_fen) or line.HasField("list_price_fen"):
        body["list_price_fen"] = listed
    if (amount := line.amount_fen) or line.HasField("amount_fen"):
        body["amount_fen"] = amount
    if (long_order := line.long_order) or line.HasField("long_order"):
        body["long_order"] = long_order
    if (days := line.days) or line.HasField("days"):
        body["days"] = days
    if line.facts:
        body["facts"] = _facts_body(line.facts)
    return body


def _words(words: Sequence[str]) -> tuple[str, ...] | list[str]:
    """A tuple where it is short, as nearly always: readers remember what a tuple meant, and never a list."""
    return tuple(words) if sum(map(len, words)) <= _SHORT else list(words)


def _facts_body(facts: Mapping[str, pb.FactValue]) -> dict[str, Any]:
    return {name: _fact_body(value) for name, value in facts.items()}


def _fact_body(told: pb.FactValue) -> object:
    value = value_in(told)
    return {"value": value, "at": told.found_at} if told.found_at else value


def value_in(value: pb.FactValue) -> bool | int | Decimal | str | list[str] | None:
    """The value a message carries, ``None`` where none is set; a decimal that is none stays text, to be noted."""
    kind = value.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "words":
        return list(value.words.items)
    if kind == "decimal":
        return _number(value.decimal)
    told: bool | int | str = getattr(value, kind)
    return told


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _refused(field: str, message: str) -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])
