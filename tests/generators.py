"""Random lists and prescriptions from a small universe, so that what a rule asks and what a body holds often meet.

Everything is drawn from a seeded :class:`random.Random`; :data:`seeds` is the hypothesis strategy over it. Offsets of
lines and lengths of windows share their values, so that ends of windows are hit exactly.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from negative_list.prescription import (
    Diagnosed,
    Encounter,
    FactValue,
    History,
    Line,
    Operated,
    Patient,
    Prescription,
)

__all__ = [
    "DIAGNOSES",
    "ITEMS",
    "OPERATIONS",
    "TOLD",
    "WORDS",
    "Case",
    "draw_case",
    "seeds",
]

seeds = st.integers(min_value=0, max_value=2**32 - 1)
"""Seeds for :func:`draw_case` and :func:`tests.generators_lists.draw_list`."""

ITEMS: tuple[tuple[str, str, str], ...] = (
    ("XL02BBA326A001010102180", "阿帕他胺片", "drug"),
    ("XL02BBA326A001010178537", "阿帕他胺片", "drug"),
    ("XJ01DDT082B001010104021", "头孢曲松注射剂", "drug"),
    ("XS01LAA325B002010181443", "阿柏西普眼内注射溶液", "drug"),
    ("ZD03AAA0043010100166", "艾附暖宫丸", "drug"),
    ("ZA09DAY0166010203302", "银杏叶提取物注射液", "drug"),
    ("T000700683", "炙甘草", "herb"),
    ("T001700688", "西洋参", "herb"),
    ("T001700521", "阿胶", "herb"),
    ("001203000010000", "氧气吸入", "service"),
    ("001204000060000", "静脉输液", "service"),
    ("003400000180000", "运动疗法", "service"),
    ("003316000010000", "乳腺肿物切除术", "service"),
    ("C0201011040010302110", "一次性输液器", "material"),
)
"""Items of the universe: national code, name, ``line.item_type``."""

DIAGNOSES: tuple[tuple[str, str], ...] = (
    ("I10", "高血压"),
    ("Z88.000", "青霉素过敏史"),
    ("I63.9", "脑梗死"),
    ("I25.1", "冠心病"),
    ("C61", "前列腺恶性肿瘤"),
    ("E11.9", "2型糖尿病"),
    ("H35.3", "黄斑变性"),
    ("J18.9", "肺炎"),
    ("O80.0", "顺产"),
    ("C34.9", "非小细胞肺癌"),
    ("D46.9", "MDS"),
)
"""Diagnoses of the universe: ICD-10 code and name."""

OPERATIONS: tuple[tuple[str, str], ...] = (
    ("36.07", "冠状动脉支架植入术"),
    ("85.21", "乳腺肿物切除术"),
    ("13.41", "白内障超声乳化抽吸术"),
)
"""Operations of the universe: ICD-9-CM-3 code and name."""

WORDS: dict[str, tuple[str, ...]] = {
    "patient.sex": ("男", "女"),
    "encounter.visit_mode": ("outpatient", "emergency", "inpatient", "internet"),
    "encounter.insurance": ("employee", "resident", "work-injury", "maternity"),
    "encounter.fertility": ("none", "planning", "pregnant", "lactating"),
    "encounter.department_code": ("D1", "D2"),
    "encounter.department_name": ("康复医学科", "非康复科室", "心内ICU病房", "MICU"),
    "encounter.doctor_id": ("T1", "T2"),
    "encounter.institution_id": ("H1", "H2"),
    "line.item_type": ("drug", "herb", "service", "material"),
    "line.group_no": ("1", "2"),
    "line.site": ("左", "右"),
    "line.rx_no": ("A", "B"),
    "line.incision": ("a", "b"),
    "line.paid_by": ("fund", "self"),
    "line.tooth": ("11", "12"),
    "line.drug_class": ("头孢菌素", "活血化瘀", "抗肿瘤"),
    "line.institution_id": ("H1", "H2"),
}
"""Words and texts the universe's facts take."""

TOLD: tuple[str, ...] = (
    "encounter.susceptibility_test",
    "encounter.pathology_report",
    "encounter.albumin_g_l",
    "patient.identity_checked",
    "line.prior_approval",
)
"""Facts of the universe that may be told with the time they were found at."""

