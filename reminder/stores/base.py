"""The records a store holds and the one protocol every store keeps.

Patients and encounters stand here under their *keys* (:mod:`reminder.stores.keys`), never under the caller's ids; no
name of a person is kept: the dictionary's private facts are left out of all that is written, but for the birth date of
a kept body, without which no age could be judged again. Stored instants are UTC; the times inside lines and encounters
are civil times of the institution's zone, as everywhere in the library. Every method may block and raises
:class:`StoreError`; who must not wait goes through :mod:`reminder.stores.desk`.

Every write may be done again, late, or before an older one, and changes nothing then: what is kept is told apart by
its key, and the word with the later revision or instant stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from msgspec import Struct

from negative_list.prescription import Encounter, History, Line, Prescription
from negative_list.readers.stored import StoreFact

if TYPE_CHECKING:
    from negative_list.indicators import Visit

__all__ = [
    "MOST_LINES",
    "Coverage",
    "Failed",
    "Fault",
    "HistoryRecord",
    "Kept",
    "OpenFinding",
    "Saved",
    "Store",
    "StoreError",
    "Told",
    "Wanted",
]

MOST_LINES = 20_000
"""The most lines of one patient a read gives: thirteen years of dialysis, three times a week with ten lines each. The
latest are given, and the coverage begins after those left out."""

Fault: TypeAlias = Literal["gone", "locked", "full", "read-only", "newer", "refused"]
"""Why a store did not do what it was asked: it cannot be reached or read; somebody else writes for too long; no space;
it may not be written; a later version of this program made it; it cannot hold what was given (the caller's fault)."""


Failed: TypeAlias = Literal["", "gone", "slow", "behind"]
"""Why a check was told nothing: the store cannot be read; it did not answer in time; it came back and writes accepted
meanwhile are not in it yet, without which what it says would be wrong."""


class StoreError(Exception):
    """The store cannot be read or written now, or never could (``kind`` ``newer`` and ``refused``)."""

    def __init__(self, kind: Fault, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class Saved(Struct, frozen=True, kw_only=True):
    """A whole prescription as it was saved.

    It is known by institution, encounter and ``prescription_id``; the highest ``revision`` replaces the others, in
    whatever order they come, and one without lines voids it; of one revision told twice, that of the later
    ``saved_at`` stands. ``encounter`` carries facts and diagnoses, its lines are ``lines``; its id and theirs are
    written as ``encounter_key``, whatever stands there. ``saved_at`` is UTC.
    """

    institution_id: str
    encounter_key: str
    patient_key: str
    prescription_id: str
    revision: int
    saved_at: datetime
    encounter: Encounter
    lines: tuple[Line, ...] = ()


class HistoryRecord(Struct, frozen=True, kw_only=True):
    """What a feed tells of one record: known by institution and ``record_id``, a later one replaces an earlier one.

    ``encounter`` is ``None`` where the feed tells lines only; its id and the ``encounter_id`` of lines are keys.
    Without lines and encounter the record is taken out.
    """

    institution_id: str
    record_id: str
    patient_key: str
    encounter: Encounter | None = None
    lines: tuple[Line, ...] = ()
    source: str = "history feed"


class Coverage(Struct, frozen=True, kw_only=True):
    """From when until when whose records are complete.

    ``patient_key`` "" speaks of every patient, ``institution_id`` "" of every institution. ``since`` is a civil time;
    ``complete``: the whole life; ``until``, civil time too: up to when (``None``: for as long as anybody asks). The
    latest word for the same patient (under any of the patient's keys) and institution counts, and a word about the
    patient counts before one about every patient, but one that ended over two days ago (``COVERAGE_GRACE``) before none
    that still holds. A word about every institution holds for each of them, too.
    """

    patient_key: str = ""
    institution_id: str = ""
    since: datetime | None = None
    complete: bool = False
    until: datetime | None = None


class Wanted(Struct, frozen=True, kw_only=True):
    """What one check asks of the store, in one read.

    ``patient_key``: any of the patient's keys; its aliases are the store's to know; "" where the patient is not known:
    then there is no history. ``patient_before`` and ``encounter_before``: the same under older secrets
    (``Keys.patient_before``), where there are any. ``institution_id`` is who asks. ``at`` is the civil time asked for:
    facts not valid yet and those expired are not told. ``subjects``: ids of what facts are wanted of (patient and
    encounter keys, doctors, institutions, item codes, line ids). ``history`` and ``facts`` say which half is wanted.
    """

    patient_key: str
    encounter_key: str
    institution_id: str
    at: datetime
    patient_before: tuple[str, ...] = ()
    encounter_before: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    history: bool = True
    facts: bool = True


class Told(Struct, frozen=True, kw_only=True):
    """What a store knows: the patient's history (lines and encounters under their keys), and facts.

    Lines of an alias of the asking encounter stand under ``Wanted.encounter_key``, facts of an alias under the key that
    was asked; the asking encounter itself is not among ``History.encounters``, for the body tells it. Of several facts
    of one name and subject that hold, the one valid last is told, one without ``valid_from`` as of ``told_at``.
    ``history`` is ``None`` where none was wanted or
    none could be read. ``cut_at``: lines that ended before this civil time were left out (over :data:`MOST_LINES`, or
    no time left to read them), and the coverage begins there. ``failed`` says in a word why nothing was read, to be
    told as a note ("" where it was); only the desk answers so, a store raises. ``forgotten_before``: what ended before
    this civil time was taken out (``Store.forget``): the history promises nothing of it, and nobody else may.
    """

    history: History | None = None
    facts: tuple[StoreFact, ...] = ()
    cut_at: datetime | None = None
    forgotten_before: datetime | None = None
    failed: Failed = ""


class Kept(Struct, frozen=True, kw_only=True):
    """The last body of an encounter, kept while its orders run. Its patient and encounter ids are keys."""

    prescription: Prescription
    received_at: datetime


class OpenFinding(Struct, frozen=True, kw_only=True):
    """A finding about an order in force, for the ward.

    Known by encounter, rule and line; ``found_at`` is when it was first found, ``closed_at`` when it was found no more.
    ``starts_on`` (civil day) is set for what is not a violation yet: the first day that is no longer payable.
    ``ward``, ``department``, ``bed`` and the civil day of admission lead to the patient, whose number stands nowhere
    here; ``ordered_at`` is when the order begins, by civil time. What the body does not tell is "".
    """

    encounter_key: str
    institution_id: str
    ward: str
    bed: str
    rule_id: str
    class_id: str
    line_id: str
    item: str
    action: str
    message: str
    amount_fen: int | None = None
    starts_on: str = ""
    department: str = ""
    admitted_on: str = ""
    ordered_at: str = ""
    found_at: datetime
    closed_at: datetime | None = None


class Store(Protocol):
    """Every store: SQLite and PostgreSQL keep the same promises, and the same tests hold them to it."""

    def read(self, wanted: Wanted, *, within_s: float | None = None) -> Told:
        """Everything one check asks for, in one batch; what takes longer than ``within_s`` is left out, the oldest."""

    def save(self, saved: Sequence[Saved]) -> int:
        """Keep saved prescriptions; returns how many changed what is known. Writing one again changes nothing."""

    def put_history(self, records: Sequence[HistoryRecord], coverage: Sequence[Coverage] = (), *, at: datetime) -> int:
        """Keep records of a feed and what they cover, told at ``at`` (UTC); returns how many records changed."""

    def put_facts(self, facts: Sequence[StoreFact], *, at: datetime) -> int:
        """Keep facts told at ``at`` (UTC); the same subject, fact, source and ``valid_from`` replaces.

        One without ``valid_from`` counts as of its ``told_at`` (else ``at``), the latest time it was told. Private
        facts are left out. Returns how many changed.
        """

    def put_aliases(self, keys: Sequence[tuple[str, str]]) -> int:
        """Keep that two keys are of one patient (or one encounter). Returns how many were new."""

    def keep(self, bodies: Sequence[Kept]) -> None:
        """Keep the last body of encounters; an older one never replaces a newer one.

        Names and notes are left out. A body with a time of discharge ends what is kept of the encounter.
        """

    def kept(self, institution_id: str = "") -> Iterator[Kept]:
        """The last body of every encounter that is not discharged, of one institution or of all."""

    def put_findings(self, encounter_key: str, found: Sequence[OpenFinding], at: datetime) -> None:
        """Replace what is open for an encounter: what is found again stays open, the rest is closed at ``at`` (UTC)."""

    def findings(self, *, only_open: bool = True, since: datetime | None = None) -> Iterator[OpenFinding]:
        """Findings about running orders, by ward, bed, encounter; those found or closed from ``since`` (UTC) on."""

    def saved_encounters(self, begin: datetime, end: datetime) -> Iterable[Visit]:
        """Every known encounter with a line or an admission in [begin, end), under the patient's first key."""

    def forget(self, before: datetime) -> int:
        """Take out lines, facts, bodies and closed findings that ended before a civil time; coverage moves up to it.

        A record goes when the last of its lines ended. Returns how many records, facts, bodies and findings went.
        """

    def close(self) -> None:
        """Let go of files and connections."""
