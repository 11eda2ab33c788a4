"""What changed between two lists, as an office asks: rules new, gone and changed, and what in them."""

from __future__ import annotations

__all__: list[str] = []
