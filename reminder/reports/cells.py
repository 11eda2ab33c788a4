"""How a cell looks: one rule for each kind of column, the same in every format."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reminder.reports.words import word

if TYPE_CHECKING:
    from reminder.reports.table import Column

__all__ = ["PERCENT", "YES_NO", "plain", "shown", "tidy"]

PERCENT = 100
"""A share of one in percent."""

YES_NO = (("否", "no"), ("是", "yes"))
"""How a flag is written."""

_ONE = Decimal("0.1")
_CENT = Decimal("0.01")
_MS = 1000
_NUMBERS = frozenset({"count", "number", "yuan", "percent", "ms", "seconds"})


def plain(column: Column, value: Any) -> Any:
    """A cell as programs read it: yuan, percent and numbers rounded as they are shown; codes stay codes."""
    if value is None or column.kind in {"text", "count", "exact", "ms", "seconds", "day"}:
        return value
    if column.kind == "yuan":
        return (Decimal(value) / 100).quantize(_CENT)
    if column.kind == "percent":
        return _rounded(Fraction(value) * PERCENT)
    if column.kind == "number":
        return _rounded(Fraction(value))
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def shown(column: Column, value: Any, *, english: bool, grouped: bool = False) -> str:
    """A cell as people read it; "" where there is nothing. ``grouped``: thousands apart."""
    if value is None:
        return ""
    if column.kind == "flag":
        return YES_NO[bool(value)][english]
    if column.words:
        codes = (value,) if isinstance(value, str) else value
        return ("; " if english else "；").join(word(column.words, code, english=english) for code in codes)
    if column.kind == "percent":
        return f"{plain(column, value)}%"
    return f"{plain(column, value):,}" if grouped and column.kind in _NUMBERS else str(plain(column, value))


def tidy(text: str) -> str:
    """A text without characters that no page and no sheet may hold (control characters, halves of pairs)."""
    if text.isprintable():
        return text
    return "".join(
        c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff\x7f" else " " for c in text
    )


def _rounded(value: Fraction) -> Decimal:
    """One decimal, halves away from zero; exact, whatever the denominator."""
    tenths = (abs(value.numerator) * 20 + value.denominator) // (2 * value.denominator)
    return (Decimal(tenths) / 10 * (1 if value >= 0 else -1)).quantize(_ONE, ROUND_HALF_UP)
