"""The condition vocabulary: what a rule can say, as a closed set of data.

Every condition is a record with a ``kind``; which items and which time are meant is said with the records of
:mod:`negative_list.selection`. An unknown kind or key is an error of the list. A condition is judged
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
* Refunds (:mod:`negative_list.refunds`) are no lines, nor is what they take away; one they may be of is possible.
* Where the window is not *covered* (see :class:`Window`) further lines may exist that we were not shown: the high
  end is without limit, ``some`` that is not true is unknown, and ``every`` that is not false is unknown.

Sources: the needs are those of the official 88 rule classes and their published points (national insurer, public
batches 1-17 and the revision of 2026-01-28); ``docs/decisions/0002-condition-vocabulary.md`` maps each need to a kind.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from negative_list.selection import Items, Record, Scalar, Weight, Window

__all__ = [
    "Age",
    "All",
    "Any",
    "AtLeast",
    "Bounds",
    "Condition",
    "Count",
    "DaysOfUse",
    "Diagnosis",
    "Elapsed",
    "Every",
    "Evidence",
    "Fact",
    "Formula",
    "Items",
    "Limit",
    "Lines",
    "Not",
    "Operation",
    "Overlap",
    "Pair",
    "Rank",
    "Record",
    "Scalar",
    "Since",
    "SinceVisit",
    "Some",
    "Sum",
    "SupplyLeft",
    "VisitCount",
    "Visits",
    "Weight",
    "Window",
]


class Lines(Record, frozen=True, kw_only=True):
    """Which lines are gathered: the items, the window, and what else must hold of a line.

    ``state``: ``current`` lines are being written now, ``in_force`` ones were there before. ``same`` names line facts
    that must be equal to the trigger line's, ``different`` ones that must differ, so that the trigger line itself is
    not gathered (unknown on either side: possible, for both); facts of several words (trace codes) are equal when they
    share one. ``where`` is judged with the gathered line in the place
    of the trigger line. ``other_item`` leaves out lines of the trigger line's own item.
    """

    items: Items = Items()
    window: Window = Window(unit="encounter")
    state: Literal["any", "current", "in_force"] = "any"
    same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    where: Condition | None = None
    other_item: bool = False


class Formula(Record, frozen=True, kw_only=True):
    """A limit that is worked out: ``times`` x (what it is made of + ``plus``).

    It is made of a numeric fact (``fact``, of the trigger line; unknown where that is) or of the sum of the line fact
    ``of`` over the gathered ``lines`` (an interval, as for :class:`Sum`); one is given. "k x (stay days + 1)" is
    ``fact: encounter.stay_days, plus: 1, times: k``. A comparison with it is true when it holds for every value it may
    have, false when it holds for none, else unknown; two numbers without limit count as equal.
    """

    fact: str = ""
    lines: Lines | None = None
    of: str = "line.quantity"
    times: Decimal = Decimal(1)
    plus: Decimal = Decimal(0)


Limit: TypeAlias = Decimal | Formula
"""A limit of :class:`Bounds`: a number, or one that is worked out for each trigger line."""


class Bounds(Record, frozen=True, kw_only=True):
    """Limits on a number; all that are given must hold. ``None`` means no limit on that side."""

    above: Limit | None = None
    at_least: Limit | None = None
    below: Limit | None = None
    at_most: Limit | None = None


class All(Record, frozen=True, kw_only=True, tag_field="kind", tag="all"):
    """Every child holds."""

    of: tuple[Condition, ...]


class Any(Record, frozen=True, kw_only=True, tag_field="kind", tag="any"):
    """At least one child holds."""

    of: tuple[Condition, ...]


class Not(Record, frozen=True, kw_only=True, tag_field="kind", tag="not"):
    """The child does not hold."""

    of: Condition


class AtLeast(Record, frozen=True, kw_only=True, tag_field="kind", tag="at_least"):
    """At least ``count`` of the children hold: false only when even all unknown ones would not make up the number."""

    of: tuple[Condition, ...]
    count: int


class Fact(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="fact"):
    """A fact of the dictionary has one of the values ``any_of``, one of the ``terms`` in it, or a number within bounds.

    A fact that holds several values (trigger scenes) is true when any of them is named. Line facts are the trigger
    line's. ``terms`` are for texts and codes: true where one of them, normalised, occurs in the normalised text, false
    where the text is told and none does.
    """

    fact: str
    any_of: tuple[Scalar, ...] = ()
    terms: tuple[str, ...] = ()


class Evidence(Record, frozen=True, kw_only=True, tag_field="kind", tag="evidence"):
    """What is known of a piece of evidence (a report, an approval, a laboratory value) is one of the states named.

    A fact is ``absent`` when it is told as false, else ``present`` when it is told and at most ``max_age_hours`` and
    ``max_age_days`` (calendar days) old at the trigger line's time, as far as these are given, and ``too_old`` when it
    is older; a later time is of age 0. A fact never told is unknown, and so, where an age is asked for, is one told
    without a time or too near to tell for a bare date, unless the states named hold ``present`` and ``too_old``.
    """

    fact: str
    states: tuple[Literal["present", "absent", "too_old"], ...] = ("present",)
    max_age_hours: int | None = None
    max_age_days: int | None = None


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
    diagnosis only, ``stage`` only at diagnoses of admission or of discharge (one that tells no stage is either).
    ``sets`` name sets of the list whose codes are diagnoses, written like ``codes``.
    """

    codes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    main: bool = False
    past: bool = False
    stage: Literal["any", "admission", "discharge"] = "any"


