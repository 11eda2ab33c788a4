"""The page on dialects names what the table of dialects holds, in both languages."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from negative_list.readers.limits import MAX_LINES, MAX_TEXT_BYTES, MAX_VISITS

ROOT = Path(__file__).parents[2]
TABLE = tomllib.loads((ROOT / "negative_list" / "readers" / "dialects.toml").read_text("utf-8"))


@pytest.mark.parametrize("page", ["dialects.md", "dialects.zh-CN.md"])
def test_every_name_of_a_dialect_is_on_the_page(page: str) -> None:
    """Both sides of each row; of three prices alike the first."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    rows = [row for dialect in TABLE["dialects"] for row in dialect.get("names", {}).values()]
    named = {name for row in rows for national, names in row.items() for name in (national, *names)}
    named |= TABLE["transactions"].keys() | TABLE["mistaken"].keys()
    assert {name for name in named if name not in text and name[:3] not in {"lv2", "lv3"}} == set()


@pytest.mark.parametrize("page", ["dialects.md", "dialects.zh-CN.md"])
def test_the_page_tells_the_limits(page: str) -> None:
    """As they are kept."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert all(f"{count:,}" in text for count in (MAX_LINES, MAX_VISITS))
    assert f"{MAX_TEXT_BYTES // 1024} KiB" in text
