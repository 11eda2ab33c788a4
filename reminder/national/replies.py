"""The replies of the national interface: a decision in the words of its tables 134 and 135, a failure in those of 1.2.

Sources are sections of the fact sheet `national_interface.md` (its S1: 定点医药机构接口规范 V1.1.27, Hunan edition):
1.2 the envelope, 3.1 and 3.2 the result, 3.3 what clients' parsers force. What is ours stands in extra fields,
which old clients ignore. What one client forces and another cannot stand is a switch of its caller
(:mod:`reminder.callers`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reminder.bodies import chinese
from reminder.callers import ANYBODY
from reminder.national.fitting import fitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from negative_list.decision import Decision, Finding
    from negative_list.errors import FieldProblem
    from negative_list.prescription import Line, Prescription
    from negative_list.rules import Action
    from reminder.callers import Caller

__all__ = [
    "SEVERITY",
    "Reply",
    "Unchecked",
    "encode",
    "envelope_of",
    "failure_reply",
    "kept_reply",
    "partial_reply",
    "reply_of",
    "with_bureau",
]

SEVERITY: Mapping[Action, str] = {"block": "1", "warn": "2", "remind": "3", "pass": "3"}
"""3.1 sev_deg of an action: 1 明确违规, 2 高度可疑, 3 轻度可疑. There is no block nationally; the strongest degree
stands for it."""

_LABELS = {"明确违规": "1", "高度可疑": "2", "轻度可疑": "3"}
_AMOUNT_KNOWN = {True: "1", False: "0"}  # 3.1 vola_amt_stas: 0 异常, 1 正常
_VISIT, _ITEM = "1", "2"  # 3.1 vola_bhvr_type: 1 就诊类, 2 项目类
_OFFENDS, _INVOLVED = "1", "2"  # 3.2 vola_item_type: 1 违规项, 2 涉及项

# 3.1 prints 50 for ids, table 144 only 40 for the same id coming back in 3103; the smaller holds for all of ours.
_ID = 40
_AREA = 6  # 1.1 mdtrtarea_admvs
_NAME, _TEXT, _ERROR = 200, 500, 200  # 3.1 rule_name; 3.1 vola_cont and vola_evid; 1.2 err_msg
_YUAN = Decimal("0.01")
_LEAST, _LARGEST = Decimal("0.000001"), Decimal(10) ** 16  # 3.1 vola_amt: N16,2
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"

# 3.3: amounts must be JSON numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Reply(Struct, frozen=True, kw_only=True):
    """1.2 without ids and times. ``infcode``: 0 or -1; ``err_msg``: empty on success (3.3)."""

    infcode: int = 0
    err_msg: str = ""
    output: dict[str, Any]


def encode(reply: Reply, envelope: Mapping[str, str], caller: Caller = ANYBODY) -> bytes:
    """The reply in its ``envelope`` of :func:`envelope_of`, in the form its caller can read, as UTF-8 JSON."""
    content = _ENCODER.encode(_message(reply, envelope, reply.output, caller))
    if len(content) <= caller.most_bytes:
        return content
    output = fitted(reply.output, caller.most_bytes, lambda value: len(_ENCODER.encode(value)))
    return _ENCODER.encode(_message(reply, envelope, output, caller))


def _message(reply: Reply, envelope: Mapping[str, str], output: dict[str, Any], caller: Caller) -> dict[str, Any]:
    infcode = reply.infcode if caller.infcode == "number" else str(reply.infcode)
    return {"infcode": infcode, **envelope, "err_msg": reply.err_msg, "output": _shaped(output, caller)}


def _shaped(output: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The output with the result as its caller parses it (3.3); ``results`` has all of it beside a single one."""
    rows = output["result"]
    if rows and caller.result == "list":
        return output
    if rows:
        return {"result": _foremost(rows), **_without_result(output), "results": rows}
    if caller.no_rows == "absent":
        return _without_result(output)
    empty: object = [] if caller.result == "list" else {}
    return output | {"result": empty if caller.no_rows == "empty" else None}


def _without_result(output: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in output.items() if name != "result"}


