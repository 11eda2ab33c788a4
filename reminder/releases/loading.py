"""Work in slices: a list is loaded and let go while checks are answered between."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING

from negative_list.on_demand import Rules
from negative_list.warming import asked_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.compile import CompiledList
    from negative_list.compiled_form import Loading

__all__ = [
    "FEW_OBJECTS",
    "MOST_UNSETTLED",
    "SETTLED_RULES",
    "SLICE_S",
    "WARM_S",
    "Settling",
    "in_slices",
    "loaded",
]

SLICE_S = 0.001
"""How long the interpreter is held before others have their turn; a step that was begun is done."""

PAUSE_S = 0.002
"""How long others have it then, at least."""

MOST_PAUSE_S = 0.012
"""How long they have it at most, however busy they are: 400,000 details are some ten slices to load, and some thirty to
let go, for which nobody waits."""

IDLE_S = 0.0005
"""A pause that ends no later than this after its time found nobody else at work."""

WARM_S = 0.6
"""How long a list that was loaded is asked what the one before was, so that it is active within two seconds: a rule
takes 0.1 ms to bind, the first checks after a change would bind some hundreds, and some 1,500 are what it is enough for
beside a busy loop."""

SETTLED_RULES = 256
"""Newly bound rules from which on they are settled while no check is under way: some 8,000 objects."""

MOST_UNSETTLED = 4_096
"""Newly bound rules from which on they are settled whatever is under way."""


FEW_OBJECTS = 2_000
"""Objects made since the collector last looked, below which looking takes half a millisecond."""


async def in_slices(steps: Iterable[None]) -> None:
    """Do steps, none of them long, with pauses between that last while others are at work, up to a limit."""
    begun = time.perf_counter()
    for _ in steps:
        if time.perf_counter() - begun >= SLICE_S:
            await _pause()
            begun = time.perf_counter()


async def _pause() -> None:
    now = time.perf_counter()
    latest = now + MOST_PAUSE_S
    while now < latest:
        due = now + PAUSE_S
        await asyncio.sleep(PAUSE_S)
        now = time.perf_counter()
        if now - due <= IDLE_S:
            return


async def loaded(loading: Loading, like: CompiledList) -> CompiledList:
    """The list of a compiled form, which knows of much what the one like it was asked for.

    Raises:
        FormError: something is missing in it.
    """
    await in_slices(loading)
    await in_slices(_for(WARM_S, asked_again(like, loading.compiled)))
    return loading.compiled


def _for(seconds: float, steps: Iterable[None]) -> Iterator[None]:
    """Steps, until so many seconds are over."""
    until = time.perf_counter() + seconds
    for _ in steps:
        yield
        if time.perf_counter() >= until:
            return


class Settling:
    """Keeps the rules a list has bound out of the collector's way: it would look at each of them again and again.

    They need no collector, for nothing in a list holds itself. What a check holds just then may: it would be kept with
    them for ever, and so is settled between checks, and seldom.

    Args:
        compiled: the list.
        deciding: how many checks are under way.
    """

    def __init__(self, compiled: CompiledList, deciding: Callable[[], int]) -> None:
        self._rules = compiled.rules
        self._deciding = deciding
        self._settled = 0

    def go_on(self) -> None:
        """Settle what was bound since, where it is worth it."""
        bound = len(self._rules.bound) if isinstance(self._rules, Rules) else 0
        grown = bound - self._settled
        if grown >= (MOST_UNSETTLED if self._deciding() else SETTLED_RULES) and gc.get_count()[0] < FEW_OBJECTS:
            gc.collect(0)  # what is garbage by now would be kept, too
            gc.freeze()
            self._settled = bound
