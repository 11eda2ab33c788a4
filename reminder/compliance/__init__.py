"""Compliance: reminders, their outcomes and the reports over them, as functions of journal entries alone."""

from __future__ import annotations

__all__: list[str] = []
