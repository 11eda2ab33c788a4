"""The page on the national interface: its settings can be read, and its tables name what there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from reminder.callers import ENCODINGS, FAILURES, INFCODES, NO_ROWS, RESULTS, Caller
from reminder.config import load_config
from reminder.national.transactions import ONE_FOR_ALL
from tests.docs.pages import ROOT, blocks, inline_codes, sections

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {"Callers": ROOT / "docs" / "national.md", "调用方": ROOT / "docs" / "national.zh-CN.md"}


@pytest.mark.parametrize("title", PAGES)
def test_every_switch_is_described(title: str) -> None:
    """The tables of callers are the settings of one, no more and no less, with every word they take."""
    text = sections(PAGES[title])[title]
    cells = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    assert {code for cell in cells for code in inline_codes(cell)} == {f.name for f in msgspec.structs.fields(Caller)}
    assert {*ENCODINGS[1:], *INFCODES, *RESULTS, *NO_ROWS, *FAILURES} <= set(inline_codes(text))


@pytest.mark.parametrize("title", PAGES)
def test_the_example_of_callers_can_be_read(title: str, tmp_path: Path) -> None:
    """Two callers, known by different things."""
    (example,) = blocks(PAGES[title], "toml")
    file = tmp_path / "reminder.toml"
    file.write_text(example.text, encoding="utf-8")
    first, second = load_config(file, {}).callers
    assert (first.lowest_action, second.result, second.left_s) == ("block", "object", 1.5)


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_every_path_is_named(page: Path) -> None:
    """The addresses of the page are those that answer."""
    text = page.read_text("utf-8")
    assert all(f"`POST {path}`" in text for path in ONE_FOR_ALL)
