"""The condition vocabulary: what a rule can say, as a closed set of data.

Every condition is a record with a ``kind``; an unknown kind or key is an error of the list. A condition is judged
for one *trigger line* (a current line of the current encounter; for rules triggered by a diagnosis, an operation or
the encounter itself there is none, and the decision's instant stands for its time). The answer is ``True``,
``False`` or ``None``: Kleene's three values, ``None`` meaning *unknown*.

The rules every kind keeps:

* An absent fact is unknown, and a comparison with an unknown is unknown. ``all`` is false as soon as one child is
  false, ``any`` true as soon as one is true, otherwise an unknown child makes them unknown; ``not`` keeps unknown.
* A number gathered over lines (count, sum, days, rank, time since) is an interval ``[low, high]``: what is known for
  certain, and the most it can be. ``above 3`` is true when low > 3, false when high <= 3, otherwise unknown.
* A line is a *certain* member of a selection when all of the selection's tests are true for it, *possible* when none
  is false but some are unknown. Certain lines make the low end, certain and possible ones the high end.
* Where the window is not *covered* (see :class:`Window`) further lines may exist that we were not shown: the high
  end is without limit, ``some`` that is not true is unknown, and ``every`` that is not false is unknown.

Sources: the needs are those of the official 88 rule classes and their published points (national insurer, public
batches 1-17 and the revision of 2026-01-28); ``docs/decisions/0002-condition-vocabulary.md`` maps each need to a kind.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = [
    "Age",
    "All",
    "Any",
    "Bounds",
    "Condition",
    "Count",
    "DaysOfUse",
    "Diagnosis",
    "Elapsed",
    "Every",
    "Fact",
    "Items",
    "Lines",
    "Not",
    "Operation",
    "Overlap",
    "Pair",
    "Rank",
    "Record",
    "Scalar",
    "Since",
    "Some",
    "Sum",
    "Window",
    "children_of",
]

Scalar: TypeAlias = bool | int | str
"""A value a rule may name: a flag, a whole number, or one of the words the fact dictionary lists for the fact."""


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of every record of a list: immutable, keyword-only, no key beyond those declared."""


class Items(Record, frozen=True, kw_only=True):
    """Which items: a line is meant when any of the given ways names it and no exception does.

    ``codes`` are national codes, compared whole; ``prefixes`` are structural beginnings of codes; ``sets`` name sets
    of the list; ``names`` are terms looked for in the item name, and only where the line has no usable code;
    ``types`` are values of the fact ``line.item_type``. ``types`` narrows the other ways; alone it names every line of
    those types. ``except_codes`` takes codes or prefixes out again.

    Membership of a line: false when its type is known and not in ``types``, or when it has a usable code and none of
    its codes is meant, or one is excepted; unknown when the type is needed and unknown, or the line has no usable code
    and no term names it; else true.
    """

    codes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    except_codes: tuple[str, ...] = ()


