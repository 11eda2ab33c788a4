"""Which hooks can be read, and what a hospital's own words for ids are. Small: settings are read before anything."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["HOOKS", "Naming"]

HOOKS = ("order-select", "order-sign")
"""The hooks whose requests can be read."""


class Naming(Struct, frozen=True, kw_only=True):
    """The identifier systems under which a hospital's FHIR server keeps the ids its other systems use; "": the id."""

    patient: str = ""
    encounter: str = ""
    institution: str = ""
