"""Emergency exits: a block that was left warns, until the encounter ends or 24 hours pass (design 5).

Each process knows what it heard itself; what it heard before it was started again, the journal knows. Who writes the
journal alone, or with workers that tell each other what they hear, learns that once, at the start, and asks no more: a
question for every block was a tenth of what the journal costs. Where the journal cannot be read, what was heard still
holds.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct

from reminder.journal.brief import DecisionBrief, FeedbackBrief, decode_brief
from reminder.journal.coding import decode
from reminder.journal.entries import Exit, Feedback, Saved
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from negative_list.prescription import FactValue, Prescription
    from reminder.journal.base import Draft, JournalStore, Row

__all__ = ["EXIT_PERIOD", "Asks", "Exits", "Flag", "Heard", "Left", "Others", "ends", "flagged", "in_force"]

EXIT_PERIOD = timedelta(hours=24)
"""How long a block that was left only warns, where the encounter does not end before."""

MOST = 10_000
"""Encounters whose exits, and whose ends, one process remembers."""

MOST_ANSWERS = 500
"""Answers with a block one process remembers, some 5 MB: what is said of them while the journal is away."""

_WORDS_LOOKED_AT = 500
_ENDS_LOOKED_AT = 200
_SETTLED = frozenset({"6", "8"})  # encounter.scene: 6 门诊结算, 8 住院结算 (reference 5.1)
_TWICE = 2


class Asks(Protocol):
    """What is needed of :class:`reminder.journal.journal.Journal`: a question to its store, under a deadline."""

    def ask(self, work: Callable[[JournalStore], Any], within_s: float) -> Awaitable[Any]:
        """What ``work`` comes to; raises ``StoreError`` where it does not in time."""


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A block of an encounter was left, or the encounter ended (UTC)."""

    encounter_key: str
    left: Exit | None = None
    ended: datetime | None = None


class Others(Protocol):
    """The workers that write one journal: each hears what any tells, itself included."""

    def tell(self, heard: Heard) -> None:
        """Tell all."""

    def tell_answer(self, draft: Draft) -> None:
        """Tell all of an answer with a block whose entry is not written yet."""

    def news(self) -> tuple[Sequence[Heard], bool]:
        """What was told since the last time, and whether that is all."""

    def answers(self) -> Sequence[Draft]:
        """The answers told since the last time."""


class Left(Struct, frozen=True, kw_only=True):
    """A block that was left by its exit: of which rule, by whom ("": not told), on which civil day."""

    rule_id: str
    doctor_id: str
    day: str


class Flag(Struct, frozen=True, kw_only=True, order=True):
    """A rule whose blocks were left twice and more by two doctors and more on one day: it may be wrong."""

    day: str
    rule_id: str
    times: int
    doctors: int


def flagged(left: Iterable[Left]) -> tuple[Flag, ...]:
    """The rules the office should look at, by day and rule; who was not named counts as no other doctor."""
    by_rule: dict[tuple[str, str], list[str]] = {}
    for one in left:
        by_rule.setdefault((one.day, one.rule_id), []).append(one.doctor_id)
    counted = ((day, rule, len(who), len({doctor for doctor in who if doctor})) for (day, rule), who in by_rule.items())
    flags = (Flag(day=day, rule_id=rule, times=times, doctors=doctors) for day, rule, times, doctors in counted)
    return tuple(sorted(flag for flag in flags if flag.times >= _TWICE and flag.doctors >= _TWICE))


def ends(prescription: Prescription) -> bool:
    """Whether a body tells that its encounter ends: a discharge, or a settlement."""
    return _ends(prescription.encounter.facts)


def _ends(facts: Mapping[str, FactValue]) -> bool:
    scenes = facts.get("encounter.scene", ())
    return "encounter.discharged_at" in facts or (isinstance(scenes, tuple) and not _SETTLED.isdisjoint(scenes))


def in_force(left: Iterable[Exit], ended: datetime | None, now: datetime) -> tuple[Exit, ...]:
    """The exits that hold at an instant, one for each rule, item and order date: the one that holds longest.

    ``ended``: when the encounter was last heard to end; what was left before holds no more.
    """
    latest: dict[tuple[str, str, str], Exit] = {}
    for one in sorted(left):
        if now < one.until and (ended is None or one.until - EXIT_PERIOD > ended):
            latest[one.rule_id, one.item, one.order_date] = one
    return tuple(sorted(latest.values()))