class Window(Record, frozen=True, kw_only=True):
    """Which stretch of time around the trigger line counts, and whose lines.

    ``unit``: ``instant`` (same time stamp), ``hour`` ``day`` ``month`` ``quarter`` ``year`` (the same calendar unit),
    ``hours`` and ``days`` (a distance of ``length``), ``encounter``, ``lifetime``, or ``course`` (lines strung
    together by pauses of at most ``length`` days; a pause is counted from the last certain day of use before it).

    ``ends`` is for ``hours`` and ``days``: ``closed`` counts a distance equal to ``length`` in, ``open`` leaves it
    out. Days are calendar days of the site's zone, so "at most 1 in any 14 days" is ``days``, 14, ``open``: the 1st
    and the 15th are 14 days apart. ``side``: ``around`` or only ``before`` the trigger line (its own time included).
    For ``count`` and ``sum`` an ``around`` window of hours or days slides: the answer is that of the stretch with the
    largest total of certain lines among all stretches that contain the trigger line; possible lines are all added to
    the high end, whichever stretch they would lie in.

    ``whose``: ``encounter`` looks at lines of the current encounter, ``patient`` also at the patient's other lines.

    *Covered*: the body covers its own encounter from ``encounter.admitted_at`` on (unless the site says bodies carry
    only new lines); history covers the patient from its ``since``. A window of ``whose: encounter`` is covered when
    the body covers the encounter, or when history covers it from the window's first moment. A window of
    ``whose: patient`` is covered only when history covers it from the window's first moment; ``lifetime`` is covered
    only when history says it is complete.

    A bare date stands for some moment of that day: it is a member of an ``instant``, ``hour`` or ``hours`` window for
    certain when every moment of the day would be, possibly when only some would (both lines may be bare dates). A line
    without any time is a possible member of every window but ``encounter`` and ``lifetime``. A trigger line without
    a time stands at the decision's instant.

    With ``side: before`` a bare date on the trigger's own day counts as not later, and so does every line of that day
    where the trigger has a bare date (``hours`` apart, which are judged by their moments).

    A ``course`` is strung from the certain lines with a time, by their days: the next line joins while it begins at
    most ``length`` days after the last certain day of use so far. The trigger line's course is the string that holds
    its day (from the string's first day to ``length`` days after its last day of use). Its first moment is ``length``
    days before the string's first day. Certain lines of other strings are no members; possible lines stay possible.

    ``encounter`` goes with ``whose: encounter``, ``lifetime`` and ``course`` go with either.
    """

    unit: Literal[
        "instant", "hour", "day", "month", "quarter", "year", "hours", "days", "encounter", "lifetime", "course"
    ]
    length: int | None = None
    ends: Literal["closed", "open"] = "closed"
    side: Literal["around", "before"] = "around"
    whose: Literal["encounter", "patient"] = "encounter"


class Lines(Record, frozen=True, kw_only=True):
    """Which lines are gathered: the items, the window, and what else must hold of a line.

    ``state``: ``current`` lines are being written now, ``in_force`` ones were there before. ``same`` names line facts
    that must be equal to the trigger line's (unknown on either side: possible). ``where`` is judged with the gathered
    line in the place of the trigger line. ``other_item`` leaves out lines of the trigger line's own item.
    """

    items: Items = Items()
    window: Window = Window(unit="encounter")
    state: Literal["any", "current", "in_force"] = "any"
    same: tuple[str, ...] = ()
    where: Condition | None = None
    other_item: bool = False


class Bounds(Record, frozen=True, kw_only=True):
    """Limits on a number; all that are given must hold. ``None`` means no limit on that side."""

    above: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    at_most: Decimal | None = None


class All(Record, frozen=True, kw_only=True, tag_field="kind", tag="all"):
    """Every child holds."""

    of: tuple[Condition, ...]


class Any(Record, frozen=True, kw_only=True, tag_field="kind", tag="any"):
    """At least one child holds."""

    of: tuple[Condition, ...]


class Not(Record, frozen=True, kw_only=True, tag_field="kind", tag="not"):
    """The child does not hold."""

    of: Condition


class Fact(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="fact"):
    """A fact of the dictionary has one of the values ``any_of``, or a number within the bounds.

    A fact that holds several values (trigger scenes) is true when any of them is named. Line facts are the trigger
    line's.
    """

    fact: str
    any_of: tuple[Scalar, ...] = ()


class Age(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="age"):
    """The patient's age at the trigger line's time, in *completed* units, within the bounds.

    ``at_most: 12`` years still holds the day before the 13th birthday, ``below: 12`` no longer on the 12th.
    Unknown when the birth date is unknown.
    """

    unit: Literal["year", "month", "day"] = "year"


class Diagnosis(Record, frozen=True, kw_only=True, tag_field="kind", tag="diagnosis"):
    """The current encounter has a diagnosis by code (ICD-10 category, code or range) or by a term in its name.

    What the name says changes what a diagnosis proves: denied or excluded ("否认", "排除") and of the family ("家族史")
    proves nothing; doubtful ("待排", "待查", "?", "可疑") is possible only; past ("史") counts only with ``past``. A
    diagnosis with no such word is stated as present, and so are a code of Z80-Z99 and a term ending in "史": they
    name the history. True when a stated diagnosis has one of the codes or terms. False when there are codes to decide
    by, the list of diagnoses is not empty, every diagnosis has a usable code, and no diagnosis, stated or doubtful,
    has one of the codes or terms. Otherwise unknown: terms prove presence, never absence. ``main`` looks at the main
    diagnosis only.
    """

    codes: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    main: bool = False
    past: bool = False


