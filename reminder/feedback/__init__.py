"""What doctors say was done about findings: read, looked up, checked against facts, and kept."""

from __future__ import annotations

__all__: list[str] = []
