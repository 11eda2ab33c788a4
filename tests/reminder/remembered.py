"""A list whose rules need history and facts, bodies they decide, and what tests tell a sidecar to remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from reminder import wire_client
from reminder.v1 import reminder_pb2 as pb
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.reminder.sidecar import Running

__all__ = [
    "COVERED",
    "DRUG",
    "TEST",
    "asked",
    "body",
    "fact",
    "found",
    "put_facts",
    "put_history",
    "record",
    "save",
    "write_rules",
]

TEST, DRUG = "002503020020000", "XB05BAF501B002010100001"
"""A test that may be done once a week, and a drug for patients at risk."""

RULES = f"""
rules:
- id: R31-weekly
  class: R31
  title: 7日内限1次
  trigger: {{codes: ["{TEST}"]}}
  violation:
    kind: count
    lines:
      items: {{codes: ["{TEST}"]}}
      window: {{unit: days, length: 7, ends: open, side: before, whose: patient}}
    above: 1
  action: warn
  message: {{zh: 该项目7日内限支付1次}}
  basis: {{document: 周期超频次}}
- id: R08-risk
  class: R08
  title: 限有营养风险
  trigger: {{codes: [{DRUG}]}}
  violation: {{kind: fact, fact: encounter.nutrition_risk, any_of: [false]}}
  action: warn
  message: {{zh: 限营养风险筛查明确具有营养风险的患者}}
  basis: {{document: 药品目录}}
"""
"""One rule that needs what was done before, one that needs a fact."""

COVERED = {"coverage": {"since": "2025-01-01", "until": "2026-01-08"}}
"""The feed tells everything of everybody since then, and up to the day of the bodies."""


def write_rules(folder: Path) -> Path:
    """The list as a file."""
    file = folder / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return file


def body(code: str = TEST, *, encounter: str = "M1", patient: str = "P1", **changes: Any) -> dict[str, Any]:
    """Our own body: one line of a code, ordered on 8 January 2026 at 9 o'clock."""
    line = {"id": "R1", "code": code, "name": "项目", "begins": "2026-01-08 09:00:00"}
    visit = {"id": encounter, "visit_mode": "outpatient", "admitted_at": "2026-01-08 08:00:00", "lines": [line]}
    return {
        "institution_id": "H1",
        "time": "2026-01-08 09:00:00",
        "patient": {"id": patient, "sex": "女"},
        "encounter": visit | changes.pop("visit", {}),
        **changes,
    }


def record(begins: str = "2026-01-05", *, code: str = TEST, patient: str = "P1", **changes: Any) -> dict[str, Any]:
    """An entry of history: a visit to another institution with one line."""
    line = {"id": "1", "code": code, "name": "项目", "begins": begins}
    told = {
        "institution_id": "H2",
        "record_id": "S1",
        "patient": {"id": patient},
        "encounter": {"id": "V0", "visit_mode": "outpatient", "lines": [line]},
    }
    return {"record": told | changes}


def fact(subject: str = "M1", value: object = "false", **changes: Any) -> dict[str, Any]:
    """A fact of an encounter of H1."""
    told = {"subject": subject, "fact": "encounter.nutrition_risk", "value": value, "source": "nursing"}
    return told | {"institution_id": "H1"} | changes


def put_history(here: Running, *entries: dict[str, Any], in_one: bool = False) -> pb.PutHistoryResponse:
    """Tell a sidecar history, one entry a message, or all of them ``in_one``."""
    told = [_entry(entry) for entry in entries]
    messages = [pb.PutHistoryRequest(entries=part) for part in ([told] if in_one else [[one] for one in told])]
    method = "FactService/PutHistory"
    response: pb.PutHistoryResponse = _call(here, "admin", method, iter(messages), pb.PutHistoryResponse)
    return response


def put_facts(here: Running, *facts: dict[str, Any]) -> pb.PutFactsResponse:
    """Tell a sidecar facts, all in one message."""
    message = pb.PutFactsRequest(facts=[_fact(told) for told in facts])
    response: pb.PutFactsResponse = _call(here, "admin", "FactService/PutFacts", iter([message]), pb.PutFactsResponse)
    return response


def save(here: Running, sent: dict[str, Any], revision: int = 1, **changes: Any) -> pb.RecordSavedResponse:
    """Tell a sidecar that a body was saved."""
    told: dict[str, Any] = {"prescription_id": "RX1", "revision": revision, **changes}
    request = pb.RecordSavedRequest(prescription=wire_client.request_of(sent), **told)
    response: pb.RecordSavedResponse = _call(
        here, "grpc", "ReminderService/RecordSaved", request, pb.RecordSavedResponse
    )
    return response


def asked(here: Running, sent: dict[str, Any], timeout: float = LONG_S) -> pb.CheckResponse:
    """What a sidecar answers to a body."""
    request = wire_client.request_of(sent)
    response: pb.CheckResponse = _call(here, "grpc", "ReminderService/Check", request, pb.CheckResponse, timeout)
    return response


def found(answer: pb.CheckResponse) -> list[str]:
    """The rules of the findings, and behind a ? those that could not be evaluated."""
    undecided = [f"?{skipped.rule_id}" for skipped in answer.not_evaluated]
    return [finding.rule_id for finding in answer.findings] + undecided


def _call(here: Running, face: str, method: str, sent: Any, kind: type[Any], timeout: float = LONG_S) -> Any:
    """One call on a channel of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(here.at(face), options=options) as channel:
        shape = channel.unary_unary if hasattr(sent, "SerializeToString") else channel.stream_unary
        ask: Any = shape(
            f"/reminder.v1.{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=kind.FromString,
        )
        return ask(sent, timeout=timeout)


def _entry(told: dict[str, Any]) -> pb.HistoryEntry:
    entry = pb.HistoryEntry()
    for kind, fields in told.items():
        target = getattr(entry, kind)
        target.SetInParent()
        _fill(target, fields)
    return entry


def _fill(message: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is None:
            continue
        if name == "encounter":
            message.encounter.CopyFrom(wire_client.request_of({"encounter": value}).encounter)
        elif name == "ids":
            message.ids.extend(pb.PatientId(**one) for one in value)
        elif isinstance(value, dict):
            message.patient.CopyFrom(pb.PatientId(**value))
        else:
            setattr(message, name, value)


def _fact(told: dict[str, Any]) -> pb.Fact:
    texts: Iterable[tuple[str, Any]] = ((name, value) for name, value in told.items() if name != "value")
    value = told.get("value")
    kind = {bool: "flag", int: "whole"}.get(type(value), "text")
    carried = pb.FactValue() if value is None else pb.FactValue(**{kind: value})
    return pb.Fact(value=carried, **dict(texts))