def _foremost(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The one finding of a client that reads one: the gravest, saying how many more there are."""
    first = min(rows, key=_degree)
    more = len(rows) - 1
    if not more:
        return first
    told = f"（另有 {more} 条提示）"
    return first | {"vola_cont": _cut(str(first.get("vola_cont") or ""), _TEXT - len(told)) + told}


def reply_of(decision: Decision, prescription: Prescription) -> Reply:
    """A successful reply: one result a finding, and our decision."""
    lines = _by_id(prescription)
    output = {
        "result": [_result(finding, prescription, lines) for finding in decision.findings],
        "decision": decision.decision,
        "decision_id": decision.decision_id,
        "receipt": decision.receipt,
        "release": decision.release,
        "journaled": decision.journaled,
        "policy": decision.policy,
        "not_evaluated": decision.not_evaluated,
        "notes": decision.notes,
        "elapsed_us": decision.elapsed_us,
    }
    return Reply(output=output)


def with_bureau(reply: Reply, rows: Sequence[Mapping[str, Any]], why: str, lowest: Action) -> Reply:
    """The reply with the bureau's findings behind ours, each with its ``origin``.

    Args:
        reply: ours.
        rows: the bureau's, as it wrote them, with their origin.
        why: why there are none, "" where it answered.
        lowest: the weakest action the caller is told of; the bureau's degrees are held to it as ours are.
    """
    theirs = [{**row, "vola_amt": _number(row.get("vola_amt"))} for row in rows]
    shown = [row for row in theirs if _degree(row) <= SEVERITY[lowest]]
    bureau = {"asked": True, "findings": len(theirs), "why": why}
    notes = [*reply.output["notes"], {"code": "bureau", "message": why}] if why else reply.output["notes"]
    ours = [{**row, "origin": "reminder"} for row in reply.output["result"]]
    output = reply.output | {"result": [*ours, *shown], "bureau": bureau, "notes": notes}
    return msgspec.structs.replace(reply, output=output)


def _degree(row: Mapping[str, Any]) -> str:
    """3.1 sev_deg of any finding, also where its label stands for the code (5.5, S13); the gravest where it is none."""
    told = str(row.get("sev_deg") or "")
    return _LABELS.get(told, told if told in _LABELS.values() else SEVERITY["block"])


def _number(amount: object) -> object:
    """3.3: a null amount of a finding makes a client's whole parse fail, as does one that no float holds."""
    if not isinstance(amount, int | Decimal) or isinstance(amount, bool):
        return 0
    told = Decimal(amount)
    return amount if told.is_finite() and (told == 0 or _LEAST <= abs(told) <= _LARGEST) else 0


def kept_reply(output: Mapping[str, Any]) -> Reply:
    """What became of a 3103: success (4: no output is printed, and clients look at infcode only)."""
    return Reply(output={"result": [], **output})


def failure_reply(
    fields: Sequence[FieldProblem], unchecked: Unchecked | None = None, caller: Caller = ANYBODY
) -> Reply:
    """A reply that says why nothing was done.

    Args:
        fields: what could not be used.
        unchecked: the prescription that was not checked, where it was one.
        caller: whose ``on_failure`` says how it is told of an unchecked one.
    """
    message = _cut("; ".join(map(chinese, fields)), _ERROR)
    output: dict[str, Any] = {"result": [], "error": fields}
    if unchecked is None:
        return Reply(infcode=-1, err_msg=message, output=output)
    output["not_checked"] = {"id": unchecked.id, "reason": unchecked.reason}
    if caller.on_failure == "error":
        return Reply(infcode=-1, err_msg=message, output=output)
    if caller.on_failure == "row":
        output["result"] = [_not_checked_row(unchecked, message)]
    return Reply(output=output)


def partial_reply(
    reply: Reply, fields: Sequence[FieldProblem], unchecked: Unchecked, caller: Caller = ANYBODY
) -> Reply:
    """A reply to what was checked in part only: what was found, and as its caller wants it that this is not all.

    Without any finding it would read as a pass, which a caller that is told by ``error`` gets as one.
    """
    output = reply.output | {"error": fields, "not_checked": {"id": unchecked.id, "reason": unchecked.reason}}
    rows, message = output["result"], _cut("; ".join(map(chinese, fields)), _ERROR)
    if caller.on_failure == "error" and not rows:
        return Reply(infcode=-1, err_msg=message, output=output)
    if caller.on_failure != "open":
        origin = {"origin": "reminder"} if "bureau" in output else {}
        output["result"] = [*rows, _not_checked_row(unchecked, message, "未全部检查") | origin]
    return msgspec.structs.replace(reply, output=output)


class Unchecked(Struct, frozen=True, kw_only=True):
    """A prescription that was not checked: under which id that is written down, why, and whose it is as far as known.

    ``reason`` is request, limit, failed or deadline.
    """

    id: str
    reason: str
    patn_id: str = ""
    mdtrt_id: str = ""


def _not_checked_row(unchecked: Unchecked, why: str, name: str = "未检查") -> dict[str, Any]:
    """A finding that says nothing, or not all, was looked for: of the least degree, about the visit, without amount."""
    whose = {"patn_id": unchecked.patn_id, "mdtrt_id": unchecked.mdtrt_id}
    detail = {"jrd_id": f"{unchecked.id}-1", **whose, "rx_id": "", "vola_item_type": _INVOLVED, "vola_amt": 0}
    return {
        "jr_id": unchecked.id,
        "rule_id": "not_checked",
        "rule_name": name,
        "vola_cont": _cut(f"【提醒】本处方{name}，请人工核对：{why}", _TEXT),
        **whose,
        "vola_amt": 0,
        "vola_amt_stas": _AMOUNT_KNOWN[False],
        "sev_deg": SEVERITY["remind"],
        "vola_evid": "",
        "vola_bhvr_type": _VISIT,
        "task_id": "",
        "judge_result_detail_dtos": [detail],
        "action": "remind",
    }


def envelope_of(area: str, arrived: datetime, answered: datetime, serial: int) -> dict[str, str]:
    """1.2: our message id (area 6, time 14, serial 10) and both times to the millisecond. ``area``: mdtrtarea_admvs."""
    place = area if len(area) == _AREA and area.isascii() else "0" * _AREA
    return {
        "inf_refmsgid": f"{place}{answered:%Y%m%d%H%M%S}{serial % 10**10:010}",
        "refmsg_time": _stamp(arrived),
        "respond_time": _stamp(answered),
    }


def _stamp(time: datetime) -> str:
    return f"{time:%Y%m%d%H%M%S}{time.microsecond // 1000:03}"


def _by_id(prescription: Prescription) -> dict[str, tuple[int, Line]]:
    """Every line of the body by id, with its place from 1 in its encounter."""
    encounters = (prescription.encounter, *prescription.others)
    return {line.id: (place, line) for e in encounters for place, line in enumerate(e.lines, 1)}


def _result(finding: Finding, prescription: Prescription, lines: Mapping[str, tuple[int, Line]]) -> dict[str, Any]:
    """3.1, then what is ours."""
    return {
        "jr_id": _short(finding.finding_id),
        "rule_id": _short(finding.rule_id),
        "rule_name": _cut(finding.class_name, _NAME),
        "vola_cont": _cut(finding.message, _TEXT),
        "patn_id": prescription.patient.id,
        "mdtrt_id": prescription.encounter.id,
        "vola_amt": _yuan(finding.amount_fen),
        "vola_amt_stas": _AMOUNT_KNOWN[finding.amount_fen is not None],
        "sev_deg": SEVERITY[finding.action],
        "vola_evid": _cut(finding.basis, _TEXT),
        "vola_bhvr_type": _ITEM if finding.lines else _VISIT,
        "task_id": "",
        "judge_result_detail_dtos": _details(finding, prescription, lines),
        "action": finding.action,
        "unknown": finding.unknown,
        "exited": finding.exited,
        "class_id": finding.class_id,
        "fund_only": finding.fund_only,
        "lines": finding.lines,
        "involved": finding.involved,
        "needs": finding.needs,
        "suggestions": finding.suggestions,
        "reasons": finding.reasons,
    }


def _details(
    finding: Finding, prescription: Prescription, lines: Mapping[str, tuple[int, Line]]
) -> list[dict[str, Any]]:
    """3.2: offending lines, then involved ones; never empty, since a client (3.3, S5) skips a finding without."""
    rows = [(line_id, _OFFENDS) for line_id in finding.lines] or [("", _OFFENDS)]
    rows += [(line_id, _INVOLVED) for line_id in finding.involved]
    return [
        {
            "jrd_id": f"{_short(finding.finding_id, _ID - 4)}-{_base36(place)}",
            "patn_id": prescription.patient.id,
            "mdtrt_id": _encounter_of(line_id, prescription, lines),
            "rx_id": _caller_id(line_id, lines),
            "vola_item_type": kind,
            "vola_amt": _yuan(_detail_fen(finding, line_id, kind, lines)),
            "line": line_id,
        }
        for place, (line_id, kind) in enumerate(rows, 1)
    ]


def _detail_fen(finding: Finding, line_id: str, kind: str, lines: Mapping[str, tuple[int, Line]]) -> int | None:
    """A single offending line has the finding's amount, each of several its own; an involved one violates nothing."""
    if kind == _INVOLVED or finding.amount_fen is None:
        return None
    if len(finding.lines) <= 1:
        return finding.amount_fen
    amount = lines[line_id][1].facts.get("line.amount_fen") if line_id in lines else None
    return amount if isinstance(amount, int) else None


def _encounter_of(line_id: str, prescription: Prescription, lines: Mapping[str, tuple[int, Line]]) -> str:
    return lines[line_id][1].encounter_id if line_id in lines else prescription.encounter.id


def _caller_id(line_id: str, lines: Mapping[str, tuple[int, Line]]) -> str:
    """The caller's rx_id of a line: our id without the ``#place`` that made it unique in the body."""
    place = lines[line_id][0] if line_id in lines else 0
    return line_id.removesuffix(f"#{place}")


def _yuan(fen: int | None) -> Decimal:
    """3.3: always a number; 0 where not known."""
    return fen * _YUAN if fen is not None else Decimal(0)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _short(name: str, limit: int = _ID) -> str:
    """A longer id is cut and told apart by eight digits of its digest."""
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"
