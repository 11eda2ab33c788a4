"""Short functions, modules with one idea: the bars of the house, as numbers."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.architecture.source import ROOT, collected, docstring_lines, functions, length, modules, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIAN_LINES = 8
"""Where the codebases we learn from stand (4 to 9): a function that says one thing."""

NINETIETH_PERCENTILE_LINES = 25
"""The same codebases: 20 to 33. Some functions are tables or loops and may be longer."""

LONGEST_LINES = 50
"""One screen, docstring included. What is longer hides a second function."""

MODULE_LINES = 400
"""Past this a module holds a second idea."""


def lengths() -> list[int]:
    """The length of every function of the packages, docstrings left out."""
    return [length(node) for path in modules() for node in functions(path)]


def long_functions() -> Iterator[str]:
    """Functions of more than one screen, with their place."""
    for path in modules():
        for node in functions(path):
            if (lines := length(node) + docstring_lines(node)) > LONGEST_LINES:
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({lines})"


def test_functions_are_short() -> None:
    """Half of the functions have at most 8 lines, nine of ten at most 25."""
    lines = lengths()
    assert statistics.median(lines) <= MEDIAN_LINES
    assert statistics.quantiles(lines, n=10)[-1] <= NINETIETH_PERCENTILE_LINES


def test_no_function_is_longer_than_a_screen() -> None:
    """No function passes 50 lines."""
    assert list(long_functions()) == []


def test_no_module_holds_two_ideas() -> None:
    """No module passes 400 lines."""
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in sizes.items() if lines > MODULE_LINES} == {}


def test_the_measure_sees_code() -> None:
    """The numbers above are taken over real files."""
    assert len(modules()) > 0
    assert all(tree(path).body for path in collected())
