"""The decision: findings, what was not evaluated, and the strongest action over them, as one value.

Field names are those of the JSON that ``match`` and ``check`` print.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct, field

from negative_list.prescription import Note
from negative_list.rules import ACTIONS, Action, Reason

__all__ = ["Decision", "FactSeen", "Finding", "NotEvaluated", "Outcome", "Suggestion", "Why", "strongest"]

Why: TypeAlias = Literal["missing_facts", "coverage", "not_read", "never_sent", "deadline"]
"""Why a rule could not be decided, see :class:`NotEvaluated`."""


class FactSeen(Struct, frozen=True, kw_only=True):
    """A fact a finding rests on. ``subject`` is ``patient``, an encounter id or a line id; ``value`` null: unknown."""

    fact: str
    subject: str
    value: bool | int | Decimal | str | tuple[str, ...] | None
    unit: str = ""
    source: str = "request"


class Suggestion(Struct, frozen=True, kw_only=True):
    """An edit that was tried: with it this finding is gone and none of equal or stronger action is new.

    ``kind``: ``drop`` the line, lower the ``quantity`` to ``value``, the ``days`` to ``value``, or ``self_pay`` (with
    the patient's consent note). ``lines``: the lines it edits.
    """

    kind: Literal["drop", "quantity", "days", "self_pay"]
    lines: tuple[str, ...]
    text: str
    value: Decimal | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What a policy looks at: the rule that holds or asks, for which lines, and how strongly it is meant.

    ``lines`` are the offending current lines. An ``unknown`` one could not be decided, and asks. ``exited``: it was a
    block, and its emergency exit was taken.
    """

    rule_id: str
    class_id: str
    action: Action
    unknown: bool = False
    lines: tuple[str, ...] = ()
    addressee: str = "doctor"
    result: Literal["definite", "suspicious"] = "definite"
    exited: bool = False


class Finding(Outcome, frozen=True, kw_only=True):
    """An outcome with all that is told of it.

    ``involved`` are the other lines it rests on; ``needs`` the facts an unknown finding asks for. ``amount_fen`` is the
    money at risk, ``None`` when not known.
    """

    finding_id: str
    rule_version: int
    class_name: str = field(name="class")
    involved: tuple[str, ...] = ()
    message: str = ""
    basis: str = ""
    facts: tuple[FactSeen, ...] = ()
    amount_fen: int | None = None
    suggestions: tuple[Suggestion, ...] = ()
    fund_only: bool = False
    needs: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


class NotEvaluated(Struct, frozen=True, kw_only=True):
    """A rule that was triggered and could not be decided, once for all ``lines`` for which it needs the same.

    ``needs`` names facts, or ``history``; in a stay of thousands of lines those of lines that tell the same facts.
    ``reason``: facts are missing, history does not reach far enough (``coverage``), what it needs may well be in the
    store, which was not read in time (``not_read``), or nobody tells it at this site, so that nobody is asked
    (``never_sent``). ``deadline``: it needs nothing; the caller's time was up before it was judged for these lines.
    """

    rule_id: str
    class_name: str = field(name="class")
    needs: tuple[str, ...]
    reason: Why
    lines: tuple[str, ...] = ()


class Decision(Struct, frozen=True, kw_only=True):
    """What is answered to the caller. ``decision_id``, ``receipt`` and ``release`` are null outside the sidecar."""

    decision: Action
    decision_id: str | None = None
    receipt: str | None = None
    release: str | None = None
    journaled: bool = False
    policy: str = ""
    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    notes: tuple[Note, ...] = ()
    elapsed_us: int = 0


def strongest(findings: Iterable[Outcome]) -> Action:
    """The strongest action over the findings; ``pass`` where there are none."""
    return max((f.action for f in findings), key=ACTIONS.index, default="pass")
