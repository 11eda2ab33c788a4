"""Columns: how each scalar field of a body becomes a fact, built once for a site and read in one loop.

A column remembers what each raw value it met became, since the same codes, names and days come again and again.
``true``, 1 and 1.0 are the same raw value to a column, whichever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

if TYPE_CHECKING:
    from negative_list.prescription import FactValue
    from negative_list.site import Site

__all__ = ["Column", "Impossible", "Moment", "national_columns", "own_columns", "text_column", "time_column"]

T = TypeVar("T")

Moment: TypeAlias = tuple[datetime, bool]
"""A civil time, and whether it had a clock."""

_REMEMBERED = 4096
_REMEMBERED_CHARACTERS = 64
# read by the beginning of its code, not by the whole code
_NOT_BY_CODE = frozenset({"encounter.visit_mode"})


class Impossible(Struct, frozen=True):
    """What a column says of a value its fact cannot have."""

    message: str


class Column(Generic[T]):
    """One field of a body: its key, the fact it becomes ("" for none), and how."""

    __slots__ = ("_convert", "fact", "key", "memo")

    def __init__(self, key: str, fact: str, convert: Callable[[object], T | None]) -> None:
        self.key = key
        self.fact = fact
        self._convert = convert
        self.memo: dict[object, T | Impossible | None] = {}

    def read(self, raw: object) -> T | Impossible | None:
        """Return the value, ``None`` for unknown, or why it is impossible."""
        try:
            return self.memo[raw]
        except KeyError:
            return self._remembered(raw)
        except TypeError:  # a list or an object has no hash
            return self._converted(raw)

    def _remembered(self, raw: object) -> T | Impossible | None:
        value = self._converted(raw)
        if not isinstance(raw, str) or len(raw) <= _REMEMBERED_CHARACTERS:
            if len(self.memo) >= _REMEMBERED:
                self.memo.clear()
            self.memo[raw] = value
        return value

    def _converted(self, raw: object) -> T | Impossible | None:
        try:
            return self._convert(raw)
        except ImpossibleValueError as error:
            return Impossible(str(error))


def text_column() -> Column[str]:
    """Return a column of plain texts; placeholders become ``None``."""
    return Column("", "", _text)


def time_column(site: Site) -> Column[Moment]:
    """Return a column of civil times of the site's zone."""
    return Column("", "", lambda raw: parse_time(raw, site.zone))


def national_columns(site: Site, table: str) -> tuple[Column[FactValue], ...]:
    """Return the columns of one table of the national interface (``fsi_order_dtos``...), as the site reads it.

    Keys are the national field names as the dictionary gives them; the site's tables stand for the dictionary's.
    """
    return tuple(
        Column(path.removeprefix(table + "."), fact.name, convert)
        for fact in load().values()
        for path in fact.national
        if fact.settable and path.startswith(table + ".") and "." not in path.removeprefix(table + ".")
        if (convert := _national(fact, site)) is not None
    )


def own_columns(site: Site, names: Mapping[str, str]) -> tuple[Column[FactValue], ...]:
    """Return the columns of our own JSON: key to fact name, values in the dictionary's words."""
    return tuple(Column(key, name, own_value(load()[name], site)) for key, name in names.items())


def own_value(fact: Fact, site: Site) -> Callable[[object], FactValue | None]:
    """Return how a value in the dictionary's words is read at a site."""
    return lambda raw: parse_value(fact, raw, site.zone)


def _text(raw: object) -> str | None:
    text = plain_text(raw)
    return None if text in load().placeholders else text


def _national(fact: Fact, site: Site) -> Callable[[object], FactValue | None] | None:
    if fact.name in _NOT_BY_CODE:
        return None
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


_YUAN = Fact(name="", type="number", zh="金额", minimum=Decimal(0))
