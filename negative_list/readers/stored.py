"""Facts from outside the body: their rows, and how they fill in a prescription.

A row has the columns subject, encounter_id, fact, value, unit, valid_from, expires and source, whether it stands in a
file, in a case or in a message of ``PutFacts``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.dictionary import CIVIL_ZONE, Fact, ImpossibleValueError, load, parse_time, parse_value
from negative_list.errors import FieldProblem, RequestError, UnknownNameError, nearest
from negative_list.prescription import Encounter, FactValue, Line, Patient, Prescription
from negative_list.readers.derived import DERIVED
from negative_list.readers.joined import STATES, joined, state_of
from negative_list.readers.rows import LONGEST_ID, has_own_id, plain

__all__ = [
    "DEFAULT_SOURCE",
    "FACT_COLUMNS",
    "RowError",
    "StoreFact",
    "StoreFacts",
    "fact_of_row",
    "facts_of_rows",
    "line_subject",
    "moment_of",
    "subjects_of",
    "supplement",
    "with_encounter",
]

FACT_COLUMNS = ("subject", "encounter_id", "fact", "value", "unit", "valid_from", "expires", "source")
"""Columns of a file of facts."""

DEFAULT_SOURCE = "fact store"
"""The source of a fact that names none."""

_Record = TypeVar("_Record", Patient, Encounter, Line)
_PACK = "trace code"
_POINTS, _STATE = "line.doctor_points", "line.doctor_state"
_ASKED = ("line.doctor_id", "line.institution_id", "line.local_code", _POINTS)
"""Facts of a line, besides its codes, that say whose facts it is told, and which of them."""
_OF_ENCOUNTER = "\t"
"""Between the encounter and the line in the subject of a fact: no id holds it."""
_SOLD, _BUYER = "line.trace_code_sold", "line.trace_code_encounter"
_SPANS: Mapping[str, Callable[[datetime], tuple[int, ...]]] = {
    "day": lambda at: (at.year, at.month, at.day),
    "month": lambda at: (at.year, at.month),
    "quarter": lambda at: (at.year, (at.month - 1) // 3),
    "year": lambda at: (at.year,),
}


class StoreFact(Struct, frozen=True, kw_only=True):
    """A fact from outside the body, known from ``valid_from`` until before ``expires`` (``None``: without limit).

    ``subject`` is the id of a patient or an encounter; of a line :func:`line_subject`, or the line's id alone; for
    facts of doctors and institutions theirs, for facts of items a national code or the hospital's own, and
    ``institution/code`` for what holds in one institution only (its stock); for facts of packs their trace code.
    ``valid_from`` is also when the fact was found: how old a value or a check is, is counted from it. Without it the
    fact counts as one of ``told_at``, when it was told (``None``: now). All are civil times.
    """

    subject: str
    fact: str
    value: FactValue
    valid_from: datetime | None = None
    expires: datetime | None = None
    source: str = DEFAULT_SOURCE
    told_at: datetime | None = None

    def since(self, at: datetime) -> datetime:
        """From when it counts: what is known of that at an instant."""
        return self.valid_from or self.told_at or at


def line_subject(encounter_id: str, line_id: str) -> str:
    """The subject of a fact of one line of one encounter."""
    return f"{encounter_id}{_OF_ENCOUNTER}{line_id}"


def with_encounter(subject: str, name: Callable[[str], str]) -> str:
    """The subject of a fact with its encounter called otherwise, where it tells one of an encounter's line."""
    encounter_id, mark, line_id = subject.partition(_OF_ENCOUNTER)
    return line_subject(name(encounter_id), line_id) if mark else subject


StoreFacts: TypeAlias = Mapping[str, tuple[StoreFact, ...]]
"""Facts by subject."""


