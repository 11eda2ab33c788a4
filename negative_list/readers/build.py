"""What both kinds of body have in common: from gathered facts to the records of a prescription.

Here facts are derived from others, the site has its say, codes are mapped, duplicates merged and lines named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.codes import icd9_codes, icd10_codes, normal, structure
from negative_list.dictionary import load
from negative_list.prescription import Diagnosed, Encounter, FactValue, Line, Operated, Patient
from negative_list.readers import derived
from negative_list.readers.reading import SITE, SITE_DEFAULT, TIMES, Facts, Gathered, Place, Reading

if TYPE_CHECKING:
    from negative_list.site import CodeKind

__all__ = ["Named", "Parts", "diagnoses", "encounter", "institution_of", "line", "line_ids", "operations", "patient"]

_LONGEST_LIFE_DAYS = 150 * 366
_KIND_OF_MODE = {
    "outpatient": "outpatient",
    "emergency": "outpatient",
    "inpatient": "inpatient",
    "pharmacy": "pharmacy",
}
_MATERNITY_MED_TYPES = ("51", "52")
_MATERNITY = "maternity"
_LONGEST_MED_TYPE = 6
_CATEGORY = 3
_GENERIC = 10  # places of a western drug's code up to its name: ATC group and number in it, then form, pack and maker
_NO_TIME = (None, True)

Derive = Callable[[Facts, Mapping[str, FactValue]], None]


class Named(Struct, frozen=True):
    """A diagnosis or an operation as a body wrote it."""

    code: str
    name: str
    main: bool = False
    stage: str = ""


def line_ids(encounters: Sequence[tuple[str, Sequence[str]]]) -> list[list[str]]:
    """Return the line ids of each (encounter id, ids as sent), the current encounter first.

    An id that is unique in the body stands; else, or without one, ``#`` and the line's place in its encounter follow.
    Should that name a line already named, the encounter's id goes before it, and where an encounter comes several times
    (one client makes one of each line) its number there.
    """
    every = [sent for _, ids in encounters for sent in ids]
    if all(every) and len(set(every)) == len(every):
        return [list(ids) for _, ids in encounters]
    counts = Counter(every)
    seen: dict[str, int] = {}
    return [
        [_unseen(_named(sent, place, counts), name, seen) for place, sent in enumerate(ids, 1)]
        for name, ids in encounters
    ]


def _named(sent: str, place: int, counts: Counter[str]) -> str:
    return sent if sent and counts[sent] == 1 else f"{sent}#{place}"


def _unseen(wanted: str, encounter_id: str, seen: dict[str, int]) -> str:
    """A name nobody has; ``seen`` counts how often each was asked for again, so that none is looked for twice."""
    if wanted not in seen:
        seen[wanted] = 1
        return wanted
    name = within = f"{encounter_id}/{wanted}"
    while name in seen:
        seen[within] += 1
        name = f"{encounter_id}/{seen[within]}/{wanted}"
    seen[name] = 1
    return name


def line(
    reading: Reading, encounter_id: str, gathered: Gathered, place: Place, *, current: bool, further: bool = True
) -> Line:
    """Build a line from what was gathered of it; ``place`` names its id, ``current`` whether its encounter is.

    ``further``: it may tell more than a plain order, such as doses. Few do, and the others should not pay for them.

    Codes are mapped by the site's table at the line's own time, facts are derived, and the site has its say.
    """
    take = gathered.pop
    take("line.id", "")
    begins, has_clock = take("line.begins", _NO_TIME)
    stops = _stops(reading, begins, take("line.stops", _NO_TIME)[0], place)
    name, in_force = take("line.name", ""), take("line.current", None) is False
    codes, item_type = _item_codes(reading, take("line.code", ""), gathered.get("line.local_code", ""), begins)
    if item_type is None:
        _note_code(reading, codes, place)
    else:
        _add_item(gathered, codes, item_type)
    times: Mapping[str, datetime] = take(TIMES, {}) if further else {}
    dosed = further and not gathered.keys().isdisjoint(derived.DOSED)
    if dosed or gathered.get("line.item_type") in derived.HERBS:
        sources = _dosed(reading, gathered)
    else:
        sources = _settled(reading, "line", gathered, _derive_line)
    return Line(
        id=place.line,
        encounter_id=encounter_id,
        codes=codes,
        usable=item_type is not None,
        name=name,
        current=current and not in_force,
        begins=begins,
        has_clock=has_clock,
        stops=stops,
        sources=sources,
        facts=gathered,
        times=_found(times, gathered, sources) if times else {},
    )


def _add_item(facts: Gathered, codes: tuple[str, ...], item_type: str) -> None:
    """What a national code says of its item: its kind, and the medicine it is whatever its form, strength and maker."""
    if "line.item_type" not in facts:
        facts["line.item_type"] = item_type
    if "line.generic" not in facts:
        national = codes[0] if len(codes) == 1 else next(filter(structure, codes))
        facts["line.generic"] = national[:_GENERIC] if national[0] == "X" else national


def _dosed(reading: Reading, facts: Facts) -> dict[str, str]:
    """Settle a line that tells doses; what follows from them has a source of its own."""
    told = frozenset(facts)
    sources = _settled(reading, "line", facts, _derive_dosed_line)
    follows = derived.DOSAGE & facts.keys() - told - sources.keys()
    return dict.fromkeys(sorted(follows), derived.DERIVED) | sources


def _found(times: Mapping[str, datetime], facts: Facts, sources: Mapping[str, str]) -> dict[str, datetime]:
    """Keep the times of facts that are known as the body told them, not as the site fixes them."""
    return {name: time for name, time in times.items() if name in facts and name not in sources}


def _stops(reading: Reading, begins: datetime | None, stops: datetime | None, place: Place) -> datetime | None:
    if begins and stops and stops < begins and stops.date() < begins.date():
        reading.impossible(place, reading.names["line.stops"], f"停止时间 `{stops}` 早于开始时间 `{begins}`")
        return None
    return stops


def _note_code(reading: Reading, codes: tuple[str, ...], place: Place) -> None:
    why = f"项目编码 `{codes[0][:40]}` 不是国家编码" if codes else "没有项目编码"
    reading.note("unknown_code", place, reading.names["line.code"], f"{why}，只按原编码和项目名称比对，可能未检查")


def _item_codes(reading: Reading, code: str, local: str, begins: datetime | None) -> tuple[tuple[str, ...], str | None]:
    if not reading.site.codes:
        return _own_codes(code)
    on = begins or reading.at
    mapped = [national for sent in (code, local) if sent for national in reading.site.national("item", sent, on)]
    codes = tuple(dict.fromkeys([*_own_codes(code)[0], *mapped]))
    return codes, next(filter(None, map(structure, codes)), None)


@lru_cache(maxsize=65536)
def _own_codes(code: str) -> tuple[tuple[str, ...], str | None]:
    return (normal(code),) if code else (), structure(code)


def _settled(reading: Reading, holder: str, facts: Facts, derive: Derive) -> dict[str, str]:
    """Let the site have its say over ``facts`` and derive what follows; return the sources that are not the request."""
    said = reading.plan.said[holder]
    if reading.plan.quiet[holder]:
        derive(facts, said.overrides)
        return {}
    for name in said.untrusted:
        facts.pop(name, None)
    facts.update(said.overrides)
    derive(facts, said.overrides)
    for name in said.untrusted - said.overrides.keys():
        facts.pop(name, None)
    missing = {name: value for name, value in said.defaults.items() if name not in facts}
    if missing:
        facts.update(missing)
        derive(facts, said.overrides | missing)
    return dict.fromkeys(said.overrides, SITE) | dict.fromkeys(missing, SITE_DEFAULT)


def _derive_line(facts: Facts, _fixed: Mapping[str, FactValue]) -> None:
    get = facts.get
    price, listed = get("line.unit_price_fen"), get("line.list_price_fen")
    if price is not None and "line.amount_fen" not in facts:
        quantity = get("line.quantity")
        if isinstance(quantity, Decimal) and isinstance(price, int):
            facts["line.amount_fen"] = int((quantity * price).quantize(Decimal(1), ROUND_HALF_UP))
    if price is not None and listed is not None and "line.full_price" not in facts:
        facts["line.full_price"] = price >= listed  # type: ignore[operator]
    if "line.paid_by" not in facts and (payer := _paid_by(facts)):
        facts["line.paid_by"] = payer


def _derive_dosed_line(facts: Facts, fixed: Mapping[str, FactValue]) -> None:
    derived.dosage(facts)
    _derive_line(facts, fixed)


def _paid_by(facts: Facts) -> str | None:
    """Read who pays, by the rules of the national approval flag (2204, 2301) and the own pay amount (3101)."""
    if facts.get("line.selfpay_marked") is True or facts.get("line.approval") == "refused":
        return "self"
    own, amount = facts.get("line.ownpay_fen"), facts.get("line.amount_fen")
    if own is None or amount is None:
        return None
    return "self" if own == amount else "fund"


def patient(reading: Reading, patient_id: str, facts: Facts, place: Place) -> Patient:
    """Build the patient; a birth date that cannot be is noted and unknown."""
    born = facts.get("patient.birth_date")
    if born is not None and reading.at is not None and (why := _impossible_birth(born, reading.at)):
        reading.impossible(place, reading.names["patient.birth_date"], why)
        del facts["patient.birth_date"]
    times: Mapping[str, datetime] = facts.pop(TIMES, {})  # type: ignore[assignment]
    sources = _settled(reading, "patient", facts, _derive_patient)
    return Patient(id=patient_id, facts=facts, sources=sources, times=_found(times, facts, sources) if times else {})


def _impossible_birth(born: FactValue, at: datetime) -> str:
    days = (at.date() - born).days  # type: ignore[operator]
    if days < 0:
        return f"出生日期 `{born}` 晚于就诊当日"
    return f"出生日期 `{born}` 距今超过 150 年" if days > _LONGEST_LIFE_DAYS else ""


def _derive_patient(facts: Facts, _fixed: Mapping[str, FactValue]) -> None:
    person = facts.get("patient.person_type")
    if person is not None:
        facts.setdefault("patient.retired", str(person).startswith(("12", "13")))


def institution_of(reading: Reading, facts: Facts) -> str:
    """Return whose encounter this is, the body's institution where it names none; it is a fact of it from then on."""
    if reading.institution_id:
        facts.setdefault("encounter.institution_id", reading.institution_id)
    return str(facts.get("encounter.institution_id", ""))


