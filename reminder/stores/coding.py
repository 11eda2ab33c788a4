"""Records as bytes and back, exactly: MessagePack, in which a fact's value says itself what it is.

msgspec cannot tell a Decimal, a day, a time and a word apart where a fact may be any of them, for all are written as
text. So facts carry their kind in an extension type; everything else is read by the record's own field types. Fields
are written by name and defaults left out: what an older or a newer version wrote is read as far as both know it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Struct, field
from msgspec.msgpack import Ext
from msgspec.structs import asdict

from negative_list.dictionary import load
from negative_list.prescription import Encounter, FactValue, Line, Patient, Prescription
from negative_list.readers.stored import StoreFact
from reminder.once import made_once
from reminder.stores.base import Coverage, HistoryRecord, Kept, OpenFinding, Saved

__all__ = ["Content", "decode", "decode_past", "decode_value", "encode", "encode_value", "private_facts"]

T = TypeVar("T", bound=Struct)
_Facts: TypeAlias = dict[str, Any]
_NEEDED_AGAIN = "patient.birth_date"


class Content(Struct, frozen=True, kw_only=True):
    """What one record of history holds: the encounter as told (``None``: lines only), and lines."""

    encounter: Encounter | None = None
    lines: tuple[Line, ...] = ()


class _Line(Line, frozen=True, kw_only=True, omit_defaults=True):
    facts: _Facts = field(default_factory=dict)


class _Encounter(Encounter, frozen=True, kw_only=True, omit_defaults=True):
    lines: tuple[_Line, ...] = ()
    facts: _Facts = field(default_factory=dict)


class _Patient(Patient, frozen=True, kw_only=True, omit_defaults=True):
    facts: _Facts = field(default_factory=dict)


class _Prescription(Prescription, frozen=True, kw_only=True, omit_defaults=True):
    encounter: _Encounter
    patient: _Patient = _Patient()
    others: tuple[_Encounter, ...] = ()


class _Content(Content, frozen=True, kw_only=True, omit_defaults=True):
    encounter: _Encounter | None = None
    lines: tuple[_Line, ...] = ()


class _PastLine(Line, frozen=True, kw_only=True):
    facts: msgspec.Raw = msgspec.Raw()  # type: ignore[assignment]


class _Past(Content, frozen=True, kw_only=True):
    encounter: _Encounter | None = None
    lines: tuple[_PastLine, ...] = ()


class _Saved(Saved, frozen=True, kw_only=True, omit_defaults=True):
    encounter: _Encounter
    lines: tuple[_Line, ...] = ()


class _HistoryRecord(HistoryRecord, frozen=True, kw_only=True, omit_defaults=True):
    encounter: _Encounter | None = None
    lines: tuple[_Line, ...] = ()


class _Kept(Kept, frozen=True, kw_only=True, omit_defaults=True):
    prescription: _Prescription


class _StoreFact(StoreFact, frozen=True, kw_only=True, omit_defaults=True):
    value: Any


_WRITTEN: Mapping[type[Struct], type[Struct]] = {
    Line: _Line,
    Encounter: _Encounter,
    Patient: _Patient,
    Prescription: _Prescription,
    Content: _Content,
    Saved: _Saved,
    HistoryRecord: _HistoryRecord,
    Kept: _Kept,
    StoreFact: _StoreFact,
}
"""The twin a record is written as: the same fields, facts as anything."""

_READ = {twin: record for record, twin in _WRITTEN.items()}
_PLAIN = (Coverage, OpenFinding)
"""Records without facts, which are written as they are."""

_PLAIN_VALUES = frozenset({str, int, bool})
_DECIMAL, _DATE, _TIME, _WORDS = 1, 2, 3, 4
_encoder = msgspec.msgpack.Encoder(order="deterministic")


def encode(record: Struct) -> bytes:
    """A record of :mod:`reminder.stores.base` or of a prescription as bytes, without private facts."""
    return _encoder.encode(record if isinstance(record, _PLAIN) else _twin(record))


def decode(kind: type[T], data: bytes) -> T:
    """The record of that kind. Raises ``msgspec.DecodeError`` when the bytes are none."""
    told = _decoder(kind).decode(data)
    return cast("T", told if kind in _PLAIN else _record(told))


def encode_value(value: FactValue) -> bytes:
    """One fact's value as bytes."""
    return _encoder.encode(_packed(value))


def decode_value(data: bytes) -> FactValue:
    """The value of :func:`encode_value`, of the type it had."""
    return cast("FactValue", _values().decode(data))


def decode_past(data: bytes) -> Content:
    """The same for what one record of history holds, which is read most: facts of lines are worked up when asked for.

    Rules look at the facts of few lines of a long history; this takes less than half the time of :func:`decode`.
    """
    past = _decoder(_Past).decode(data)
    encounter = Encounter(**asdict(past.encounter)) if past.encounter else None  # kept without lines
    return Content(encounter=encounter, lines=tuple([_past_line(line) for line in past.lines]))


