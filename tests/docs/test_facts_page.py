"""The page of facts is the dictionary."""

from __future__ import annotations

import re

from negative_list.dictionary import load
from tests.docs.pages import blocks, pages
from tools.facts_page import PAGE, page

HOLDERS = "|".join(sorted({fact.holder for fact in load().values()}))
NAME = re.compile(rf"(?<![\w./-])(?:{HOLDERS})\.[a-z][a-z0-9_]*(?![\w.(-])")


def test_the_page_of_facts_is_fresh() -> None:
    """The page is what the dictionary gives now; ``make pages`` writes it again."""
    assert PAGE.read_text("utf-8") == page()


def test_every_fact_stands_on_the_page() -> None:
    """Each fact has its row."""
    rows = re.findall(r"^\| `([^`]+)` \|", page(), re.MULTILINE)
    assert sorted(rows) == sorted(load())


def test_facts_named_in_the_documentation_exist() -> None:
    """Prose and examples name facts by the dictionary."""
    prose = [path.read_text("utf-8") for path in pages() if path != PAGE and "decisions" not in path.parts]
    named = {name for text in prose for code in re.findall(r"`([^`\n]+)`", text) for name in NAME.findall(code)}
    named |= {name for path in pages() for block in blocks(path, "yaml", "json") for name in NAME.findall(block.text)}
    assert named != set()
    assert sorted(named - set(load())) == []