class RowError(Exception):
    """A field of a row that cannot be used, and why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(message)


def facts_of_rows(rows: Iterable[Mapping[str, object]], zone: tzinfo = CIVIL_ZONE) -> StoreFacts:
    """Return the facts of parsed rows; a row whose value means unknown says nothing.

    Raises ``RequestError`` naming every field that cannot be used, as ``[3].value``.
    """
    told: dict[str, list[StoreFact]] = {}
    problems: list[FieldProblem] = []
    for number, row in enumerate(rows):
        try:
            fact = fact_of_row(row, zone)
        except RowError as error:
            problems.append(FieldProblem(field=f"[{number}].{error.field}", message=error.message))
        else:
            if fact is not None:
                told.setdefault(fact.subject, []).append(fact)
    if problems:
        raise RequestError(problems)
    return {subject: tuple(facts) for subject, facts in told.items()}


def fact_of_row(row: Mapping[str, object], zone: tzinfo) -> StoreFact | None:
    """Return the fact of one row, ``None`` where its value means unknown; raises :class:`RowError`."""
    unknown = sorted(row.keys() - set(FACT_COLUMNS))
    if unknown:
        raise RowError(unknown[0], f"no such column{nearest(unknown[0], FACT_COLUMNS)}")
    fact = _settable(name := plain(row.get("fact")))
    subject = _subject(row, fact)
    unit = plain(row.get("unit"))
    if unit and fact.unit and unit != fact.unit:
        raise RowError("unit", f"`{name}` is in {fact.unit}; convert the value")
    try:
        value = parse_value(fact, row.get("value"), zone)
    except ImpossibleValueError as error:
        raise RowError("value", f"not a value of `{name}`: {error}") from None
    valid_from, expires = (moment_of(row, key, zone) for key in ("valid_from", "expires"))
    if valid_from and expires and expires <= valid_from:
        raise RowError(
            "expires", f"`{row['expires']}` is not after valid_from, so that it never holds; mend one of them"
        )
    if value is None:
        return None
    return StoreFact(
        subject=subject,
        fact=name,
        value=value,
        valid_from=valid_from,
        expires=expires,
        source=plain(row.get("source")) or DEFAULT_SOURCE,
    )


def _subject(row: Mapping[str, object], fact: Fact) -> str:
    """What a row's fact is about; raises :class:`RowError` where nothing could be found under it."""
    subject, encounter_id = (_id(row, key) for key in ("subject", "encounter_id"))
    if not subject:
        raise RowError("subject", "missing; give the id of what the fact is about")
    if fact.subject != "line":
        if encounter_id:
            raise RowError("encounter_id", f"`{fact.name}` is told of a {fact.subject}; leave it out")
        return subject
    if not has_own_id(subject):
        raise RowError("subject", f"`{subject}` is the place of a line in one body; give the id its system has for it")
    return line_subject(encounter_id, subject) if encounter_id else subject


def _id(row: Mapping[str, object], key: str) -> str:
    raw = row.get(key)
    told = plain(raw)
    if raw and not told:
        raise RowError(key, f"no id of fewer than {LONGEST_ID} characters; give it as the body has it")
    if _OF_ENCOUNTER in told:
        raise RowError(key, "a tab stands in it; give the id alone")
    return told


def moment_of(row: Mapping[str, object], key: str, zone: tzinfo) -> datetime | None:
    """Return the civil time under a key, ``None`` where there is none; raises :class:`RowError`."""
    raw = row.get(key)
    try:
        told = parse_time(raw, zone) if raw is not None else None
    except ImpossibleValueError:
        raise RowError(key, f"`{raw}` is no time; write it like 2026-01-31 09:00:00") from None
    return told[0] if told else None


def _settable(name: str) -> Fact:
    try:
        fact = load()[name]
    except UnknownNameError as error:
        raise RowError("fact", str(error)) from None
    if not fact.settable:
        raise RowError("fact", f"`{name}` belongs to the body, and is not told from outside")
    return fact


