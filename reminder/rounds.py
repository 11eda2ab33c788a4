"""Rounds: the orders in force of every stay are checked again, each night and when a dated rule starts.

The last body of each stay is judged as it stands today and as it will stand tomorrow. What today brings goes to the
ward's list; what only tomorrow brings is announced there the day before, with the first day that is no longer paid. A
round made again changes nothing, and several sidecars that share a store may each make theirs.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.decide import Fuller, decide
from negative_list.prescription import Line
from negative_list.readers.stored import subjects_of
from negative_list.running import new_findings, running_on
from reminder.keyed import Asked, fuller_of
from reminder.stores.base import OpenFinding, StoreError, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from negative_list.compile import CompiledList
    from negative_list.decision import Decision, Finding
    from negative_list.prescription import Prescription
    from reminder.service import Active, Service
    from reminder.stores.base import Kept, Store

__all__ = ["MADE_UP_S", "STARTS_AT", "Round", "changes_on", "make_round", "make_rounds", "next_round"]

MADE_UP_S = 60.0
"""Seconds after the start until a round is made that may have been missed while nothing ran."""

STARTS_AT = time(0, 5)
"""When a round is made for rules that start or end on the day: late enough that no clock still says the day before."""

_DAY = timedelta(days=1)
_DAY_LENGTH = len("2026-01-31")
_NO_LINE = Line(id="", encounter_id="")
_LOOK_S = 30.0
"""How often the clock is looked at: it may be set, and a machine may sleep."""


class Round(Struct, frozen=True, kw_only=True):
    """What a round found: stays looked at, findings of today, findings announced for tomorrow, stays not read."""

    stays: int = 0
    found: int = 0
    announced: int = 0
    failed: int = 0


def next_round(now: datetime, nightly: time, compiled: CompiledList) -> datetime:
    """When the next round is due after a civil time: at night, and earlier where rules start or end on a day."""
    candidates = [datetime.combine(now.date(), nightly), datetime.combine(now.date() + _DAY, nightly)]
    candidates += [
        datetime.combine(day, STARTS_AT) for day in (now.date(), now.date() + _DAY) if changes_on(compiled, day)
    ]
    return min(moment for moment in candidates if moment > now)


def changes_on(compiled: CompiledList, day: date) -> bool:
    """Whether a rule is in force on a day and was not on the day before, or the other way round."""
    return day.toordinal() in compiled.changes


async def make_rounds(service: Service, nightly: time) -> None:
    """Make rounds for as long as the service runs: one soon after the start, then whenever one is due.

    A round that fails is logged, and made again when the next is due. Cancel it to stop.
    """
    await asyncio.sleep(MADE_UP_S)
    while True:
        due = next_round(_civil(service), nightly, service.active.compiled)
        await _make_one(service)
        while _civil(service) < due:  # noqa: ASYNC110 - a clock has no event
            await asyncio.sleep(_LOOK_S)


def _civil(service: Service) -> datetime:
    return service.civil(service.now(), "")


async def _make_one(service: Service) -> None:
    if service.memory is None:
        return
    try:
        store = await asyncio.to_thread(service.memory.store)
        done = await asyncio.to_thread(make_round, service.active, store, service.now())
    except StoreError as error:
        service.no_round(error)
        return
    service.round_made(msgspec.structs.asdict(done))


def make_round(active: Active, store: Store, now: datetime) -> Round:
    """Check the orders in force of every stay, and put what was found on the wards' lists.

    Args:
        active: list, policy and sites.
        store: where bodies are kept and findings go; may block.
        now: the instant, UTC.

    Raises:
        StoreError: When the bodies cannot be read. A stay whose history cannot be read or whose findings cannot be
            written keeps what is open, and is counted as failed.
    """
    done = Round()
    for kept in store.kept():
        try:
            today, tomorrow = _stay(active, store, kept, now)
        except StoreError:
            done = msgspec.structs.replace(done, stays=done.stays + 1, failed=done.failed + 1)
            continue
        done = msgspec.structs.replace(
            done, stays=done.stays + 1, found=done.found + today, announced=done.announced + tomorrow
        )
    return done


def _stay(active: Active, store: Store, kept: Kept, now: datetime) -> tuple[int, int]:
    """Judge one stay; returns how many findings are of today and how many of tomorrow."""
    body = kept.prescription
    at = now.astimezone(active.sites.of(body.institution_id).zone).replace(tzinfo=None)
    today, tomorrow = (_decided(active, store, body, moment) for moment in (at, at + _DAY))
    found = [*_open(body, _of_lines(today.findings), now, "")]
    coming = [*_open(body, _of_lines(new_findings(today, tomorrow)), now, str(at.date() + _DAY))]
    store.put_findings(body.encounter.id, [*found, *coming], now)
    return len(found), len(coming)


def _decided(active: Active, store: Store, body: Prescription, at: datetime) -> Decision:
    def read(prescription: Prescription, _needs: frozenset[str], moment: datetime) -> Fuller:
        asked = _asked(prescription, moment)
        told = store.read(asked.wanted)
        own_since = active.sites.of(prescription.institution_id).own_history_since
        return fuller_of(asked, told, prescription, own_since) or Fuller(prescription=prescription)

    return decide(active.compiled, running_on(body, at), at, active.policy, read=read)


def _asked(prescription: Prescription, at: datetime) -> Asked:
    """What to read for a kept body, whose patient and encounter stand under their keys already."""
    encounter = prescription.encounter.id
    subjects = (prescription.patient.id, encounter, *subjects_of(prescription))
    wanted = Wanted(
        patient_key=prescription.patient.id,
        encounter_key=encounter,
        institution_id=prescription.institution_id,
        at=at,
        subjects=tuple(filter(None, subjects)),
    )
    return Asked(wanted=wanted, ids={})


def _of_lines(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Certain findings about orders: what an encounter itself is found for was told when it was checked."""
    return (finding for finding in findings if finding.lines and not finding.unknown)


def _open(body: Prescription, findings: Iterable[Finding], now: datetime, starts_on: str) -> Iterator[OpenFinding]:
    """One row for each offending order of each finding."""
    lines = {line.id: line for line in body.encounter.lines}
    for finding in findings:
        for name in finding.lines:
            line = lines.get(name, _NO_LINE)
            yield OpenFinding(
                **_where(body, line),
                encounter_key=body.encounter.id,
                institution_id=body.institution_id,
                rule_id=finding.rule_id,
                class_id=finding.class_id,
                line_id=name,
                item=line.name,
                action=finding.action,
                message=finding.message,
                amount_fen=finding.amount_fen,
                starts_on=starts_on,
                found_at=now,
            )


def _where(body: Prescription, line: Line) -> dict[str, Any]:
    """What leads to the patient and the order. Many bodies name a department only, some of them at the order."""
    facts = body.encounter.facts
    departments = ("encounter.department_name", "encounter.department_code")
    ordered_by = ("line.department_name", "line.department_code")
    named = [facts.get(name) for name in departments] + [line.facts.get(name) for name in ordered_by]
    admitted = facts.get("encounter.admitted_at")
    begins = line.begins.isoformat(" ", "minutes") if line.begins is not None else ""
    return {
        "ward": str(facts.get("encounter.ward", "")),
        "department": next((str(name) for name in named if name), ""),
        "bed": str(facts.get("encounter.bed", "")),
        "admitted_on": admitted.date().isoformat() if isinstance(admitted, datetime) else "",
        "ordered_at": begins if line.has_clock else begins[:_DAY_LENGTH],
    }
