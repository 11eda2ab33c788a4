"""Builders of releases: keys that are made once, and a release with what a test cares about named."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from negative_list.parse import gathered, parse_yaml
from negative_list.release.building import About, build_rules
from negative_list.release.container import Release, read_stream
from negative_list.release.layering import Source
from negative_list.release.signing import PrivateKey, generate_key
from negative_list.rules import NamedSet, Rule, RuleList
from tests.negative_list.builders import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negative_list.release.layering import Origin

__all__ = ["BUILT_AT", "about", "key", "layer", "opened", "release", "some_rules"]

BUILT_AT = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
"""When the releases of tests were built."""


@cache
def key(name: str = "issuer") -> PrivateKey:
    """The key of somebody, the same in the whole run."""
    return generate_key()


def about(version: str = "2026.11.1", **given: Any) -> About:
    """What a release says of itself."""
    told: dict[str, Any] = {"name": "某市负面清单", "version": version, "built_at": BUILT_AT}
    return About(**(told | given))


def some_rules(*rules: Rule, sets: Sequence[NamedSet] = ()) -> RuleList:
    """A list; without rules it has one."""
    return RuleList(rules=rules or (rule(),), sets=tuple(sets))


def release(rules: RuleList | None = None, version: str = "2026.11.1", **given: Any) -> bytes:
    """The file of a release of a list as it is; ``keys`` are those of ``issuer`` unless given."""
    keys = given.pop("keys", [key()])
    return build_rules(some_rules() if rules is None else rules, keys, about(version, **given))


def opened(data: bytes) -> Release:
    """A file's bytes, read."""
    return read_stream(io.BytesIO(data))


def layer(text: str, origin: Origin = "", name: str = "list.yaml") -> Source:
    """A layer written in YAML."""
    return Source(origin=origin, name=name, parsed=gathered([parse_yaml(text.encode(), name)]))
