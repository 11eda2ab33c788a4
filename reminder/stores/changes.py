"""Writes as data: what a store was told, to be done now or after a store came back.

Each kind is one function from a change to statements in a transaction. Done twice, or in another order, they leave the
same behind; so a change that waited in the spool may safely be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from reminder.stores import statements as sql
from reminder.stores.coding import Content, encode, encode_value, private_facts

if TYPE_CHECKING:
    from negative_list.prescription import Encounter, Line
    from negative_list.readers.stored import StoreFact
    from reminder.stores.base import Coverage, HistoryRecord, Kept, OpenFinding, Saved
    from reminder.stores.driver import Values, Writing

__all__ = ["FED", "INSTITUTION", "NO_TIME", "SAVED", "Change", "Kind", "apply", "civil_text", "saving", "utc_text"]

Kind: TypeAlias = Literal["save", "history", "coverage", "facts", "aliases", "keep", "findings"]
"""What a change holds: ``Saved``, ``HistoryRecord``, ``Coverage``, ``StoreFact``, pairs of keys, ``Kept``,
``OpenFinding``."""

SAVED, FED = "saved", "fed"
"""Where a record comes from."""

NO_TIME = ""
"""A time that is not told."""

INSTITUTION = "line.institution_id"
"""The fact every line of history has."""


class Change(Struct, frozen=True, kw_only=True):
    """Records of one kind, told at ``at`` (UTC). ``subject``: the encounter whose findings these are."""

    kind: Kind
    records: tuple[Any, ...]
    at: datetime
    subject: str = ""


def saving(saved: Iterable[Saved], at: datetime) -> Change:
    """Saved prescriptions as a change; what they say of their encounter stands under its key, never under its id."""
    return Change(kind="save", at=at, records=tuple(
        msgspec.structs.replace(
            one,
            encounter=msgspec.structs.replace(one.encounter, id=one.encounter_key, lines=()),
            lines=tuple(msgspec.structs.replace(line, encounter_id=one.encounter_key) for line in one.lines),
        )
        for one in saved
    ))  # fmt: skip


def apply(writing: Writing, change: Change) -> int:
    """Do a change; returns how many records changed what is known."""
    return _DOING[change.kind](writing, change)


def utc_text(moment: datetime) -> str:
    """An instant as it is stored. One without offset is taken as UTC."""
    moment = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()


def civil_text(moment: datetime | None) -> str:
    """A civil time as it is stored, :data:`NO_TIME` for none."""
    return moment.isoformat() if moment else NO_TIME


def _save(writing: Writing, change: Change) -> int:
    return writing.many(sql.PUT_RECORD, [_saved_row(saved) for saved in change.records])


def _saved_row(saved: Saved) -> Values:
    lines = _past(saved.lines, saved.institution_id)
    content = Content(encounter=saved.encounter, lines=lines) if lines else Content()
    # The number of the prescription is the institution's own within the encounter; the key has no fixed blank in it.
    record_id = f"{saved.encounter_key} {saved.prescription_id}"
    known_by = (saved.institution_id, SAVED, record_id, saved.patient_key if lines else "", saved.encounter_key)
    return (*known_by, saved.revision, utc_text(saved.saved_at), *_extent(content, saved.saved_at), encode(content))


def _history(writing: Writing, change: Change) -> int:
    return writing.many(sql.PUT_RECORD, [_fed_row(record, change.at) for record in change.records])


def _fed_row(record: HistoryRecord, at: datetime) -> Values:
    encounter = record.encounter and msgspec.structs.replace(record.encounter, lines=())
    own = record.encounter.lines if record.encounter else ()
    content = Content(encounter=encounter, lines=_past((*own, *record.lines), record.institution_id))
    known = bool(content.lines or encounter)
    about = encounter.id if encounter else next((line.encounter_id for line in content.lines), "")
    known_by = (record.institution_id, FED, record.record_id, record.patient_key if known else "", about)
    return (*known_by, 0, utc_text(at), *_extent(content, at), encode(content))


def _past(lines: Iterable[Line], institution_id: str) -> tuple[Line, ...]:
    """Lines as history has them: in force, and of an institution."""
    return tuple(
        msgspec.structs.replace(line, current=False, facts={INSTITUTION: institution_id, **line.facts})
        for line in lines
    )


def _extent(content: Content, told_at: datetime) -> tuple[str, str, int]:
    """From when to when a record reaches, and how many lines it has; without a time of its own, when it was told."""
    held = content.encounter.facts if content.encounter else {}
    times = [held.get("encounter.admitted_at"), held.get("encounter.discharged_at")]
    times += [moment for line in content.lines for moment in (line.begins, line.stops)]
    texts = [civil_text(moment) for moment in times if isinstance(moment, datetime)] or [utc_text(told_at)]
    return min(texts), max(texts), len(content.lines)


def _coverage(writing: Writing, change: Change) -> int:
    words: Sequence[Coverage] = change.records
    at = utc_text(change.at)
    return writing.many(sql.PUT_COVERAGE, [
        (w.patient_key, w.institution_id, civil_text(w.since), int(w.complete), at, civil_text(w.until)) for w in words
    ])  # fmt: skip


def _facts(writing: Writing, change: Change) -> int:
    """Facts but the private ones, of which nothing is written; what names no time counts as told now."""
    facts: Sequence[StoreFact] = [fact for fact in change.records if fact.fact not in private_facts()]
    at = utc_text(change.at)
    since = [civil_text(fact.valid_from or fact.told_at) or at for fact in facts]
    changed = writing.many(sql.PUT_FACT, [
        (f.subject, f.fact, f.source, civil_text(f.valid_from), civil_text(f.expires), encode_value(f.value), at, held)
        for f, held in zip(facts, since, strict=True)
    ])  # fmt: skip
    timeless = [(f, held) for f, held in zip(facts, since, strict=True) if f.valid_from is None]
    writing.many(sql.RENEW_FACT, [(at, held, f.subject, f.fact, f.source, at) for f, held in timeless])
    return changed


def _aliases(writing: Writing, change: Change) -> int:
    writing.alone("alias")
    return sum(_alias(writing, *pair) for pair in change.records)


def _alias(writing: Writing, one: str, other: str) -> int:
    """Make two keys one person's: the lesser of what they were stands for both."""
    persons = {key: next((row[0] for row in writing.rows(sql.KEYS, (key,))), None) for key in (one, other)}
    named = {person or key for key, person in persons.items()}
    person = min(named)
    writing.many(sql.PUT_ALIAS, [(key, person) for key, known in persons.items() if known is None])
    writing.many(sql.MERGE_ALIAS, [(person, former) for former in named - {person}])
    return int(len(named) > 1)


