"""Which items, and which stretch of time: the parts that conditions over lines are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["LONGEST_SUPPLY_DAYS", "Items", "Record", "Scalar", "Weight", "Window"]

LONGEST_SUPPLY_DAYS = 84
"""Days of the longest supply one issue may be for: 12 weeks, by the national rules for long prescriptions (2021)."""

Scalar: TypeAlias = bool | int | str
"""A value a rule may name: a flag, a whole number, or one of the words the fact dictionary lists for the fact."""


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Base of every record of a list: immutable, keyword-only, no key beyond those declared.

    None holds itself, however many steps on, so that the collector need not look at the millions of a large list.
    """


class Items(Record, frozen=True, kw_only=True):
    """Which items: a line is meant when any of the given ways names it and no exception does.

    ``codes`` are national codes, compared whole; ``prefixes`` are structural beginnings of codes; ``sets`` name sets
    of the list; ``names`` are terms looked for in the item name, and only where the line has no usable code;
    ``types`` are values of the fact ``line.item_type``. ``types`` narrows the other ways; alone it names every line of
    those types. ``except_codes`` takes codes or prefixes out again, and ``except_names`` lines without a usable code in
    whose name one of these terms stands ("animal organs but for 鸡内金").

    Membership of a line: false when its type is known and not in ``types``, or when it has a usable code and none of
    its codes is meant, or one is excepted, or when it has no usable code and an excepted term stands in its name;
    unknown when the type is needed and unknown, or the line has no usable code and no term names it; else true. Where
    none of the first four ways is given every line is meant, and one without a usable code only where nothing is
    excepted: terms prove presence, never absence.
    """

    codes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    except_codes: tuple[str, ...] = ()
    except_names: tuple[str, ...] = ()


class Weight(Record, frozen=True, kw_only=True):
    """How much a line of these items counts in a sum."""

    items: Items
    weight: Decimal


class Window(Record, frozen=True, kw_only=True):
    """Which stretch of time around the trigger line counts, and whose lines.

    ``unit``: ``instant`` (same time stamp), ``hour`` ``day`` ``month`` ``quarter`` ``year`` (the same calendar unit),
    ``insurance_year`` (the same year counted from the month and day of the fact ``encounter.insurance_year_from``),
    ``hours`` and ``days`` (a distance of ``length``), ``encounter``, ``lifetime``, ``course`` (lines strung together by
    pauses of at most ``length`` days; a pause is counted from the last certain day of use before it), ``in_use`` (lines
    in use together with the trigger line, or at most ``length`` days apart from it), or ``first_use`` (the ``length``
    days that begin with the first use).

    ``ends`` is for ``hours``, ``days`` and ``in_use``: ``closed`` counts a distance equal to ``length`` in, ``open``
    leaves it out. Days are calendar days of the site's zone, so "at most 1 in any 14 days" is ``days``, 14, ``open``:
    the 1st and the 15th are 14 days apart. ``side``: ``around`` or only ``before`` the trigger line (its own time
    included). For ``count`` and ``sum`` an ``around`` window of hours or days slides: the answer is that of the stretch
    with the largest total of certain lines among all stretches that contain the trigger line; possible lines are all
    added to the high end, whichever stretch they would lie in.

    ``whose``: ``encounter`` looks at lines of the current encounter; ``patient`` also at the patient's other lines;
    ``institution`` at those of them whose ``line.institution_id`` is the trigger line's (the current encounter's
    ``encounter.institution_id`` where the trigger has none; unknown on either side: possible; a line of the current
    encounter always is).

    *Covered*: the body covers its own encounter from ``encounter.admitted_at`` on (unless the site says bodies carry
    only new lines); history covers the patient from its ``since``, and the patient in this institution from its
    ``own_since`` or ``since``, whichever is earlier. A window of ``whose: encounter`` is covered when the body covers
    the encounter, or when history covers the institution from the window's first moment. A window of
    ``whose: patient`` (``institution``) is covered only when history covers the patient (in this institution) from
    the window's first moment; ``lifetime`` and ``first_use`` are covered only when history says it is complete. What
    history promises holds only where its ``until`` (for ``own_since`` its ``own_until``) is none, or no more than two
    days (``COVERAGE_GRACE``) before the decision's instant.

    A bare date stands for some moment of that day: it is a member of an ``instant``, ``hour`` or ``hours`` window for
    certain when every moment of the day would be, possibly when only some would (both lines may be bare dates). A line
    without any time is a possible member of every window but ``encounter`` and ``lifetime``. A trigger line without
    a time stands at the decision's instant.

    With ``side: before`` a bare date on the trigger's own day counts as not later, and so does every line of that day
    where the trigger has a bare date (``hours`` apart, which are judged by their moments).

    ``insurance_year`` without its fact: every other line with a time is a possible member, and nothing is covered, by
    no body and no history. A year from 29 February begins on 1 March where there is none.

    A ``course`` is strung from the certain lines with a time, by their days: the next line joins while it begins at
    most ``length`` days after the last certain day of use so far. The trigger line's course is the string that holds
    its day (from the string's first day to ``length`` days after its last day of use). Its first moment is ``length``
    days before the string's first day. Certain lines of other strings are no members; possible lines stay possible.

    ``in_use`` compares days of use as :class:`DaysOfUse` counts them (the trigger without a line is in use on the
    instant's day). Two stretches are 0 days apart when they share a day, else as many as the first day of the later
    lies after the last day of the earlier. A trigger line without a time is in use from the instant's day. A line is a
    member when the certain stretches are at most ``length`` days
    apart (0 where none is given), none when even the possible stretches are further apart, else possible. Its first
    moment is ``LONGEST_SUPPLY_DAYS`` and ``length`` days before the trigger's day: no issue lasts longer.

    ``first_use`` takes, of the certain lines with a time, the first day any begins, the trigger's included; members are
    the certain lines that begin less than ``length`` days after it. The trigger's day counts as one of use whatever its
    item is; possible lines stay possible and make no beginning. Where the trigger itself begins later nothing is
    gathered. In a window that is not covered the first use may have been earlier: every member but the trigger is then
    possible only.

    ``encounter`` goes with ``whose: encounter``, ``lifetime``, ``course``, ``in_use`` and ``first_use`` go with any.
    """

    unit: Literal[
        "instant",
        "hour",
        "day",
        "month",
        "quarter",
        "year",
        "insurance_year",
        "hours",
        "days",
        "encounter",
        "lifetime",
        "course",
        "in_use",
        "first_use",
    ]
    length: int | None = None
    ends: Literal["closed", "open"] = "closed"
    side: Literal["around", "before"] = "around"
    whose: Literal["encounter", "institution", "patient"] = "encounter"
