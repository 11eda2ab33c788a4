"""Ids of decisions, 26 characters that sort by time, and of reminders."""

from __future__ import annotations

import hashlib

from negative_list.findings import DECISION_ID

__all__ = ["RANDOM_BITS", "decision_id", "decision_of", "reminder_id"]

RANDOM_BITS = 80
"""Two decisions of one millisecond share an id once in 2**80 draws."""

# Crockford's base 32 without I, L, O and U, as in the ULID specification: read aloud and typed without mistakes.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_LENGTH = 26
_SHIFTS = tuple(range(120, -1, -10))


def decision_id(at_ms: int, random: int) -> str:
    """A ULID: 48 bits of milliseconds since 1970 (UTC), then ``RANDOM_BITS`` random bits."""
    value = (at_ms << RANDOM_BITS) | random
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


def decision_of(finding_id: str) -> str:
    """The id of the decision a finding belongs to, which every finding's id begins with; "" where it names none."""
    named = finding_id[:_LENGTH]
    return named if DECISION_ID.fullmatch(named) and len(finding_id) > _LENGTH else ""


def reminder_id(encounter: str, rule_id: str, item: str, order_date: str) -> str:
    """The id of a reminder: 24 hex digits, the same for the same encounter, rule, item and order date.

    Args:
        encounter: the encounter's key; the decision's id where the body names no encounter.
        rule_id: the rule.
        item: as in :class:`reminder.journal.brief.LineBrief`; "" for a finding about the encounter.
        order_date: civil day the order begins; that of the decision where not told.
    """
    text = f"{encounter}\x1f{rule_id}\x1f{item}\x1f{order_date}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
