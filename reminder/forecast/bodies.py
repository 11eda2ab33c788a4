"""Journaled decisions as bodies that ``negative-list match`` judges alike: for whoever counts a forecast by hand.

A folder of four files: ``bodies.jsonl`` (the JSON of CheckRequest, one decision a line, ``request_id`` its id),
``history.jsonl`` and ``facts.jsonl`` (what had been read for each), ``site.toml`` (whose bodies carry only new lines).
Each decision has a patient and encounters of its own, named after it, so that nothing read for one is known to another;
ids of patients and encounters stand nowhere, and a birth date is the stand-in the journal decides by.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.dictionary import load
from negative_list.errors import NegativeListError
from negative_list.prescription import COVERAGE_GRACE
from negative_list.readers.derived import DERIVED
from negative_list.readers.own import read_check_request
from negative_list.readers.stored import supplement
from negative_list.site import Site, Sites
from reminder.journal.again import prescription_of
from reminder.keyed import KEYED_VALUES

if TYPE_CHECKING:
    from negative_list.prescription import Diagnosed, Encounter, FactValue, History, Line, Operated, Prescription
    from negative_list.readers.stored import StoreFact
    from reminder.journal.entries import Decided

__all__ = ["BODIES", "FACTS", "HISTORY", "SITE", "Written", "write_bodies"]

BODIES, HISTORY, FACTS, SITE = "bodies.jsonl", "history.jsonl", "facts.jsonl", "site.toml"
"""The files of the folder."""

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_Json: TypeAlias = dict[str, Any]
_Named: TypeAlias = Callable[[str], str]


class Written(Struct, kw_only=True):
    """How many decisions were written, and ids of those whose body cannot say all the entry says (some of them)."""

    decisions: int = 0
    less: int = 0
    examples: list[str] = []


def write_bodies(entries: Iterable[Decided], folder: Path, progress: Callable[[int], object]) -> Written:
    """Write decisions as bodies into a folder.

    Args:
        entries: decisions, in the order they are to stand in.
        folder: made where it is missing; files of these names in it are replaced.
        progress: called with 1 after each decision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told, partial = Written(), set[str]()
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((folder / name).open("wb")) for name in (BODIES, HISTORY, FACTS)]
        for entry in entries:
            body, past, facts = _rows_of(entry)
            for file, rows in zip(files, ((body,), past, facts), strict=True):
                file.writelines(_ENCODE(row) + b"\n" for row in rows)
            if not entry.prescription.encounter.complete:
                partial.add(entry.institution_id)
            told.decisions += 1
            if not _says_all(entry, body):
                told.less += 1
                told.examples = [*told.examples, entry.decision_id][:5]
            progress(1)
    (folder / SITE).write_text(_site(partial), "utf-8")
    return told


def _site(partial: Iterable[str]) -> str:
    """The institutions whose bodies carry only new lines."""
    tables = (f"[{_quoted(name) if name else 'default'}]\ncomplete_bodies = false\n" for name in sorted(partial))
    return "\n".join(tables)


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode()


# -- one decision


def _rows_of(entry: Decided) -> tuple[_Json, list[_Json], list[_Json]]:
    """The body of a decision, its rows of history, and its rows of facts."""
    own = _naming(entry)
    inside, beside = _parted(entry)
    body = supplement(prescription_of(entry), inside, entry.decided_at) if inside else prescription_of(entry)
    return _body(body, entry, own), list(_past(entry, own)), [_fact_row(fact, own(fact.subject)) for fact in beside]


def _naming(entry: Decided) -> _Named:
    """Names of a decision's own for the keys in it."""
    names: dict[str, str] = {"": ""}
    if entry.prescription.patient.id:
        names[entry.prescription.patient.id] = entry.decision_id

    def name(key: str) -> str:
        return names.setdefault(key, f"{entry.decision_id}-{len(names)}")

    return name


def _parted(entry: Decided) -> tuple[dict[str, tuple[StoreFact, ...]], list[StoreFact]]:
    """Facts that go into the body, for their subjects are others' too, and those that stand beside it."""
    visits = (entry.prescription.encounter, *entry.prescription.others)
    own = {entry.prescription.patient.id, *(visit.id for visit in visits)} - {""}
    inside: dict[str, tuple[StoreFact, ...]] = {}
    for fact in entry.facts:
        if fact.subject not in own:
            inside[fact.subject] = (*inside.get(fact.subject, ()), fact)
    return inside, [fact for fact in entry.facts if fact.subject in own]


def _body(told: Prescription, entry: Decided, own: _Named) -> _Json:
    patient = told.patient
    born = patient.facts.get("patient.birth_date")
    person = {"id": own(patient.id), "birth_date": _plain(born) if born is not None else ""}
    return {
        "request_id": entry.decision_id,
        "institution_id": told.institution_id,
        "time": _plain(entry.decided_at),
        "patient": _lean(person | {"facts": _facts(patient, own, {"patient.birth_date"})}),
        "encounter": _encounter(told.encounter, own),
        "other_encounters": [_encounter(other, own) for other in told.others],
    }


