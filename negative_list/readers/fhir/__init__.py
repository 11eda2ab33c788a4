"""FHIR R4 as CDS Hooks clients send it: a parsed hook request becomes our own JSON, whose reader does the rest."""

from __future__ import annotations

__all__: list[str] = []
