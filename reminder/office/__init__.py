"""What the insurance office does with the journal: explain, appeal, points, keys, backup and restore."""

from __future__ import annotations

__all__: list[str] = []
