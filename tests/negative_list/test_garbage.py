"""A decision leaves nothing behind that only the collector finds: to look for it holds every other check up."""

from __future__ import annotations

import gc
from random import Random
from typing import TYPE_CHECKING

import pytest

from negative_list.compile import compile
from negative_list.decide import Fuller, begin, decide_whole
from negative_list.hurry import Halt
from tests.generators import draw_case
from tests.negative_list.test_any_decision import drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = range(40)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """The collector finds what is made from here on only when it is asked to."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
def test_a_decision_leaves_no_cycles() -> None:
    """Both passes, with history, findings, suggestions and unknown rules of every kind, in haste and not."""
    lists = [compile(drawn(seed)) for seed in SEEDS]
    cases = [draw_case(Random(seed)) for seed in SEEDS]
    found = 0
    for halt in (None, Halt()):
        for compiled, case in zip(lists, cases, strict=True):  # rules are bound when they are first asked for
            fuller = Fuller(prescription=case.prescription, history=case.history)
            begun = begin(compiled, case.prescription, case.at, halt)
            decide_whole(compiled, case.prescription, case.at, begun=begun, fuller=fuller, halt=halt)
        gc.collect()
        for compiled, case in zip(lists, cases, strict=True):
            fuller = Fuller(prescription=case.prescription, history=case.history)
            begun = begin(compiled, case.prescription, case.at, halt)
            whole = decide_whole(compiled, case.prescription, case.at, begun=begun, fuller=fuller, halt=halt)
            found += len(whole.decision.findings)
            del begun, whole, fuller
        assert gc.collect() == 0
    assert found > len(SEEDS)
