"""The edge at which ids become keys and keys become ids again: what a check asks the store, and what comes of it.

Inside a store a patient is HMAC(secret, id system + id), an encounter HMAC(secret, institution + id). Ids of patients
and encounters go no further than this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.decide import Fuller
from negative_list.dictionary import load
from negative_list.findings import COVERAGE_ONLY
from negative_list.prescription import History
from negative_list.readers.stored import StoreFact, StoreFacts, subjects_of, supplement, with_encounter
from reminder.journal.masking import (
    Masker,
    dates_of,
    every_text,
    has_form,
    is_clean,
    names_nobody,
    names_of,
    unknown_texts,
)
from reminder.stores.base import HistoryRecord, Kept, Saved, Told, Wanted
from reminder.stores.coding import private_facts

if TYPE_CHECKING:
    from negative_list.decide import Begun
    from negative_list.dictionary import Fact
    from negative_list.prescription import Encounter, Line, Prescription
    from reminder.stores.keys import Keys

__all__ = [
    "KEYED_VALUES",
    "MAX_LINES_ASKED",
    "PATIENT_IDS",
    "Asked",
    "ask_of",
    "encounter_under",
    "facts_of",
    "fuller_of",
    "kept_of",
    "lines_under",
    "named_of",
    "needs_institution",
    "saved_of",
    "where_of",
    "with_key",
    "without_persons",
]

PATIENT_IDS = "psn"
"""The id system of a body's patient: its ids are one system whichever body carries them (`patn_id` is psn_no)."""

MAX_LINES_ASKED = 200
"""Lines of a body whose own facts are asked for, those that undecided rules are about first: a thousand subjects, some
milliseconds of the store's time. A caller whose body has more is told."""

_OF_LINES = frozenset({"line", "item"})
KEYED_VALUES = frozenset({"line.trace_code_encounter"})
"""Facts whose value is an encounter's id."""

_NOTHING = History(unique=True)
_MOMENT = timedelta(microseconds=1)


class Asked(Struct, frozen=True, kw_only=True):
    """What one check asks of the store, and the name the prescription that is decided on has for each key in it.

    ``left_out``: the facts of how many lines are not asked for.
    """

    wanted: Wanted
    ids: Mapping[str, str]
    left_out: int = 0


def ask_of(keys: Keys, prescription: Prescription, begun: Begun, at: datetime) -> Asked:
    """What to read for the undecided rules of a check, as of a civil time; what comes is told under the newest keys."""
    patients = _patient_keys(keys, prescription.patient.id)
    known = [(one, keys_) for one, keys_ in _keyed(keys, prescription) if one.id]
    names = {one.id: keys_ for one, keys_ in known}
    visits = {key: keys_[0] for _, keys_ in known for key in keys_}
    current = next((keys_ for one, keys_ in known if one is prescription.encounter), ())
    facts = [load()[name] for name in begun.needs if name not in COVERAGE_ONLY]
    about = _lines_of(prescription, begun) if any(_is_of_line(fact) for fact in facts) else ()
    named = dict.fromkeys(patients, next(iter(patients), "")) | visits
    wanted = Wanted(
        patient_key=next(iter(patients), ""),
        patient_before=patients[1:],
        encounter_key=next(iter(current), ""),
        encounter_before=current[1:],
        institution_id=prescription.institution_id,
        at=at,
        subjects=(*named, *subjects_of(prescription, set(about[:MAX_LINES_ASKED]), names)) if facts else (),
        history=not begun.needs.isdisjoint(COVERAGE_ONLY),
        facts=bool(facts),
    )
    return Asked(wanted=wanted, ids=named, left_out=len(about[MAX_LINES_ASKED:]))


def _is_of_line(fact: Fact) -> bool:
    return fact.holder == "line" or fact.subject in _OF_LINES


def _patient_keys(keys: Keys, patient_id: str) -> tuple[str, ...]:
    """The keys a patient is and was known under, the newest first; none without an id."""
    if not patient_id:
        return ()
    return keys.patient(PATIENT_IDS, patient_id), *keys.patient_before(PATIENT_IDS, patient_id)


def _lines_of(prescription: Prescription, begun: Begun) -> tuple[str, ...]:
    """The ids of a body's lines, those that undecided rules are about first."""
    undecided = (id_ for rule in begun.not_evaluated for id_ in rule.lines)
    others = (line.id for one in _encounters(prescription) for line in one.lines)
    return tuple(dict.fromkeys((*undecided, *others)))


def facts_of(asked: Asked, told: Told) -> tuple[StoreFact, ...]:
    """The facts that were told, under the names of the prescription that is decided on."""
    return tuple(fact for facts in _by_subject(told.facts, asked.ids).values() for fact in facts)


