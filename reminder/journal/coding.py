"""Entries as canonical JSON and back, exactly.

Keys are sorted and defaults left out. JSON has no word for an exact number, a day or a time: they stand as texts, and
what a text is follows from the fact's dictionary name. A reader passes over what a newer form adds, and takes defaults
for what an older one lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeAlias

import msgspec

from negative_list.dictionary import load
from reminder.journal.entries import (
    Appeal,
    Changed,
    Decided,
    Entry,
    Feedback,
    Gap,
    PointsEvent,
    Removed,
    Saved,
    Started,
    Unchecked,
)
from reminder.journal.forms import (
    DecisionForm,
    EncounterForm,
    HistoryForm,
    LineForm,
    PrescriptionForm,
    StoreFactForm,
)
from reminder.once import made_once

__all__ = ["canonical_json", "decode", "encode", "value_of"]

_Facts: TypeAlias = dict[str, Any]


class _Decided(Decided, frozen=True, kw_only=True, omit_defaults=True, tag="decision", tag_field="kind"):
    prescription: PrescriptionForm
    facts: tuple[StoreFactForm, ...] = ()
    history: HistoryForm | None = None
    answer: DecisionForm


class _Saved(Saved, frozen=True, kw_only=True, omit_defaults=True, tag="saved", tag_field="kind"):
    encounter: EncounterForm
    lines: tuple[LineForm, ...] = ()


def encode(entry: Entry) -> bytes:
    """An entry as canonical JSON."""
    return _encoder.encode(entry)


def decode(body: bytes) -> Entry:
    """The entry that was written. Raises ``msgspec.DecodeError`` when the bytes are none."""
    entry: Entry = _decoder().decode(body)
    _RESTORED.get(type(entry), _as_it_is)(entry)
    return entry


def canonical_json(value: object) -> bytes:
    """Any part of an entry as canonical JSON: what is compared when a decision is derived again."""
    return _encoder.encode(value)


def value_of(name: str, value: Any) -> Any:
    """The value of a fact, as JSON gave it, in the type its dictionary name asks for."""
    if type(value) is list:
        return tuple(value)
    read = _reads().get(name) if type(value) is str else None
    return read(value) if read is not None else value


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):  # facts of history that are worked up when asked for
        return dict(value)
    raise TypeError(f"no form in JSON for {type(value).__name__}")


_encoder = msgspec.json.Encoder(order="sorted", enc_hook=_plain)


@made_once
def _decoder() -> msgspec.json.Decoder[Any]:
    kinds = _Decided | Feedback | _Saved | Appeal | PointsEvent | Changed | Gap | Removed | Started | Unchecked
    return msgspec.json.Decoder(kinds)


# -- what texts mean


def _as_it_is(_entry: Any) -> None:
    pass


def _decided(entry: _Decided) -> None:
    prescription, history = entry.prescription, entry.history
    _restore(prescription.patient.facts)
    _encounters((prescription.encounter, *prescription.others))
    if history is not None:
        _lines(history.lines)
        _encounters(history.encounters)
    for told in entry.facts:
        _force(told, value_of(told.fact, told.value))
    for finding in entry.answer.findings:
        for seen in finding.facts:
            _force(seen, _seen_value(seen.fact, seen.value))


def _saved(entry: _Saved) -> None:
    _encounters((entry.encounter,))
    _lines(entry.lines)


def _feedback(entry: Feedback) -> None:
    _force(entry.checked, value_of(entry.checked.fact, entry.checked.value))


def _encounters(encounters: Iterable[EncounterForm]) -> None:
    for encounter in encounters:
        _restore(encounter.facts)
        _lines(encounter.lines)


def _lines(lines: Iterable[LineForm]) -> None:
    for line in lines:
        _restore(line.facts)


def _restore(facts: _Facts) -> None:
    for name, value in facts.items():
        if type(value) is list or type(value) is str:
            facts[name] = value_of(name, value)


def _force(record: msgspec.Struct, value: Any) -> None:
    """Set the value of a record that was just read, which nobody else has yet."""
    msgspec.structs.force_setattr(record, "value", value)


_RESTORED: Mapping[type, Callable[[Any], None]] = {_Decided: _decided, _Saved: _saved, Feedback: _feedback}


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _day(text: str) -> date | str:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _time(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


_BY_TYPE: Mapping[str, Callable[[str], Any]] = {
    "number": _number,
    "integer": _number,
    "money": _number,
    "date": _day,
    "time": _time,
}
_NUMBERS = frozenset({"number", "integer", "money", "record"})


@cache
def _reads() -> Mapping[str, Callable[[str], Any]]:
    """How a text is read, by the fact's name, where it is more than a text."""
    return {name: _BY_TYPE[fact.type] for name, fact in load().items() if fact.type in _BY_TYPE}


@cache
def _seen_as_number(name: str) -> bool:
    return name in load() and load()[name].type in _NUMBERS


def _seen_value(name: str, value: Any) -> Any:
    """The same of a fact a finding rests on, where days and times are told as texts."""
    if type(value) is list:
        return tuple(value)
    return _number(value) if type(value) is str and _seen_as_number(name) else value