def _keep(writing: Writing, change: Change) -> int:
    return writing.many(sql.PUT_KEPT, [_kept_row(kept) for kept in change.records])


def _kept_row(kept: Kept) -> Values:
    encounter: Encounter = kept.prescription.encounter
    ended = "encounter.discharged_at" in encounter.facts
    body = b"" if ended else encode(kept)
    return encounter.id, kept.prescription.institution_id, utc_text(kept.received_at), int(ended), body


def _findings(writing: Writing, change: Change) -> int:
    """What was open and is found again keeps its beginning; what is found no more is closed."""
    at = utc_text(change.at)
    ((checked_at,),) = writing.rows(sql.CHECKED_AT, (change.subject,))
    if checked_at is not None and checked_at > at:
        return 0  # a later word is known
    found = {(finding.rule_id, finding.line_id): finding for finding in change.records}
    opened = {(rule, line): since for rule, line, since in writing.rows(sql.OPEN_FINDINGS, (change.subject,))}
    since = {place: opened.get(place) or utc_text(finding.found_at) for place, finding in found.items()}
    rows = [_finding_row(change.subject, finding, since[place], at) for place, finding in found.items()]
    ended = [(at, at, change.subject, *place, opened[place]) for place in sorted(opened.keys() - found.keys())]
    return writing.many(sql.PUT_FINDING, rows) + writing.many(sql.CLOSE_FINDING, ended)


def _finding_row(encounter_key: str, finding: OpenFinding, since: str, at: str) -> Values:
    place = (encounter_key, finding.rule_id, finding.line_id, since, NO_TIME, at)
    return (*place, finding.ward, finding.bed, encode(finding))


_DOING: Mapping[Kind, Callable[[Writing, Change], int]] = {
    "save": _save, "history": _history, "coverage": _coverage, "facts": _facts, "aliases": _aliases, "keep": _keep,
    "findings": _findings,
}  # fmt: skip
