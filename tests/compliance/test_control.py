"""Whoever has nothing but an export and the page that defines the figures arrives at the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.month import CONTROLS, GROUPINGS, control_figures, counted, differences, make_journal
from reminder.journal.export import write_rows
from reminder.journal.opening import open_journal

DECISIONS = 3_000
LINES = 100
"""What a stranger can be asked to read: the control is shorter."""


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


@pytest.mark.parametrize("control", CONTROLS)
def test_the_control_counts_the_same(month: Path, control: str) -> None:
    """Every figure of every group: reminders, ways, rates, money, repeats, junk; the whole one outcomes and sources."""
    ours, theirs = counted(month, GROUPINGS), control_figures(month / "export.jsonl", GROUPINGS, control)
    assert [text for by in GROUPINGS for text in differences(ours[by], theirs[by])] == []
    assert sum(group["reminders"] for group in theirs["class"].values()) > DECISIONS / 10


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


def test_the_short_control_counts_decisions_and_what_was_said(month: Path) -> None:
    """By doctor: checks, exits and overrides, words nobody spoke, what is at risk, and the bureau's rate."""
    figures = control_figures(month / "export.jsonl", ["doctor"], "control")["doctor"]
    met = {name for group in figures.values() for name, count in group.items() if count}
    assert {"checks", "automatic", "junk", "reasons", "repeats", "at_risk_fen", "warned_fen", "ways.none"} <= met
    assert {"outcomes.overridden", "outcomes.exited", "rates.bureau.part", "rates.bureau.whole"} <= met
    assert sum(group["checks"] for group in figures.values()) > DECISIONS * 0.8


def test_the_control_is_short_and_imports_nothing_of_ours(root: Path) -> None:
    """Of less than a hundred lines, each part of the whole one too, of the standard library alone."""
    for name in ("control.py", "control_whole.py", "control_outcomes.py", "control_reading.py"):
        text = (root / "tests" / "compliance" / name).read_text("utf-8")
        assert len(text.splitlines()) < LINES
        assert not {"reminder", "negative_list"} & {
            word for line in text.splitlines() if "import" in line.split() for word in line.replace(".", " ").split()
        }
