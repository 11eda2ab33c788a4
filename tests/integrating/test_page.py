"""docs/integrating.md: its first question is answered as shown, its files are there, both editions show the same."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from reminder.feedback.items import Item
from tests.docs.pages import ROOT, blocks, headings, inline_codes, sections
from tests.docs.running import shown_in
from tests.reminder.sidecar import post, running

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "integrating.md"
PAGES = [(PAGE.with_name(f"{name}.md"), PAGE.with_name(f"{name}.zh-CN.md")) for name in ("integrating", "install")]
BLOCKS = {block.name: block.text for block in blocks(PAGE) if block.name}
FIRST_CALL = next(block.text for block in blocks(PAGE, "console"))


def test_the_first_question_is_answered_as_shown(tmp_path: Path) -> None:
    """The shell line posts the block beside it to where it says; every field shown is in the answer."""
    words = shlex.split(FIRST_CALL)
    assert (words[0], words[words.index("--data-binary") + 1]) == ("curl", "@request.json")
    path = words[-1].removeprefix("http://127.0.0.1:8080")
    with running(tmp_path, list=ROOT / "negative_list" / "lists" / "sample") as here:
        status, answer = post(here, BLOCKS["request.json"].encode(), path)
    assert status == 200
    assert shown_in(json.loads(BLOCKS["answer.json"]), answer), answer


def test_the_commands_name_files_there_are() -> None:
    """Every example is named in a command, and every file a command names is there."""
    commands = "".join(block.text for block in blocks(PAGE, "console"))
    named = set(re.findall(r"docs/examples/[\w/.]+\.\w+", commands))
    sources = {p.relative_to(ROOT).as_posix() for p in (ROOT / "docs" / "examples").rglob("*") if p.suffix != ".json"}
    assert named == {source for source in sources if "." in source}


def test_what_can_be_told_has_the_words_of_the_feedback() -> None:
    """The words for what was done are those there are."""
    (row,) = [line for line in sections(PAGE)["What to tell"].splitlines() if line.startswith("| `RecordFeedback`")]
    told = inline_codes(row)[1:7]
    assert told == ["changed", "withdrawn", "self_paid", "overridden", "exited", "wrong_rule"]
    assert {"finding_id", "done", "done_at", "answer_ms"} <= set(Item.__struct_fields__)


@pytest.mark.parametrize(("english", "chinese"), PAGES, ids=lambda page: page.name)
def test_both_editions_show_the_same(english: Path, chinese: Path) -> None:
    """Sections of the same levels in the same order, and the same blocks of code."""
    assert [level for level, _ in headings(chinese)] == [level for level, _ in headings(english)]
    assert [(b.kind, b.name, b.text) for b in blocks(chinese)] == [(b.kind, b.name, b.text) for b in blocks(english)]
