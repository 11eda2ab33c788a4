"""A long stay at pre-settlement, and what history costs: those who ask for it, and those who do not.

The stay has 5,000 fee lines over 60 days, each item charged again and again as in a real bill. Checks with history go
the service's whole way in one process, against a SQLite store that knows 500 lines of each patient.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.workload import AT, make_workload
from negative_list.compile import CompiledList, compile
from negative_list.decide import NOT_READ, begin, decide
from negative_list.parse import read_parsed
from negative_list.policy import shipped
from negative_list.prescription import Line
from negative_list.readers import read_body
from negative_list.rules import RuleList
from negative_list.site import Sites
from negative_list.validate import check
from reminder.config import Config
from reminder.keyed import PATIENT_IDS
from reminder.logs import LineWriter, make_logger
from reminder.metrics import Metrics
from reminder.run import open_memory
from reminder.service import Active, Outside, Service
from reminder.stores.base import HistoryRecord
from reminder.stores.desk import Clocks

if TYPE_CHECKING:
    from negative_list.prescription import Prescription
    from reminder.memory import Memory

__all__ = ["CLASSES", "LINES", "bench_history", "bench_stay"]

CLASSES = Path(__file__).parents[1] / "negative_list" / "lists" / "classes"
LINES = 5_000
DAYS = 60
ITEMS = 160
KNOWN_LINES = 500
_ROUNDS = 7


def bench_stay(small: RuleList) -> dict[str, Any]:
    """Milliseconds to read and to decide a stay of 5,000 fee lines, over the generated list and over every class."""
    everything = check(read_parsed(CLASSES))
    return {
        "lines": LINES,
        "days": DAYS,
        "generated": _stay(compile(small)),
        "classes": _stay(compile(everything)),
        "both": _stay(compile(RuleList(rules=(*small.rules, *everything.rules), sets=(*small.sets, *everything.sets)))),
    }


def _stay(compiled: CompiledList) -> dict[str, Any]:
    rng = Random(5)
    body = _bill(_items(compiled, rng), rng)
    sites = Sites()
    read_ms, decide_ms, findings = [], [], (0, 0)
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        prescription = read_body(body, sites, AT)
        read = time.perf_counter()
        decision = decide(compiled, prescription, AT)
        decide_ms.append((time.perf_counter() - read) * 1000)
        read_ms.append((read - started) * 1000)
        findings = (len(decision.findings), len(decision.not_evaluated))
    return {
        "read_ms": round(statistics.median(read_ms), 1),
        "decide_ms": round(statistics.median(decide_ms), 1),
        "decide_ms_max": round(max(decide_ms), 1),
        "findings": findings[0],
        "not_evaluated": findings[1],
    }


def _items(compiled: CompiledList, rng: Random) -> list[str]:
    """Items of the list, each with a rule on its code; one in ten violates one for this patient."""
    codes = rng.sample(sorted(compiled.by_code), min(20 * ITEMS, len(compiled.by_code)))
    kinds: dict[bool, list[str]] = {True: [], False: []}
    for code in codes:
        decision = decide(compiled, read_body(_bill([code], rng, 1), Sites(), AT), AT)
        kinds[bool(decision.findings)].append(code)
    violating = kinds[True][: ITEMS // 10]
    return [*violating, *kinds[False][: ITEMS - len(violating)]]


def _bill(chosen: list[str], rng: Random, size: int = LINES) -> dict[str, Any]:
    """Items charged on many days of a stay; every line is to be settled, so all are current."""
    begin = AT - timedelta(days=DAYS)
    lines = [_charge(place, chosen[place % len(chosen)], begin, rng) for place in range(size)]
    return {
        "request_id": "stay",
        "institution_id": "H00000000000",
        "time": str(AT),
        "scene": ["9"],
        "patient": {"id": "P", "sex": "女", "birth_date": "1958-03-04"},
        "encounter": {
            "id": "M",
            "visit_mode": "inpatient",
            "insurance": ["employee"],
            "institution_level": 3,
            "admitted_at": str(begin),
            "diagnoses": [{"code": "I63.900", "name": "脑梗死", "main": True}],
            "lines": lines,
        },
    }


def _charge(place: int, code: str, begin: datetime, rng: Random) -> dict[str, Any]:
    day = place * DAYS // LINES
    price = rng.randrange(100, 20_000)
    return {
        "id": f"L{place}",
        "code": code,
        "name": f"项目{code[-6:]}",
        "begins": str(begin + timedelta(days=day, minutes=rng.randrange(900))),
        "current": True,
        "quantity": 1,
        "unit": "次",
        "unit_price_fen": price,
        "list_price_fen": price,
        "amount_fen": price,
        "paid_by": "fund",
    }


# -- history


def bench_history(small: RuleList) -> dict[str, Any]:
    """What a store costs: checks that ask it nothing, and checks that ask it, against a service without a store."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_history(small, Path(folder)))


