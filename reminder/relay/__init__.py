"""The relay: what a hospital's system sends to one address and is the bureau's goes there, and back, unchanged."""

from __future__ import annotations

__all__: list[str] = []