def _past_line(line: _PastLine) -> Line:
    fields = asdict(line)
    fields["facts"] = _LaterFacts(line.facts)
    return Line(**fields)


class _LaterFacts(Mapping[str, FactValue]):
    """Facts as they were written, worked up when one of them is asked for."""

    __slots__ = ("_facts", "_raw")

    def __init__(self, raw: msgspec.Raw) -> None:
        self._raw = raw
        self._facts: Mapping[str, FactValue] | None = None

    def _all(self) -> Mapping[str, FactValue]:
        if self._facts is None:
            self._facts = self._decoded()
        return self._facts

    def _decoded(self) -> Mapping[str, FactValue]:
        """The facts; unknown where the bytes were damaged, for whoever asks here cannot be told of it."""
        try:
            return cast("Mapping[str, FactValue]", _values().decode(self._raw) if self._raw else {})
        except (ValueError, ArithmeticError, LookupError):
            return {}

    def __getitem__(self, name: str) -> FactValue:
        return self._all()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


@made_once
def _decoder(kind: type[Struct]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(_WRITTEN.get(kind, kind), ext_hook=_unpacked)


@cache
def _values() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(ext_hook=_unpacked)


@cache
def private_facts() -> frozenset[str]:
    """Names of the facts that are never written."""
    return frozenset(name for name, fact in load().items() if fact.private)


@cache
def _left_out() -> frozenset[str]:
    return private_facts() - {_NEEDED_AGAIN}


def _twin(record: Struct) -> Struct:
    """A record as it is written, with what it holds."""
    if type(record) is Line:
        return _line(record)
    written = {name: how(getattr(record, name)) for name, how in _hows(type(record))}
    return _WRITTEN[type(record)](**written)


def _line(line: Line) -> _Line:
    """Lines are most of what is written, and nothing within one has a twin: written out it takes a quarter."""
    return _Line(
        id=line.id,
        encounter_id=line.encounter_id,
        codes=line.codes,
        usable=line.usable,
        name=line.name,
        current=line.current,
        begins=line.begins,
        has_clock=line.has_clock,
        stops=line.stops,
        facts=_packed_facts(line.facts),
        sources=line.sources,
        times=line.times,
    )


@cache
def _hows(kind: type[Struct]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields of a record and how each is written."""
    return tuple((name, _how(kind, name)) for name in kind.__struct_fields__)


def _how(kind: type[Struct], name: str) -> Callable[[Any], Any]:
    """How a field of a record is written."""
    if name == "facts":
        return _packed_facts
    if name == "value" and kind is StoreFact:
        return _packed
    if name in {"notes", "names"}:
        return lambda _texts: ()  # notes quote the body, and may quote a name
    return _deep


def _deep(value: object) -> Any:
    if type(value) is tuple:
        return tuple([_deep(part) for part in value])
    return _twin(value) if isinstance(value, Struct) and type(value) in _WRITTEN else value


def _packed_facts(facts: Mapping[str, FactValue]) -> _Facts:
    private = _left_out()
    return {name: _packed(value) for name, value in facts.items() if name not in private}


def _packed(value: FactValue) -> Any:
    """A value with its kind, where MessagePack has none for it."""
    if type(value) in _PLAIN_VALUES:
        return value
    if isinstance(value, Decimal):
        return Ext(_DECIMAL, str(value).encode())
    if isinstance(value, datetime):
        return Ext(_TIME, value.isoformat().encode())
    if isinstance(value, date):
        return Ext(_DATE, value.isoformat().encode())
    return Ext(_WORDS, _encoder.encode(value)) if isinstance(value, tuple) else value


def _unpacked(code: int, data: memoryview) -> Any:
    if code == _WORDS:
        return msgspec.msgpack.decode(data, type=tuple[str, ...])
    return _EXTENSIONS[code](str(data, "ascii"))


_EXTENSIONS: Mapping[int, Callable[[str], FactValue]] = {
    _DECIMAL: Decimal, _DATE: date.fromisoformat, _TIME: datetime.fromisoformat,
}  # fmt: skip


def _record(twin: Struct) -> Any:
    """A record from the twin that was read."""
    fields = asdict(twin)
    if type(twin) is not _Line:  # lines are by far the most, and nothing within one has a twin
        fields = {name: _back(value) for name, value in fields.items()}
    return _READ[type(twin)](**fields)


def _back(value: object) -> Any:
    if type(value) is tuple:
        return tuple([_record(part) if type(part) in _READ else part for part in value])
    return _record(value) if isinstance(value, Struct) and type(value) in _READ else value
