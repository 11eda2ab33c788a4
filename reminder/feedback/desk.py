"""The core of RecordFeedback: every word is understood, checked at once where it rests on a fact, and kept.

A word is kept whatever is odd about it: an id nobody knows, a reason that does not suit, a text that says nothing. Only
where the caller can ask again is a text that says nothing refused. The last word about a finding stands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

from reminder.exits import Left, flagged
from reminder.feedback.known import Lately, look_up
from reminder.feedback.saying import Said, Saying
from reminder.feedback.words import NoJournalError, Recorded
from reminder.ids import decision_of
from reminder.journal.base import Draft
from reminder.journal.briefs import brief_of
from reminder.journal.coding import decode, encode
from reminder.journal.entries import Feedback
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from reminder.feedback.around import Around
    from reminder.feedback.items import Item, Words
    from reminder.journal.base import JournalStore
    from reminder.journal.journal import Journal

__all__ = ["COMMIT_S", "LOOK_UP_S", "FeedbackDesk"]

LOOK_UP_S = 1.0
"""How long looking findings and facts up may take for one request: somebody waits, but no prescription does."""

COMMIT_S = 1.0
"""How long a word may take to be on disk; past it the answer says that it waits."""

_FLAG_S = 5.0
_HALF = 0.5


class FeedbackDesk:
    """Takes words about findings. Used inside one event loop.

    Args:
        around: the service.
        log: told counts, never a person.
    """

    def __init__(self, around: Around, log: FilteringBoundLogger) -> None:
        self._around = around
        self._log = log
        self._lately = Lately()
        self._flags: set[asyncio.Task[None]] = set()

    async def record(self, words: Words, left_s: float | None = None) -> Recorded:
        """Keep the words of a request.

        Args:
            words: what was told.
            left_s: seconds until the caller gives up; ``None``: it waits.

        Raises:
            NoJournalError: No journal is kept.
        """
        journal = self._around.journal
        if journal is None:
            raise NoJournalError
        left = _LeftSeconds(left_s)
        ids = dict.fromkeys(filter(None, (decision_of(item.finding_id) for item in words.items)))
        known = await look_up(journal, self._around.exits, tuple(ids), left)
        said = []
        for place, item in enumerate(words.items):
            said.append(await Saying(self._around, words, place, known).say(self._lately, left))
            self._took(said[-1], item)
            await asyncio.sleep(0)  # a thousand items never hold a check up
        entries = [one.entry for one in said if one.entry is not None]
        journaled = await self._append(entries, journal, left_s)
        self._log.info(
            "feedback",
            words=len(said),
            kept=len(entries),
            unknown=sum(not entry.known for entry in entries),
            junk=sum(bool(entry.junk) for entry in entries),
            journaled=journaled,
        )
        return Recorded(items=tuple(one.answer for one in said), journaled=journaled)

    def zone_of(self, institution_id: str) -> tzinfo:
        """Whose civil time an institution's times are."""
        return self._around.active.sites.of(institution_id).zone

    async def settled(self) -> None:
        """Wait until every flag that is due was told."""
        while self._flags:
            await asyncio.gather(*self._flags)

    def _took(self, said: Said, item: Item) -> None:
        """What this process knows from now on, and counts."""
        metrics, entry = self._around.metrics, said.entry
        metrics.fed_back(item.done if entry is None else entry.done, said.answer.status)
        if entry is None:
            return
        self._lately.took(entry)
        self._around.exits.heard(entry.encounter_key, entry.exits)
        if entry.junk:
            metrics.junk(entry.junk)
        if entry.exits and not entry.times:
            metrics.exit("left")

    async def _append(self, entries: Sequence[Feedback], journal: Journal, left_s: float | None) -> bool:
        """Whether every word is on disk; then blocks that were left are looked at together."""
        within_s = COMMIT_S if left_s is None else min(COMMIT_S, left_s * _HALF)
        written = await asyncio.gather(*(journal.append(_draft(entry), within_s) for entry in entries))
        for entry in entries:
            if entry.exits and not entry.times:
                self._look_at(entry, journal)
        return all(each.journaled for each in written)

    # -- the office

    def _look_at(self, entry: Feedback, journal: Journal) -> None:
        """See beside the reply whether the office should look at a rule."""
        task = asyncio.create_task(self._flag(entry, journal))
        self._flags.add(task)
        task.add_done_callback(self._flags.discard)

    async def _flag(self, entry: Feedback, journal: Journal) -> None:
        """Tell the office once: at the word with which a rule's blocks are left by two doctors on one day."""
        day = self._day(entry)
        begin = entry.at - timedelta(days=2)
        try:
            others = await journal.ask(lambda store: _exits_since(store, begin, entry), _FLAG_S)
        except StoreError:
            others = []
        others += self._lately.of_rule(entry.rule_id)
        before = {(one.finding_id, one.at): one for one in others if one.at < entry.at and self._day(one) == day}
        first = flagged(map(self._left, before.values()))
        now = flagged([*map(self._left, before.values()), self._left(entry)])
        for flag in now if not first else ():
            self._around.metrics.exit("flagged")
            self._log.warning("flagged", **msgspec.structs.asdict(flag))

    def _left(self, entry: Feedback) -> Left:
        return Left(rule_id=entry.rule_id, doctor_id=entry.doctor_id, day=self._day(entry))

    def _day(self, entry: Feedback) -> str:
        return self._around.civil(entry.done_at, entry.institution_id).date().isoformat()


class _LeftSeconds:
    """How many seconds are left for looking things up: called, it tells."""

    def __init__(self, left_s: float | None) -> None:
        within_s = LOOK_UP_S if left_s is None else min(LOOK_UP_S, left_s * _HALF)
        self._until = time.monotonic() + within_s

    def __call__(self) -> float:
        return self._until - time.monotonic()


def _draft(entry: Feedback) -> Draft:
    return Draft(
        kind="feedback",
        at=entry.at,
        decision_id=entry.decision_id,
        institution_id=entry.institution_id,
        patient_key=entry.patient_key,
        encounter_key=entry.encounter_key,
        brief=brief_of(entry),
        body=encode(entry),
    )


def _exits_since(store: JournalStore, begin: datetime, entry: Feedback) -> list[Feedback]:
    """The words before one that left blocks of its rule by the exit."""
    words = (decode(row.body) for row in store.period(begin, entry.at, ("feedback",)))
    return [
        word
        for word in words
        if isinstance(word, Feedback) and word.exits and not word.times and word.rule_id == entry.rule_id
    ]
