"""The page on feedback: its examples run, and its tables name what there is."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from itertools import count
from typing import TYPE_CHECKING

import pytest

from reminder.feedback.items import Item, Words
from reminder.feedback.words import Answer, Recorded
from reminder.journal.entries import DONE
from reminder.junk import WHYS, junk
from reminder.reasons import standard
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.docs.pages import ROOT, blocks, inline_codes, sections
from tests.docs.running import shown_in
from tests.reminder.bodies import own_body
from tests.reminder.sidecar import Running, ask, post, running

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "feedback.md"
_VISITS = count()
BLOCKS = {block.name or block.kind: block.text for block in blocks(PAGE)}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with the list of the tests."""
    with running(tmp_path_factory.mktemp("feedback")) as serving:
        yield serving


def rows(title: str) -> list[list[str]]:
    """The cells of each row of a section's table, without its head."""
    lines = [line for line in sections(PAGE)[title].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def first_cells(title: str) -> list[str]:
    """What the first column of a section's tables names."""
    cells = re.findall(r"^\| (`.+?) \|", sections(PAGE)[title], re.MULTILINE)
    return [code for cell in cells for code in inline_codes(cell)]


def findings_of(here: Running) -> dict[str, str]:
    """The page's placeholders, each with a finding of a check: a reminder, and a block."""
    visit = own_body(level=1)["encounter"] | {"id": f"V{next(_VISITS)}"}
    found = ask(here, request_of(own_body(encounter=visit, request_id=""))).findings
    assert [finding.action for finding in found] == [pb.ACTION_BLOCK, pb.ACTION_REMIND]
    return {"FINDING-1": found[1].finding_id, "FINDING-2": found[0].finding_id}


def filled(text: str, names: dict[str, str]) -> str:
    """A text of the page with findings there are."""
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return text


def test_the_request_is_answered_as_shown(here: Running) -> None:
    """The shell line posts the block beside it to where it says; every field shown is in the answer."""
    names = findings_of(here)
    words = shlex.split(BLOCKS["console"])
    path = words[-1].removeprefix("http://127.0.0.1:8080")
    assert (words[0], words[words.index("--data-binary") + 1]) == ("curl", "@request.json")
    status, answer = post(here, filled(BLOCKS["request.json"], names).encode(), path)
    shown = json.loads(filled(BLOCKS["answer.json"], names))
    assert status == 200
    assert shown_in(shown, answer), answer


def test_the_python_example_runs(here: Running) -> None:
    """As it stands, with the address of the sidecar and a finding there is."""
    names = findings_of(here)
    code = filled(BLOCKS["python"], names).replace("127.0.0.1:50051", here.at("grpc"))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "docs/feedback.md", "exec"), {})  # noqa: S102 - our own page
    assert printed.getvalue() == f"{names['FINDING-1']} FEEDBACK_STATUS_KEPT \n"


def test_every_word_for_what_was_done_is_explained() -> None:
    """Each has its row."""
    assert [inline_codes(row[1])[0] for row in rows("What to send when")] == list(DONE)


def test_every_field_is_explained() -> None:
    """Of the request, of an item, and of the answer."""
    answered = {*Answer.__struct_fields__, *Recorded.__struct_fields__} - {"items", "finding_id"}
    told = {*Words.__struct_fields__, *Item.__struct_fields__} - {"face", "found_at", "raw", "one_word"}
    assert sorted(first_cells("The fields")) == sorted([*told, *answered])


def test_the_standard_reasons_are_those_there_are() -> None:
    """In their order, word for word."""
    listed = [
        (row[0].strip("`"), row[1], row[2], tuple(inline_codes(row[3])), row[4].strip("`"))
        for row in rows("The standard reasons")
    ]
    assert listed == [(one.code, one.zh, one.en, one.done, one.fact) for one in standard().values()]


def test_every_kind_of_junk_is_explained() -> None:
    """As the caller is told it."""
    assert {row[0].strip("`"): (row[1], row[2]) for row in rows("Texts that say nothing")} == WHYS
    assert junk("病情需要") == ""
