"""The journal: every decision answered, every word about it, in the order it came, so that a stranger can check it."""

from __future__ import annotations

__all__: list[str] = []
