"""One check in progress: a prescription made ready to be looked at from many rules.

Everything here is derived once for each check, most of it only when a rule first asks. Nothing is read from outside.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from negative_list.codes import icd_prefixes, is_history
from negative_list.prescription import COVERAGE_GRACE
from negative_list.refunds import holds_refund, settle
from negative_list.text import Statement, clauses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from negative_list.prescription import Diagnosed, Encounter, FactValue, History, Line, Operated, Prescription
    from negative_list.terms import Terms

__all__ = ["Check", "ymd"]

_STRENGTH: tuple[Statement, ...] = ("present", "doubtful", "past", "family", "denied")


def ymd(day: date) -> int:
    """A day as the number yyyymmdd: differences of two of them, divided by 10,000, are completed years."""
    return day.year * 10_000 + day.month * 100 + day.day


class Check:
    """A prescription at one instant, with the lookups its rules share.

    Args:
        prescription: what was asked.
        at: the decision's instant, civil time of the site.
        terms: the list's terms, found in texts through their automata.
        history: lines from outside the body; ``None`` where there is no history at all.
    """

    __slots__ = (
        "at",
        "birth",
        "doubtful",
        "encounter",
        "encounter_facts",
        "history",
        "memo",
        "patient_facts",
        "prescription",
        "terms",
    )

    def __init__(self, prescription: Prescription, at: datetime, terms: Terms, history: History | None = None) -> None:
        self.doubtful: frozenset[int] = frozenset()
        self.prescription, self.history = prescription, history
        self._settle()
        self.encounter: Encounter = self.prescription.encounter
        self.patient_facts: Mapping[str, FactValue] = prescription.patient.facts
        self.encounter_facts: Mapping[str, FactValue] = prescription.encounter.facts
        self.at = at
        self.terms = terms
        self.memo: dict[Any, Any] = {}
        birth = self.patient_facts.get("patient.birth_date")
        self.birth: date | None = birth if isinstance(birth, date) else None

    def _settle(self) -> None:
        """Takes refunds away; ``doubtful`` are the lines, by identity, that may have been refunded."""
        asked = self.prescription
        if self.history is None and not asked.others and not holds_refund(asked.encounter.lines):
            return
        own = settle(self.prescription.encounter.lines)
        if own.lines is not self.prescription.encounter.lines:
            encounter = replace(self.prescription.encounter, lines=own.lines)
            self.prescription = replace(self.prescription, encounter=encounter)
        others = [settle(encounter.lines) for encounter in self.prescription.others]
        if any(each.lines is not one.lines for each, one in zip(others, self.prescription.others, strict=True)):
            settled = zip(self.prescription.others, others, strict=True)
            kept = tuple(replace(encounter, lines=each.lines) for encounter, each in settled)
            self.prescription = replace(self.prescription, others=kept)
        self.doubtful = own.doubtful.union(*(each.doubtful for each in others))
        if self.history is not None:
            past = settle(self.history.lines, own.unmatched)
            if past.lines is not self.history.lines:
                self.history = replace(self.history, lines=past.lines)
            self.doubtful |= past.doubtful

    def remember(self, key: Any, make: Any) -> Any:
        """The value of ``make()``, made once in this check for ``key``."""
        try:
            return self.memo[key]
        except KeyError:
            value = self.memo[key] = make()
            return value

    def forget(self) -> None:
        """Let go of what was worked out: some of it holds the check, and only the collector would find the two."""
        self.memo.clear()

    @property
    def admitted_at(self) -> datetime | None:
        """When the current encounter began."""
        admitted = self.encounter_facts.get("encounter.admitted_at")
        return admitted if isinstance(admitted, datetime) else None

    def time_of(self, line: Line | None) -> datetime:
        """When the trigger stands: the line's begin, or the decision's instant."""
        if line is None or line.begins is None:
            return self.at
        return line.begins

    def day_of(self, line: Line | None) -> int:
        """The day of :meth:`time_of` as an ordinal."""
        return self.time_of(line).toordinal()

    # -- lines

    def pool(self, *, whole_patient: bool) -> tuple[Line, ...]:
        """All lines that may be gathered, in body order: those of the encounter, or of the patient."""
        if not whole_patient and self.history is None:
            return self.encounter.lines
        return self.remember(("pool", whole_patient), lambda: tuple(self._pool(whole_patient)))  # type: ignore[no-any-return]

    def _pool(self, whole_patient: bool) -> list[Line]:
        past = self.history.lines if self.history else ()
        if whole_patient:
            others = [line for encounter in self.prescription.others for line in encounter.lines]
            return [*self.encounter.lines, *others, *past]
        own = self.encounter.id
        return [*self.encounter.lines, *(line for line in past if line.encounter_id == own)]

    def index(self, *, whole_patient: bool) -> tuple[dict[str, list[int]], list[int]]:
        """Places in the pool by code, and the places of lines without a usable code."""
        key = "index of the patient" if whole_patient else "index of the encounter"
        found: tuple[dict[str, list[int]], list[int]] | None = self.memo.get(key)
        if found is None:
            found = self.memo[key] = _index(self.pool(whole_patient=whole_patient))
        return found

    def is_current(self, line: Line) -> bool:
        """Whether the line is being written now: current, and in the body's current encounter."""
        return line.current and id(line) in self.remember("places", self._places)

    def place_of(self, line: Line) -> int:
        """Where the line stands in the body, from 0; lines from elsewhere stand behind."""
        places: dict[int, int] = self.remember("places", self._places)
        return places.get(id(line), len(places))

    def _places(self) -> dict[int, int]:
        return {id(line): place for place, line in enumerate(self.encounter.lines)}

    def covered(self, first: datetime | None, whose: str) -> bool:
        """Whether no unseen line of the encounter, the institution or the patient lies between ``first`` and now.

        ``first`` is ``None`` for a stretch that began ever so long ago.
        """
        if whose == "encounter" and self.encounter.complete:
            return True
        history = self.history
        if history is None:
            return False
        everywhere = self._reached(history.until)
        if history.complete and everywhere:
            return True
        known = [history.since] if everywhere else []
        if whose != "patient" and self._reached(history.own_until):
            known.append(history.own_since)
        return first is not None and any(since is not None and since <= first for since in known)

    def _reached(self, until: datetime | None) -> bool:
        """Whether a promise of history still holds at the instant."""
        return until is None or until >= self.at - COVERAGE_GRACE

    # -- days of use

    def days_of_use(self, line: Line) -> tuple[int, int, int | None]:
        """First day, last certain day and last possible day (``None``: no limit) of use, as ordinals.

        The line must have a begin.
        """
        first = self.day_of(line)
        days = line.facts.get("line.days")
        if isinstance(days, int):
            last = first + max(days, 1) - 1
            return first, last, last
        if line.stops is not None:
            last = max(first, line.stops.toordinal())
            return first, last, last
        if line.facts.get("line.long_order") is True:
            return first, max(first, self.at.toordinal()), None
        return first, first, first if self._single_day(line) else None

    def _single_day(self, line: Line) -> bool:
        if line.facts.get("line.item_type") in {"service", "material"}:
            return True
        encounter = self.encounter if line.encounter_id == self.encounter.id else self.others.get(line.encounter_id)
        return encounter is not None and encounter.facts.get("encounter.visit_mode") == "inpatient"

    def use_of(self, line: Line | None) -> tuple[int, int, int | None]:
        """:meth:`days_of_use`, worked out once; without a line the instant's day."""
        if line is None:
            return (day := self.at.toordinal()), day, day
        key = ("use", id(line))
        use: tuple[int, int, int | None] | None = self.memo.get(key)
        if use is None:
            use = self.memo[key] = self.days_of_use(line)
        return use

    # -- encounters

    @property
    def others(self) -> Mapping[str, Encounter]:
        """The patient's other encounters by id, those of the body before those of history, each once."""
        return self.remember("others", self._others)  # type: ignore[no-any-return]

    def _others(self) -> dict[str, Encounter]:
        past = self.history.encounters if self.history else ()
        found: dict[str, Encounter] = {}
        for encounter in (*self.prescription.others, *past):
            if encounter.id != self.encounter.id:
                found.setdefault(encounter.id, encounter)
        return found

    @property
    def insurance_year_from(self) -> date | None:
        """The day on whose month and day the patient's insurance year begins."""
        day = self.encounter_facts.get("encounter.insurance_year_from")
        return day if isinstance(day, date) else None

    # -- diagnoses and operations

    def stated_codes(self, subject: str, *, main: bool, stage: str = "any") -> Mapping[Statement, frozenset[str]]:
        """For each statement made, the prefixes of all codes stated so."""
        key = ("codes", subject, main, stage)
        found: Mapping[Statement, frozenset[str]] | None = self.memo.get(key)
        if found is None:
            entries = self.entries(subject, main=main, stage=stage)
            found = self.memo[key] = _united(_codes_by_statement(entry) for entry in entries)
        return found

    def stated_terms(self, subject: str, *, main: bool, stage: str = "any") -> Mapping[Statement, frozenset[str]]:
        """For each statement made, the terms of the list found in clauses that state so."""
        key = ("terms", subject, main, stage)
        found: Mapping[Statement, frozenset[str]] | None = self.memo.get(key)
        if found is None:
            entries = self.entries(subject, main=main, stage=stage)
            found = self.memo[key] = _united(self.terms.in_name(entry.name) for entry in entries)
        return found

    def entries(self, subject: str, *, main: bool, stage: str = "any") -> tuple[Diagnosed | Operated, ...]:
        """The diagnoses or operations of the current encounter; only the main one, or those of a stage, where asked."""
        listed: tuple[Diagnosed | Operated, ...] = (
            self.encounter.diagnoses if subject == "diagnoses" else self.encounter.operations
        )
        if stage != "any":
            listed = tuple(entry for entry in listed if getattr(entry, "stage", "") in {"", stage})
        return tuple(entry for entry in listed if entry.main) if main else listed

    # -- moments

    def moments(self, line: Line | None) -> tuple[datetime, datetime]:
        """The earliest and the latest moment the trigger may stand at (a bare date: any moment of its day)."""
        time = self.time_of(line)
        if line is None or line.begins is None or line.has_clock:
            return time, time
        midnight = datetime(time.year, time.month, time.day)
        return midnight, midnight + timedelta(days=1, seconds=-1)