class Operation(Record, frozen=True, kw_only=True, tag_field="kind", tag="operation"):
    """The current encounter has an operation (ICD-9-CM-3 code, prefix, or term in its name); as for a diagnosis.

    Operations need not be sent: an empty list is unknown.
    """

    codes: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    main: bool = False


class Some(Record, frozen=True, kw_only=True, tag_field="kind", tag="some"):
    """At least one *other* line is gathered."""

    lines: Lines


class Every(Record, frozen=True, kw_only=True, tag_field="kind", tag="every"):
    """Every gathered line, the trigger line included where it is gathered, is one of ``among``."""

    lines: Lines
    among: Items


class Count(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="count"):
    """How many lines, distinct items or distinct days the gathered lines make, the trigger line included.

    An item is a line's first code, or its normalised name where it has none.
    """

    lines: Lines
    by: Literal["line", "item", "day"] = "line"


class Sum(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="sum"):
    """The sum of a numeric line fact (``line.quantity``, ``line.amount_fen``...) over the gathered lines."""

    lines: Lines
    of: str = "line.quantity"


class DaysOfUse(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="days_of_use"):
    """How many distinct calendar days the gathered lines, the trigger line included, are in use.

    A line is in use from the day it begins: for ``line.days`` days where that is known; else up to its stop day; else,
    when it is a long order, up to the day of the decision for certain and without limit at most; else, for an
    inpatient encounter or a service or material, for that one day; else for one day for certain and without limit at
    most.
    """

    lines: Lines


class Rank(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="rank"):
    """The trigger line's place among the gathered lines: 1 when no other line comes before it.

    A line comes before when it was in force already, else when its unit price is higher, else when it stands
    earlier in the body. Where a price is missing the order of two current lines is unknown (possible).
    """

    lines: Lines


class Since(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="since"):
    """Time from the first or the last *other* use among the gathered lines, not later than the trigger, to the trigger.

    Whole calendar days (by the day alone), or hours (a bare date stands for any moment of its day). Without such a use
    the time since the last is "never", without limit, and the time since the first is 0: the trigger line is the
    first. In a window that is not covered the first use may be earlier (no limit above) and the last may be later
    (low end 0).
    """

    event: Literal["first_use", "last_use"]
    lines: Lines
    unit: Literal["day", "hour"] = "day"


class Elapsed(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="elapsed"):
    """Time from a time fact (onset, admission...) to the trigger line: whole days or hours, unknown without it."""

    fact: str
    unit: Literal["day", "hour"] = "hour"


class Overlap(Record, frozen=True, kw_only=True, tag_field="kind", tag="overlap"):
    """The stretch from begin to stop of at least one other gathered line overlaps the trigger line's own.

    Touching ends do not overlap; a missing begin, clock or stop on either side is unknown.
    """

    lines: Lines


class Pair(Record, frozen=True, kw_only=True, tag_field="kind", tag="pair"):
    """A contained item is billed with its main item inside the window.

    For a trigger line that is a contained item: there is another line of a main item. For one that is a main item:
    there is another line, *in force*, of a contained item (where the contained line is current it offends itself).
    With ``symmetric`` neither side is contained: either line offends when the other is there.
    """

    main: Items
    contained: Items
    window: Window
    symmetric: bool = False


Condition: TypeAlias = (
    All
    | Any
    | Not
    | Fact
    | Age
    | Diagnosis
    | Operation
    | Some
    | Every
    | Count
    | Sum
    | DaysOfUse
    | Rank
    | Since
    | Elapsed
    | Overlap
    | Pair
)
"""Any condition; ``kind`` tells which."""


def children_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions directly inside a condition, those of gathered lines included."""
    if isinstance(condition, (All, Any)):
        return condition.of
    if isinstance(condition, Not):
        return (condition.of,)
    lines = getattr(condition, "lines", None)
    return (lines.where,) if lines is not None and lines.where is not None else ()
