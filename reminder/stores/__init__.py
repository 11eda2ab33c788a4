"""What the service keeps: history, facts, and the last body of each encounter; SQLite embedded, PostgreSQL shared."""

from __future__ import annotations

__all__: list[str] = []
