"""Work in slices, and what is kept out of the collector's way."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from negative_list.rules import RuleList
from reminder.releases import loading
from reminder.releases.letting_go import LettingGo
from reminder.releases.loading import Settling, in_slices
from tests.forms import through_form
from tests.negative_list.builders import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.compile import CompiledList

RULES = RuleList(rules=tuple(rule(id=f"r{n}") for n in range(20)))


def all_of(compiled: CompiledList) -> None:
    """Bind every rule of a list."""
    assert len([bound.rule for bound in compiled.rules]) == len(compiled.rules)


def test_others_have_their_turn_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long work that is made of steps holds nobody up."""
    monkeypatch.setattr(loading, "SLICE_S", 0.0)
    done: list[str] = []

    def steps() -> Iterator[None]:
        for _ in range(3):
            done.append("step")
            yield

    async def other() -> None:
        done.append("other")

    async def both() -> None:
        waiting = asyncio.create_task(other())
        await in_slices(steps())
        await waiting

    asyncio.run(both())
    assert done == ["step", "other", "step", "step"]


@pytest.mark.parametrize(("deciding", "most", "frozen"), [(0, 4_096, True), (1, 4_096, False), (1, 15, True)])
def test_rules_are_settled_between_checks(
    monkeypatch: pytest.MonkeyPatch, deciding: int, most: int, *, frozen: bool
) -> None:
    """What a check holds would be kept with them; only very many are settled whatever is under way."""
    monkeypatch.setattr(loading, "SETTLED_RULES", 10)
    monkeypatch.setattr(loading, "MOST_UNSETTLED", most)
    compiled = through_form(RULES)
    settling = Settling(compiled, lambda: deciding)
    all_of(compiled)
    before = gc.get_freeze_count()
    settling.go_on()
    try:
        assert (gc.get_freeze_count() > before) is frozen
    finally:
        gc.unfreeze()


def test_a_list_that_is_used_is_not_taken_apart() -> None:
    """Only when nobody has it any more its parts are emptied."""
    compiled = through_form(RULES)
    all_of(compiled)
    parts, going = compiled.parts, LettingGo()
    going.add(compiled)
    asyncio.run(going.go_on())
    assert (len(going), any(parts)) == (1, True)
    del compiled
    asyncio.run(going.go_on())
    assert (len(going), any(parts)) == (0, False)
