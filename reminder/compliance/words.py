"""What doctors said: the last word about a finding, and words nobody spoke."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.compliance.records import AUTOMATIC_MS
from reminder.journal.brief import FeedbackBrief
from reminder.journal.entries import DONE

if TYPE_CHECKING:
    from reminder.compliance.bodies import Body
    from reminder.compliance.joined import Thread

__all__ = ["GOING_ON", "Said", "Word", "Words", "last", "said_about"]

GOING_ON = frozenset({"overridden", "exited", "wrong_rule"})
"""Words that leave everything as it is."""

_AUTOMATIC = timedelta(milliseconds=AUTOMATIC_MS)
_MILLISECOND = timedelta(milliseconds=1)
_NOTHING = timedelta(0)


class Word(Struct, frozen=True, kw_only=True, gc=False):
    """A feedback, and when it came, UTC."""

    at: datetime
    brief: FeedbackBrief

    @property
    def rank(self) -> tuple[object, ...]:
        """What the last word has most of; of two that share it nothing differs that is counted."""
        told = self.brief
        late = (told.done_at, self.at, DONE.index(told.done), told.reason_code, told.finding_id)
        return (*late, told.has_text, told.junk, told.verdict, -1 if told.answer_ms is None else told.answer_ms)


Words = Mapping[str, list[Word]]
"""The words about each finding, by its id."""


class Said(Struct, frozen=True, kw_only=True, gc=False):
    """What was said about a reminder: the last word that counts, and how long the first answer took.

    ``automatic``: no person said anything; ``last`` is then the last automatic word.
    """

    last: Word
    automatic: bool
    answer_ms: int | None


def last(words: Iterable[Word]) -> Word:
    """The word that stands."""
    told = tuple(words)
    return told[0] if len(told) == 1 else max(told, key=lambda word: word.rank)


def said_about(thread: Thread, words: Words) -> Said | None:
    """What was said about a reminder; ``None``: nothing."""
    told = [
        (showing.body, word, _is_automatic(word, showing.body, words))
        for showing in thread.showings
        for word in words.get(showing.found.finding_id, ())
    ]
    if not told:
        return None
    spoken = [(body, word) for body, word, automatic in told if not automatic]
    if not spoken:
        return Said(last=last(word for _, word, _ in told), automatic=True, answer_ms=None)
    body, first = min(spoken, key=lambda one: one[1].rank)
    return Said(last=last(word for _, word in spoken), automatic=False, answer_ms=_answer_ms(body, first))


def _answer_ms(body: Body, word: Word) -> int | None:
    """How long an answer took, ms: as told, else from the answer it is about; ``None``: a clock that is off says."""
    told = word.brief.answer_ms
    took = told if told is not None else (word.brief.done_at - body.at) // _MILLISECOND
    return took if took >= 0 else None


def _is_automatic(word: Word, body: Body, words: Words) -> bool:
    if word.brief.done not in GOING_ON:
        return False
    return word.brief.automatic or (_at_once(word, body) and _all_at_once(body, words))


def _at_once(word: Word, body: Body) -> bool:
    """Whether it was gone on with sooner than anybody reads: by the time told, else by the two clocks."""
    told = word.brief
    if told.done not in GOING_ON:
        return False
    if told.answer_ms is not None:
        return 0 <= told.answer_ms <= AUTOMATIC_MS
    return _NOTHING <= told.done_at - body.at <= _AUTOMATIC


def _all_at_once(body: Body, words: Words) -> bool:
    """Whether every finding of an answer was gone on with sooner than anybody reads."""
    shown = (found.finding_id for found in body.brief.found if found.shown)
    return all(any(_at_once(word, body) for word in words.get(finding_id, ())) for finding_id in shown)