class Exits:
    """The exits this process heard of, and those the journal tells.

    Args:
        journal: ``None`` where none is kept.
        others: the workers that write it, where it is written by several that tell each other.
        missed: told each time the journal was asked and did not answer in time.
    """

    def __init__(
        self, journal: Asks | None = None, others: Others | None = None, missed: Callable[[], None] = lambda: None
    ) -> None:
        self._journal = journal
        self._others = others
        self._missed = missed
        self._sure_from: datetime | None = None
        self._loading: asyncio.Future[None] | None = None
        self._end_unknown: set[str] = set()  # encounters of which a block was left before this process began
        self._left: OrderedDict[str, tuple[Exit, ...]] = OrderedDict()
        self._ended: OrderedDict[str, datetime] = OrderedDict()
        self._answers: OrderedDict[str, Draft] = OrderedDict()
        self._waiting: WeakValueDictionary[str, Draft] = WeakValueDictionary()  # the journal's queue holds them

    async def load(self, now: datetime) -> None:
        """Learn what the journal knows; only for who hears all that is written from then on."""
        if self._journal is None:
            return
        self._loading = asyncio.get_running_loop().create_future()
        try:
            told = await self._journal.ask(lambda store: _all_told(store, now), float("inf"))
        except StoreError:
            return
        else:
            self._sure_from = now
            for key, left in told.items():
                self._keep_left(key, left)
            self._end_unknown = set(told)
        finally:
            self._loading.set_result(None)
            self._loading = None

    def heard(self, encounter_key: str, left: Sequence[Exit]) -> None:
        """Blocks of an encounter were left."""
        if encounter_key and left:
            self._keep_left(encounter_key, left)
            for one in left:
                self._tell(Heard(encounter_key=encounter_key, left=one))

    def ended(self, encounter_keys: Sequence[str], at: datetime) -> None:
        """An encounter ended, at an instant (UTC)."""
        self._catch_up(at)
        self._keep_end(encounter_keys, at)
        for key in encounter_keys:
            if key in self._left or not self._is_sure(at):
                self._tell(Heard(encounter_key=key, ended=at))

    def _keep_left(self, encounter_key: str, left: Sequence[Exit]) -> None:
        known = dict.fromkeys((*self._left.get(encounter_key, ()), *left))
        for gone in _remember(self._left, encounter_key, tuple(known), MOST):
            self._doubt(max(one.until for one in gone))

    def _keep_end(self, encounter_keys: Sequence[str], at: datetime) -> None:
        for key in encounter_keys:
            for gone in _remember(self._ended, key, max(at, self._ended.get(key, at)), MOST):
                self._doubt(gone + EXIT_PERIOD)

    def _tell(self, heard: Heard) -> None:
        if self._others is not None:
            self._others.tell(heard)

    def _catch_up(self, now: datetime) -> None:
        """Hear what the others heard."""
        if self._others is None:
            return
        news, whole = self._others.news()
        for one in news:
            if one.left is not None:
                self._keep_left(one.encounter_key, (one.left,))
            if one.ended is not None:
                self._keep_end((one.encounter_key,), one.ended)
        if not whole:
            self._doubt(now + EXIT_PERIOD)
        self._hear_answers()

    def _hear_answers(self) -> None:
        if self._others is not None:
            for draft in self._others.answers():
                self.answered(draft)

    def _doubt(self, until: datetime) -> None:
        """Something was forgotten that counts until then."""
        if self._sure_from is not None:
            self._sure_from = max(self._sure_from, until)

    def _is_sure(self, now: datetime) -> bool:
        """Whether all that is in force is known here."""
        return self._sure_from is not None and now >= self._sure_from

    def answered(self, draft: Draft) -> None:
        """A decision with a block was answered; its entry may not be in the journal yet."""
        _remember(self._answers, draft.decision_id, draft, MOST_ANSWERS)

    def waits(self, draft: Draft) -> None:
        """A decision was answered before its entry was written; it is known for as long as it waits."""
        self._waiting[draft.decision_id] = draft
        if self._others is not None and draft.decision_id in self._answers:
            self._others.tell_answer(draft)

    def answer(self, decision_id: str) -> Draft | None:
        """The entry of a decision answered here: with a block, while it is remembered, or while it waits.

        Of answers of other workers those are known that have a block and were not written at once.
        """
        self._hear_answers()
        return self._answers.get(decision_id) or self._waiting.get(decision_id)

    async def of(self, encounter_keys: Sequence[str], now: datetime, within_s: float) -> tuple[Exit, ...]:
        """The exits in force for an encounter under any of its keys; never raises.

        Args:
            encounter_keys: those it is and was known under.
            now: the instant, UTC.
            within_s: how long the journal may take.
        """
        self._catch_up(now)
        told: tuple[Sequence[Exit], datetime | None] = ((), None)
        if self._journal is not None and encounter_keys and within_s > 0 and not self._knows(encounter_keys, now):
            told = await self._asked(self._journal, encounter_keys, now, within_s)
        left = [one for key in encounter_keys for one in self._left.get(key, ())]
        ends_ = [self._ended[key] for key in encounter_keys if key in self._ended]
        ended = max((each for each in (*ends_, told[1]) if each is not None), default=None)
        return in_force((*left, *told[0]), ended, now)

    def _knows(self, encounter_keys: Sequence[str], now: datetime) -> bool:
        """Whether the journal knows no more of an encounter."""
        return self._is_sure(now) and self._end_unknown.isdisjoint(encounter_keys)

    async def _asked(
        self, journal: Asks, encounter_keys: Sequence[str], now: datetime, within_s: float
    ) -> tuple[Sequence[Exit], datetime | None]:
        """What the journal knows, unless all of it was learnt before it answers."""
        asking = asyncio.ensure_future(journal.ask(lambda store: _told(store, encounter_keys, now), within_s))
        waiting = {asking} if self._loading is None else {asking, self._loading}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # nobody waits for it any more
            asking.cancel()
            raise
        if not asking.done() and self._knows(encounter_keys, now):
            asking.cancel()
            return (), None
        try:
            left, end = await asking
        except StoreError:
            if not self._is_sure(now):
                self._missed()  # what was heard here still holds
            return (), None
        self._end_unknown.difference_update(encounter_keys)
        if end is not None:
            self._keep_end(encounter_keys, end)
        return left, end


