"""The figures of a forecast are those `negative-list match` comes to over the exported bodies, by a loop of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from benchmarks import forecast as bench
from negative_list.compile import canonical_lines
from reminder.forecast import making
from reminder.forecast.bodies import write_bodies
from reminder.forecast.inforce import as_of
from reminder.forecast.making import forecast
from reminder.journal.coding import decode
from reminder.journal.entries import Decided
from reminder.journal.opening import open_journal

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.rules import RuleList
    from reminder.forecast.ordered import Order

DECISIONS, DETAILS = 160, 400


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small journal."""
    folder = tmp_path_factory.mktemp("bodies") / "data"
    bench.make_journal(folder, bench.lists(DETAILS)[0], DECISIONS)
    return folder


@pytest.fixture
def order(data: Path, tmp_path: Path) -> Order:
    """A forecast of the coming list over it."""
    active, coming = bench.lists(DETAILS)
    return bench.order_of(data, active, written(tmp_path / "coming.jsonl", coming), DECISIONS)


def written(path: Path, rules: RuleList) -> Path:
    """A list as a file."""
    path.write_bytes(b"".join(canonical_lines(rules)))
    return path


def unheard(_done: int, _whole: int) -> None:
    """Nobody listens."""


def decided(data: Path) -> list[Decided]:
    """Every decision of a journal."""
    journal = open_journal(data)
    entries = [decode(row.body) for head in journal.heads() for row in journal.chain(head.chain)]
    journal.close()
    return [entry for entry in entries if isinstance(entry, Decided)]


def test_match_over_the_exported_bodies_counts_what_the_forecast_says(data: Path, order: Order, tmp_path: Path) -> None:
    """With history, store facts, undecided rules, dates and an excess; nothing of a person is exported."""
    made = forecast(order, unheard)
    entries = decided(data)
    told = write_bodies(entries, tmp_path / "bodies", lambda _: None)
    assert (told.decisions, told.less) == (DECISIONS, 0)
    lists = [as_of(rules, bench.DAY) for rules in bench.lists(DETAILS)]
    files = [written(tmp_path / f"{number}.jsonl", rules) for number, rules in enumerate(lists)]
    before, after = (bench.matched(file, tmp_path / "bodies", data / "policy.toml") for file in files)
    theirs = bench.counted(before, after, {row.key for row in made.rules if row.state in {"new", "changed"}})
    assert bench.compared(made, theirs) == []
    assert {row.key for row in made.rules if row.open_} >= {"Q-weekly", "Q-weighed"}
    assert made.open_ > 0
    exported = b"".join(file.read_bytes() for file in (tmp_path / "bodies").iterdir())
    for entry in entries:
        assert entry.prescription.patient.id.encode() not in exported
        assert entry.prescription.encounter.id.encode() not in exported


def test_two_processes_come_to_what_one_does(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretch by stretch, the newest first, and nothing twice."""
    alone = forecast(order, unheard)
    monkeypatch.setattr(making, "FEW", 10)
    monkeypatch.setattr(making, "_PER_STRETCH", 20)
    heard: list[int] = []
    made = forecast(order, lambda done, _: heard.append(done))
    assert heard[-1] == made.about.replayed == DECISIONS
    assert len(heard) > 1
    about = msgspec.structs.replace(made.about, took_s=alone.about.took_s)
    assert msgspec.structs.replace(made, about=about) == alone


def test_what_was_not_replayed_in_time_is_told(order: Order) -> None:
    """Nothing is guessed of it."""
    made = forecast(msgspec.structs.replace(order, within_s=0.0), unheard)
    about = made.about
    assert (about.total, about.replayed + about.out_of_time) == (DECISIONS, DECISIONS)
    assert about.out_of_time > DECISIONS // 2


def test_before_any_history_the_shipped_samples_are_replayed(order: Order, tmp_path: Path) -> None:
    """And the forecast says so."""
    rules = msgspec.structs.replace(order.coming, digest="c" * 64)
    empty = msgspec.structs.replace(order, data=str(tmp_path / "none"), active=rules)
    made = forecast(empty, unheard)
    assert (made.about.source, made.rules) == ("shipped samples", ())
    assert made.about.replayed > 10