def fuller_of(asked: Asked, told: Told, prescription: Prescription, own_since: datetime | None) -> Fuller | None:
    """What the second pass judges by; ``None`` where nothing is known that the body does not tell.

    ``own_since``: since when the asking institution says that all it saves is told (civil time; ``None``: it says
    nothing). It holds for known patients, never for what was forgotten or left out of this answer.
    """
    history = told.history
    if not told.facts and (history is None or history == _NOTHING) and own_since is None:
        return None
    if history is not None:
        encounters = tuple(_under(one, asked.ids.get(one.id, one.id)) for one in history.encounters)
        lines = lines_under(history.lines, asked.ids)
        history = msgspec.structs.replace(history, lines=lines, encounters=encounters)
        if own_since is not None and asked.wanted.patient_key:
            history = _declared(history, own_since, told)
    filled = supplement(prescription, _by_subject(told.facts, asked.ids), asked.wanted.at)
    return Fuller(prescription=filled, history=history)


def _declared(history: History, own_since: datetime, told: Told) -> History:
    """The history with what the site declares about its own records."""
    cut_at = told.cut_at + _MOMENT if told.cut_at is not None else own_since
    declared = max(own_since, cut_at, told.forgotten_before or own_since)
    known, until = history.own_since, history.own_until
    if known is not None and known < declared and (until is None or until >= declared):
        declared = known  # what a feed told from earlier on goes over into what is declared
    return msgspec.structs.replace(history, own_since=declared, own_until=None)


def _by_subject(facts: Iterable[StoreFact], ids: Mapping[str, str]) -> StoreFacts:
    told: dict[str, tuple[StoreFact, ...]] = {}
    for fact in facts:
        subject = with_encounter(fact.subject, lambda key: ids.get(key, key))
        subject = ids.get(subject, subject)
        value = ids.get(str(fact.value), fact.value) if fact.fact in KEYED_VALUES else fact.value
        told[subject] = (*told.get(subject, ()), msgspec.structs.replace(fact, subject=subject, value=value))
    return told


def _keyed(keys: Keys, prescription: Prescription) -> Iterator[tuple[Encounter, tuple[str, ...]]]:
    """The encounters of a body with the keys they are and were known under, the newest first.

    The current one's id is the asking institution's number; the others may be of the institutions they name.
    """
    for one in _encounters(prescription):
        where = where_of(prescription, one)
        yield one, (keys.encounter(where, one.id), *keys.encounter_before(where, one.id))


def where_of(prescription: Prescription, encounter: Encounter) -> str:
    """The institution whose number an encounter's id is."""
    here = prescription.institution_id
    if encounter is prescription.encounter:
        return here
    return str(encounter.facts.get("encounter.institution_id") or here)


def _encounters(prescription: Prescription) -> tuple[Encounter, ...]:
    return (prescription.encounter, *prescription.others)


def lines_under(lines: Iterable[Line], names: Mapping[str, str]) -> tuple[Line, ...]:
    """Lines with the encounters they belong to called otherwise, where there is another name."""
    replace = msgspec.structs.replace
    return tuple(
        replace(line, encounter_id=names[line.encounter_id]) if line.encounter_id in names else line for line in lines
    )


def encounter_under(encounter: Encounter, key: str) -> Encounter:
    """An encounter and its lines under a key in place of its id, which readers put before ids of lines they share."""
    lines, before = lines_under(encounter.lines, {encounter.id: key}), encounter.id + "/"
    if encounter.id and any(line.id.startswith(before) for line in lines):
        replace = msgspec.structs.replace
        lines = tuple(replace(line, id=line.id.replace(before, key + "/")) for line in lines)
    return _under(msgspec.structs.replace(encounter, lines=lines), key)


def without_persons(prescription: Prescription) -> Prescription:
    """A prescription as a store may hold it: what names a person is taken out of texts; ids become keys later."""
    encounters = _encounters(prescription)
    doctors = (line.facts.get("line.doctor_name") for one in encounters for line in one.lines)
    told = (prescription.patient.facts.get("patient.name"), *doctors, *prescription.names)
    names = tuple(dict.fromkeys(name for field in told for name in names_of(field)))
    born = prescription.patient.facts.get("patient.birth_date")
    dates = dates_of(born) if isinstance(born, date) else ()
    own = (*filter(None, (prescription.patient.id, *(one.id for one in encounters))), *dates)
    if _names_nobody(encounters, names, own):
        return prescription
    masker = Masker(names, own, codes=False)
    return msgspec.structs.replace(
        prescription,
        encounter=masker.record(prescription.encounter),
        others=tuple(masker.record(one) for one in prescription.others),
    )