class Operation(Record, frozen=True, kw_only=True, tag_field="kind", tag="operation"):
    """The current encounter has an operation (ICD-9-CM-3 code, prefix, or term in its name); as for a diagnosis.

    Operations need not be sent: an empty list is unknown.
    """

    codes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
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

    An item is a line's first code, or its normalised name where it has none. ``by`` may also name a line fact
    (``line.rx_no``, ``line.drug_class``...): its distinct values are counted, of several words each; a line without the
    fact adds nothing for certain and one at most.
    """

    lines: Lines
    by: str = "line"


class Sum(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="sum"):
    """The sum of a numeric line fact (``line.quantity``, ``line.amount_fen``...) over the gathered lines.

    Each line's value is multiplied by the first of the ``weights`` whose items mean it, by 1 where none does. Where it
    is unknown whether one means it, the line counts from the least to the most this makes of it. A line without the
    fact adds nothing for certain and without limit at most.
    """

    lines: Lines
    of: str = "line.quantity"
    weights: tuple[Weight, ...] = ()


class DaysOfUse(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="days_of_use"):
    """How many distinct calendar days the gathered lines, the trigger line included, are in use.

    A line is in use from the day it begins: for ``line.days`` days where that is known; else up to its stop day; else,
    when it is a long order, up to the day of the decision for certain and without limit at most; else, for an
    inpatient encounter or a service or material, for that one day; else for one day for certain and without limit at
    most.
    """

    lines: Lines


class SupplyLeft(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="supply_left"):
    """How many days' supply of the *other* gathered lines is left on the trigger's day, that day included.

    Lines that begin after the trigger's day are left out. The others are used up one after the other, in the order of
    their days: a supply lasts as many days as :class:`DaysOfUse` counts for its line, from its first day or, where an
    earlier supply still lasts, from the day after that one's last. Left are the days from the trigger's day to the last
    day of all, 0 where that is past. Certain days of certain lines make the low end; possible days and lines the high
    end, without limit where a line has no begin, its use no last day, or the window is not covered.
    """

    lines: Lines


class Rank(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="rank"):
    """The trigger line's place among the gathered lines: 1 when no other line comes before it.

    A line comes before when it was in force already, else when its unit price is higher, else when it stands
    earlier in the body. Where a price is missing the order of two current lines is unknown (possible).

    With ``of``, a numeric line fact such as ``line.quantity`` or ``line.slides``, places are counted in its units: the
    sum over the lines before the trigger line and the trigger line, so that "above 8" means that some of the trigger
    line's units come after the eighth; its own count also where it is not gathered. A line without the fact adds
    nothing for certain and without limit at most.
    """

    lines: Lines
    of: str = ""


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
    """Time from a time fact (onset, admission...) to the trigger line: whole days or hours, unknown without it.

    In hours a bare day, and a time of exactly midnight (as clients send days), stands for any moment of its day.
    """

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


class Visits(Record, frozen=True, kw_only=True):
    """Which *other* encounters of the patient: those of the body and of history, each once.

    An encounter is meant when its ``encounter.visit_mode`` is one of ``modes`` (any where none is named), when every
    encounter fact of ``same`` is equal to the current encounter's and every one of ``different`` differs (as for lines;
    unknown on either side: possible), when ``where`` holds with that encounter in the place of the current one (facts,
    ages, diagnoses and operations only; without a trigger line, ages at the decision's instant), and when its admission
    lies in the window around the current encounter's admission (``encounter.admitted_at``; the decision's instant where
    the current one has none, possible where the other has none; an admission at midnight is a bare date, for so bodies
    send a day). Windows are those of lines, but for ``encounter``, ``course``, ``in_use`` and ``first_use``; they do
    not slide, ``side: before`` is meant throughout, and ``whose`` is ``institution`` or ``patient``.
    """

    modes: tuple[str, ...] = ()
    window: Window = Window(unit="lifetime", whose="patient")
    same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    where: Condition | None = None


class VisitCount(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="visits"):
    """How many encounters are meant, and 1 for the current one where its mode fits and ``where`` holds of it."""

    visits: Visits


class SinceVisit(Bounds, frozen=True, kw_only=True, tag_field="kind", tag="since_visit"):
    """Whole days from the last discharge (``encounter.discharged_at``) among the encounters meant to the admission.

    An encounter not known to be discharged may have been at any time between its admission and the current one's; one
    discharged later is 0 days ago. Without any encounter it is "never", without limit; where the window is not covered
    the low end is 0.
    """

    visits: Visits


Condition: TypeAlias = (
    All
    | Any
    | Not
    | AtLeast
    | Fact
    | Evidence
    | Age
    | Diagnosis
    | Operation
    | Some
    | Every
    | Count
    | Sum
    | DaysOfUse
    | SupplyLeft
    | Rank
    | Since
    | Elapsed
    | Overlap
    | Pair
    | VisitCount
    | SinceVisit
)
"""Any condition; ``kind`` tells which."""
