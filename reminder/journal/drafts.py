"""Drafts of entries: what is known when something happened becomes an entry, its brief, and what it is found by."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.decide import Whole
from negative_list.hurry import Stopped
from negative_list.items import item_of, order_day_of
from negative_list.prescription import History
from negative_list.readers.stored import StoreFact
from negative_list.rules import Action
from reminder.ids import reminder_id
from reminder.journal.again import answer_of, decided_again
from reminder.journal.ages import age_of, counts_days, times_of
from reminder.journal.base import Draft, Kind
from reminder.journal.briefs import brief_of
from reminder.journal.coding import canonical_json, encode
from reminder.journal.entries import Decided, Entry, Exit, Found, Saved
from reminder.journal.forms import DecisionForm, as_form
from reminder.journal.masking import Masker, every_text, has_form, names_nobody, unknown_in, unknown_texts
from reminder.stores.coding import private_facts
from reminder.under_keys import Keyed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.compile import CompiledList
    from negative_list.decision import Decision, Finding
    from negative_list.policy import Policy
    from negative_list.prescription import Line, Note, Prescription
    from reminder.journal.forms import PrescriptionForm
    from reminder.stores import base as stored
    from reminder.stores.keys import Keys

__all__ = ["MASKED", "Digests", "Made", "decided_draft", "draft_of", "saved_draft"]

MASKED = "masked"
"""Why a decision cannot be derived again: what was taken out of its texts had a part in it."""

_BIRTH = "patient.birth_date"
_QUOTED = re.compile("`[^`]*`")
_MOST_NAMES = 8


class Digests(Struct, frozen=True, kw_only=True):
    """What decisions are made with, by digest; ``engine`` is that of the program."""

    engine: str
    list: str = ""
    policy: str = ""
    codes: str = ""
    release: str | None = None


class Made(Struct, frozen=True, kw_only=True):
    """A decision as it was made. Fields not told here are those of :class:`reminder.journal.entries.Decided`.

    ``now`` is the instant it came, UTC; ``at`` the decision's, civil; ``asked`` as in a draft.
    """

    keyed: Keyed
    now: datetime
    at: datetime
    zone: str
    whole: Whole
    digests: Digests
    stopped: Stopped = Stopped()
    face: str = ""
    caller: str = ""
    lowest_action: Action = "remind"
    asked: str = ""
    body_digest: str = ""
    reused: bool = False
    read: bool = False
    unread: bool = False
    facts: tuple[StoreFact, ...] = ()
    history: History | None = None
    exits: tuple[Exit, ...] = ()
    late: bool = False


def draft_of(entry: Entry, kind: Kind, body: bytes = b"", **found_by: str) -> Draft:
    """The draft of an entry.

    Args:
        entry: what happened.
        kind: its kind; that of the entry, but ``list`` for a list that was changed.
        body: the entry as JSON, where it is there already.
        found_by: ``decision_id``, ``patient_key``, ``encounter_key`` and ``asked``, where there are any.
    """
    return Draft(
        kind=kind,
        at=entry.at,
        institution_id=entry.institution_id,
        brief=brief_of(entry),
        body=body or encode(entry),
        **found_by,
    )


def decided_draft(made: Made, keys: Keys, compiled: CompiledList, policy: Policy) -> tuple[Draft, Decided]:
    """The draft of a decision, and its entry.

    ``compiled`` and ``policy`` decide once more where something had to be taken out of texts.
    """
    entry = _entry(made, keys)
    body = encode(entry)
    if not _is_clean(entry, made.keyed, body):
        entry = _masked(entry, made, compiled, policy)
        body = encode(entry)
    prescription = entry.prescription
    draft = draft_of(
        entry,
        "decision",
        body,
        decision_id=entry.decision_id,
        patient_key=prescription.patient.id,
        encounter_key=prescription.encounter.id,
        asked=made.asked,
    )
    return draft, entry


def saved_draft(
    saved: stored.Saved, digests: Digests, now: datetime, zone: str, own: Mapping[str, str] | None = None
) -> Draft:
    """The draft of a prescription that was saved, under keys and without persons as it went to the store.

    ``own``: the keys of the caller's ids, of which ids of lines may be made.
    """
    masker = Masker(ids=tuple(own or ()), keys=own or {})
    entry = Saved(
        engine=digests.engine,
        at=now,
        zone=zone,
        institution_id=saved.institution_id,
        patient_key=saved.patient_key,
        encounter_key=saved.encounter_key,
        prescription_id=saved.prescription_id,
        revision=saved.revision,
        saved_at=saved.saved_at,
        encounter=masker.record(_without_private(as_form(saved.encounter))),
        lines=tuple([masker.record(_without_private(as_form(line))) for line in saved.lines]),
    )
    return draft_of(entry, "saved", patient_key=saved.patient_key, encounter_key=saved.encounter_key)


def _without_private(record: Any) -> Any:
    for name in private_facts() & record.facts.keys():
        del record.facts[name]  # the facts of a form are its own
    return record


def _entry(made: Made, keys: Keys) -> Decided:
    """The entry of a decision, with its texts as they came."""
    decision, given, digests = made.whole.decision, made.keyed.prescription, made.digests
    birth = given.patient.facts.get(_BIRTH)
    return Decided(
        engine=digests.engine,
        at=made.now,
        zone=made.zone,
        institution_id=given.institution_id,
        decision_id=decision.decision_id or "",
        decided_at=made.at,
        late=made.late,
        stopped=made.stopped,
        face=made.face,
        caller=made.caller,
        lowest_action=made.lowest_action,
        request_id=given.request_id,
        reused=made.reused,
        body_digest=made.body_digest,
        prescription=_without_birth(given),
        age=_age(birth, made) if isinstance(birth, date) else None,
        read=made.read,
        unread=made.unread,
        facts=tuple([as_form(fact) for fact in made.facts]),
        history=as_form(made.history) if made.history is not None else None,
        list=digests.list,
        policy=digests.policy,
        codes=digests.codes,
        release=digests.release,
        exits=made.exits,
        names=tuple([_name_key(keys, name) for name in made.keyed.names[:_MOST_NAMES]]),
        found=_found(made) if made.whole.found else (),
        answer=_answer(decision),
        elapsed_us=decision.elapsed_us,
    )


@lru_cache(maxsize=4096)
def _name_key(keys: Keys, name: str) -> str:
    """The key of a name; those of doctors come again and again."""
    return keys.patient("name", "".join(name.split()))


def _age(birth: date, made: Made) -> Any:
    times = times_of(made.keyed.prescription, made.history)
    return age_of(birth, made.at, times, days=counts_days(made.whole.decision.findings))


def _without_birth(given: PrescriptionForm) -> PrescriptionForm:
    """The prescription as it is written: no birth date, and nothing quoted in a note."""
    patient, replace = given.patient, msgspec.structs.replace
    facts = dict(patient.facts)
    facts.pop(_BIRTH, None)
    notes = _notes(given.notes) if given.notes else ()
    return replace(given, patient=replace(patient, facts=facts), notes=notes)


def _notes(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Notes without what they quote of the body: it was cut, and a name or a number may be cut with it."""
    replace = msgspec.structs.replace
    return tuple(replace(note, message=_QUOTED.sub("`…`", note.message)) for note in notes)