NEVER = (
    *WORDS,
    *TOLD,
    "encounter.diagnoses",
    "encounter.operations",
    "line.begins",
    "line.quantity",
    "patient.birth_date",
)
SAID = (
    "{}",
    "{}",
    "{}",
    "{}",
    "{}待排",
    "{}?",
    "可疑{}",
    "否认{}",
    "排除{}",
    "{}病史",
    "{}家族史",
    "家族史：{}",
    "{}待查",
    "左侧{}，咳嗽",
    "咳嗽、{}待排",
)
SPELT = ("{}", "{}", "{}", "{}（国产）", " {}", "复方{}", "")
LOCAL_CODES = ("Y0001", "HIS-88", "001204")
INSTANTS = (
    datetime(2026, 3, 15, 10, 30),
    datetime(2026, 1, 1, 0, 30),
    datetime(2026, 3, 31, 23, 59, 59),
    datetime(2028, 2, 29, 12, 0),
    datetime(2026, 7, 1, 6, 0),
)
OFFSETS = (
    *[timedelta(hours=n) for n in (0, 0, 0, 0, 0, 1, 2, 6, 6, 24, 24, -1, -6, -24)],
    *[timedelta(minutes=n) for n in (20, 40, 59, 361)],
    *[timedelta(days=n) for n in (1, 2, 3, 7, 7, 13, 14, 14, 15, 31, 92, 366, -3, -14)],
)
AGO = tuple(timedelta(days=n) for n in (0, 1, 2, 3, 7, 8, 14, 15, 30, 31, 92, 366, -2))
STAYS = (*[timedelta(hours=n) for n in (2, 20)], *[timedelta(days=n) for n in (1, 3, 7, 14)])
YEARS_FROM = (date(2025, 1, 1), date(2020, 7, 1), date(2024, 2, 29), date(2025, 3, 15), date(2025, 3, 16))
DAILY = tuple(timedelta(days=n) for n in range(-2, 16))
HOURLY = tuple(timedelta(hours=n) for n in range(-6, 50, 3))
AGES = (
    *[timedelta(days=n) for n in (0, 27, 28, 29, 365, 4380, 5000, 12000, 25000, -3)],
    *[timedelta(days=round(n * 365.25)) for n in (3, 12, 18, 60)],
)
GROUPS = ("group_no", "site", "rx_no", "incision", "tooth")
QUANTITIES = tuple(Decimal(n) for n in ("0.5", "1", "1", "1", "2", "3", "7"))


class Case(Struct, frozen=True, kw_only=True):
    """A prescription with the instant and the history it is judged with."""

    prescription: Prescription
    at: datetime
    history: History | None


class _Times(NamedTuple):
    """When lines begin: the decision's instant, how long before it, how often with the day only or without a time."""

    at: datetime
    offsets: tuple[timedelta, ...]
    bare: float
    timeless: float


def draw_case(random: Random, lines: int | None = None) -> Case:
    """Draw a body of 2 to 10 lines, with other encounters, history, gaps in what is known, and edges of windows.

    With ``lines`` the current encounter has as many.
    """
    times = _Times(
        at=random.choice(INSTANTS),
        offsets=random.choice((OFFSETS, OFFSETS, DAILY, HOURLY)),
        bare=random.choice((0.05, 0.15, 0.5, 0.95)),
        timeless=random.choice((0, 0.03, 0.2)),
    )
    admitted = _day_of(random, times.at - timedelta(days=random.choice((1, 3, 14, 30))))
    current = _encounter(random, "E1", times, admitted, lines or random.randint(2, 10))
    others = [
        _encounter(random, name, times, _day_of(random, admitted - random.choice(AGO)), random.randint(1, 2))
        for name in ("E2", "E3")[: random.choice((0, 0, 1, 2))]
    ]
    prescription = Prescription(encounter=current, patient=_patient(random, times.at), others=tuple(others))
    history = _history(random, times, admitted)
    never = random.sample(NEVER, random.choice((0, 0, 0, 3, 10)))
    return Case(prescription=replace(prescription, never_sent=tuple(sorted(never))), at=times.at, history=history)