class Parts(Struct, frozen=True, kw_only=True):
    """What an encounter is made of besides its facts."""

    id: str
    lines: tuple[Line, ...]
    diagnoses: tuple[Diagnosed, ...]
    operations: tuple[Operated, ...]


def encounter(reading: Reading, parts: Parts, facts: Facts, place: Place) -> Encounter:
    """Build an encounter: derived facts, what the site says."""
    _check_stay(reading, facts, place)
    _note_conflict(reading, facts, place)
    _add_main_category(parts.diagnoses, facts)
    times: Mapping[str, datetime] = facts.pop(TIMES, {})  # type: ignore[assignment]
    sources = _settled(reading, "encounter", facts, lambda f, fixed: _derive_encounter(reading, f, fixed))
    return Encounter(
        id=parts.id,
        lines=parts.lines,
        diagnoses=parts.diagnoses,
        operations=parts.operations,
        facts=facts,
        sources=sources,
        times=_found(times, facts, sources) if times else {},
        complete=reading.site.complete_bodies,
    )


def _add_main_category(listed: Iterable[Diagnosed], facts: Facts) -> None:
    """The ICD-10 category (three characters) of the main diagnosis, where all that are called main share one."""
    main = [each.codes[0][:_CATEGORY] if each.codes else "" for each in listed if each.main]
    if main and main[0] and main.count(main[0]) == len(main):
        facts.setdefault("encounter.main_diagnosis_category", main[0])


