"""The records of a list: rules, named sets, and the list that holds them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, field

from negative_list.conditions import Condition, Items, Record

__all__ = [
    "ACTIONS",
    "DIAGNOSES",
    "Action",
    "Addressee",
    "Basis",
    "Case",
    "Grade",
    "NamedSet",
    "OnUnknown",
    "Reason",
    "Rule",
    "RuleList",
    "Text",
    "Trigger",
    "details_of",
]

Action: TypeAlias = Literal["pass", "remind", "warn", "block"]
ACTIONS: tuple[Action, ...] = ("pass", "remind", "warn", "block")
"""What a finding asks of the caller, weakest first."""

Addressee: TypeAlias = Literal["doctor", "charge_entry", "pharmacy", "registration", "office"]
"""Who can act on a finding, and is shown it."""


DIAGNOSES = "encounter.diagnoses"
"""The record of the diagnoses: no fact to compare, but one a reason may rest on."""


class Text(Record, frozen=True, kw_only=True):
    """A text people read: Chinese first, English where given."""

    zh: str
    en: str = ""


class Trigger(Items, frozen=True, kw_only=True):
    """What makes a rule look at a prescription at all.

    The item ways of :class:`Items` make each *current* line they name a trigger line. ``diagnoses`` and
    ``operations`` (codes, prefixes or ranges) and ``encounter`` trigger once for the current encounter, without a line.
    """

    diagnoses: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    encounter: bool = False


class OnUnknown(Record, frozen=True, kw_only=True):
    """What to do when the rule cannot be decided.

    ``pass`` lists it among the rules not evaluated and shows nothing; ``remind`` and ``warn`` also make a finding
    (never where only coverage by history is lacking). ``ask`` names facts worth asking the caller for.
    """

    action: Literal["pass", "remind", "warn"] = "pass"
    ask: tuple[str, ...] = ()


class Basis(Record, frozen=True, kw_only=True):
    """The legal basis a finding cites."""

    document: str
    article: str = ""


class Reason(Record, frozen=True, kw_only=True):
    """A coded reason a doctor may answer a finding of this rule with.

    ``fact`` names the fact that would justify it (an approval, a laboratory value, :data:`DIAGNOSES`), which is
    looked up as soon as the reason is given; "" where nothing could be looked up.
    """

    code: str
    text: Text
    fact: str = ""


class Grade(Record, frozen=True, kw_only=True):
    """Another action, and another text, for the findings of a rule for which ``when`` holds."""

    when: Condition
    action: Literal["remind", "warn", "block"]
    message: Text | None = None


class Case(Record, frozen=True, kw_only=True):
    """A request beside a rule, and what the rule must say to it.

    ``violating``: the rule holds; ``conforming``: it does not, and that is certain; ``unknown``: it cannot be decided;
    ``near_miss``: what ``expect`` says, ``found`` (it holds) or ``silent`` (it does not hold, for certain or not).

    A whole case has a ``request`` (the JSON of CheckRequest) and may have ``history`` and ``facts`` (the rows of such
    files as objects; ``history`` with the keys since, own_since, complete, until, lines and encounters). A derived case
    is the last whole case before it with one field changed: ``change`` names the field (``request.patient.sex``),
    ``to`` is its new value; without ``to`` the field is taken out.
    """

    kind: Literal["violating", "conforming", "unknown", "near_miss"]
    why: str = ""
    request: dict[str, Any] | None = None
    history: dict[str, Any] | None = None
    facts: tuple[dict[str, Any], ...] = ()
    change: str = ""
    to: Any = UNSET
    expect: Literal["found", "silent"] | None = None


class Rule(Record, frozen=True, kw_only=True):
    """One logical statement of the list with its code set; a *detail* is one (rule, code).

    ``class_id`` is written ``class`` in files: R01-R88 of the official classes or E01-E31 of the extensions.
    ``per``: one finding for each offending line, or one for all offending lines of the encounter.
    ``amount``: the money at risk is the whole offending line's, only the ``excess`` over the rule's limit, or not
    stated (``none``). The limit is the ``above`` of the first condition of the violation, as written, that sums lines
    (``sum``), counts days (``days_of_use``), places units (``rank`` with ``of``) or limits ``line.unit_price_fen``; the
    share refused is what is certainly over it of the line's own part, and the whole line where either is not known.
    Of a sum the last units are over, in the order of :class:`negative_list.conditions.Rank`, of days of use the last
    days: a line that is within the limit in its place is found with the others, with no money at risk, and what all
    findings of the rule put at risk is the excess once.
    ``valid_from`` and ``valid_to`` are the first and the last day the rule is in force, judged at the trigger line's
    time; ``None`` means without limit.
    ``points`` are the ids of the published knowledge points the rule was made from.
    ``amount_share``: how much of the money named by ``amount`` is at risk (half from the ninth: 0.5).
    ``grades``: the first one whose ``when`` is true for the trigger line gives the finding's action and text in place
    of the rule's own; an unknown ``when`` is passed over, so that doubt never raises an action. A finding for several
    lines takes the strongest of theirs.
    ``overrides``: ids of rules of the list this rule stands in for (a province's own for the national one): on days on
    which this rule is in force those never hold, whether or not this one does. ``origin`` says whose rule it is.
    ``cases``: what ``negative-list test`` runs.
    """

    id: str
    class_id: str = field(name="class")
    title: str
    trigger: Trigger
    violation: Condition
    message: Text
    basis: Basis
    version: int = 1
    result: Literal["definite", "suspicious"] = "definite"
    action: Literal["remind", "warn", "block"] = "warn"
    fund_only: bool = False
    addressee: Addressee = "doctor"
    per: Literal["line", "encounter"] = "line"
    scope: Condition | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    on_unknown: OnUnknown = OnUnknown()
    amount: Literal["line", "excess", "none"] = "line"
    reasons: tuple[Reason, ...] = ()
    suggestions: tuple[Literal["drop", "quantity", "days", "self_pay"], ...] = ()
    points: tuple[str, ...] = ()
    amount_share: Decimal = Decimal(1)
    grades: tuple[Grade, ...] = ()
    overrides: tuple[str, ...] = ()
    origin: Literal["", "national", "province", "city", "hospital"] = ""
    cases: tuple[Case, ...] = ()


class NamedSet(Record, frozen=True, kw_only=True):
    """A set of codes several rules share, written ``set`` in files: codes of items, of diagnoses or of operations."""

    id: str = field(name="set")
    codes: tuple[str, ...]
    title: str = ""


class RuleList(Record, frozen=True, kw_only=True):
    """Rules in the order they were written, and the named sets they use."""

    rules: tuple[Rule, ...]
    sets: tuple[NamedSet, ...] = ()

    @property
    def details(self) -> int:
        """Number of details: (rule, code) pairs, a named set counting its codes; a rule without codes counts one."""
        sizes = {s.id: len(s.codes) for s in self.sets}
        return sum(details_of(rule.trigger, sizes) for rule in self.rules)


def details_of(trigger: Trigger, sizes: dict[str, int]) -> int:
    """Number of details a trigger makes; ``sizes``: how many codes each named set has."""
    named = sum(sizes.get(name, 0) for name in trigger.sets)
    return max(1, len(trigger.codes) + len(trigger.prefixes) + named)
