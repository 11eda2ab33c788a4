"""CDS Hooks 2.0: discovery, order-select, order-sign and feedback. Source: reference `cds_hooks.md`."""

from __future__ import annotations

__all__: list[str] = []
