"""Feeds: rows of facts and of history, from messages or files, to the records of a store.

A row is the JSON of a message of ``FactService``. Ids of patients and encounters become keys here. Whatever is wrong
with a row is raised as ``RequestError``, naming its fields; the next row is none the worse for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from negative_list.dictionary import load
from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.past import Past, coverage_of_row, past_of_row
from negative_list.readers.rows import plain
from negative_list.readers.stored import RowError, fact_of_row
from reminder.keyed import PATIENT_IDS, encounter_under, lines_under, named_of, needs_institution, with_key
from reminder.stores.base import Coverage, HistoryRecord

if TYPE_CHECKING:
    from negative_list.readers.stored import StoreFact
    from negative_list.site import Sites
    from reminder.stores.keys import Keys

__all__ = ["SAYS_NOTHING", "Feed"]

SAYS_NOTHING = "nothing is covered; give the time from which on everything is told, or complete"
"""What is wrong with a word of coverage that gives neither."""

_RECORD_KEYS = frozenset({"institution_id", "record_id", "patient", "encounter", "source"})
_ONLY_LINES = frozenset({"id", "lines", "institution_id"})
_SOURCE = "history feed"
_TWO = 2


class Feed:
    """Reads rows for one store.

    Args:
        keys: of the store.
        sites: whose civil times and local codes the rows are in, by institution.
        now: the instant, UTC; as of then counts what names no time of its own.
    """

    def __init__(self, keys: Keys, sites: Sites, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._sites = sites
        self._now = now

    def fact(self, told: Mapping[str, object]) -> StoreFact | None:
        """The fact of a row with the columns of a fact, and ``institution_id`` and ``id_system``.

        ``None`` where its value means unknown. Private facts are refused, for nothing of them may be kept.
        """
        row = dict(told)
        institution, system = plain(row.pop("institution_id", "")), plain(row.pop("id_system", ""))
        try:
            fact = fact_of_row(row, self._sites.of(institution).zone)
        except RowError as error:
            raise _refused(error.field, error.message) from None
        return fact and self.kept(fact, institution, system)

    def kept(self, fact: StoreFact, institution_id: str, id_system: str) -> StoreFact:
        """A fact as it is kept: under keys, and with when it was told where it names no time.

        Raises:
            RequestError: It may not be kept, or could not be found again.
        """
        if load()[fact.fact].private:
            raise _refused("fact", f"`{fact.fact}` is private, and nothing private is kept; leave it out")
        if needs_institution(fact) and not institution_id:
            raise _refused("institution_id", "missing; say whose number the id is")
        told_at = None if fact.valid_from else self.civil(institution_id)
        return with_key(self._keys, msgspec.structs.replace(fact, told_at=told_at), institution_id, id_system)

    def civil(self, institution_id: str) -> datetime:
        """The instant in the civil time of an institution."""
        return self._now().astimezone(self._sites.of(institution_id).zone).replace(tzinfo=None)

    def records(self, told: Mapping[str, object]) -> tuple[HistoryRecord, ...]:
        """What a row with institution_id, record_id, patient, encounter (none: it is taken out) and source tells.

        The record, and what it stood under before the secret was changed, to be taken out.
        """
        institution, record_id = plain(told.get("institution_id")), plain(told.get("record_id"))
        patient, encounter = self._patient(told.get("patient")), told.get("encounter")
        needed = (("institution_id", institution), ("record_id", record_id), ("patient.id", patient))
        problems = [FieldProblem(field=name, message="missing; give it") for name, known in needed if not known]
        problems += [FieldProblem(field=key, message="no such key; take it out") for key in told.keys() - _RECORD_KEYS]
        row = {"institution_id": institution, "encounter": encounter}
        past = past_of_row(row, 1, self._sites) if encounter is not None else Past()
        if problems or past.problems:
            raise RequestError(sorted([*problems, *past.problems]))
        record = HistoryRecord(
            institution_id=institution,
            record_id=record_id,
            patient_key=patient,
            source=plain(told.get("source")) or _SOURCE,
        )
        own = [one.id for one in past.encounters] + [plain(_row_of(told.get("patient")).get("id"))]
        return named_of(self._keys, self._filled(record, past, bare=_is_bare(encounter)), own)

    def _filled(self, record: HistoryRecord, past: Past, *, bare: bool) -> HistoryRecord:
        """The record with what it tells; ``bare``: of the encounter nothing but its id."""
        names = {one.id: self._keys.encounter(record.institution_id, one.id) for one in past.encounters}
        encounters = (encounter_under(one, names[one.id]) for one in past.encounters)
        return msgspec.structs.replace(
            record,
            encounter=None if bare else next(encounters, None),
            lines=lines_under(past.lines, names),
        )

    def coverage(self, told: Mapping[str, object]) -> Coverage:
        """The coverage of a row with patient, institution_id, since, complete and until.

        Nobody knows what is not told yet, so it reaches up to now where ``until`` is not told.
        """
        problems: list[FieldProblem] = []
        institution = plain(told.get("institution_id"))
        covered = coverage_of_row(told, self._sites.of(institution).zone, problems)
        patient = self._patient(told.get("patient"))
        if told.get("patient") is not None and not patient:
            problems.append(
                FieldProblem(field="patient.id", message="no id of a patient; leave it out for every patient")
            )
        if not (problems or covered.since or covered.complete):
            problems.append(FieldProblem(field="since", message=SAYS_NOTHING))
        if problems:
            raise RequestError(problems)
        return Coverage(
            patient_key=patient,
            institution_id=institution,
            since=covered.since,
            complete=covered.complete,
            until=covered.until or self.civil(institution),
        )

    def same_patient(self, ids: object) -> tuple[tuple[str, str], ...]:
        """The pairs of keys of ids that are one patient's: the first with each other one."""
        keys = [self._patient(one) for one in ids] if isinstance(ids, list) else []
        if len(keys) < _TWO or not all(keys):
            raise _refused("same_patient.ids", "fewer than two ids; give every id of the patient")
        first, *others = keys
        return tuple((first, other) for other in others)

    def _patient(self, told: object) -> str:
        """The key of a patient's id; "" where there is none."""
        row = _row_of(told)
        id_ = plain(row.get("id"))
        return self._keys.patient(plain(row.get("id_system")) or PATIENT_IDS, id_) if id_ else ""


def _row_of(told: object) -> dict[str, object]:
    """A patient's id, written alone or with whose number it is."""
    return told if isinstance(told, dict) else {"id": told}


def _refused(field: str, message: str) -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])


def _is_bare(encounter: object) -> bool:
    """Whether nothing is told of an encounter but which it is and its lines."""
    told = encounter.items() if isinstance(encounter, dict) else ()
    return {key for key, value in told if value} <= _ONLY_LINES
