"""The caller's half of the wire: a JSON body becomes the message to send, the message that comes back a decision."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from negative_list.decision import Decision, FactSeen, Finding, NotEvaluated, Suggestion
from negative_list.dictionary import load
from negative_list.errors import FieldProblem, RequestError
from negative_list.prescription import Note
from negative_list.readers.limits import MAX_NOTES
from negative_list.readers.reading import TIMED_KEYS
from negative_list.readers.wording import EXPECTED_FACTS, EXPECTED_OBJECT, EXPECTED_OBJECTS, no_field
from negative_list.rules import Reason, Text
from reminder import wire
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["decision_of", "request_of"]

_EXPECTED_WORDS = "应为词的列表 (expected a list of words); 请用方括号 (put them in brackets)"
_WORDS = re.compile("[,，;；、]")


# --- response to decision ---------------------------------------------------------------------------------------------


def decision_of(response: pb.CheckResponse) -> Decision:
    """The decision a message carries: the inverse of :func:`response_of`."""
    return Decision(
        decision=_word(wire.ACTIONS, response.decision),
        decision_id=response.decision_id or None,
        receipt=response.receipt if response.HasField("receipt") else None,
        release=response.release if response.HasField("release") else None,
        journaled=response.journaled,
        policy=response.policy,
        findings=tuple(_finding_in(finding) for finding in response.findings),
        not_evaluated=tuple(_not_evaluated_in(rule) for rule in response.not_evaluated),
        notes=tuple(Note(code=n.code, message=n.message, line=n.line, field=n.field) for n in response.notes),
        elapsed_us=response.elapsed_us,
    )


def _finding_in(finding: pb.Finding) -> Finding:
    return Finding(
        finding_id=finding.finding_id,
        rule_id=finding.rule_id,
        rule_version=finding.rule_version,
        class_name=finding.class_name,
        class_id=finding.class_id,
        action=_word(wire.ACTIONS, finding.action),
        unknown=finding.unknown,
        lines=tuple(finding.lines),
        involved=tuple(finding.involved),
        message=finding.message,
        basis=finding.basis,
        facts=tuple(_fact_in(fact) for fact in finding.facts),
        amount_fen=finding.amount_fen if finding.HasField("amount_fen") else None,
        suggestions=tuple(_suggestion_in(suggestion) for suggestion in finding.suggestions),
        fund_only=finding.fund_only,
        addressee=_word(wire.ADDRESSEES, finding.addressee),
        result=_word(wire.RESULTS, finding.result),
        needs=tuple(finding.needs),
        reasons=tuple(Reason(code=r.code, text=Text(zh=r.text_zh, en=r.text_en), fact=r.fact) for r in finding.reasons),
        exited=finding.exited,
    )


def _fact_in(fact: pb.FactSeen) -> FactSeen:
    value = wire.value_in(fact.value)
    return FactSeen(
        fact=fact.fact,
        subject=fact.subject,
        value=tuple(value) if isinstance(value, list) else value,
        unit=fact.unit,
        source=fact.source,
    )


def _suggestion_in(suggestion: pb.Suggestion) -> Suggestion:
    return Suggestion(
        kind=_word(wire.KINDS, suggestion.kind),
        lines=tuple(suggestion.lines),
        text=suggestion.text,
        value=Decimal(suggestion.value) if suggestion.HasField("value") else None,
    )


def _not_evaluated_in(rule: pb.NotEvaluated) -> NotEvaluated:
    return NotEvaluated(
        rule_id=rule.rule_id,
        class_name=rule.class_name,
        needs=tuple(rule.needs),
        reason=_word(wire.WHYS, rule.reason),
        lines=tuple(rule.lines),
    )


def _word(table: Mapping[str, int], number: int) -> Any:
    return next(word for word, known in table.items() if known == number)


# --- body to request --------------------------------------------------------------------------------------------------


def request_of(body: Mapping[str, Any]) -> pb.CheckRequest:
    """The message of a JSON body.

    A number or flag that its typed field cannot carry goes along as a fact, so that the sidecar says what is wrong with
    it and the check goes on.

    Raises:
        RequestError: For unknown names and values of a wrong shape, all at once (the first hundred of many).
    """
    writer = _Writer()
    request = pb.CheckRequest()
    writer.fill(request, body, "")
    if writer.problems:
        raise RequestError(writer.problems)
    return request


class _Writer:
    """Fills messages from plain values, following the messages' own descriptors."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def fill(self, message: Any, body: object, path: str) -> None:
        if not isinstance(body, dict):
            self._wrong(path, EXPECTED_OBJECT)
            return
        fields = message.DESCRIPTOR.fields_by_name
        for name, value in body.items():
            place = f"{path}.{name}" if path else name
            if name not in fields or name == "national_body":
                self._wrong(place, no_field(name, set(fields) - {"national_body"}))
            elif value is not None:
                self._set(message, fields[name], value, place)

    def _set(self, message: Any, field: Any, value: object, path: str) -> None:
        if field.name == "facts":
            self._facts(message, value, path)
        elif field.is_repeated:
            self._list(message, field, value, path)
        elif field.message_type is not None:
            getattr(message, field.name).SetInParent()
            self.fill(getattr(message, field.name), value, path)
        else:
            self._scalar(message, field, value, path)

    def _list(self, message: Any, field: Any, value: object, path: str) -> None:
        """As in every other body one object stands for a list of one, a text for its words, a placeholder for none."""
        items = getattr(message, field.name)
        if isinstance(value, str) and not value.strip("- "):
            return
        if field.message_type is None:
            words = _WORDS.split(value) if isinstance(value, str) else value
            if isinstance(words, list):
                items.extend(str(word).strip() for word in words)
            else:
                self._wrong(path, _EXPECTED_WORDS)
        elif isinstance(value, dict):
            self.fill(items.add(), value, path)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                self.fill(items.add(), item, f"{path}[{place}]")
        else:
            self._wrong(path, EXPECTED_OBJECTS)

    def _scalar(self, message: Any, field: Any, value: object, path: str) -> None:
        if isinstance(value, dict | list):
            self._wrong(path, "应为单个值 (expected one value); 请给出文本或数字 (give a text or a number)")
            return
        try:
            setattr(message, field.name, _typed(field, value))
        except (ArithmeticError, KeyError, ValueError):
            fact = f"{message.DESCRIPTOR.name.lower()}.{field.name}"
            if fact not in load() or not load()[fact].settable:
                self._wrong(
                    path, f"`{value}` 不是“是/否”值 (neither true nor false); 请给出 true 或 false (give one of them)"
                )
            else:
                message.facts[fact].text = str(value)

    def _facts(self, message: Any, value: object, path: str) -> None:
        if not isinstance(value, dict):
            self._wrong(path, EXPECTED_FACTS)
            return
        for name, told in value.items():
            value = told
            if isinstance(told, dict):
                for key in sorted(told.keys() - TIMED_KEYS):
                    self._wrong(f"{path}.{name}.{key}", no_field(key, TIMED_KEYS))
                value = told.get("value")
                message.facts[name].found_at = str(told.get("at") or "")
            message.facts[name].MergeFrom(pb.FactValue() if value is None else wire.value_out(value))

    def _wrong(self, path: str, message: str) -> None:
        self.problems.append(FieldProblem(field=path, message=message))
        if len(self.problems) >= MAX_NOTES:
            raise RequestError(self.problems)


def _typed(field: Any, value: object) -> bool | int | str:
    """The value in the field's type, read liberally: numbers and flags also from texts."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return str(value).lower() if isinstance(value, bool) else str(value)
    text = str(value).strip().lower()
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"true": True, "1": True, "false": False, "0": False}[text]
    number = Decimal(text)
    if number != int(number):
        raise ValueError
    return int(number)