def supplement(prescription: Prescription, facts: StoreFacts, at: datetime) -> Prescription:
    """Return the prescription with facts of the store filled in where its own are unknown, each with source and time.

    Of several that hold at ``at`` the one that became valid last counts, one without ``valid_from`` as of when it was
    told, of equal ones the last.
    """
    if not facts:
        return prescription
    filling = _Filling(facts, at)
    patient = prescription.patient
    told = msgspec.structs.replace(
        prescription,
        patient=_with(patient, filling.told("patient", {"patient": (patient.id,)})),
        encounter=filling.encounter(prescription.encounter),
        others=tuple(map(filling.encounter, prescription.others)),
    )
    return joined(told, at)


def subjects_of(
    prescription: Prescription,
    lines: Container[str] | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[str, ...]:
    """Return what facts may be told of besides the patient and the encounters, each once: ids as the body has them.

    ``lines``: ids of the lines that are asked about, with their items and doctors; all of them where left out.
    ``names``: what the encounters of lines are called, where that is not their id.
    """
    named: dict[str, None] = {}
    for encounter in (prescription.encounter, *prescription.others):
        told = [subjects for kind, subjects in _encounter_subjects(encounter).items() if kind != "encounter"]
        asked = (line for line in encounter.lines if lines is None or line.id in lines)
        called = (encounter.id,) if names is None else names.get(encounter.id, ())
        told += [subjects for line in asked for subjects in _line_subjects(line, encounter, called).values()]
        named.update(dict.fromkeys(subject for subjects in told for subject in subjects if subject))
    return tuple(named)


def _encounter_subjects(encounter: Encounter) -> dict[str, tuple[str, ...]]:
    institution = str(encounter.facts.get("encounter.institution_id", ""))
    doctor = str(encounter.facts.get("encounter.doctor_id", ""))
    return {"encounter": (encounter.id,), "institution": (institution,), "doctor": (doctor,)}


def _line_subjects(line: Line, visit: Encounter, called: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What a line's facts may be told of, by the kind of subject; ``called``: names of its encounter."""
    doctor = str(line.facts.get("line.doctor_id") or visit.facts.get("encounter.doctor_id", ""))
    institution = line.facts.get("line.institution_id") or visit.facts.get("encounter.institution_id", "")
    local = line.facts.get("line.local_code")
    items = (*line.codes, local) if isinstance(local, str) else line.codes
    packs = line.facts.get("line.trace_codes")
    return {
        "line": _own_subjects(line, institution, called),
        "doctor": (doctor,),
        "item": (*items, *(f"{institution}/{item}" for item in items if institution)),
        _PACK: packs if isinstance(packs, tuple) else (),
    }


def _own_subjects(line: Line, institution: object, called: Iterable[str]) -> tuple[str, ...]:
    """What a line itself may be called; one without an id of its own in the body is called nothing."""
    if not has_own_id(line.id):
        return ()
    within = tuple(line_subject(name, line.id) for name in called if name)
    return (*within, line.id, *((f"{institution}/{line.id}",) if institution else ()))


class _Filling:
    """One filling of one prescription: what holds at an instant. Lines of one doctor and item are told alike."""

    def __init__(self, facts: StoreFacts, at: datetime) -> None:
        held = ((subject, [fact for fact in told if _holds(fact, at)]) for subject, told in facts.items())
        self._held = {subject: told for subject, told in held if told}
        self._at = at
        self._of_lines = any(load()[fact.fact].subject == "line" for told in self._held.values() for fact in told)
        self._alike: dict[tuple[object, ...], list[StoreFact]] = {}

    def encounter(self, encounter: Encounter) -> Encounter:
        """The encounter and its lines with what is told of them."""
        held = _with(encounter, self.told("encounter", _encounter_subjects(encounter)))
        return msgspec.structs.replace(held, lines=tuple(self._line(line, held) for line in held.lines))

    def _line(self, line: Line, visit: Encounter) -> Line:
        get = line.facts.get
        asked = (visit.id, line.id if self._of_lines else "", line.codes, *map(get, _ASKED))
        told = self._alike.get(asked)
        if told is None:
            subjects = _line_subjects(line, visit, (visit.id,))
            told = self._alike[asked] = self._judged(line, self.told("line", {**subjects, _PACK: ()}))
        packs = get("line.trace_codes")
        if isinstance(packs, tuple) and (sale := _sale(line, [self.told("line", {_PACK: (pack,)}) for pack in packs])):
            told = [*told, sale]
        return _with(line, told) if told else line

    def told(self, holder: str, subjects: Mapping[str, tuple[str, ...]]) -> list[StoreFact]:
        """Return the facts of a holder that are told of the right subject, the latest last."""
        named = {subject for ids in subjects.values() for subject in ids if subject in self._held}
        known = load()
        mine = [
            fact
            for subject in sorted(named - {""})
            for fact in self._held[subject]
            if known[fact.fact].holder == holder and subject in subjects.get(known[fact.fact].subject, ())
        ]
        # one institution's item says more than the item anywhere, one encounter's line more than the line
        return sorted(mine, key=lambda fact: (_is_narrow(fact.subject), fact.since(self._at)))

    def _judged(self, line: Line, told: list[StoreFact]) -> list[StoreFact]:
        """What is told without a doctor's state that newer points have made worse; what follows takes its place.

        Feeds tell points and states the same night, so only points of a later day are newer.
        """
        latest = {fact.fact: fact for fact in told}
        state, points = latest.get(_STATE), latest.get(_POINTS)
        if state is None:
            return told
        own = line.facts.get(_POINTS)
        count = own if own is not None else points.value if points else None
        since = self._at if own is not None or points is None else points.since(self._at)
        if not isinstance(count, int) or since.date() <= state.since(self._at).date():
            return told
        worse = STATES.index(state_of(count)) > STATES.index(str(state.value))
        return [fact for fact in told if fact.fact != _STATE] if worse else told


def _sale(line: Line, packs: list[list[StoreFact]]) -> StoreFact | None:
    """Whether any pack of the line was sold to another encounter; the line's own sale is none, whoever told of it."""
    sold = []
    for told in packs:
        latest = {fact.fact: fact for fact in told}
        fact, buyer = latest.get(_SOLD), latest.get(_BUYER)
        own = fact is not None and buyer is not None and buyer.value == line.encounter_id
        sold.append(msgspec.structs.replace(fact, value=False) if fact and own else fact)
    known = [fact for fact in sold if fact is not None]
    elsewhere = next((fact for fact in known if fact.value is True), None)
    return elsewhere or (known[0] if known and len(known) == len(packs) else None)


def _holds(fact: StoreFact, at: datetime) -> bool:
    if fact.valid_from is not None and fact.valid_from > at:
        return False
    return not _lapsed(fact, at) if fact.expires is None else at < fact.expires


def _lapsed(fact: StoreFact, at: datetime) -> bool:
    """Whether the day, month, quarter or year is over that the fact was told in and counts for."""
    span = _SPANS.get(load()[fact.fact].lapses)
    return span is not None and span(fact.since(at)) != span(at)


def _is_narrow(subject: str) -> bool:
    return "/" in subject or _OF_ENCOUNTER in subject


def _with(record: _Record, told: list[StoreFact]) -> _Record:
    sources = record.sources
    news = {fact.fact: fact for fact in told if fact.fact not in record.facts or sources.get(fact.fact) == DERIVED}
    if not news:
        return record
    found = {name: fact.valid_from for name, fact in news.items() if fact.valid_from is not None}
    return msgspec.structs.replace(
        record,
        facts={**record.facts, **{name: fact.value for name, fact in news.items()}},
        sources={**record.sources, **{name: fact.source for name, fact in news.items()}},
        times={**record.times, **found},
    )
