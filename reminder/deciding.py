"""One check in progress: what is asked, of which list, for which instant, under which id, and what was read for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.decide import Begun, Fuller, begin, decide_whole
from negative_list.hurry import Halt, Part
from negative_list.prescription import Note, Prescription
from negative_list.readers.stored import StoreFact
from negative_list.rules import Action
from reminder.active import Active
from reminder.journal.drafts import Made
from reminder.keyed import facts_of, fuller_of
from reminder.under_keys import Keyed, under_keys

if TYPE_CHECKING:
    from negative_list.decide import Whole
    from negative_list.policy import ExitKey
    from reminder.journal.entries import Exit
    from reminder.keyed import Asked
    from reminder.recording import Came
    from reminder.stores.base import Told
    from reminder.stores.keys import Keys

__all__ = ["NOTHING_ASKED", "Case", "Clock", "Read", "keyed_of", "made_of", "read_of", "unread"]

NO_EXITS: AbstractSet[ExitKey] = frozenset()


class Read(Struct, frozen=True, kw_only=True):
    """What came of asking the store: what it knows, or that it did not say in time, and what the caller is told."""

    asked: bool = False
    fuller: Fuller | None = None
    unread: bool = False
    facts: tuple[StoreFact, ...] = ()
    notes: tuple[Note, ...] = ()


NOTHING_ASKED = Read()
"""The body alone decided."""


def unread() -> Read:
    """The store did not say in time."""
    return Read(asked=True, unread=True)


def read_of(asked: Asked, told: Told, prescription: Prescription, own_since: datetime | None) -> Read:
    """What the store told, under the keys of the prescription that is decided on."""
    return Read(
        asked=True,
        fuller=fuller_of(asked, told, prescription, own_since),
        facts=facts_of(asked, told),
        notes=(*_cut(told.cut_at), *_left_out(asked.left_out)),
    )


def _left_out(lines: int) -> tuple[Note, ...]:
    """What the caller is told where facts of further lines were not asked for."""
    if not lines:
        return ()
    return (Note(code="facts_cut", message=f"行数过多，另有 {lines} 行的外部事实未查询"),)


def _cut(at: datetime | None) -> tuple[Note, ...]:
    """What the caller is told of a history too long to be read whole."""
    if at is None:
        return ()
    return (Note(code="history_cut", message=f"历史记录过多，只读取了 {at:%Y-%m-%d %H:%M} 以后的部分"),)


def keyed_of(keys: Keys | None, prescription: Prescription) -> Keyed:
    """The prescription under keys; as it is where there are none."""
    if keys is None:
        return Keyed(prescription=prescription, ids={})  # type: ignore[arg-type]  # nothing of it is written
    return under_keys(keys, prescription)


class Case(Struct, frozen=True, kw_only=True):
    """One check in progress.

    ``prescription`` as it came; ``now`` is the instant it came, UTC, ``at`` the decision's, civil. ``notes``: what the
    caller is told besides; ``lowest_action``: the weakest action it is told of. ``halt``: says when its
    time is up (``None``: it waits).
    """

    active: Active
    prescription: Prescription
    keyed: Keyed
    now: datetime
    at: datetime
    ident: str
    notes: tuple[Note, ...] = ()
    lowest_action: Action = "remind"
    halt: Halt | None = None

    def begin(self) -> Begun:
        """The first pass."""
        return begin(self.active.compiled, self.keyed.prescription, self.at, self.halt)

    def decide(self, begun: Begun, read: Read) -> Whole:
        """The second pass, and the answer."""
        return self._decided(begun, read, NO_EXITS, self.halt)

    def again(self, begun: Begun, read: Read, exits: AbstractSet[ExitKey], whole: Whole) -> Whole:
        """The answer with exits that were taken: what was judged in time for the first one, and no less."""
        halt = Halt(stopped=whole.stopped) if self.halt is not None else None
        return self._decided(begun, read, exits, halt)

    def _decided(self, begun: Begun, read: Read, exits: AbstractSet[ExitKey], halt: Halt | None) -> Whole:
        asked, notes = self.keyed.prescription, (*self.notes, *read.notes)
        return decide_whole(
            self.active.compiled,
            msgspec.structs.replace(asked, notes=(*asked.notes, *notes)) if notes else asked,
            self.at,
            self.active.policy,
            begun=begun,
            fuller=read.fuller,
            unread=read.unread,
            exits=exits,
            halt=halt,
            decision_id=self.ident,
            release=self.active.release,
            lowest_action=self.lowest_action,
        )


def made_of(case: Case, whole: Whole, read: Read, exits: tuple[Exit, ...], came: Came) -> Made:
    """What becomes an entry."""
    history = read.fuller.history if read.fuller is not None else None
    return Made(
        keyed=case.keyed,
        now=case.now,
        at=case.at,
        zone=case.active.sites.of(case.prescription.institution_id).zone.key,
        whole=whole,
        digests=case.active.digests,
        stopped=whole.stopped,
        face=came.face,
        caller=came.caller,
        lowest_action=came.lowest_action,
        body_digest=came.digest,
        read=read.asked,
        unread=read.unread,
        facts=read.facts if read.fuller is not None else (),
        history=history,
        exits=exits,
    )


SHARES: Mapping[Part, float] = {"judged": 0.35, "again": 0.5, "told": 0.7, "tried": 0.75}
"""Until when each part of a decision may last, as a share of the time there is to decide.

What was judged still has to be told, written and sent: in a stay of 5,000 lines over every class the first pass takes
half of the whole, and telling what holds a third. The last quarter is for the entry and the way back.
"""


class _Late:
    """Whether a part has had its share of the time there is to decide.

    By the first look every line has been gone through once, to find its rules. To write and send them all takes about
    as long, and is taken away beforehand.
    """

    def __init__(self, clock: Clock, left_s: float) -> None:
        self._clock = clock
        self._left_ns = left_s * 1e9
        self._before_ns: int | None = None

    def __call__(self, part: Part) -> bool:
        spent_ns = self._clock.spent_ns()
        if self._before_ns is None:
            self._before_ns = spent_ns
        return spent_ns - self._before_ns >= SHARES[part] * (self._left_ns - 2 * self._before_ns)


class Clock:
    """The time of one request: how much is spent, and how much is left to its caller."""

    def __init__(self, tick_ns: Callable[[], int], left_s: float | None) -> None:
        self._tick_ns = tick_ns
        self._begun_ns = tick_ns()
        self._left_s = left_s

    def spent_ns(self) -> int:
        """What is spent, in nanoseconds."""
        return self._tick_ns() - self._begun_ns

    def left_s(self, *, twice: bool = False) -> float | None:
        """What is left; ``twice``: as much as was spent will be spent again. ``None``: the caller waits."""
        if self._left_s is None:
            return None
        return self._left_s - (2 if twice else 1) * self.spent_ns() / 1e9

    def halt(self) -> Halt | None:
        """Says when each part of the decision has had its share; ``None``: the caller waits."""
        return Halt(_Late(self, self._left_s)) if self._left_s is not None else None