def _encounter(visit: Encounter, own: _Named) -> _Json:
    lines = [_line(line, own) | {"current": line.current} for line in visit.lines]
    return _lean({
        "id": own(visit.id),
        "facts": _facts(visit, own),
        "diagnoses": [_named(one) | {"stage": one.stage} for one in visit.diagnoses],
        "operations": [_named(one) for one in visit.operations],
        "lines": lines,
    })  # fmt: skip


def _named(one: Diagnosed | Operated) -> _Json:
    return {"code": one.codes[0] if one.codes else "", "name": one.name, "main": one.main}


def _line(line: Line, own: _Named) -> _Json:
    return _lean({
        "id": line.id,
        "code": line.codes[0] if line.codes else "",
        "name": line.name,
        "begins": _moment(line.begins, clock=line.has_clock),
        "stops": _moment(line.stops),
        "facts": _facts(line, own),
    })  # fmt: skip


def _moment(moment: datetime | None, *, clock: bool = True) -> str:
    if moment is None:
        return ""
    return _plain(moment) if clock else moment.date().isoformat()


def _lean(row: _Json) -> _Json:
    return {key: value for key, value in row.items() if value not in ("", [], {})}


def _facts(holder: Any, own: _Named, but: Iterable[str] = ()) -> _Json:
    """Facts under their names, with the time they were found; what follows from others is worked out again."""
    known, sources, times = load(), holder.sources, holder.times
    told = {}
    for name, value in holder.facts.items():
        if name in but or sources.get(name) == DERIVED or name not in known or not known[name].settable:
            continue
        plain = own(str(value)) if name in KEYED_VALUES else _plain(value)
        told[name] = {"value": plain, "at": _plain(times[name])} if name in times else plain
    return told


def _plain(value: FactValue) -> Any:
    """A value as bodies write it."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0).isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


# -- what had been read


def _past(entry: Decided, own: _Named) -> Iterator[_Json]:
    if entry.history is None:
        return
    whose = {"patient_id": own(entry.prescription.patient.id)} if entry.prescription.patient.id else {}
    covered = _coverage(entry.history, entry.decided_at)
    if covered:
        yield whose | covered
    for visit in entry.history.encounters:
        yield whose | {"encounter": _encounter(visit, own)}
    for line in entry.history.lines:
        if line.begins is not None and (line.codes or line.name):
            yield whose | {"encounter_id": own(line.encounter_id)} | _line(line, own)


def _coverage(history: History, at: datetime) -> _Json:
    """What is covered at the decision's instant; a promise that ended before covers nothing then."""
    everywhere, here = (until is None or until >= at - COVERAGE_GRACE for until in (history.until, history.own_until))
    told: _Json = {}
    if everywhere:
        told = {"since": _moment(history.since), "complete": history.complete or ""}
    return _lean(told | ({"own_since": _moment(history.own_since)} if here else {}))


def _fact_row(fact: StoreFact, subject: str) -> _Json:
    return _lean({
        "subject": subject,
        "fact": fact.fact,
        "value": _plain(fact.value),
        "valid_from": _moment(fact.valid_from),
        "expires": _moment(fact.expires),
        "source": fact.source,
    })  # fmt: skip


# -- whether it is the same


_SITES = {complete: Sites(default=Site(complete_bodies=complete)) for complete in (True, False)}
# A site is known by its identity, and what is worked out once for each takes ten times as long as reading a body.


def _says_all(entry: Decided, body: Mapping[str, Any]) -> bool:
    """Whether the body, read back, has the lines, diagnoses and facts of the entry."""
    try:
        read = read_check_request(msgspec.json.decode(_ENCODE(body)), _SITES[entry.prescription.encounter.complete])
    except NegativeListError:
        return False
    given = supplement(prescription_of(entry), _parted(entry)[0], entry.decided_at)
    return bool(_essence(read) == _essence(given)) and _is_whole(entry)


def _is_whole(entry: Decided) -> bool:
    """Whether every line of the history can be written: one without a begin, or without code and name, cannot."""
    lines = entry.history.lines if entry.history is not None else ()
    return all(line.begins is not None and (line.codes or line.name) for line in lines)


def _essence(told: Prescription) -> Any:
    """What is judged by, without ids of patients and encounters, and without what follows from the rest."""
    visits = (told.encounter, *told.others)
    return [
        _held(told.patient),
        [(_held(visit), visit.diagnoses, visit.operations) for visit in visits],
        [
            (line.id, line.codes, line.name, line.current, line.begins, line.has_clock, line.stops, _held(line))
            for visit in visits
            for line in visit.lines
        ],
    ]


def _held(holder: Any) -> dict[str, Any]:
    keyed, sources = KEYED_VALUES, holder.sources
    facts = holder.facts.items()
    return {name: _exact(value) for name, value in facts if name not in keyed and sources.get(name) != DERIVED}


def _exact(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value
