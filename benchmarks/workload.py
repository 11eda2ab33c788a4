"""The workload every benchmark shares: prescriptions over a list, in the mix of design section 11.

70 % without a finding, 20 % with one, 10 % with three or more, a fifth with something unknown; six lines each, every
line with a rule on its code. Which code does what for which patient is asked of the engine itself, so that the mix
holds for any list.
"""

from __future__ import annotations

import itertools
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.engine import match
from negative_list.prescription import Prescription
from negative_list.readers import read_body
from negative_list.site import Sites

if TYPE_CHECKING:
    from negative_list.compile import CompiledList

__all__ = ["AT", "LINES", "Workload", "bodies_of", "make_workload"]

AT = datetime(2026, 5, 1, 9, 30)
LINES = 6
PROBED = 4_000
"""Codes looked at to learn what they do: enough for every class of the mix."""

_PATIENTS: tuple[dict[str, Any], ...] = (
    {"sex": "女", "birth_date": "2012-03-04"},
    {"sex": "女", "birth_date": "1980-03-04"},
    {"sex": "男", "birth_date": "1951-11-30"},
    {"sex": "男", "birth_date": "2015-06-01"},
)
_ENCOUNTERS: tuple[dict[str, Any], ...] = (
    {"visit_mode": "inpatient", "insurance": ["employee"], "institution_level": 3, "department_code": "0301"},
    {"visit_mode": "outpatient", "insurance": ["resident"], "institution_level": 2, "department_code": "0101"},
    {"visit_mode": "inpatient", "insurance": ["employee", "maternity"], "institution_level": 1},
)
_DIAGNOSES = (
    ("I10.x00", "高血压"),
    ("E11.900", "2型糖尿病"),
    ("J18.900", "肺炎"),
    ("K29.500", "慢性胃炎"),
    ("N40.x00", "前列腺增生"),
)


class Workload(Struct, frozen=True, kw_only=True):
    """Bodies in our own JSON, and the same read as prescriptions."""

    bodies: tuple[dict[str, Any], ...]
    prescriptions: tuple[Prescription, ...]


def make_workload(compiled: CompiledList, size: int = 2_000, seed: int = 7) -> Workload:
    """``size`` different prescriptions over a list."""
    bodies = tuple(itertools.islice(bodies_of(compiled, seed), size))
    sites = Sites()
    return Workload(bodies=bodies, prescriptions=tuple(read_body(body, sites, AT) for body in bodies))


def bodies_of(compiled: CompiledList, seed: int) -> Any:
    """An endless stream of bodies in the mix."""
    rng = Random(seed)
    people = list(itertools.product(_PATIENTS, _ENCOUNTERS))
    known = [_probe(compiled, patient, encounter, rng) for patient, encounter in people]
    for number in itertools.count():
        patient, encounter = people[number % len(people)]
        codes = _codes(known[number % len(people)], number // len(people), rng)
        yield _body(number, patient, encounter, codes, rng)


def _codes(kinds: dict[str, list[str]], turn: int, rng: Random) -> list[str]:
    """Six codes: the turn of ten decides the findings, every fifth has an unknown."""
    hits = {7: 1, 8: 1, 9: 3}.get(turn % 10, 0)
    unknown = 1 if turn % 5 == 0 else 0
    wanted = [("finding", hits), ("unknown", unknown), ("clean", LINES - hits - unknown)]
    return [code for kind, size in wanted for code in rng.sample(kinds[kind] or kinds["clean"], size)]


def _probe(
    compiled: CompiledList, patient: dict[str, Any], encounter: dict[str, Any], rng: Random
) -> dict[str, list[str]]:
    """Codes by what they do alone for this patient in this encounter."""
    kinds: dict[str, list[str]] = {"clean": [], "finding": [], "unknown": []}
    codes = list(compiled.by_code)
    for code in rng.sample(codes, min(PROBED // 10, len(codes))):
        prescription = read_body(_body(0, patient, encounter, [code], rng), Sites(), AT)
        matched = match(compiled, prescription, AT)
        kind = "finding" if matched.true else "unknown" if matched.unknown else "clean"
        kinds[kind].append(code)
    return kinds


def _body(
    number: int, patient: dict[str, Any], encounter: dict[str, Any], codes: list[str], rng: Random
) -> dict[str, Any]:
    price = rng.randrange(100, 20_000)
    return {
        "request_id": f"B{number:08d}",
        "institution_id": "H00000000000",
        "time": str(AT),
        "scene": ["2"],
        "patient": {"id": f"P{number}", **patient},
        "encounter": {
            "id": f"M{number}",
            "admitted_at": "2026-05-01 00:00:00",
            **encounter,
            "diagnoses": [
                {"code": code, "name": name, "main": place == 0}
                for place, (code, name) in enumerate(rng.sample(_DIAGNOSES, 2))
            ],
            "lines": [_line(place, code, price + place) for place, code in enumerate(codes)],
        },
    }


def _line(place: int, code: str, price: int) -> dict[str, Any]:
    return {
        "id": f"L{place}",
        "code": code,
        "name": f"项目{place}",
        "begins": str(AT),
        "quantity": 1,
        "unit": "盒",
        "unit_price_fen": price,
        "list_price_fen": price,
        "amount_fen": price,
        "rx_no": "RX1",
        "days": 7,
        "paid_by": "fund",
    }
