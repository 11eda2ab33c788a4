"""One word about one finding: understood, checked where it rests on a fact, and made an entry."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from negative_list.dictionary import ImpossibleValueError
from negative_list.rules import DIAGNOSES
from reminder.feedback import words as w
from reminder.feedback.items import value_of
from reminder.feedback.known import Known, Subject, subject_of
from reminder.feedback.masked import masked, name_of_nobody
from reminder.feedback.one_word import understood
from reminder.ids import decision_of
from reminder.journal.coding import decode, encode
from reminder.journal.engine import engine
from reminder.journal.entries import Checked, Decided, Feedback
from reminder.junk import Junk, junk
from reminder.justify import Case, Looked, facts_told, looked_up, wanted_of
from reminder.reasons import Given, given
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.prescription import FactValue
    from negative_list.readers.stored import StoreFact
    from reminder.feedback.around import Around, LeftSeconds
    from reminder.feedback.items import Words
    from reminder.feedback.known import Lately

__all__ = ["Said", "Saying"]

_TIME = "seconds"
_STEP = timedelta(microseconds=1)


class Said(Struct, frozen=True, kw_only=True):
    """A word, and what the caller is told of it; ``entry`` is ``None`` where it was refused."""

    answer: w.Answer
    entry: Feedback | None = None


class Saying:
    """One item in progress.

    Args:
        around: the service.
        words: the request.
        place: of the item in it, from 0.
        known: of decisions, by id; one that could not be looked up is missing.
    """

    def __init__(self, around: Around, words: Words, place: int, known: Mapping[str, Known]) -> None:
        self._around = around
        self._words = words
        told = words.items[place]
        self._decision_id = decision_of(told.finding_id)
        self._known = known.get(self._decision_id) if self._decision_id else Known()
        self._subject = subject_of(self._known, told.finding_id)
        self._item = understood(told, self._subject)
        self._now = around.now() + place * _STEP
        self._said: list[str] = []

    async def say(self, lately: Lately, left_s: LeftSeconds) -> Said:
        """The word and its answer; ``lately`` are the words this process took before."""
        item, reason = self._item, self._reason
        why = self._junk(reason)
        if why and item.refusable:
            return Said(answer=self._answer("refused", w.said_of_junk(why)))
        looked = await self._looked(item.fact or reason.fact, left_s)
        entry = self._entry(looked.checked, why)
        earlier = {encode(one): one for one in (*self._earlier(), *lately.of(entry.finding_id))}
        before = w.told_before(entry, earlier.values())
        entry = self._again(entry, before) if before is not None else self._leaving(entry)
        status: w.Status = "unknown_finding" if not entry.known else "repeated" if before is not None else "kept"
        self._explain(reason, why, entry)
        answer = self._answer(status, "；".join(dict.fromkeys(filter(None, self._said))))
        return Said(answer=self._with(answer, looked, entry), entry=entry)

    # -- the reason

    @cached_property
    def _reason(self) -> Given:
        shown = self._subject.shown if self._subject is not None else None
        own = shown.reasons if shown is not None else None if self._subject is None else ()
        return given(self._item.reason_code, self._item.done, own)

    def _junk(self, reason: Given) -> Junk:
        shown = self._subject.shown if self._subject is not None else None
        message = shown.message if shown is not None else ""
        text, code = self._item.reason_text, self._item.reason_code
        return junk(text, code=code, labels=reason.labels, message=message, number=reason.number)

    def _explain(self, reason: Given, why: Junk, entry: Feedback) -> None:
        """What is odd about the word, for the caller."""
        if self._known is None:
            self._said.append(w.NOT_LOOKED_UP)
        elif not entry.known:
            self._said.append(w.unknown_finding(entry.finding_id))
        self._said.append(reason.odd)
        if why:
            self._said.append(w.said_of_junk(why))
        if self._subject is None and entry.reason_text:
            self._said.append(w.NO_TEXT_KEPT)

    # -- the fact

    async def _looked(self, fact: str, left_s: LeftSeconds) -> Looked:
        """What came of looking for the fact; nobody knows where the finding is not known."""
        subject, item = self._subject, self._item
        if not fact:
            if item.raw is not None and subject is not None:
                self._said.append(w.VALUE_OF_NO_FACT)
            return Looked(checked=Checked())
        if subject is None:
            return Looked(checked=Checked(fact=fact, verdict="unknown"))
        at = self._around.civil(self._now, subject.decided.institution_id)
        value = self._masked(item.value if item.fact else self._value(fact))
        latest = await self._latest(subject, left_s)
        case = Case(decided=subject.decided, latest=latest, found=subject.found, fact=fact, value=value, at=at)
        told = facts_told(case, item.found_at)
        await self._keep(case, told)
        case = replace(case, facts=(*await self._facts(case, left_s), *told))
        return looked_up(case, self._around.active.compiled)

    def _value(self, fact: str) -> FactValue | None:
        """The value that was told of the fact the reason names."""
        if self._item.raw is None:
            return None
        try:
            zone = self._around.active.sites.of(self._words.institution_id).zone
            return value_of(fact, self._item.raw, zone)
        except ImpossibleValueError as error:
            self._said.append(w.no_value(fact, str(error)))
            return None

    def _masked(self, value: FactValue | None) -> FactValue | None:
        return self._hide(value) if isinstance(value, str) else value

    async def _latest(self, subject: Subject, left_s: LeftSeconds) -> Decided:
        """The last decision of the encounter; the finding's own where nobody tells a later one."""
        journal, key = self._around.journal, subject.known.encounter_key
        if journal is None or not key or left_s() <= 0:
            return subject.decided
        try:
            rows = await journal.ask(lambda store: store.of_encounter((key,), ("decision",), 1), left_s())
        except StoreError:
            return subject.decided
        last = decode(rows[0].body) if rows else subject.decided
        return last if isinstance(last, Decided) and last.at > subject.decided.at else subject.decided

    async def _keep(self, case: Case, told: tuple[StoreFact, ...]) -> None:
        """Keep what a doctor told as a fact, for the next checks."""
        if case.value is None or case.fact == DIAGNOSES:
            return
        memory = self._around.memory
        if not told or memory is None:
            self._said.append(w.VALUE_NOT_KEPT if told else w.NOT_TOLD_HERE)
            return
        try:
            await memory.put_facts(told)
        except StoreError:
            self._said.append(w.VALUE_NOT_KEPT)

    async def _facts(self, case: Case, left_s: LeftSeconds) -> tuple[StoreFact, ...]:
        memory = self._around.memory
        if memory is None or case.fact == DIAGNOSES:
            return ()
        return (await memory.read(wanted_of(case.decided, case.found, case.at), left_s())).facts

    # -- the entry

    def _hide(self, text: str) -> str:
        decided = self._subject.decided if self._subject is not None else None
        memory = self._around.memory
        return masked(text, decided, memory.keys if memory is not None else None)

    def _hide_code(self, code: str) -> str:
        return self._hide(code) if self._subject is not None else name_of_nobody(code)

    def _earlier(self) -> tuple[Feedback, ...]:
        words = self._known.words if self._known is not None else ()
        return tuple(word for word in words if word.finding_id == self._item.finding_id)

    def _entry(self, checked: Checked, why: Junk) -> Feedback:
        """The word as it is kept; what was done after now was done now, by somebody else's clock."""
        item, words, subject = self._item, self._words, self._subject
        institution = subject.decided.institution_id if subject is not None else words.institution_id
        entry = Feedback(
            engine=engine(),
            at=self._now,
            zone=self._around.active.sites.of(institution).zone.key,
            institution_id=institution,
            finding_id=item.finding_id if subject is not None else name_of_nobody(item.finding_id),
            decision_id=self._decision_id,
            known=subject is not None or self._known is None,
            done=item.done,
            reason_code=self._hide_code(item.reason_code),
            reason_text=self._hide(item.reason_text),
            checked=checked,
            junk=why,
            doctor_id=self._hide_code(words.doctor_id),
            done_at=min(item.done_at or self._now, self._now),
            answer_ms=item.answer_ms,
            automatic=item.automatic,
            face=words.face,
            request_id=self._hide_code(words.request_id),
        )
        return entry if subject is None else _about(entry, subject)

    def _again(self, entry: Feedback, before: Feedback) -> Feedback:
        """A word told before, word for word: it is of the first time, and leaves nothing anew."""
        again = replace(entry, done_at=before.done_at, times=before.times + 1)
        return replace(again, exits=before.exits) if before.exits else self._leaving(again)

    def _leaving(self, entry: Feedback) -> Feedback:
        """The word with what it leaves by the emergency exit."""
        if entry.done != "exited" or self._subject is None:
            return entry
        left = w.left_by(self._subject, entry.done_at)
        if not left:
            self._said.append(w.NO_BLOCK)
            return entry
        if left[0].until <= self._now:
            self._said.append(w.ENDED)
        elif not entry.encounter_key:
            self._said.append(w.NO_ENCOUNTER)
        return replace(entry, exits=left)

    # -- the answer

    def _answer(self, status: w.Status, message: str) -> w.Answer:
        return w.Answer(finding_id=self._item.finding_id, status=status, message=message)

    def _with(self, answer: w.Answer, looked: Looked, entry: Feedback) -> w.Answer:
        until = max((each.until for each in entry.exits), default=None)
        holds = until is not None and until > self._now and bool(entry.encounter_key)
        return replace(
            answer,
            verdict=looked.checked.verdict,
            found=looked.seen,
            found_at=looked.checked.found_at,
            exit_until=self._civil(until, entry.institution_id) if until is not None and holds else "",
        )

    def _civil(self, moment: datetime, institution_id: str) -> str:
        return self._around.civil(moment, institution_id).isoformat(" ", _TIME)


def _about(entry: Feedback, subject: Subject) -> Feedback:
    """The word with what its finding is."""
    found = subject.found
    return replace(
        entry,
        patient_key=subject.known.patient_key,
        encounter_key=subject.known.encounter_key,
        rule_id=found.rule_id,
        class_id=found.class_id,
        reminders=found.reminders,
        lines=found.lines,
    )
