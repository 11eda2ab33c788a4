"""Prescriptions a careful human would sign as payable in every line, drawn over the points of a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from negative_list.prescription import Diagnosed, Encounter, History, Patient, Prescription
from tests.silence.bill import Bill
from tests.silence.wishes import AGES, Wish, both

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from negative_list.importer import Point
    from negative_list.prescription import FactValue
    from tests.silence.points import Points

__all__ = ["Drawn", "draw", "draw_all", "drawn_with"]

_COMMON = (
    ("J06.900", "急性上呼吸道感染"), ("M54.500", "腰痛"), ("K29.700", "胃炎"), ("R51.x00", "头痛"),
    ("J40.x00", "支气管炎"),
)  # fmt: skip
_FROM = datetime(2026, 2, 10, 8, 0)
_DAYS = 240


class Drawn(Struct, frozen=True, kw_only=True):
    """A prescription, the patient's history, the moment it is judged at, and the points its lines are of."""

    prescription: Prescription
    history: History
    at: datetime
    points: Mapping[str, tuple[str, ...]]


def draw_all(points: Points, count: int, seed: int) -> Iterator[Drawn]:
    """Draw ``count`` prescriptions whose first items go through the list's points one after another."""
    queue: list[Point] = []
    order = Random(f"order {seed}")
    for number in range(count):
        if not queue:
            queue = order.sample(points.current, len(points.current))
        yield draw(points, queue.pop(), Random(f"{seed} {number}"))


def draw(points: Points, first: Point, rng: Random) -> Drawn:
    """Draw one prescription of 1 to 8 lines, the first of them an item of the point."""
    wanted = rng.randint(1, 8)
    code = rng.choice(first.med_codes)
    patient = points.wish(code, rng)
    items = [(code, patient)]
    for _ in range(12):
        if len(items) >= max(1, wanted * 2 // 3):
            break
        joined = _joined(points, items, patient, rng)
        if joined:
            items, patient = joined
    return drawn_with(points, items, patient, rng, wanted - len(items))


def _joined(
    points: Points, items: list[tuple[str, Wish]], patient: Wish, rng: Random
) -> tuple[list[tuple[str, Wish]], Wish] | None:
    """The items with one more that the same patient may have on the same bill; ``None`` where it does not fit."""
    more = rng.choice(points.by_class[rng.choice(sorted(points.by_class))])
    code = rng.choice(more.med_codes)
    wish = points.wish(code, rng)
    groups = {name for _, held in items for name in held.groups}
    fits = (
        code not in {held for held, _ in items}
        and not any(frozenset((code, held)) in points.apart for held, _ in items)
        and not wish.groups & groups
        and not (wish.onset and any(held.onset for _, held in items))
    )
    whole = both(patient, replace(wish, **_NOTHING)) if fits else None
    return ([*items, (code, wish)], whole) if whole else None


_NOTHING: dict[str, Any] = {
    "most": None,
    "course_days": None,
    "gap_days": None,
    "groups": frozenset(),
    "herb": False,
    "self_paid": False,
}


def drawn_with(
    points: Points,
    items: Sequence[tuple[str, Wish]],
    patient: Wish,
    rng: Random,
    harmless: int,
    *,
    bare_at: datetime | None = None,
) -> Drawn:
    """The prescription of these items and some harmless ones for a patient who meets the wish.

    ``bare_at``: judged then, with one line an item, no earlier lines and no companions; else at a moment drawn.
    """
    at = bare_at or _FROM + timedelta(days=rng.randrange(_DAYS), minutes=rng.randrange(540))
    bill = Bill(points, at, rng, mode=rng.choice(sorted(patient.modes)), bare=bare_at is not None)
    bill.planned.update(code for code, _ in items)
    for code, wish in items:
        bill.add(code, wish)
    for _ in range(harmless):
        bill.add_harmless()
    if bare_at is None:
        bill.add_apart()
    return Drawn(
        prescription=Prescription(
            patient=_patient(patient, at, rng),
            encounter=_encounter(bill, patient, rng),
            request_id=f"R{rng.randrange(10**9)}",
            institution_id="H00000000000",
            at=at,
        ),
        history=History(lines=tuple(bill.past), complete=True),
        at=at,
        points={line.id: tuple(p.kp_id for p in points.by_code.get(line.codes[0], ())) for line in bill.lines},
    )


def _patient(wish: Wish, at: datetime, rng: Random) -> Patient:
    likely = wish.ages & {"child", "adult", "elder"} or wish.ages
    low, high = AGES[rng.choice(sorted(likely))]
    born = at.date() - timedelta(days=rng.randint(low, high))
    own = {name: value for name, value in wish.facts.items() if name.startswith("patient.")}
    sex = wish.sex or rng.choice("男女")
    return Patient(id="P1", facts={"patient.sex": sex, "patient.birth_date": born, **own})


def _encounter(bill: Bill, wish: Wish, rng: Random) -> Encounter:
    first = min(line.begins for line in bill.lines if line.begins)
    own: dict[str, FactValue] = {k: v for k, v in wish.facts.items() if k.startswith("encounter.")}
    if bill.onset_before:
        own["encounter.onset_at"] = bill.onset_before - timedelta(minutes=50)
    filed = wish.diagnoses or (rng.choice(_COMMON),)
    return Encounter(
        id="E1",
        lines=tuple(bill.lines),
        diagnoses=tuple(
            Diagnosed(codes=(code,), name=name, main=place == 0) for place, (code, name) in enumerate(filed)
        ),
        facts={
            "encounter.visit_mode": bill.mode,
            "encounter.insurance": (wish.insurance or rng.choice(["employee", "resident"]),),
            "encounter.institution_level": rng.randint(wish.level, 3),
            "encounter.admitted_at": first - timedelta(minutes=20),
            "encounter.department_code": "D1",
            "encounter.scene": ("4" if bill.mode == "inpatient" else "2",),
            **own,
        },
    )
