"""Lists that were replaced, let go a little at a time: all at once, a large one holds every check up.

A list is whole for as long as any request uses it. Only when the last one has ended, which is seen by a weak reference,
what it was made of is taken apart; until then it is held here, so that the end of that request costs nothing.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

from reminder.releases.loading import in_slices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from negative_list.compile import CompiledList

__all__ = ["LettingGo"]

Part: TypeAlias = dict[Any, Any] | list[Any]


class LettingGo:
    """The lists that are to go."""

    def __init__(self) -> None:
        self._lists: list[tuple[weakref.ref[CompiledList], tuple[Part, ...]]] = []

    def __len__(self) -> int:
        """How many are not gone yet."""
        return len(self._lists)

    def add(self, compiled: CompiledList) -> None:
        """A list that nothing new is decided with."""
        self._lists.append((weakref.ref(compiled), compiled.parts))

    @property
    def can_go_on(self) -> bool:
        """Whether there is one nobody uses any more."""
        return any(used() is None for used, _ in self._lists)

    async def go_on(self) -> None:
        """Take apart what nobody uses any more."""
        unused = [each for each in self._lists if each[0]() is None]
        for each in unused:
            await in_slices(_emptied(each[1]))
            self._lists.remove(each)


def _emptied(parts: Iterable[Part]) -> Iterator[None]:
    for part in parts:
        take: Any = part.popitem if isinstance(part, dict) else part.pop
        while part:
            take()
            yield
