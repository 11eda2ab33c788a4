"""Numbers and lengths of time as remarks write them: digits or Chinese numerals, units of time in days."""

from __future__ import annotations

__all__ = ["DAYS", "NUMBER", "number", "whole_days"]

NUMBER = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百半]+)"
"""Pattern of a number."""

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_PLACES = {"十": 10, "百": 100}

DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "个月": 30, "月": 30, "个季度": 90, "季度": 90, "季": 90, "年": 365}
"""Days in a unit of time, as payers count them: a month has 30 days, a year 365."""


def number(text: str) -> float:
    """The value of digits or of a Chinese numeral up to 999; 半 is a half."""
    if text[0].isdigit():
        return float(text)
    if text == "半":
        return 0.5
    total, digit = 0, 0
    for char in text:
        if char in _PLACES:
            total, digit = total + (digit or 1) * _PLACES[char], 0
        else:
            digit = _DIGITS.get(char, 0)
    return float(total + digit)


def whole_days(amount: str, unit: str) -> int:
    """A length of time in whole days; twelve months are a year."""
    months = number(amount)
    if unit in ("个月", "月") and months % 12 == 0:
        return int(months // 12 * DAYS["年"])
    return int(number(amount) * DAYS[unit])
