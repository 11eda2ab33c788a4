"""Ids of decisions: 26 characters that sort by time."""

from __future__ import annotations

__all__ = ["RANDOM_BITS", "decision_id"]

RANDOM_BITS = 80
"""Two decisions of one millisecond share an id once in 2**80 draws."""

# Crockford's base 32 without I, L, O and U, as in the ULID specification: read aloud and typed without mistakes.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_SHIFTS = tuple(range(120, -1, -10))


def decision_id(at_ms: int, random: int) -> str:
    """A ULID: 48 bits of milliseconds since 1970 (UTC), then ``RANDOM_BITS`` random bits."""
    value = (at_ms << RANDOM_BITS) | random
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])
