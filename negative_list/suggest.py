"""Suggestions: edits that were tried and help.

An edit is tried by running the engine again on the edited prescription: the finding must be gone and no finding of
equal or stronger action may be new. It never changes a diagnosis, a patient fact or evidence, and never swaps a code.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from negative_list.decision import Finding, Outcome, Suggestion
from negative_list.excess import days_over, quantity_over
from negative_list.rules import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negative_list.bind import Binder
    from negative_list.engine import Judgement, Matched
    from negative_list.prescription import Line, Prescription

__all__ = ["MAX_EDITS", "MAX_LINES", "Retry", "edited", "suggestions_for"]

MAX_EDITS = 20
"""Edits tried for one answer, strongest findings first. Findings of one line mostly want the same edits, tried once;
twenty are drop and self-pay for ten lines, more than a doctor reads."""

MAX_LINES = 200
"""Lines up to which edits are tried: at more (a stay at settlement) each match costs milliseconds, and charges already
made are not edited at settlement."""

Retry: TypeAlias = "Callable[[Suggestion], tuple[Outcome, ...] | None]"
"""Makes an edit and runs engine and policy again; what the edit cannot change is left out. ``None``: not tried."""


def suggestions_for(
    finding: Finding,
    before: tuple[Finding, ...],
    matched: Matched,
    binder: Binder,
    retry: Retry,
) -> tuple[Suggestion, ...]:
    """The suggestions of a finding's rule that were proved, in the order the rule names them.

    Args:
        finding: what should go away.
        before: all findings of the prescription, with the policy's actions.
        matched: what the match found; its check holds the prescription.
        binder: of the list that was matched.
        retry: makes an edit, then match and policy again.
    """
    judgements = [j for j in matched.true if j.rule.rule.id == finding.rule_id and _offends(j, finding)]
    if finding.unknown or not judgements or not finding.lines:
        return ()
    proved = (
        suggestion
        for suggestion in _candidates(finding, judgements, matched, binder)
        if (after := retry(suggestion)) is not None and _helps(finding, before, after)
    )
    return tuple(proved)


def _offends(judgement: Judgement, finding: Finding) -> bool:
    return judgement.line is not None and judgement.line.id in finding.lines


def _helps(finding: Finding, before: tuple[Outcome, ...], after: tuple[Outcome, ...]) -> bool:
    """Whether the finding is gone and nothing as strong is new."""
    if any(f.rule_id == finding.rule_id and set(f.lines) & set(finding.lines) for f in after):
        return False
    known = {place: ACTIONS.index(f.action) for f in before for place in _places(f)}
    level = ACTIONS.index(finding.action)
    return not any(
        ACTIONS.index(f.action) >= max(level, known.get(place, -1) + 1) for f in after for place in _places(f)
    )


def _places(finding: Outcome) -> list[tuple[str, str, bool]]:
    """The rule with each line it offends on, or with none; a question is not the same as what it asks about."""
    return [(finding.rule_id, line, finding.unknown) for line in finding.lines or ("",)]


# -- edits


def _candidates(
    finding: Finding, judgements: list[Judgement], matched: Matched, binder: Binder
) -> Iterator[Suggestion]:
    for kind in judgements[0].rule.rule.suggestions:
        value = _VALUES[kind](judgements[0], matched, binder) if kind in _VALUES else None
        if kind not in _VALUES or (value is not None and value > 0):
            lines = finding.lines if kind not in _VALUES else finding.lines[:1]
            yield Suggestion(kind=kind, lines=lines, text="", value=value)


def _quantity(judgement: Judgement, matched: Matched, binder: Binder) -> Decimal | None:
    """The line's quantity less what is over the limit."""
    quantity = judgement.line.facts.get("line.quantity") if judgement.line else None
    excess = quantity_over(judgement, matched.check, binder)
    return quantity - excess if isinstance(quantity, (int, Decimal)) and excess is not None else None


def _days(judgement: Judgement, matched: Matched, binder: Binder) -> Decimal | None:
    """The line's days less the days of use over the limit."""
    days = judgement.line.facts.get("line.days") if judgement.line else None
    excess = days_over(judgement, matched.check, binder)
    return days - excess if isinstance(days, int) and excess is not None else None


_VALUES: dict[str, Callable[[Judgement, Matched, Binder], Decimal | None]] = {"quantity": _quantity, "days": _days}


def edited(prescription: Prescription, suggestion: Suggestion) -> Prescription:
    """The prescription with the edit made."""
    edit = _EDITS[suggestion.kind]
    lines = []
    for line in prescription.encounter.lines:
        kept = edit(line, suggestion) if line.id in suggestion.lines else line
        if kept is not None:
            lines.append(kept)
    encounter = msgspec.structs.replace(prescription.encounter, lines=tuple(lines))
    return msgspec.structs.replace(prescription, encounter=encounter)


def _with_facts(line: Line, **facts: object) -> Line:
    named = {f"line.{name}": value for name, value in facts.items()}
    return msgspec.structs.replace(line, facts={**line.facts, **named})


def _with_quantity(line: Line, suggestion: Suggestion) -> Line:
    """Fewer of the item; the amount follows from the unit price."""
    price, value = line.facts.get("line.unit_price_fen"), suggestion.value
    amount = {"amount_fen": int(price * value)} if isinstance(price, int) and value is not None else {}
    return _with_facts(line, quantity=value, **amount)


_EDITS: dict[str, Callable[[Line, Suggestion], Line | None]] = {
    "drop": lambda _line, _suggestion: None,
    "quantity": _with_quantity,
    "days": lambda line, suggestion: _with_facts(line, days=int(suggestion.value or 0)),
    "self_pay": lambda line, _suggestion: _with_facts(line, paid_by="self"),
}
