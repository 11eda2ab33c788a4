"""The words of the page, in Chinese and English, from one table (``words.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["said"]


def said(name: str, english: bool) -> str:
    """A text by its name."""
    return _table()[name][english]


@cache
def _table() -> Mapping[str, list[str]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
