"""The engine agrees with the plain matcher, on lists and prescriptions drawn at random."""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings

from negative_list import explain, gather
from negative_list.compile import compile
from negative_list.decide import Fuller, decide
from negative_list.parse import read_parsed
from negative_list.validate import validate
from tests.agreement import agreed, disagreement
from tests.forms import through_form
from tests.generators import draw_case, seeds
from tests.generators_conditions import KINDS, UNITS, WHOSE
from tests.generators_lists import draw_list
from tests.plain import Seen

if TYPE_CHECKING:
    from pathlib import Path


LISTS, PRESCRIPTIONS, PARTS = 400, 50, 20
VALUES = (True, False, None)
OWNERS = tuple(f"whose {one}" for one in WHOSE)
STRETCHES = tuple(f"unit {one}" for one in UNITS)
LEAST, LEAST_OF_UNIT = 100, 30
"""How often every kind is true, false and unknown at least, and every condition with a window of each unit."""


class Tally(msgspec.Struct):
    """What was compared: pairs, pairs with findings, and what each kind answered."""

    pairs: int = 0
    with_findings: int = 0
    with_undecided: int = 0
    seen: dict[tuple[str, bool | None], int] = {}


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tally of each part that ran is kept, for every process of the run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _compare(part: int) -> Tally:
    tally, seen = Tally(), Seen()
    for seed in range(part, LISTS, PARTS):
        rules = draw_list(seed)
        # What a form was made of must answer as what was compiled at once: each is held against half of the lists.
        compiled = compile(rules) if part % 2 else through_form(rules)
        for number in range(PRESCRIPTIONS):
            case = draw_case(Random(seed * 1000 + number))
            same, plain = agreed(rules, compiled, case, seen)
            assert same, f"list {seed}, prescription {number}\n{disagreement(rules, case)}"
            tally.pairs += 1
            tally.with_findings += bool(plain.findings)
            tally.with_undecided += bool(plain.undecided)
    return msgspec.structs.replace(tally, seen=dict(seen))


def _tally(part: int, tallies: Path) -> Tally:
    """The tally of a part, compared when it is first asked for: tests run in any order, in any process."""
    file = tallies / f"agreement-{part}"
    if not file.exists():
        beside = tallies / f"agreement-{part}-{os.getpid()}"
        beside.write_bytes(msgspec.msgpack.encode(_compare(part)))
        beside.replace(file)
    return msgspec.msgpack.decode(file.read_bytes(), type=Tally)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_engine_and_plain_matcher_agree(part: int, tallies: Path) -> None:
    """Same findings, undecided rules, needs and involved lines, for every list of the part and its prescriptions."""
    assert _tally(part, tallies).pairs == LISTS // PARTS * PRESCRIPTIONS


@pytest.mark.slow
def test_what_was_compared(tallies: Path) -> None:
    """Kinds, whose lines, windows and limits were true, false and unknown; at least 30 % of the pairs have findings."""
    every = [_tally(part, tallies) for part in range(PARTS)]
    pairs = sum(tally.pairs for tally in every)
    found = sum(tally.with_findings for tally in every)
    undecided = sum(tally.with_undecided for tally in every)
    seen = sum((Counter(tally.seen) for tally in every), Seen())
    print(f"\n{pairs} pairs, {found / pairs:.0%} with findings, {undecided / pairs:.0%} with undecided rules")  # noqa: T201 - the report
    print(f"{'':<21}{'true':>9}{'false':>9}{'unknown':>9}")  # noqa: T201 - the report
    for word in (*KINDS, "formula", *OWNERS, *STRETCHES):
        print(f"{word:<21}" + "".join(f"{seen[word, value]:>9}" for value in VALUES))  # noqa: T201 - the report
    assert pairs >= 20_000
    assert found / pairs >= 0.3
    assert min(seen[word, value] for word in (*KINDS, "formula", *OWNERS) for value in VALUES) >= LEAST
    assert min(seen[word, value] for word in STRETCHES for value in VALUES) >= LEAST_OF_UNIT


@settings(max_examples=100)
@given(list_seed=seeds, case_seed=seeds)
def test_engine_and_plain_matcher_agree_anywhere(list_seed: int, case_seed: int) -> None:
    """Seeds hypothesis draws agree as the fixed ones do."""
    rules, case = draw_list(list_seed), draw_case(Random(case_seed))
    assert agreed(rules, compile(rules), case)[0], disagreement(rules, case)


def test_a_list_read_from_its_compiled_form_answers_bit_for_bit() -> None:
    """Findings, messages, suggestions, what is not evaluated: the whole decision as JSON, for lists of every kind."""
    for seed in range(LISTS, LISTS + 40):
        rules = draw_list(seed)
        at_once, read = compile(rules), through_form(rules)
        for number in range(10):
            case = draw_case(Random(seed * 1000 + number))
            fuller = Fuller(prescription=case.prescription, history=case.history)
            answers = [
                msgspec.json.encode(decide(compiled, case.prescription, case.at, fuller=fuller))
                for compiled in (at_once, read)
            ]
            assert answers[0] == answers[1], f"list {seed}, prescription {number}"


@pytest.mark.parametrize(("many", "lines", "lists"), [(0, None, range(40)), (gather.MANY_LINES, 48, range(40, 60))])
def test_long_stays_agree(many: int, lines: int | None, lists: range, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines looked for by their days, as in long stays, are the same lines, be the stay long or not."""
    monkeypatch.setattr(gather, "MANY_LINES", many)
    monkeypatch.setattr(explain, "MAX_INVOLVED", 1000)
    for seed in lists:
        rules = draw_list(seed)
        compiled = compile(rules)
        for number in range(10 if lines is None else 2):
            case = draw_case(Random(seed * 1000 + number), lines)
            assert agreed(rules, compiled, case)[0], disagreement(rules, case)


def test_generated_lists_are_valid(tmp_path: Path) -> None:
    """Written as JSON Lines and read again, generated lists are the same and without problems."""
    for seed in range(40):
        rules = draw_list(seed)
        path = tmp_path / f"{seed}.jsonl"
        path.write_bytes(b"\n".join(map(msgspec.json.encode, (*rules.sets, *rules.rules))))
        parsed = read_parsed(path)
        assert (parsed.problems, validate(parsed)) == ((), ())
        assert parsed.rules == rules
