"""Whoever has nothing but an export and the page that defines the figures arrives at the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.month import GROUPINGS, control_figures, counted, differences, make_journal
from reminder.journal.export import write_rows
from reminder.journal.opening import open_journal

DECISIONS = 3_000
LINES = 100
"""What a stranger can be asked to read: each part of the control is shorter."""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a small month, and its export."""
    data = tmp_path_factory.mktemp("month")
    make_journal(data, DECISIONS)
    journal = open_journal(data)
    with (data / "export.jsonl").open("wb") as out:
        for head in journal.heads():
            write_rows(journal.chain(head.chain), out, lambda _: None)
    journal.close()
    return data


def test_the_control_counts_the_same(month: Path) -> None:
    """Every figure of every group: reminders, outcomes, sources, ways, rates, money, repeats, junk."""
    ours, control = counted(month, GROUPINGS), control_figures(month / "export.jsonl", GROUPINGS)
    assert [text for by in GROUPINGS for text in differences(ours[by], control[by])] == []
    assert sum(group["reminders"] for group in control["class"].values()) > DECISIONS / 10


def test_the_control_meets_every_outcome_and_source(month: Path) -> None:
    """What it agrees on is all there is to agree on."""
    figures = control_figures(month / "export.jsonl", ["class"])["class"]
    met = {name for group in figures.values() for name, count in group.items() if count}
    outcomes = "changed withdrawn self_paid justified overridden exited ignored abandoned unobserved"
    assert {f"outcomes.{word}" for word in outcomes.split()} <= met
    assert {f"sources.{word}" for word in ("feedback", "saved", "next_call", "none")} <= met
    assert {"disagrees", "automatic", "repeats", "junk", "ways.none", "ways.wrong_rule"} <= met


def test_a_difference_is_told() -> None:
    """A figure that is another, and a group only one of them has."""
    assert differences({"a": {"reminders": 2}}, {"a": {"reminders": 3}, "b": {"reminders": 1}}) == [
        "a: reminders is 2 here and 3 with the control",
        "b: reminders is 0 here and 1 with the control",
    ]


def test_the_control_is_short_and_imports_nothing_of_ours(root: Path) -> None:
    """Three parts, each of less than a hundred lines, of the standard library alone."""
    for name in ("control.py", "control_outcomes.py", "control_reading.py"):
        text = (root / "tests" / "compliance" / name).read_text("utf-8")
        assert len(text.splitlines()) < LINES
        assert not {"reminder", "negative_list"} & {
            word for line in text.splitlines() if "import" in line.split() for word in line.replace(".", " ").split()
        }