def _answer(decision: Decision) -> DecisionForm:
    """The answer as it is written: without what is only known once it is."""
    return DecisionForm(
        decision=decision.decision,
        decision_id=decision.decision_id,
        release=decision.release,
        policy=decision.policy,
        findings=tuple([as_form(finding) for finding in decision.findings]),
        not_evaluated=decision.not_evaluated,
        notes=_notes(decision.notes) if decision.notes else (),
    )


# -- findings


def _found(made: Made) -> tuple[Found, ...]:
    """Every finding, with the action of its rule and what became of that, and the reminders it belongs to."""
    whole, prescription = made.whole, made.keyed.prescription
    shown = {finding.finding_id for finding in whole.decision.findings}
    lines = {line.id: line for line in prescription.encounter.lines}
    encounter = prescription.encounter.id or whole.decision.decision_id or ""
    return tuple([
        Found(
            finding_id=one.finding_id,
            rule_id=one.rule_id,
            rule_version=one.rule_version,
            class_id=one.class_id,
            own_action=graded.action,
            action=one.action,
            shown=one.finding_id in shown,
            unknown=one.unknown,
            exited=one.exited,
            fund_only=one.fund_only,
            addressee=one.addressee,
            result=one.result,
            lines=one.lines,
            involved=one.involved,
            amount_fen=one.amount_fen,
            reminders=_reminders(one, encounter, lines, made.at),
        )
        for graded, one in zip(whole.graded, whole.found, strict=True)
    ])  # fmt: skip


