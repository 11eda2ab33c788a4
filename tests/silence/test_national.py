"""The same through the national interface: bodies of transaction 3101 are answered as the prescriptions they say."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from negative_list.readers import read_body
from negative_list.site import Sites
from tests.silence.bodies import body_of
from tests.silence.breaking import CLEAR, pairs_of
from tests.silence.drawn import draw_all
from tests.silence.lists import Tried, decided, published, sample
from tests.silence.test_violations import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from negative_list.decision import Decision
    from negative_list.prescription import History, Prescription
    from tests.silence.breaking import Pair

__all__: list[str] = []

COUNT = 200
SEED = 3101


def test_conforming_bodies_over_the_published_points(shared_data: Path) -> None:
    """200 conforming bodies are answered as their prescriptions are; at most 1 % show anything, and none blocks."""
    _check_conforming(published(shared_data))


def test_conforming_bodies_over_the_sample() -> None:
    """The same holds on the shipped list."""
    _check_conforming(sample())


def test_violating_bodies_over_the_published_points(shared_data: Path) -> None:
    """200 bodies with one clear violation each are blocked, as their prescriptions are."""
    tried = published(shared_data)
    pairs = list(_spread(tried, COUNT))
    assert len(pairs) == COUNT
    for pair in pairs:
        answer = _sent(tried, pair.violating, pair.conforming.history, NOW)
        assert answer.decision == "block", pair
        assert {line for finding in answer.findings for line in finding.lines} == {pair.line}, answer.findings


def _spread(tried: Tried, count: int) -> Iterator[Pair]:
    """So many violations, from points evenly spread over the clear classes."""
    clear = [point for name in CLEAR for point in tried.points.by_class[name]]
    step = max(1, len(clear) // count)
    pairs = (pair for point in clear[::step] for pair in islice(pairs_of(tried.points, point, NOW), 1))
    yield from islice(pairs, count)


def _check_conforming(tried: Tried) -> None:
    shown = []
    for case in draw_all(tried.points, COUNT, SEED):
        answer = _sent(tried, case.prescription, case.history, case.at)
        straight = decided(tried, case.prescription, case.history, case.at)
        assert _said(answer) == _said(straight), case.prescription
        if answer.decision != "pass":
            shown.append(answer)
    assert not [answer for answer in shown if answer.decision == "block"], shown
    assert len(shown) <= 0.01 * COUNT, [(f.rule_id, f.message) for answer in shown for f in answer.findings]


def _sent(tried: Tried, prescription: Prescription, history: History | None, at: datetime) -> Decision:
    return decided(tried, read_body(body_of(prescription), Sites(), at), history, at)


def _said(answer: Decision) -> list[tuple[object, ...]]:
    """What an answer says, but for ids and texts."""
    findings = [(f.rule_id, f.action, f.unknown, f.lines, f.involved, f.amount_fen) for f in answer.findings]
    left = [(entry.rule_id, entry.needs, entry.lines) for entry in answer.not_evaluated]
    return [(answer.decision, *findings), tuple(left)]