def _names_nobody(encounters: tuple[Encounter, ...], names: tuple[str, ...], own: tuple[str, ...]) -> bool:
    """Whether nothing has to be taken out of encounters' texts, as nearly always: then they are not made anew (1 ms).

    Private facts are left out whenever something is written.
    """
    private = private_facts()
    whole = "\x1f".join(every_text(encounters, private)).encode("utf-8", "replace")
    if not names_nobody(whole, names, own):
        return False
    return not any(has_form(text, names) for text in unknown_texts(encounters, private))


def _under(encounter: Encounter, name: str) -> Encounter:
    return msgspec.structs.replace(encounter, id=name)


def saved_of(
    keys: Keys, prescription: Prescription, prescription_id: str, revision: int, saved_at: datetime, zone: tzinfo
) -> Saved:
    """A prescription as it was saved: its current lines, in force from now on.

    ``saved_at`` is UTC; a line that does not say when it begins began then, in the civil time of ``zone``.
    """
    prescription = without_persons(prescription)
    institution, encounter = prescription.institution_id, prescription.encounter
    begins = saved_at.astimezone(zone).replace(tzinfo=None)
    current = (line for line in encounter.lines if line.current)
    lines = tuple(msgspec.structs.replace(line, current=False, begins=line.begins or begins) for line in current)
    key = keys.encounter(institution, encounter.id)
    return Saved(
        institution_id=institution,
        encounter_key=key,
        patient_key=keys.patient(PATIENT_IDS, prescription.patient.id),
        prescription_id=_safe_id(keys, prescription_id, (prescription.patient.id, encounter.id)),
        revision=revision,
        saved_at=saved_at,
        encounter=_under(msgspec.structs.replace(encounter, lines=()), key),
        lines=lines_under(lines, {encounter.id: key}),
    )


def _safe_id(keys: Keys, prescription_id: str, own: tuple[str, ...]) -> str:
    """The id of a prescription; its key where it holds what names a person."""
    return prescription_id if is_clean(prescription_id, (), own) else keys.patient("prescription", prescription_id)


def kept_of(keys: Keys, prescription: Prescription, received_at: datetime) -> Kept:
    """The last body of an encounter, for checking its orders in force again. ``received_at`` is UTC."""
    prescription = without_persons(prescription)
    patient = prescription.patient
    key = keys.patient(PATIENT_IDS, patient.id) if patient.id else ""
    current, *others = (encounter_under(one, known[0]) for one, known in _keyed(keys, prescription))
    return Kept(
        prescription=msgspec.structs.replace(
            prescription,
            patient=msgspec.structs.replace(patient, id=key),
            encounter=current,
            others=tuple(others),
            notes=(),
        ),
        received_at=received_at,
    )


def named_of(keys: Keys, record: HistoryRecord, own: Iterable[str] = ()) -> tuple[HistoryRecord, ...]:
    """A record with its own id under a key, for it is often made of the encounter's, and without persons in texts.

    ``own``: the ids of patient and encounter, to be looked for in texts.
    Records under the keys of older secrets follow, to be taken out: the same record was told under them.
    """
    institution, name = record.institution_id, record.record_id
    older = (
        HistoryRecord(institution_id=institution, record_id=key, patient_key=record.patient_key, source=record.source)
        for key in keys.encounter_before(institution, name)
    )
    doctors = {str(told) for line in record.lines if (told := line.facts.get("line.doctor_name"))}
    masker = Masker(sorted(doctors), (name, *own), codes=False)
    masked = msgspec.structs.replace(
        record,
        record_id=keys.encounter(institution, name),
        encounter=masker.record(record.encounter) if record.encounter is not None else None,
        lines=tuple(masker.record(line) for line in record.lines),
        source=masker.text(record.source),
    )
    return masked, *older


def needs_institution(fact: StoreFact) -> bool:
    """Whether nobody could tell what a fact is about without the institution whose number its id is."""
    return load()[fact.fact].subject in {"encounter", "line"} or fact.fact in KEYED_VALUES


def with_key(keys: Keys, fact: StoreFact, institution_id: str, id_system: str) -> StoreFact:
    """A fact of a patient or an encounter under its key, of a line under its encounter's key and its id.

    A line whose encounter is not told is one of its institution's; other subjects stay as they are.
    """
    kind, subject = load()[fact.fact].subject, fact.subject
    masker = Masker(ids=(subject,), codes=False)
    value, source = masker.fact(fact.fact, fact.value), masker.text(fact.source)
    if kind == "patient":
        subject = keys.patient(id_system or PATIENT_IDS, subject)
    elif kind == "encounter":
        subject = keys.encounter(institution_id, subject)
    elif kind == "line":
        keyed = with_encounter(subject, lambda id_: keys.encounter(institution_id, id_))
        subject = keyed if keyed != subject else f"{institution_id}/{subject}"
    if fact.fact in KEYED_VALUES:
        value = keys.encounter(institution_id, str(fact.value))
    return msgspec.structs.replace(fact, subject=subject, value=value, source=source)
