"""Silence where it is due: 2,000 prescriptions a careful human would sign as payable, and what is said about them."""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from negative_list.dictionary import load
from negative_list.engine import match
from tests.silence.drawn import Drawn, draw_all
from tests.silence.lists import Tried, decided, published, sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from negative_list.decision import Decision
    from negative_list.prescription import FactValue, Prescription

__all__: list[str] = []

COUNT = 2_000
SEED = 20261121
_DERIVED = frozenset({"line.full_price", "line.paid_by", "encounter.stay_days"})
"""Facts a reader derives from fields every body has."""


def test_conforming_prescriptions_of_the_published_points_pass(shared_data: Path) -> None:
    """Of 2,000 conforming prescriptions with every needed fact given at most 1 % show anything, and none blocks."""
    _check_silent(_answers(shared_data))


def test_conforming_prescriptions_of_the_sample_pass() -> None:
    """The same holds on the shipped list."""
    _check_silent(_answers(None))


def test_without_side_facts_few_are_asked(shared_data: Path) -> None:
    """Without side facts and history at most 5 % get a question, none two; none blocks, nothing undecided is lost."""
    _check_asked(published(shared_data), _answers(shared_data))


def test_without_side_facts_few_are_asked_about_the_sample() -> None:
    """The same holds on the shipped list."""
    _check_asked(sample(), _answers(None))


def test_every_class_and_nearly_every_point_is_tried(shared_data: Path) -> None:
    """The prescriptions hold lines of all 20 classes and of at least 95 % of the points in force."""
    points = published(shared_data).points
    held = {kp_id for drawn, _ in _answers(shared_data) for named in drawn.points.values() for kp_id in named}
    assert len(points.by_class) == 20
    assert all({p.kp_id for p in of_class} & held for of_class in points.by_class.values())
    assert len(held) >= 0.95 * len(points.current)


def test_prescriptions_have_one_to_many_lines(shared_data: Path) -> None:
    """The prescriptions are of every size from 1 to 8 current lines, about a patient of either sex and any age."""
    drawn = [case.prescription for case, _ in _answers(shared_data)]
    sizes = Counter(sum(line.current for line in prescription.encounter.lines) for prescription in drawn)
    assert set(range(1, 9)) <= set(sizes)
    assert min(Counter(p.patient.facts["patient.sex"] for p in drawn).values()) > COUNT / 4
    assert len({p.encounter.facts["encounter.visit_mode"] for p in drawn}) == 4


@cache
def _answers(shared: Path | None) -> tuple[tuple[Drawn, Decision], ...]:
    """The conforming prescriptions with what is decided about them, every fact and history given."""
    tried = sample() if shared is None else published(shared)
    cases = tuple(draw_all(tried.points, COUNT, SEED))
    return tuple((case, decided(tried, case.prescription, case.history, case.at)) for case in cases)


def _check_silent(answers: Iterable[tuple[Drawn, Decision]]) -> None:
    answers = tuple(answers)
    shown = [answer for _, answer in answers if answer.decision != "pass"]
    undecided = sum(bool(answer.not_evaluated) for _, answer in answers)
    told = (
        f"{len(shown)} of {len(answers)} conforming prescriptions show something, {undecided} hold a rule not decided"
    )
    sys.stdout.write(f"{told}\n{_reasons(shown)}\n")
    assert not [answer for answer in shown if answer.decision == "block"], _reasons(shown)
    assert len(shown) <= 0.01 * len(answers), f"{told}\n{_reasons(shown)}"


def _reasons(shown: Iterable[Decision]) -> str:
    """Every finding shown, by rule, the most frequent first: each is a bug of somebody's."""
    seen = Counter((f.rule_id, f.action, f.unknown, f.message) for answer in shown for f in answer.findings)
    return "\n".join(f"{count} x {' '.join(map(str, what))}" for what, count in seen.most_common())


def _check_asked(tried: Tried, answers: Iterable[tuple[Drawn, Decision]]) -> None:
    cases = [replace(case, prescription=_bare(case.prescription)) for case, _ in answers]
    decisions = [decided(tried, case.prescription, None, case.at) for case in cases]
    asked = [d for d in decisions if any(f.unknown for f in d.findings)]
    sys.stdout.write(f"{len(asked)} of {len(decisions)} are asked a question\n{_reasons(asked)}\n")
    assert not [d for d in decisions if d.decision == "block"], _reasons(d for d in decisions if d.decision == "block")
    assert sum(any(not f.unknown for f in d.findings) for d in decisions) <= 0.01 * len(decisions)
    assert len(asked) <= 0.05 * len(decisions), _reasons(asked)
    assert max(sum(f.unknown for f in d.findings) for d in decisions) <= 1
    lost = [_lost(tried, case.prescription, case.at, d) for case, d in zip(cases, decisions, strict=True)]
    assert not any(lost), [names for names in lost if names][:5]
    assert sum(bool(d.not_evaluated) for d in decisions) > 0.1 * len(decisions)


def _bare(prescription: Prescription) -> Prescription:
    """What a plain body of transaction 3101 could have said of it."""
    encounter = prescription.encounter
    lines = tuple(replace(line, facts=_national(line.facts)) for line in encounter.lines)
    return replace(
        prescription,
        patient=replace(prescription.patient, facts=_national(prescription.patient.facts)),
        encounter=replace(encounter, lines=lines, facts=_national(encounter.facts)),
    )


def _national(facts: Mapping[str, FactValue]) -> dict[str, FactValue]:
    return {name: value for name, value in facts.items() if name in _DERIVED or _carried(name)}


@cache
def _carried(name: str) -> bool:
    """Whether a field of the interface itself carries the fact, not one of the fields only some clients add."""
    fields = load()[name].national
    return any("extend_order_map" not in field for field in fields)


def _lost(tried: Tried, bare: Prescription, at: datetime, decision: Decision) -> set[str]:
    """Undecided rules the answer does not name: those the match left open, and second line without its evidence."""
    undecided = {judgement.rule.rule.id for judgement in match(tried.compiled, bare, at).unknown}
    current = {line.codes[0] for line in bare.encounter.lines if line.current}
    second = [rule for rule in tried.rules.rules if rule.class_id == "R05" and rule.valid_to is None]
    wanted = {rule.id for rule in second if current & {*rule.trigger.codes}}
    told = {entry.rule_id for entry in decision.not_evaluated}
    found = {finding.rule_id for finding in decision.findings}
    return (undecided | wanted) - told - found