def _index(pool: tuple[Line, ...]) -> tuple[dict[str, list[int]], list[int]]:
    by_code: dict[str, list[int]] = {}
    unusable: list[int] = []
    for place, line in enumerate(pool):
        for code in line.codes:
            by_code.setdefault(code, []).append(place)
        if not (line.usable and line.codes):
            unusable.append(place)
    return by_code, unusable


def _united(parts: Iterable[Mapping[Statement, frozenset[str]]]) -> Mapping[Statement, frozenset[str]]:
    found: dict[Statement, frozenset[str]] = {}
    for part in parts:
        for stated, names in part.items():
            found[stated] = found[stated] | names if stated in found else names
    return found


@lru_cache(maxsize=4096)
def _prefixes(codes: tuple[str, ...]) -> frozenset[str]:
    """All prefixes of a diagnosis's codes; a hospital's daily codes are far fewer than are kept."""
    return frozenset(prefix for code in codes for prefix in icd_prefixes(code))


def _codes_by_statement(entry: Diagnosed | Operated) -> Mapping[Statement, frozenset[str]]:
    """The prefixes of an entry's codes by what its name says; a code that says the history itself is simply stated."""
    stated = _stated(entry.name)
    if stated not in {"past", "family"}:
        return {stated: _prefixes(entry.codes)}
    history = tuple(filter(is_history, entry.codes))
    others = tuple(code for code in entry.codes if code not in history)
    return {"present": _prefixes(history), stated: _prefixes(others)}


def _stated(name: str) -> Statement:
    """The strongest statement over a name's clauses; an empty name states its code plainly."""
    stated = {clause_stated for _, clause_stated in clauses(name)}
    return next((s for s in _STRENGTH if s in stated), "present")