async def _history(small: RuleList, folder: Path) -> dict[str, Any]:
    compiled = compile(small)
    every = make_workload(compiled).prescriptions
    asking = [one for one in every if begin(compiled, one, AT).needs]
    silent = [one for one in every if not begin(compiled, one, AT).needs]
    config = Config(data=folder)
    memory = open_memory(config, Metrics(), Clocks(now=_now, tick_s=time.monotonic))
    await memory.start()
    try:
        await memory.put_history([_record(memory, one) for one in asking], ())
        return {
            "no_history_wanted": await _paired(compiled, silent, memory),
            "history_wanted": await _paired(compiled, asking, memory) | {"known_lines": KNOWN_LINES},
        }
    finally:
        await memory.stop()


def _record(memory: Memory, prescription: Prescription) -> HistoryRecord:
    """Half a year of another institution's lines of a patient."""
    code = prescription.encounter.lines[0].codes
    lines = tuple(
        Line(
            id=f"h{n}",
            encounter_id=f"old{n % 20}",
            codes=code if n % 10 == 0 else ("XA11DAW036A001010104127",),
            name="项目",
            current=False,
            begins=AT - timedelta(days=n % 179 + 1),
            facts=prescription.encounter.lines[0].facts,
        )
        for n in range(KNOWN_LINES)
    )
    key = memory.keys.patient(PATIENT_IDS, prescription.patient.id)
    return HistoryRecord(institution_id="H2", record_id=f"r-{prescription.patient.id}", patient_key=key, lines=lines)


async def _paired(compiled: CompiledList, asked: list[Prescription], memory: Memory) -> dict[str, Any]:
    """Median microseconds of a check with and without the store, in turns, and their ratio."""
    services = {"with_store_us": _service(compiled, memory), "without_store_us": _service(compiled, None)}
    medians: dict[str, list[float]] = {name: [] for name in services}
    unread: list[int] = []
    for _ in range(_ROUNDS):
        for name, service in services.items():
            medians[name].append(await _median(service, asked[:400], unread))
    found: dict[str, Any] = {name: round(statistics.median(values), 1) for name, values in medians.items()}
    ratios = [a / b for a, b in zip(medians["with_store_us"], medians["without_store_us"], strict=True)]
    return found | {"ratio": round(statistics.median(ratios), 3), "prescriptions": len(asked), "not_read": sum(unread)}


async def _median(service: Service, asked: list[Prescription], unread: list[int]) -> float:
    """The median time of a check; answers that had to do without the store are counted apart."""
    times = []
    for one in asked:
        started = time.perf_counter_ns()
        decision = await service.check(one)
        times.append((time.perf_counter_ns() - started) / 1000)
        unread.append(any(note.code == NOT_READ for note in decision.notes))
    return statistics.median(times)


def _service(compiled: CompiledList, memory: Memory | None) -> Service:
    active = Active(compiled=compiled, policy=shipped(), sites=Sites())
    outside = Outside(now=_now, tick_ns=time.perf_counter_ns, draw=Random(1).getrandbits)
    log = make_logger(LineWriter(open("/dev/null", "w", encoding="utf-8")), "error")  # noqa: SIM115, PTH123
    return Service(active, outside, Metrics(), log, memory)


def _now() -> datetime:
    return datetime.now(UTC)
