"""The classes of rules: 88 official ones, R01 to R88, and the extension families, E01 to E31 (E16 unused)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from negative_list.errors import UnknownNameError

__all__ = ["CLASS_IDS", "RuleClass", "class_by_name", "class_name", "classes"]


class RuleClass(Struct, frozen=True, kw_only=True):
    """One class. ``code`` is that of version 1.0 of the official rule library, empty for new and extension classes."""

    id: str
    name: str
    en: str
    tier1: str
    tier2: str
    code: str = ""


@cache
def classes() -> Mapping[str, RuleClass]:
    """Return every class by its id, in the order of ``classes.toml``, read once."""
    raw = tomllib.loads((resources.files("negative_list") / "classes.toml").read_text(encoding="utf-8"))
    return msgspec.convert({key: {**row, "id": key} for key, row in raw.items()}, dict[str, RuleClass])


CLASS_IDS: tuple[str, ...] = tuple(classes())
"""Every class id a rule may carry."""


def class_name(class_id: str) -> str:
    """Return the official name of a class; raises ``UnknownNameError`` with the nearest id."""
    if class_id not in classes():
        raise UnknownNameError("class", class_id, CLASS_IDS)
    return classes()[class_id].name


def class_by_name(name: str) -> RuleClass:
    """Return the class of that official name; raises ``UnknownNameError`` with the nearest name."""
    found = _by_name().get(name.strip())
    if found is None:
        raise UnknownNameError("class", name, _by_name())
    return found


@cache
def _by_name() -> Mapping[str, RuleClass]:
    return {c.name: c for c in classes().values()}