def _check_stay(reading: Reading, facts: Facts, place: Place) -> None:
    begins, ends = facts.get("encounter.admitted_at"), facts.get("encounter.discharged_at")
    if begins is None or ends is None:
        return
    if ends == begins:  # so clients fill it while the patient is in hospital, and for a visit it says nothing
        del facts["encounter.discharged_at"]
    elif ends < begins:  # type: ignore[operator]
        reading.impossible(
            place, reading.names["encounter.discharged_at"], f"出院时间 `{ends}` 早于入院时间 `{begins}`"
        )
        del facts["encounter.discharged_at"]


def _note_conflict(reading: Reading, facts: Facts, place: Place) -> None:
    kind, coded = facts.get("encounter.visit_kind"), _mode_of(reading, facts.get("encounter.med_type"))
    if kind in _KIND_OF_MODE.values() and coded and _KIND_OF_MODE.get(coded) != kind:
        told = f"就诊类型与医疗类别 `{facts['encounter.med_type']}` 不一致，按医疗类别处理"
        reading.note("conflict", place, reading.names["encounter.visit_kind"], told)


def _derive_encounter(reading: Reading, facts: Facts, fixed: Mapping[str, FactValue]) -> None:
    med_type = facts.get("encounter.med_type")
    if "encounter.insurance" not in fixed and str(med_type).startswith(_MATERNITY_MED_TYPES):
        _add_maternity(facts)
    if "encounter.visit_mode" not in facts and (mode := _visit_mode(reading, facts)):
        facts["encounter.visit_mode"] = mode
    if facts.get("encounter.visit_mode") == "inpatient" and "encounter.stay_days" not in facts:
        _add_stay(reading, facts)