def _told(store: JournalStore, encounter_keys: Sequence[str], now: datetime) -> tuple[list[Exit], datetime | None]:
    """What the journal knows: exits that are not over yet, and, where there are any, when the encounter ended."""
    rows = store.of_encounter(encounter_keys, ("feedback",), _WORDS_LOOKED_AT)
    left = [one for row in rows for one in _left_by(row, now)]
    if not left:
        return [], None
    rows = store.of_encounter(encounter_keys, ("decision", "saved"), _ENDS_LOOKED_AT)
    return left, max((row.at for row in rows if _tells_end(row)), default=None)


def _all_told(store: JournalStore, now: datetime) -> dict[str, tuple[Exit, ...]]:
    """The exits that are not over yet, by encounter; whether one ended is asked when somebody asks about it."""
    found: dict[str, tuple[Exit, ...]] = {}
    for row in store.period(now - EXIT_PERIOD, now + EXIT_PERIOD, ("feedback",)):
        if row.encounter_key and _is_exit(row) and (left := _left_by(row, now)):
            found[row.encounter_key] = (*found.get(row.encounter_key, ()), *left)
    return found


def _is_exit(row: Row) -> bool:
    """Whether a word is an exit, of which there is one among some hundred; a damaged one may be."""
    try:
        said = decode_brief(row.brief)
    except msgspec.DecodeError:
        return True
    return isinstance(said, FeedbackBrief) and said.done == "exited"


def _left_by(row: Row, now: datetime) -> tuple[Exit, ...]:
    """The exits of a word that are not over yet; none of one that cannot be read, which `verify` names."""
    try:
        word = decode(row.body)
    except msgspec.DecodeError:
        return ()
    return tuple(one for one in word.exits if now < one.until) if isinstance(word, Feedback) else ()


def _tells_end(row: Row) -> bool:
    """Whether an entry tells that its encounter ends; one that cannot be read tells nothing."""
    try:
        if row.kind == "decision":
            brief = decode_brief(row.brief)
            return isinstance(brief, DecisionBrief) and (brief.discharged or not _SETTLED.isdisjoint(brief.scene))
        saved = decode(row.body)
    except msgspec.DecodeError:
        return False
    return isinstance(saved, Saved) and _ends(saved.encounter.facts)


def _remember(known: OrderedDict[str, Any], key: str, value: object, most: int) -> list[Any]:
    """Keep a value under a key, and no more than so many keys, the latest; the values that were let go of."""
    known[key] = value
    known.move_to_end(key)
    return [known.popitem(last=False)[1] for _ in range(len(known) - most)]
