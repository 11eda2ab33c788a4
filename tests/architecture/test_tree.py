"""What the kept files hold, and what the tests are made of."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT, Function, collected, functions, tracked

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES = 1_000_000
"""Nobody reads a larger text; larger data is generated."""

# Written in pieces, so that this file is not its own first finding.
HOMES = ("work", "root", "home/[a-z]", "Users/[a-zA-Z]", "farm")
MACHINE_PATH = re.compile(r"(?:^|[\s\"'=(`:])(?:/(?:" + "|".join(HOMES) + r")/|[A-Z]:\\(?:Us" r"ers)\\)", re.MULTILINE)
LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b|NotImplemented" r"Error\(")

GENERATED = "reminder/v1/reminder_pb2"
"""How the names of generated files begin; what they say is not ours."""


def text_of(path: Path) -> str:
    """The text of a file, empty for one that is no text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.fixture(scope="module")
def kept() -> dict[str, str]:
    """The text of every kept file by its path."""
    if not tracked():
        pytest.skip("this is no clone, so nobody can say which files are kept")
    return {str(path.relative_to(ROOT)): text_of(path) for path in tracked()}


def test_no_file_names_a_path_of_somebodys_machine(kept: dict[str, str]) -> None:
    """Paths in kept files are relative to the project, or are those of no particular machine."""
    assert [name for name, text in kept.items() if MACHINE_PATH.search(text)] == []


def test_nothing_is_promised_for_later(kept: dict[str, str]) -> None:
    """No kept file holds a mark of unfinished work."""
    written = {name: text for name, text in kept.items() if not name.startswith(GENERATED)}
    assert [name for name, text in written.items() if LATER.search(text)] == []


def test_files_end_in_one_new_line_and_hold_no_carriage_return(kept: dict[str, str]) -> None:
    """Text files are the same on every machine."""
    wrong = [n for n, t in kept.items() if t and "cases/" not in n and (not t.endswith("\n") or "\r" in t)]
    assert wrong == []


def test_no_kept_file_is_too_large_to_read() -> None:
    """Every kept file stays under a megabyte."""
    assert [str(p.relative_to(ROOT)) for p in tracked() if p.stat().st_size > LARGEST_BYTES] == []


def asserts(node: Function) -> bool:
    """Whether a test can fail: it asserts, expects an error, or calls a helper whose name says that it checks."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assert) and not isinstance(part.test, ast.Constant):
            return True
        if isinstance(part, ast.Call):
            name = ast.unparse(part.func).rpartition(".")[2]
            if name in {"raises", "warns", "fail"} or name.lstrip("_").startswith(("assert_", "check", "expect")):
                return True
    return False


def cases(path: Path) -> list[Function]:
    """The tests of a file."""
    return [node for node in functions(path) if node.name.startswith("test_")]


@pytest.mark.parametrize("path", collected(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_test_can_fail_and_says_what_is_true(path: Path) -> None:
    """A test file holds tests; each asserts something and has a sentence that says what."""
    assert cases(path) != []
    assert [node.name for node in cases(path) if not asserts(node)] == []
    assert [node.name for node in cases(path) if not ast.get_docstring(node)] == []
