"""Every message about somebody's input is explained on the page of errors."""

from __future__ import annotations

import re

import pytest

from negative_list import errors
from tests.docs.messages import MODULES, key, messages, note_codes, templates
from tests.docs.pages import ROOT, headings, inline_codes, sections

PAGE = ROOT / "docs" / "errors.md"
NOTES = "Notes"


def explained() -> set[str]:
    """The messages the page has a section for."""
    return {key(title) for level, title in headings(PAGE) if level > 2}


@pytest.mark.parametrize("name", MODULES)
def test_every_message_has_a_section(name: str) -> None:
    """Each message of a module, without what is put in at run time, is the title of a section."""
    assert sorted(text for text in templates(name) if key(text) not in explained()) == []


@pytest.mark.parametrize("name", MODULES)
def test_every_message_reads_like_the_others(name: str) -> None:
    """A message begins in lower case (names in capitals aside), has no full stop, and names no class of ours."""
    wrong = [text for text in messages(name) if re.match(r"[A-Z][a-z]", text) or text.endswith((".", "。"))]
    classes = [text for text in messages(name) if re.search(r"\b\w+Error\b", text)]
    assert (wrong, classes) == ([], [])


def test_every_section_is_about_a_message() -> None:
    """No section explains a message that is no longer written."""
    written = {key(text) for name in MODULES for text in templates(name)}
    assert sorted(title for level, title in headings(PAGE) if level > 2 and key(title) not in written) == []


def test_every_section_says_what_to_do() -> None:
    """Under each message stands at least a sentence."""
    texts = sections(PAGE)
    messages = [title for level, title in headings(PAGE) if level > 2]
    assert [title for title in messages if not texts[title].partition("\n")[2].strip()] == []


def test_every_kind_of_note_is_described() -> None:
    """The table of notes has each code, and no other."""
    rows = re.findall(r"^\| `(\w+)` \|", sections(PAGE)[NOTES], re.MULTILINE)
    assert set(rows) == note_codes()


def test_every_error_a_program_may_catch_is_described() -> None:
    """Each exception of the library is named on the page."""
    kinds = {name for name in errors.__all__ if name.endswith("Error")}
    assert kinds <= {code for text in sections(PAGE).values() for code in inline_codes(text)}