def _day_of(random: Random, admitted: datetime) -> datetime:
    """The admission as bodies tell it: some clients send the day alone."""
    return admitted if random.random() < 0.6 else datetime(admitted.year, admitted.month, admitted.day)


def _known(random: Random, facts: dict[str, FactValue], share: float = 0.85) -> dict[str, FactValue]:
    """The facts that happen to be known."""
    return {name: value for name, value in facts.items() if random.random() < share}


def _found(random: Random, facts: dict[str, FactValue], at: datetime) -> dict[str, datetime]:
    """When evidence was found, where that is told."""
    return {name: at - random.choice(OFFSETS) for name in TOLD if name in facts and random.random() < 0.75}


def _patient(random: Random, at: datetime) -> Patient:
    birth = (at - random.choice(AGES)).date() - timedelta(days=random.choice((-1, 0, 0, 1)))
    birthday = date(at.year - random.choice((3, 12, 18, 60)), at.month, min(at.day, 28))
    facts: dict[str, FactValue] = {
        "patient.sex": random.choice(WORDS["patient.sex"]),
        "patient.birth_date": random.choice((birth, birthday)),
        "patient.identity_checked": random.random() < 0.7,
    }
    known = _known(random, facts)
    return Patient(facts=known, times=_found(random, known, at))


def _encounter(random: Random, name: str, times: _Times, admitted: datetime, number: int) -> Encounter:
    # Few different items a body: only then do lines of one item, and pairs, meet.
    items = random.sample(ITEMS, random.randint(2, 5))
    refunding = random.random() < 0.1
    facts = _encounter_facts(random, times.at, admitted)
    institution = str(facts.get("encounter.institution_id", "H1"))
    return Encounter(
        id=name,
        lines=tuple(
            _maybe_refund(random, _line(random, f"{name}-{n}", name, times, items, institution), refunding)
            for n in range(number)
        ),
        diagnoses=tuple(_diagnosed(random) for _ in range(random.choice((0, 1, 1, 2, 3)))),
        operations=tuple(_operated(random) for _ in range(random.choice((0, 0, 1, 1, 2)))),
        facts=facts,
        times=_found(random, facts, times.at),
        complete=random.random() < 0.8,
    )


def _encounter_facts(random: Random, at: datetime, admitted: datetime) -> dict[str, FactValue]:
    words = ("visit_mode", "fertility", "department_code", "department_name", "doctor_id", "institution_id")
    facts: dict[str, FactValue] = {
        **{f"encounter.{name}": random.choice(WORDS[f"encounter.{name}"]) for name in words},
        "encounter.insurance": tuple(random.sample(WORDS["encounter.insurance"], random.choice((1, 1, 2)))),
        "encounter.institution_level": random.randint(0, 3),
        "encounter.stay_days": random.choice((1, 3, 14, 15)),
        "encounter.rescue": random.random() < 0.3,
        "encounter.onset_at": at - random.choice(OFFSETS),
        "encounter.admitted_at": admitted,
        "encounter.insurance_year_from": random.choice(YEARS_FROM),
        "encounter.susceptibility_test": random.random() < 0.7,
        "encounter.pathology_report": random.random() < 0.7,
        "encounter.albumin_g_l": random.choice((Decimal(28), Decimal("30.5"))),
    }
    if random.random() < 0.6:
        facts["encounter.discharged_at"] = admitted + random.choice(STAYS)
    return _known(random, facts)


def _diagnosed(random: Random) -> Diagnosed:
    code, name = random.choice(DIAGNOSES)
    codes = (code,) if random.random() < 0.8 else random.choice(((), (code, "I25.1")))
    said = random.choice(SAID).format(name) if random.random() < 0.85 else ""
    stage = random.choice(("", "", "admission", "discharge"))
    return Diagnosed(codes=codes, name=said, main=random.random() < 0.4, stage=stage)


def _operated(random: Random) -> Operated:
    code, name = random.choice(OPERATIONS)
    said = random.choice(SAID).format(name) if random.random() < 0.5 else name
    return Operated(codes=(code,) if random.random() < 0.8 else (), name=said, main=random.random() < 0.5)


