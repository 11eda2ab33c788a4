"""Clear violations of sex, age, insurance, level and never payable items are blocks, on the offending line only."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.silence.breaking import CLEAR, Pair, pairs_of
from tests.silence.lists import Tried, decided, published, sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from negative_list.importer import Point
    from tests.silence.points import Points

__all__: list[str] = []

NOW = datetime(2026, 11, 20, 10, 30)
BEFORE_THE_REVISION = datetime(2026, 1, 28, 23, 30)


def test_every_point_in_force_blocks_its_violation(shared_data: Path) -> None:
    """Every clear point in force blocks the violating line alone, and passes when the one fact is changed back."""
    tried = published(shared_data)
    clear = sum(len(tried.points.by_class[name]) for name in CLEAR)
    assert _check(tried, tried.points, tried.points.current, NOW) == clear


def test_withdrawn_points_block_up_to_their_last_day(shared_data: Path) -> None:
    """Withdrawn points still block late on the day of the revision, the last on which they are in force."""
    tried = published(shared_data)
    ended = {point.kp_id for point in tried.ever.current} - {point.kp_id for point in tried.points.current}
    withdrawn = [point for point in tried.ever.current if point.kp_id in ended]
    assert _check(tried, tried.ever, withdrawn, BEFORE_THE_REVISION) > 500


def test_withdrawn_points_are_silent_afterwards(shared_data: Path) -> None:
    """No rule of a withdrawn point has anything to say today, about its violation either."""
    tried = published(shared_data)
    ended = {point.kp_id for point in tried.ever.current} - {point.kp_id for point in tried.points.current}
    withdrawn = [point for point in tried.ever.current if point.kp_id in ended]
    rules = {rule.id for rule in tried.rules.rules if ended & set(rule.points)}
    pairs = [pair for point in withdrawn for pair in _pairs(tried.ever, [point], NOW)]
    found = [f.rule_id for pair in pairs for f in decided(tried, pair.violating, None, NOW).findings]
    assert len(pairs) > 500
    assert not rules & set(found)


def test_every_rule_of_the_sample_blocks_its_violation() -> None:
    """The same holds on the shipped list."""
    tried = sample()
    assert _check(tried, tried.points, tried.points.current, NOW) >= 25


def _pairs(points: Points, of: Iterable[Point], at: datetime) -> Iterator[Pair]:
    clear = {point.kp_id for name in CLEAR for point in points.by_class.get(name, ())}
    for point in of:
        if point.kp_id in clear:
            yield from pairs_of(points, point, at)


def _check(tried: Tried, points: Points, of: Iterable[Point], at: datetime) -> int:
    """Check every pair of the points; how many points there were."""
    pairs = list(_pairs(points, of, at))
    wrong = [f"{p.point.kp_id} {p.point.item_name} ({p.what}): {why}" for p in pairs if (why := _wrong(tried, p, at))]
    assert not wrong, "\n".join(wrong)
    return len({pair.point.kp_id for pair in pairs})


def _wrong(tried: Tried, pair: Pair, at: datetime) -> str:
    """What is wrong with the answers about a pair; empty where nothing is."""
    broken = decided(tried, pair.violating, pair.conforming.history, at)
    back = decided(tried, pair.conforming.prescription, pair.conforming.history, at)
    own = {rule.id for rule in tried.rules_of(pair.point.kp_id) if rule.class_id == pair.class_id}
    found = [finding for finding in broken.findings if finding.rule_id in own and finding.action == "block"]
    if len(pair.violating.encounter.lines) != 3 or broken.decision != "block":
        return f"the violation is answered with `{broken.decision}`"
    if [(f.lines, f.class_id, f.unknown) for f in found] != [((pair.line,), pair.class_id, False)]:
        return f"the point's own finding is {found}"
    if others := {line for f in broken.findings for line in f.lines} - {pair.line}:
        return f"harmless lines are found: {others}"
    return f"changed back it still shows {back.findings}" if back.decision != "pass" else ""