def _add_maternity(facts: Facts) -> None:
    held = facts.get("encounter.insurance", ())
    if isinstance(held, tuple) and _MATERNITY not in held:
        order = list(load()["encounter.insurance"].words)
        facts["encounter.insurance"] = tuple(sorted((*held, _MATERNITY), key=order.index))


def _visit_mode(reading: Reading, facts: Facts) -> str | None:
    if facts.get("encounter.pay_location") == "internet":
        return "internet"
    if mode := _mode_of(reading, facts.get("encounter.med_type")):
        return mode
    kind = facts.get("encounter.visit_kind")
    return str(kind) if kind in _KIND_OF_MODE.values() else None


def _mode_of(reading: Reading, med_type: FactValue | None) -> str | None:
    """Return the visit mode of the longest beginning of the medical category that the table knows."""
    if med_type is None:
        return None
    modes, code = reading.plan.modes, str(med_type)
    known = (
        modes[code[:length]] for length in range(min(len(code), _LONGEST_MED_TYPE), 1, -1) if code[:length] in modes
    )
    return next(known, None)


def _add_stay(reading: Reading, facts: Facts) -> None:
    begins, ends = facts.get("encounter.admitted_at"), facts.get("encounter.discharged_at", reading.at)
    if isinstance(begins, datetime) and isinstance(ends, datetime) and ends - begins > timedelta(0):
        facts["encounter.stay_days"] = (ends.date() - begins.date()).days


def diagnoses(reading: Reading, rows: Iterable[Named], main: Named | None = None) -> tuple[Diagnosed, ...]:
    """Build diagnoses: usable ICD-10 codes, duplicates merged, the encounter's main diagnosis among them."""
    merged = _merged((_codes_of(reading, "diagnosis", row), row) for row in rows)
    if main is not None and (main.code or main.name):
        _mark_main(merged, _codes_of(reading, "diagnosis", main), main)
    return tuple(Diagnosed(codes=c, name=name, main=held, stage=s) for (c, name, s), held in merged.items())


def operations(reading: Reading, rows: Iterable[Named]) -> tuple[Operated, ...]:
    """Build operations: usable ICD-9-CM-3 codes, duplicates merged."""
    merged = _merged((_codes_of(reading, "operation", row), row) for row in rows)
    return tuple(Operated(codes=codes, name=name, main=held) for (codes, name, _), held in merged.items())


_Merged = dict[tuple[tuple[str, ...], str, str], bool]


def _codes_of(reading: Reading, kind: CodeKind, row: Named) -> tuple[str, ...]:
    own = icd10_codes(row.code) if kind == "diagnosis" else icd9_codes(row.code)
    if not reading.site.codes:
        return own
    return tuple(dict.fromkeys([*own, *reading.site.national(kind, row.code, reading.at)]))


def _merged(rows: Iterable[tuple[tuple[str, ...], Named]]) -> _Merged:
    """Merge rows of the same codes, name and stage; what differs in its name may differ in what it states."""
    merged: _Merged = {}
    for codes, row in rows:
        name = row.name or ("" if codes else row.code)
        if codes or name:  # a local code without a name still is a diagnosis, and one nobody can decide by
            key = (codes, name, row.stage)
            merged[key] = merged.get(key, False) or row.main
    return merged


def _mark_main(merged: _Merged, codes: tuple[str, ...], main: Named) -> None:
    for key in merged:
        if (codes and key[0] == codes) or (main.name and key[1] == main.name):
            # told of admission and of discharge, it is the main one both times
            merged.update(dict.fromkeys([other for other in merged if other[:2] == key[:2]], True))
            return
    merged[codes, main.name or ("" if codes else main.code), main.stage] = True
