"""Columns: how each scalar field of a body becomes a fact, built once for a site and read in one loop.

A column remembers what each raw value it met became, since the same codes, names and days come again and again.
``true``, 1 and 1.0 are the same raw value to a column, whichever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeVar

from msgspec import Struct

from negative_list.dictionary import (
    Fact,
    ImpossibleValueError,
    load,
    parse_time,
    parse_value,
    plain_text,
)
from negative_list.readers.limits import longer_than_limit

if TYPE_CHECKING:
    from negative_list.prescription import FactValue
    from negative_list.site import Site

__all__ = [
    "MISSING",
    "Column",
    "Columns",
    "ForeignNameError",
    "Impossible",
    "Moment",
    "Value",
    "foreign_columns",
    "mapped_columns",
    "national_columns",
    "own_columns",
    "own_value",
    "text_column",
]

T = TypeVar("T")

MISSING = object()
"""Stands in a column's memory for what is not remembered."""

Moment: TypeAlias = tuple[datetime, bool]
"""A civil time, and whether it had a clock."""
Value: TypeAlias = "FactValue | Moment"
"""What a column gathers: a fact's value, or the time of a line's record."""

_REMEMBERED = 4096
_REMEMBERED_CHARACTERS = 64


class Impossible(Struct, frozen=True):
    """What a column says of a value its fact cannot have; ``too_long``: the text is over the limit."""

    message: str
    too_long: bool = False


class ForeignNameError(Exception):
    """A field was met that only another dialect has: the body has to be made over first."""


# derived from the facts encounter.med_type (by its beginning) and line.order_behaviour (where the site has a table)
_NOT_BY_CODE = frozenset({"encounter.visit_mode", "line.take_home"})
# lists and objects the readers walk through themselves
_STRUCTURE = frozenset(
    {
        "patient_dtos",
        "rule_ids",
        "fsi_encounter_dtos",
        "fsi_his_data_dto",
        "fsi_diagnose_dtos",
        "fsi_order_dtos",
        "fsi_operation_dtos",
        "extend_order_map",
    }
)
_MOMENTS = frozenset({"request.time", "line.begins", "line.stops"})
_FLAGS = frozenset({"line.current", "diagnosis.main", "operation.main"})
_FLAG = Fact(name="", type="flag", zh="")
_YUAN = Fact(name="", type="number", zh="金额", minimum=Decimal(0))
_BACK = Fact(name="", type="number", zh="金额")
_SCALARS = frozenset({str, int, float, bool, Decimal, tuple})  # a tuple is of short words
_USUAL_DIGITS = 9
_FEN_PLACES = 2
_ONE = Decimal(1)
_TOO_LONG = Impossible("", too_long=True)


class Column(Generic[T]):
    """One field of a body: its key, the fact it becomes ("" for none), and how."""

    __slots__ = ("_convert", "fact", "key", "memo")

    def __init__(self, key: str, fact: str, convert: Callable[[object], T | None]) -> None:
        self.key = key
        self.fact = fact
        self._convert = convert
        self.memo: dict[object, T | Any] = {None: None}

    def read(self, raw: object) -> T | Impossible | None:
        """Return the value, ``None`` for unknown, or why it is impossible."""
        try:
            value = self.memo.get(raw, MISSING)
        except TypeError:  # a list or an object has no hash
            value = MISSING
        return self.convert(raw) if value is MISSING else value

    def convert(self, raw: object) -> T | Impossible | None:
        """Return the same for a value that is not remembered, and remember it when it is possible and short."""
        short = raw.__class__ is not str or len(raw) <= _REMEMBERED_CHARACTERS
        if not short and longer_than_limit(str(raw)):
            return _TOO_LONG
        try:
            value = self._convert(raw)
        except ImpossibleValueError as error:
            return Impossible(str(error))
        if short and raw.__class__ in _SCALARS:
            if len(self.memo) >= _REMEMBERED:
                self.memo = {None: None}
            self.memo[raw] = value
        return value


Columns: TypeAlias = "dict[str, Column[Value]]"
"""Columns by the key of their field."""


def text_column() -> Column[str]:
    """Return a column of plain texts; placeholders become ``None``."""
    return Column("", "", _text_reader())


def national_columns(site: Site, table: str) -> Columns:
    """Return the columns of one table of the national interface (``fsi_order_dtos``...), as the site reads it.

    Keys are the national field names as the dictionary gives them; the site's tables stand for the dictionary's.
    Fields of records (``line.begins``...) are gathered under their dictionary names too.
    """
    sent = [(fact, path.removeprefix(table + ".")) for fact, path in _national_paths() if path.startswith(table + ".")]
    read = [(fact, key, _national(fact, site)) for fact, key in sent if "." not in key and key not in _STRUCTURE]
    return {key: Column(key, fact.name, convert) for fact, key, convert in read if convert is not None}


def foreign_columns(names: Iterable[str]) -> Columns:
    """Return columns of fields that a national body does not have, which raise :class:`ForeignNameError` when met.

    They stand among the national ones, so that a body without any costs nothing to tell from one with some.
    """
    columns: Columns = {name: Column(name, "", _foreign) for name in names}
    for column in columns.values():
        column.memo.clear()  # nothing is remembered, empty values neither
    return columns


def _foreign(_raw: object) -> NoReturn:
    raise ForeignNameError


