"""What is known of the findings a feedback is about: their decisions' entries, and what was said of them before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.decision import Finding
from reminder.journal.coding import decode
from reminder.journal.entries import Decided, Feedback, Found
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.exits import Asks, Exits
    from reminder.journal.base import Draft, JournalStore

__all__ = ["Known", "Lately", "Subject", "look_up", "subject_of"]

_AT_ONCE = 50
_MOST = 10_000


class Known(Struct, frozen=True, kw_only=True):
    """A decision in the journal, and every word said of its findings, in the order they came.

    ``decided`` is ``None`` where the journal has no such decision.
    """

    decided: Decided | None = None
    patient_key: str = ""
    encounter_key: str = ""
    words: tuple[Feedback, ...] = ()


class Subject(Struct, frozen=True, kw_only=True):
    """The finding a word is about, where the journal has it: in its decision, and as it was shown."""

    known: Known
    decided: Decided
    found: Found
    shown: Finding | None = None


def subject_of(known: Known | None, finding_id: str) -> Subject | None:
    """The finding of that id; ``None`` where the decision has none, or nobody could look it up."""
    if known is None or known.decided is None:
        return None
    decided = known.decided
    found = next((each for each in decided.found if each.finding_id == finding_id), None)
    shown = next((each for each in decided.answer.findings if each.finding_id == finding_id), None)
    return None if found is None else Subject(known=known, decided=decided, found=found, shown=shown)


async def look_up(journal: Asks, exits: Exits, ids: Sequence[str], left_s: Callable[[], float]) -> dict[str, Known]:
    """What is known of decisions, by id; one that could not be looked up is missing.

    Args:
        journal: asked under a deadline, so many at a time.
        exits: knows answers whose entries may not be written yet.
        ids: of decisions.
        left_s: how many seconds are left for it.
    """
    found: dict[str, Known] = {}
    answers = {name: draft for name in ids if (draft := exits.answer(name)) is not None}  # before they are written
    for some in _some(ids):
        within_s = left_s()
        if within_s <= 0:
            break
        try:
            found |= await journal.ask(partial(_read, some), within_s)
        except StoreError:
            break
    missing = (name for name in answers if name not in found or found[name].decided is None)
    return found | {name: _answered(answers[name]) for name in missing}


def _some(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE))


def _read(ids: Sequence[str], store: JournalStore) -> dict[str, Known]:
    """In a thread of the journal. A damaged entry is not known to be missing, so it is left out."""
    found = {}
    for name in ids:
        try:
            found[name] = _known(store.about(name))
        except (StoreError, msgspec.DecodeError) as error:
            if isinstance(error, StoreError) and error.kind != "refused":
                raise
    return found


def _known(rows: Iterable[Draft]) -> Known:
    words, decision = [], Known()
    for row in rows:
        if row.kind == "decision":
            decision = _answered(row)
        elif row.kind == "feedback":
            word = decode(row.body)
            words += [word] if isinstance(word, Feedback) else []
    return msgspec.structs.replace(decision, words=tuple(words))


def _answered(row: Draft) -> Known:
    decided = decode(row.body)
    return Known(
        decided=decided if isinstance(decided, Decided) else None,
        patient_key=row.patient_key,
        encounter_key=row.encounter_key,
    )


class Lately:
    """The words this process took lately: they may not be in the journal yet. The oldest are forgotten first."""

    def __init__(self) -> None:
        self._words: OrderedDict[str, tuple[Feedback, ...]] = OrderedDict()

    def of(self, finding_id: str) -> tuple[Feedback, ...]:
        """The words about a finding, in the order they came."""
        return self._words.get(finding_id, ())

    def of_rule(self, rule_id: str) -> list[Feedback]:
        """The words that left blocks of a rule by the emergency exit."""
        words = (word for said in self._words.values() for word in said)
        return [word for word in words if word.rule_id == rule_id and word.exits and not word.times]

    def took(self, word: Feedback) -> None:
        """A word was taken."""
        self._words[word.finding_id] = (*self.of(word.finding_id), word)
        self._words.move_to_end(word.finding_id)
        while len(self._words) > _MOST:
            self._words.popitem(last=False)
