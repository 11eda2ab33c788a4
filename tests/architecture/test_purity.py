"""The library is pure: time, ids and randomness are arguments, and files are read only where that is the job."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import absolute_imports, module_name, modules, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIBRARY = tuple(path for path in modules() if module_name(path).startswith("negative_list"))
COMMANDS = frozenset({"negative_list.cli", "negative_list.cli_release"})
"""Where the library meets the shell: they may look at the clock and at files."""

OUTSIDE = frozenset(
    [
        "asyncio",
        "logging",
        "os",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "uuid",
    ]
)
"""Modules that reach outside the process, or change from call to call."""

CLOCKS = frozenset({"now", "today", "utcnow"})
READERS = frozenset({"open", "read_bytes", "read_text"})

READING = frozenset({
    "negative_list.parse", "negative_list.policy", "negative_list.site", "negative_list.readers.files",
    "negative_list.readers.dialect_table",
    "negative_list.compiled_form",
    "negative_list.importer.points", "negative_list.release.container", "negative_list.release.signing",
    "negative_list.sheets.grid", "negative_list.sheets.maps",
})  # fmt: skip
"""Modules whose job is to read a file they are given."""

TABLES = frozenset({
    "negative_list.classes", "negative_list.dictionary", "negative_list.diseases", "negative_list.policy",
    "negative_list.text",
    "negative_list.sheets.columns",
})  # fmt: skip
"""Modules that read a table shipped with a package, once."""


def calls(path: Path) -> Iterator[str]:
    """The last name of everything a module calls."""
    found = (node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    return (ast.unparse(function).rpartition(".")[2] for function in found)


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_the_library_reaches_nothing_outside(path: Path) -> None:
    """No module but the commands imports what reaches outside, or asks for the time."""
    if module_name(path) in COMMANDS:
        assert set(calls(path)) & CLOCKS == {"now"}
        return
    assert {name.partition(".")[0] for name in absolute_imports(path)} & OUTSIDE == set()
    assert set(calls(path)) & CLOCKS == set()


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_files_are_read_only_where_that_is_the_job(path: Path) -> None:
    """Matching, deciding and the readers of bodies open no file."""
    allowed = READING | TABLES | COMMANDS
    assert module_name(path) in allowed or set(calls(path)) & READERS == set()


def test_randomness_is_drawn_from_a_seed() -> None:
    """Only the generator draws, from a seed it is given."""
    drawing = {module_name(p): [n for n in absolute_imports(p) if n.split(".")[0] == "random"] for p in LIBRARY}
    assert {name: names for name, names in drawing.items() if names} == {"negative_list.generate": ["random.Random"]}
