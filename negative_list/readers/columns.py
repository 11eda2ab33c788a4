"""Columns: how each scalar field of a body becomes a fact, built once for a site and read in one loop.

A column remembers what each raw value it met became, since the same codes, names and days come again and again.
``true``, 1 and 1.0 are the same raw value to a column, whichever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

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
    "Column",
    "Columns",
    "Impossible",
    "Moment",
    "Value",
    "national_columns",
    "own_columns",
    "own_value",
    "text_column",
]

T = TypeVar("T")

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
_TOO_LONG = Impossible("", too_long=True)


class Column(Generic[T]):
    """One field of a body: its key, the fact it becomes ("" for none), and how."""

    __slots__ = ("_convert", "fact", "key", "memo")

    def __init__(self, key: str, fact: str, convert: Callable[[object], T | None]) -> None:
        self.key = key
        self.fact = fact
        self._convert = convert
        self.memo: dict[object, T | None] = {None: None}

    def read(self, raw: object) -> T | Impossible | None:
        """Return the value, ``None`` for unknown, or why it is impossible; what is possible is remembered."""
        try:
            return self.memo[raw]
        except KeyError:
            pass
        except TypeError:  # a list or an object has no hash
            return self._converted(raw)
        if isinstance(raw, str) and longer_than_limit(raw):
            return _TOO_LONG
        value = self._converted(raw)
        if not isinstance(value, Impossible) and (not isinstance(raw, str) or len(raw) <= _REMEMBERED_CHARACTERS):
            if len(self.memo) >= _REMEMBERED:
                self.memo = {None: None}
            self.memo[raw] = value
        return value

    def _converted(self, raw: object) -> T | Impossible | None:
        try:
            return self._convert(raw)
        except ImpossibleValueError as error:
            return Impossible(str(error))


Columns: TypeAlias = "dict[str, Column[Value]]"
"""Columns by the key of their field."""


def text_column() -> Column[str]:
    """Return a column of plain texts; placeholders become ``None``."""
    return Column("", "", _text)


def national_columns(site: Site, table: str) -> Columns:
    """Return the columns of one table of the national interface (``fsi_order_dtos``...), as the site reads it.

    Keys are the national field names as the dictionary gives them; the site's tables stand for the dictionary's.
    Fields of records (``line.begins``...) are gathered under their dictionary names too.
    """
    sent = [(fact, path.removeprefix(table + ".")) for fact, path in _national_paths() if path.startswith(table + ".")]
    read = [(fact, key, _national(fact, site)) for fact, key in sent if "." not in key and key not in _STRUCTURE]
    return {key: Column(key, fact.name, convert) for fact, key, convert in read if convert is not None}


def own_columns(site: Site, names: Mapping[str, str]) -> Columns:
    """Return the columns of our own JSON: key to fact name, values in the dictionary's words."""
    return {key: Column(key, name, own_value(load()[name], site)) for key, name in names.items()}


def own_value(fact: Fact, site: Site) -> Callable[[object], Value | None]:
    """Return how a value in the dictionary's words is read at a site."""
    if fact.type == "record":
        return _record(fact, site)
    return lambda raw: parse_value(fact, raw, site.zone)


def _record(fact: Fact, site: Site) -> Callable[[object], Value | None]:
    if fact.name in _MOMENTS:
        return lambda raw: parse_time(raw, site.zone)
    if fact.name in _FLAGS:
        return lambda raw: parse_value(_FLAG, raw)
    return _text


def _national_paths() -> Iterator[tuple[Fact, str]]:
    return ((fact, path) for fact in load().values() for path in fact.national)


def _text(raw: object) -> str | None:
    text = plain_text(raw)
    return None if text in load().placeholders else text


def _national(fact: Fact, site: Site) -> Callable[[object], Value | None] | None:
    if fact.name in _NOT_BY_CODE:
        return None
    if fact.type == "record":
        return _record(fact, site)
    table = site.tables.get(fact.name, fact.values)
    if table:
        return lambda raw: _by_table(fact, table, raw)
    if fact.type == "money":
        return lambda raw: _fen(fact, raw)
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


def _fen(fact: Fact, raw: object) -> FactValue | None:
    """Yuan, with any number of places, to whole fen, half a fen up."""
    text = _text(raw)
    if text is None:
        return None
    yuan = parse_value(_YUAN, text)
    fen = (yuan * 100).quantize(Decimal(1), ROUND_HALF_UP) if isinstance(yuan, Decimal) else None
    return parse_value(fact, fen)
