"""Random rules of every family that has a sheet, drawn as the family's shape builds them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from negative_list.conditions import Window
from negative_list.sheets.columns import MANY, Column, columns
from negative_list.sheets.families import FAMILIES, Family
from negative_list.sheets.spans import AgeEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODES", "FACTS", "drawn_values"]

CODES = ("XA01BCD123A001010100001", "ZA01BAB0001010100001", "T000100001", "001100000010000", "C0101010010000000001")
"""Codes of every structure."""

FACTS = ("line.first_line_used", "encounter.diagnoses", "patient.retired")
"""Facts worth asking for."""

_TEXT = st.text("药品限制测试ABCxyz089（）《》，。-+=@", min_size=2, max_size=12)
_TERM = st.text("高血压糖尿病肿瘤ABC12、；", min_size=2, max_size=8)
_NUMBER = st.one_of(
    st.integers(1, 400).map(Decimal),
    st.decimals("0.01", "99.99", places=2),
    st.sampled_from([Decimal("1.50"), Decimal("2.0")]),
)
_UNITS = ("instant", "hour", "day", "month", "quarter", "year", "insurance_year", "in_use", "lifetime")


@st.composite
def _windows(draw: st.DrawFn) -> Window:
    unit = draw(st.sampled_from([*_UNITS, "hours", "days", "course", "encounter"]))
    length = draw(st.integers(1, 400)) if unit in ("hours", "days", "course") else None
    ends = draw(st.sampled_from(["closed", "open"])) if unit in ("hours", "days") else "closed"
    whose = "encounter" if unit == "encounter" else draw(st.sampled_from(["encounter", "patient", "institution"]))
    side = draw(st.sampled_from(["around", "before"]))
    return Window(unit=unit, length=length, ends=ends, whose=whose, side=side)  # type: ignore[arg-type]


def _ends(low: bool) -> st.SearchStrategy[AgeEnd]:
    values = st.integers(1, 9) if low else st.integers(10, 90)
    return st.builds(AgeEnd, value=values, unit=st.just("year"), open=st.booleans())


def _of_kind(column: Column) -> st.SearchStrategy[Any]:
    many: Mapping[str, st.SearchStrategy[str]] = {
        "item_codes": st.sampled_from(CODES),
        "codes": st.sampled_from(["A01", "A02.01", "XC"]),
        "icd": st.sampled_from(["I10", "I20-I25", "E11.900", "D25"]),
        "operations": st.sampled_from(["66.2100", "43.41", "36.06"]),
        "terms": _TERM,
        "words": st.sampled_from(list(column.words.values()) or ["-"]),
        "facts": st.sampled_from(FACTS),
    }
    if column.kind in MANY:
        return st.lists(many[column.kind], min_size=1, max_size=3, unique=True).map(tuple)
    return {
        "text": _TEXT.map(str.strip).filter(bool),
        "word": st.sampled_from(list(column.words.values()) or ["-"]),
        "flag": st.booleans(),
        "whole": st.integers(1, 90),
        "decimal": _NUMBER,
        "yuan": st.integers(1, 10**7).map(Decimal),
        "day": st.dates(date(2020, 1, 1), date(2030, 12, 31)),
        "window": _windows(),
        "age_low": _ends(low=True),
        "age_high": _ends(low=False),
        "codes_named": _TERM,
        "json": st.just(
            {"at": 1, "of": [{"kind": "age", "at_least": 1}, {"kind": "fact", "fact": "line.days", "above": 1}]}
            if column.key == "also"
            else {"prefixes": ["XA01"], "types": ["drug"]}
            if column.key.endswith("_items")
            else {"scope": {"kind": "age", "at_least": 1}}
        ),
    }[column.kind]


_NEVER = frozenset(
    {
        "operation",
        "rule_class",
        "age_text",
        "age_unit",
        "low_included",
        "high_included",
        "remark",
        "comment",
        "branch",
        "tree",
        "sets",
    }
)
"""Columns that a rule does not keep, or keeps in another column."""


@st.composite
def drawn_values(draw: st.DrawFn) -> tuple[Family, dict[str, Any]]:
    """A family and what a row of it says: what it needs, and some of the rest."""
    family = draw(st.sampled_from(list(FAMILIES.values())))
    values: dict[str, Any] = {"document": draw(_TEXT.map(str.strip).filter(bool))}
    for needed in family.needs:
        keys = [key for key in needed if key not in _NEVER]
        key = draw(st.sampled_from(keys)) if keys else needed[0]
        values[key] = draw(_of_kind(columns()[key]))
    for key in family.columns:
        if key not in _NEVER and key not in values and draw(st.integers(0, 3)) == 0:
            values[key] = draw(_of_kind(columns()[key]))
    return family, values
