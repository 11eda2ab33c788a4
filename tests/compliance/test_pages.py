"""The two editions of the definition say the same, section by section and example by example."""

from __future__ import annotations

import re

from reminder.compliance.groupings import GROUPINGS
from reminder.compliance.records import OUTCOMES, SOURCES, Asked, Figures
from tests.docs.pages import ROOT, blocks, inline_codes

ENGLISH = ROOT / "docs" / "compliance.md"
CHINESE = ROOT / "docs" / "compliance.zh-CN.md"
PAGES = (ENGLISH, CHINESE)


def levels(text: str) -> list[str]:
    """The levels of the headings of a page."""
    return re.findall(r"^(#+) ", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)


def rows(text: str) -> list[int]:
    """How many rows each table has."""
    return [len(table.splitlines()) for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


def test_both_editions_have_the_same_sections_tables_and_examples() -> None:
    """What is added to one is added to the other."""
    english, chinese = (page.read_text("utf-8") for page in PAGES)
    assert levels(english) == levels(chinese)
    assert rows(english) == rows(chinese)
    assert [block.text for block in blocks(ENGLISH)] == [block.text for block in blocks(CHINESE)]


def test_both_editions_name_every_figure_outcome_source_and_grouping() -> None:
    """The words of the records stand in the text."""
    figures = {*Figures.__struct_fields__, *Asked.__struct_fields__} - {"asked"}
    words = figures | {*OUTCOMES, *SOURCES, *GROUPINGS}
    for page in PAGES:
        missing = words - set(inline_codes(page.read_text("utf-8")))
        assert missing == set(), page.name