def _reminders(found: Finding, encounter: str, lines: Mapping[str, Line], at: datetime) -> tuple[str, ...]:
    places = [(item_of(line), order_day_of(line, at)) for line in map(lines.__getitem__, found.lines)]
    places = places or [("", at.date().isoformat())]
    return tuple([reminder_id(encounter, found.rule_id, item, day) for item, day in places])


# -- persons in texts


def _is_clean(entry: Decided, keyed: Keyed, body: bytes) -> bool:
    """Whether no text of an entry names a person; looked at for every check, and nearly always so."""
    told = (keyed.names, keyed.own, keyed.born)
    # Short ids stand in our own ids and digests, too: what counts then is whether they stand in a text.
    if not (names_nobody(body, *told) or names_nobody(_every_text(entry), *told)):
        return False
    texts = _unknown_texts(entry.prescription)
    if entry.history is not None or entry.facts:
        texts.append(canonical_json([entry.history, entry.facts]).decode())
    return not any(has_form(text, keyed.names) for text in texts)


def _every_text(entry: Decided) -> bytes:
    """All that the caller or a store wrote, without the keys, ids and digests that are ours."""
    prescription, texts = entry.prescription, [entry.request_id]
    texts += [text for found in entry.answer.findings for text in (found.message, *(s.text for s in found.suggestions))]
    texts += map(str, prescription.patient.facts.values())
    texts += every_text((prescription.encounter, *prescription.others))
    if entry.history is not None or entry.facts:
        texts.append(canonical_json([entry.history, entry.facts]).decode())
    return "\x1f".join(texts).encode("utf-8", "replace")


def _unknown_texts(prescription: Prescription) -> list[str]:
    """The texts of a prescription that have to be looked at, codes too."""
    texts = unknown_in((prescription.request_id, *[note.message for note in prescription.notes]))
    texts += unknown_in(prescription.patient.facts.values())
    return texts + unknown_texts((prescription.encounter, *prescription.others))


def _masked(entry: Decided, made: Made, compiled: CompiledList, policy: Policy) -> Decided:
    """The entry without what names a person, decided again to see whether that had a part in it."""
    keys = {own: key for key, own in made.keyed.ids.items()}
    masker = Masker(made.keyed.names, made.keyed.private, made.at.date(), keys=keys)
    masked = msgspec.structs.replace(
        entry,
        request_id=masker.text(entry.request_id),
        prescription=masker.record(entry.prescription),
        facts=tuple([masker.record(fact) for fact in entry.facts]),
        history=masker.record(entry.history) if entry.history is not None else None,
        found=tuple([masker.record(one) for one in entry.found]),
        answer=masker.record(entry.answer),
    )
    again = decided_again(masked, compiled, policy)
    if answer_of(again) == answer_of(masked.answer):
        return masked
    told, others = _answer(again), Masker(made.keyed.names, made.keyed.own, made.at.date(), keys=keys)
    if _is_told_anyway(told, masked.answer, masker, others):
        return msgspec.structs.replace(masked, answer=msgspec.structs.replace(masked.answer, findings=told.findings))
    return msgspec.structs.replace(masked, derivable=MASKED)


def _is_told_anyway(told: Decision, masked: Decision, masker: Masker, others: Masker) -> bool:
    """Whether nothing was taken out of an answer but a day the masked entry tells as another fact's.

    A newborn is admitted on the day it is born. The entry keeps that day as the admission's, and the answer ``told``,
    which is derived from nothing else, may tell it as well. ``others`` masks all but the birth date.
    """
    return answer_of(others.record(told)) == answer_of(told) and answer_of(masker.record(told)) == answer_of(masked)