def _line(
    random: Random, name: str, encounter: str, times: _Times, items: list[tuple[str, str, str]], institution: str
) -> Line:
    item = random.choice(items)
    facts = _line_facts(random, item[2], institution)
    codes, usable = _codes(random, item[0])
    begins, has_clock = _begin(random, times)
    return Line(
        id=name,
        encounter_id=encounter,
        codes=codes,
        usable=usable,
        name=random.choice(SPELT).format(item[1]).replace("胶", random.choice("胶膠")),
        current=random.random() < 0.6,
        begins=begins,
        has_clock=has_clock,
        stops=_stop(random, begins or times.at),
        facts=facts,
        times=_found(random, facts, times.at),
    )


def _maybe_refund(random: Random, line: Line, refunding: bool) -> Line:
    """Now and then a refund of what other lines charged."""
    if not refunding or random.random() < 0.6:
        return line
    known = {name: -value for name in ("line.quantity", "line.amount_fen") if (value := line.facts.get(name))}  # type: ignore[operator]
    return replace(line, facts={**line.facts, **known})


def _codes(random: Random, code: str) -> tuple[tuple[str, ...], bool]:
    chance = random.random()
    if chance < 0.8:
        return (code,), True
    if chance < 0.86:
        return (random.choice(ITEMS)[0], code), True
    if chance < 0.93:
        return (random.choice(LOCAL_CODES),), False
    return (), chance < 0.96


def _begin(random: Random, times: _Times) -> tuple[datetime | None, bool]:
    begins = times.at - random.choice(times.offsets)
    if random.random() < times.timeless:
        return None, True
    if random.random() < times.bare:
        return datetime(begins.year, begins.month, begins.day), False
    return begins, True


def _stop(random: Random, begins: datetime) -> datetime | None:
    if random.random() < 0.4:
        return None
    return begins + random.choice((timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=7)))


def _line_facts(random: Random, item_type: str, institution: str) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {
        "line.item_type": item_type,
        "line.quantity": random.choice(QUANTITIES),
        "line.amount_fen": random.choice((0, 1000, 2500, 30000)),
        "line.unit_price_fen": random.choice((500, 500, 1000, 2500)),
        "line.first_line_used": random.random() < 0.5,
        "line.paid_by": "self" if random.random() < 0.2 else "fund",
        "line.prior_approval": random.random() < 0.6,
        "line.institution_id": institution if random.random() < 0.9 else "H2",
        "line.slides": random.choice((Decimal(1), Decimal(2), Decimal(8))),
        "line.drug_class": tuple(random.sample(WORDS["line.drug_class"], random.choice((1, 1, 2)))),
        **{f"line.{name}": random.choice(WORDS[f"line.{name}"]) for name in GROUPS},
    }
    kept = _known(random, facts)
    if random.random() < 0.35:
        kept["line.days"] = random.choice((1, 1, 3, 7, 14, 15))
    if random.random() < 0.3:
        kept["line.long_order"] = random.random() < 0.6
    return kept


def _history(random: Random, times: _Times, admitted: datetime) -> History | None:
    if random.random() < 0.3:
        return None
    lines = tuple(
        _line(random, f"H{n}", random.choice(("E1", "E2", "X9")), times, list(ITEMS), random.choice(("H1", "H2")))
        for n in range(random.choice((0, 1, 2, 4)))
    )
    ids = random.sample(("E1", "E2", "X8", "X9"), random.choice((0, 0, 1, 2)))
    encounters = [_encounter(random, name, times, _day_of(random, admitted - random.choice(AGO)), 0) for name in ids]
    spans = (None, None, timedelta(0), *(timedelta(days=n) for n in (1, 14, 32, 92, 400, 4000)))
    since, own_since = random.choice(spans), random.choice(spans)
    return History(
        lines=lines,
        encounters=tuple(encounters),
        since=None if since is None else times.at - since,
        own_since=None if own_since is None else times.at - own_since,
        complete=random.random() < 0.35,
        until=_end(random, times),
        own_until=_end(random, times),
    )


def _end(random: Random, times: _Times) -> datetime | None:
    ago = random.choice(
        (None, None, None, timedelta(0), timedelta(days=2), timedelta(days=2, seconds=1), timedelta(40))
    )
    return None if ago is None else times.at - ago
