"""Facts that follow from other facts of the same record: how much a day, how many days, which class, which state.

What is told always wins; a fact that follows carries the source :data:`DERIVED`. Arithmetic is exact and units are
never mixed: what would need a guess stays unknown. Numbers that have no end are rounded down, so that they never
accuse.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from negative_list.readers.dosage import (
    CONTAINERS,
    MEASURES,
    PACKS,
    PORTIONS,
    SOLIDS,
    Dose,
    Frequency,
    Spec,
    parse_dose,
    parse_frequency,
    parse_spec,
    unit_name,
)

if TYPE_CHECKING:
    from negative_list.prescription import FactValue
    from negative_list.readers.reading import Facts

__all__ = ["DERIVED", "DOSAGE", "DOSED", "HERBS", "dosage"]

DERIVED = "derived"
"""Source of a fact that follows from others."""

DOSAGE = frozenset(
    {
        "line.as_needed",
        "line.daily_dose",
        "line.daily_dose_iu",
        "line.daily_dose_mg",
        "line.daily_grams",
        "line.days",
        "line.days_less_one_pack",
        "line.dose",
        "line.dose_unit",
        "line.doses",
        "line.doses_per_day",
    }
)
"""Facts that :func:`dosage` may add."""

DOSED = frozenset({"line.daily_dose", "line.days", "line.dose_text", "line.doses_per_day", "line.frequency_text"})
"""Facts that tell how much a day, or for how many days, could follow."""

HERBS = frozenset({"herb", "granule"})
"""Item types counted by portions and weighed by the day."""

_READ = (
    *sorted(DOSAGE),
    "line.dosage_form",
    "line.dose_text",
    "line.frequency_text",
    "line.item_type",
    "line.list_spec",
    "line.long_order",
    "line.pack_count",
    "line.pack_dose_unit",
    "line.pack_unit",
    "line.quantity",
    "line.spec",
    "line.unit",
)
_PLACES = 1_000_000
_LONGEST_DAYS = 3660
_LONGEST_TEXT = 64
"""Characters of a dose, a unit or a specification; what is longer is prose, and would be remembered for nothing."""
_MANY_DOSES = ("口服", "糖浆", "滴", "喷", "吸入", "气雾", "混悬", "合剂", "酊", "膏", "霜", "凝胶", "酏", "露", "笔")
"""Dosage forms whose containers are opened for many doses; of every other one the rest is thrown away."""


def dosage(facts: Facts) -> None:
    """Add what follows from dose, frequency, quantity and specification.

    Days of supply are the quantity times the content of its unit, by the daily dose: whole days the quantity lasts,
    at least one (rule families, 5.4 no. 11). For herbs they are the portions by the portions a day.
    """
    read = map(facts.get, _READ)
    facts.update(_following(tuple(None if v.__class__ is str and len(v) > _LONGEST_TEXT else v for v in read)))


@lru_cache(maxsize=16384)
def _following(told: tuple[FactValue | None, ...]) -> Facts:
    """What follows from the values of :data:`_READ`; the same few orders are written all day."""
    facts = {name: value for name, value in zip(_READ, told, strict=True) if value is not None}
    before = frozenset(facts)
    _add_dosage(facts)
    return {name: value for name, value in facts.items() if name not in before}


def _add_dosage(facts: Facts) -> None:
    told, dose, often = _daily(facts), _dose(facts), _frequency(facts)
    if often is not None and often.as_needed:
        facts.setdefault("line.as_needed", True)
    if facts.get("line.item_type") in HERBS:
        _herb(facts, often)
    else:
        times = often.times if often and not often.as_needed else None
        if times:
            facts.setdefault("line.doses_per_day", _number(times))
        if told or (dose and times):
            _drug(facts, told or dose, Fraction(1) if told else times)  # type: ignore[arg-type]
    quantity = facts.get("line.quantity")
    if "line.days" in facts and isinstance(quantity, Decimal) and quantity <= 1:
        facts.setdefault("line.days_less_one_pack", 0)


def _daily(facts: Facts) -> Dose | None:
    """The daily dose where it is told in a unit; it wins over what dose and frequency come to."""
    amount, unit = facts.get("line.daily_dose"), facts.get("line.dose_unit")
    return Dose(Fraction(amount), unit_name(unit)) if isinstance(amount, Decimal) and isinstance(unit, str) else None


def _dose(facts: Facts) -> Dose | None:
    """The dose as told in numbers, else as its text can be read; what is read is added."""
    amount, unit = facts.get("line.dose"), facts.get("line.dose_unit")
    if isinstance(amount, Decimal) and isinstance(unit, str):
        return Dose(Fraction(amount), unit_name(unit)) if amount > 0 else None
    text = _text(facts, "line.dose_text")
    if amount is not None or unit is not None or not text or (read := parse_dose(text)) is None:
        return None
    facts["line.dose"], facts["line.dose_unit"] = _number(read.amount), read.unit
    return read


def _frequency(facts: Facts) -> Frequency | None:
    text = _text(facts, "line.frequency_text")
    read = parse_frequency(text) if text else None
    told = facts.get("line.doses_per_day")
    if isinstance(told, Decimal):
        return Frequency(times=Fraction(told), portions=Fraction(told), as_needed=bool(read and read.as_needed))
    return read


def _herb(facts: Facts, often: Frequency | None) -> None:
    quantity, unit = facts.get("line.quantity"), unit_name(str(facts.get("line.unit", "")))
    if isinstance(quantity, Decimal) and unit in PORTIONS and quantity == int(quantity):
        facts.setdefault("line.doses", int(quantity))
    portions, doses = often.portions if often else None, facts.get("line.doses")
    if portions:
        facts.setdefault("line.doses_per_day", _number(portions))
        if isinstance(doses, int):
            _set_days(facts, Fraction(doses) / portions)
    days = facts.get("line.days")
    if isinstance(quantity, Decimal) and isinstance(days, int) and days and (grams := _grams(quantity, unit)):
        facts.setdefault("line.daily_grams", _number(grams / days))


def _grams(quantity: Decimal, unit: str) -> Fraction | None:
    kind, factor = MEASURES.get(unit, ("", Fraction(0)))
    return Fraction(quantity) * factor / 1000 if kind == "mass" else None


def _drug(facts: Facts, dose: Dose, times: Fraction) -> None:
    if dose.amount <= 0:
        return
    facts.setdefault("line.daily_dose", _number(dose.amount * times))
    spec = _spec(facts)
    for kind, name in (("mass", "line.daily_dose_mg"), ("activity", "line.daily_dose_iu")):
        if name not in facts and (measured := _measured(dose, spec, kind)):
            facts[name] = _number(measured * times)
    if (lasts := _lasts(facts, dose, spec)) is not None:
        quantity = Fraction(facts["line.quantity"])  # type: ignore[arg-type]
        facts.setdefault("line.days_less_one_pack", int(max(quantity - 1, Fraction(0)) * lasts / times))
        _set_days(facts, quantity * lasts / times)


def _set_days(facts: Facts, lasts: Fraction) -> None:
    # the quantity of a long order is that of its first day, whatever it goes on for
    if 0 < lasts <= _LONGEST_DAYS and facts.get("line.long_order") is not True:
        facts.setdefault("line.days", max(int(lasts), 1))


def _spec(facts: Facts) -> Spec | None:
    texts = (_text(facts, "line.spec"), _text(facts, "line.list_spec"))
    return next((spec for text in texts if text and (spec := parse_spec(text))), None)


def _text(facts: Facts, name: str) -> str:
    text = facts.get(name)
    return text if isinstance(text, str) else ""


def _measured(dose: Dose, spec: Spec | None, kind: str) -> Fraction | None:
    """What one dose holds of a kind of measure, in mg, ml or IU."""
    if dose.unit in MEASURES:
        own, factor = MEASURES[dose.unit]
        if own == kind:
            return dose.amount * factor
        # 10 ml of 100ml:5g hold what a tenth of the container holds
        share = _share(spec, own, dose.amount * factor)
        return share * spec.measures[kind] if spec and share and kind in spec.measures else None
    if spec is None or kind not in spec.measures or not _is_piece(dose.unit, spec.piece):
        return None
    return dose.amount * spec.measures[kind]


def _share(spec: Spec | None, kind: str, amount: Fraction) -> Fraction | None:
    return amount / spec.measures[kind] if spec and spec.measures.get(kind) else None


def _is_piece(unit: str, piece: str) -> bool:
    return unit == piece or (piece in {"s", ""} and unit in SOLIDS)


def _lasts(facts: Facts, dose: Dose, spec: Spec | None) -> Fraction | None:
    """How many doses one unit of the quantity holds."""
    quantity, unit = facts.get("line.quantity"), unit_name(str(facts.get("line.unit", "")))
    if not isinstance(quantity, Decimal) or not unit:
        return None
    if unit in MEASURES:
        held = _same_measure(dose, unit)
        return held / dose.amount if held else None
    pieces, piece = _pieces(facts, unit, spec)
    if pieces is None:
        return None
    needed = _pieces_needed(facts, dose, spec, piece)
    return pieces / needed if needed else None


def _same_measure(dose: Dose, unit: str) -> Fraction | None:
    """One ``unit`` in the unit of the dose, where both measure the same."""
    (kind, factor), (own, dose_factor) = MEASURES[unit], MEASURES.get(dose.unit, ("", Fraction(1)))
    return factor / dose_factor if kind == own else None


def _pieces(facts: Facts, unit: str, spec: Spec | None) -> tuple[Fraction | None, str]:
    """How many pieces one unit of the quantity holds, and what a piece is called."""
    told, piece = facts.get("line.pack_count"), unit_name(str(facts.get("line.pack_dose_unit", "")))
    pack = unit_name(str(facts.get("line.pack_unit", "")))
    named = piece or (spec.piece if spec else "")
    if unit == named:
        return Fraction(1), named
    if isinstance(told, Decimal) and piece and unit in {pack, ""} - {""}:
        return Fraction(told), piece
    if spec is None:
        return None, ""
    if spec.pieces is None:
        return (Fraction(1), unit) if unit in CONTAINERS and not piece else (None, "")
    is_pack = unit == spec.pack if spec.pack else unit in PACKS
    return (spec.pieces, spec.piece) if is_pack else (None, "")


def _pieces_needed(facts: Facts, dose: Dose, spec: Spec | None, piece: str) -> Fraction | None:
    """How many pieces one dose takes; a part of a container only where the rest is kept for the next."""
    needed = dose.amount if _is_piece(dose.unit, piece) else None
    if needed is None and dose.unit in MEASURES:
        kind, factor = MEASURES[dose.unit]
        needed = _share(spec, kind, dose.amount * factor)
    if needed is None or piece in SOLIDS or needed == int(needed):
        return needed
    form = str(facts.get("line.dosage_form", ""))
    return needed if any(word in form for word in _MANY_DOSES) else None


def _number(value: Fraction) -> Decimal:
    """The number, rounded down to six places where it has more."""
    whole = Decimal(int(value * _PLACES)) / _PLACES
    return Decimal(int(whole)) if whole == int(whole) else whole.normalize()
