"""The prescription as the list sees it: canonical facts, whatever body it was read from.

Times are civil times of the site's zone, without offset. Facts are held under their dictionary names
(``facts.toml``), already in canonical values; an absent name is an unknown fact. What a reader could not use is a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct, field

__all__ = [
    "COVERAGE_GRACE",
    "Diagnosed",
    "Encounter",
    "FactValue",
    "History",
    "Line",
    "Note",
    "Operated",
    "Patient",
    "Prescription",
]

FactValue: TypeAlias = bool | int | Decimal | str | date | datetime | tuple[str, ...]
"""A known value: flag, whole number, exact number, word, day, civil time, or several words."""


COVERAGE_GRACE = timedelta(days=2)
"""How long a promise of history holds after its end: feeds come nightly, and one night may fail."""


class Note(Struct, frozen=True, kw_only=True):
    """Something the caller should know about the body: a code, the line it is about ("" for none), field and text."""

    code: str
    message: str
    line: str = ""
    field: str = ""


class Diagnosed(Struct, frozen=True, kw_only=True):
    """A diagnosis of an encounter. ``codes`` holds the usable ICD-10 codes (several through the site's code table).

    ``stage``: ``admission`` or ``discharge`` where the body tells which diagnosis it is, else "".
    """

    codes: tuple[str, ...] = ()
    name: str = ""
    main: bool = False
    stage: str = ""


class Operated(Struct, frozen=True, kw_only=True):
    """An operation of an encounter. ``codes`` holds ICD-9-CM-3 codes."""

    codes: tuple[str, ...] = ()
    name: str = ""
    main: bool = False


class Line(Struct, frozen=True, kw_only=True):
    """One order or charge line.

    ``id`` is the caller's line id made unique in the body. ``codes`` holds every national code the line has (its own,
    and those the site's code table gives for it), ``usable`` says whether one of them has a national structure.
    ``begins`` is when it begins (or was charged); ``has_clock`` is false when only the day was sent. ``encounter_id``
    tells the line's encounter. ``sources`` names the source of facts that did not come with the request, ``times`` when
    a fact was found where that is told (a laboratory value, a check), in civil time.
    """

    id: str
    encounter_id: str
    codes: tuple[str, ...] = ()
    usable: bool = True
    name: str = ""
    current: bool = True
    begins: datetime | None = None
    has_clock: bool = True
    stops: datetime | None = None
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)


class Encounter(Struct, frozen=True, kw_only=True):
    """One visit or stay. ``complete`` is false where the site says bodies carry only new lines."""

    id: str
    lines: tuple[Line, ...] = ()
    diagnoses: tuple[Diagnosed, ...] = ()
    operations: tuple[Operated, ...] = ()
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)
    complete: bool = True


class Patient(Struct, frozen=True, kw_only=True):
    """The patient: facts only. ``id`` is the caller's and never leaves the process."""

    id: str = ""
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)


class History(Struct, frozen=True, kw_only=True):
    """Lines and encounters from outside the body, with what they cover.

    ``since``: from this moment on every line and encounter of the patient, in any institution, is known (``None``:
    nothing is promised). ``own_since``: the same for the institution that asks. ``complete``: the patient's whole life
    is covered. What ``since`` and ``complete`` promise reaches up to ``until``, what ``own_since`` does up to
    ``own_until`` (``None``: for as long as anybody asks). ``unique``: no two of the lines are the same one, however
    alike they are. ``encounters`` hold facts and diagnoses; their lines stand in ``lines``, each under its
    ``encounter_id`` and with the fact ``line.institution_id``.
    """

    lines: tuple[Line, ...] = ()
    encounters: tuple[Encounter, ...] = ()
    since: datetime | None = None
    own_since: datetime | None = None
    complete: bool = False
    until: datetime | None = None
    own_until: datetime | None = None
    unique: bool = False


class Prescription(Struct, frozen=True, kw_only=True):
    """One request: the patient, the current encounter with its lines, and what else the body told.

    ``at`` is the body's own time (``None`` when it has none). ``others`` are the patient's other encounters in the
    body; their lines count as in force. ``request_id`` is the caller's message id. ``names``: of persons, those no fact
    holds (who operates, who signs); only to mask texts, and never written. ``never_sent``: what nobody tells there (the
    site says so), sorted.
    """

    encounter: Encounter
    patient: Patient = Patient()
    others: tuple[Encounter, ...] = ()
    request_id: str = ""
    institution_id: str = ""
    at: datetime | None = None
    notes: tuple[Note, ...] = ()
    names: tuple[str, ...] = ()
    never_sent: tuple[str, ...] = ()