def mapped_columns(site: Site, names: Mapping[str, str]) -> Columns:
    """Return columns of another transaction: its field to fact name, values by the national tables of 3101's field.

    A flag without a table is written 1 and 0, as every national flag is.
    """
    facts = {key: load()[name] for key, name in names.items()}
    return {key: Column(key, fact.name, _national(fact, site) or own_value(fact, site)) for key, fact in facts.items()}


def own_columns(site: Site, names: Mapping[str, str]) -> Columns:
    """Return the columns of our own JSON: key to fact name, values in the dictionary's words."""
    return {key: Column(key, name, own_value(load()[name], site)) for key, name in names.items()}


def own_value(fact: Fact, site: Site) -> Callable[[object], Value | None]:
    """Return how a value in the dictionary's words is read at a site."""
    if fact.type == "record":
        return _record(fact, site)
    if fact.type in {"text", "code"} and not fact.unknown:
        return _text_reader()
    if fact.type == "number" and fact.minimum in {0, None} and fact.maximum is None:
        return _number_reader(fact, site)
    if fact.type in {"money", "integer"} and set(fact.unknown) <= {"0"}:
        return _whole_reader(fact, site)
    return lambda raw: parse_value(fact, raw, site.zone)


def _record(fact: Fact, site: Site) -> Callable[[object], Value | None]:
    if fact.name in _MOMENTS:
        return lambda raw: parse_time(raw, site.zone)
    if fact.name in _FLAGS:
        return lambda raw: parse_value(_FLAG, raw)
    return _text_reader()


def _national_paths() -> Iterator[tuple[Fact, str]]:
    return ((fact, path) for fact in load().values() for path in fact.national)


def _text_reader() -> Callable[[object], str | None]:
    placeholders = load().placeholders

    def read(raw: object) -> str | None:
        # ids and names are seldom met twice, so reading them afresh has to be quick
        text = raw.strip() if isinstance(raw, str) and raw.isprintable() else plain_text(raw)
        if "\ufffd" in text:
            raise ImpossibleValueError("文本不完整，有半个字符")
        return None if text in placeholders else text

    return read


def _national(fact: Fact, site: Site) -> Callable[[object], Value | None] | None:
    if fact.name in _NOT_BY_CODE:
        return None
    if fact.type == "record":
        return _record(fact, site)
    table = site.tables.get(fact.name, fact.values)
    if table:
        return lambda raw: _by_table(fact, table, raw)
    if fact.type == "money":
        return _fen_reader(fact)
    # a flag is written in codes: without a table nobody knows what they mean
    return own_value(fact, site) if fact.type != "flag" else None


def _by_table(fact: Fact, table: Mapping[str, FactValue | None], raw: object) -> FactValue | None:
    text = plain_text(raw)
    if fact.type != "words":
        return _one_by_table(fact, table, text)
    read = [_one_by_table(fact, table, part) for part in text.split(",")]
    return parse_value(fact, [word for value in read for word in (value if isinstance(value, tuple) else (value,))])


def _one_by_table(fact: Fact, table: Mapping[str, FactValue | None], text: str) -> FactValue | None:
    text = text.strip()
    if text in load().placeholders or text in fact.unknown:
        return None
    code = text.lstrip("0") or "0"
    if code in table:
        value = table[code]
        return None if value == "" else value
    if text in fact.words or text in fact.words.values():  # some clients send the labels
        return parse_value(fact, text)
    raise ImpossibleValueError(f"“{fact.zh}”没有代码 `{text[:40]}`")


def _fen_reader(fact: Fact) -> Callable[[object], FactValue | None]:
    """Yuan, with any number of places, to whole fen, half a fen up."""
    zero_is_unknown = "0" in fact.unknown

    def read(raw: object) -> FactValue | None:
        # yuan and at most two places, the usual spelling, need no arithmetic
        whole, _, places = (raw if isinstance(raw, str) else str(raw)).partition(".")
        if _digits(whole) and len(places) <= _FEN_PLACES and (not places or _digits(places)):
            fen = int(whole) * 100 + int(places.ljust(2, "0"))
        else:
            yuan = parse_value(_YUAN if fact.minimum == 0 else _BACK, raw)
            if not isinstance(yuan, Decimal):
                return None
            fen = int((yuan * 100).quantize(_ONE, ROUND_HALF_UP))
        return None if fen == 0 and zero_is_unknown else fen

    return read


def _number_reader(fact: Fact, site: Site) -> Callable[[object], FactValue | None]:
    zero_is_unknown = "0" in fact.unknown

    def read(raw: object) -> FactValue | None:
        # whole numbers, the usual quantity, are read at once; any other is looked at more closely
        text = raw if isinstance(raw, str) else str(raw)
        if not _digits(text):
            return parse_value(fact, raw, site.zone)
        value = Decimal(text)
        return None if zero_is_unknown and not value else value

    return read


def _whole_reader(fact: Fact, site: Site) -> Callable[[object], FactValue | None]:
    least = max(1, int(fact.minimum or 1))
    most = 10**_USUAL_DIGITS if fact.maximum is None else int(fact.maximum)

    def read(raw: object) -> FactValue | None:
        # prices differ from line to line, so that they are seldom remembered; a usual one is read at once
        if raw.__class__ is int and least <= raw <= most:
            return raw
        return parse_value(fact, raw, site.zone)

    return read


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _USUAL_DIGITS
