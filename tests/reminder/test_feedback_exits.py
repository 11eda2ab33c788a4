"""Leaving a block by its emergency exit, and the facts that would justify going on, as words are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from negative_list.readers.stored import StoreFact
from tests.reminder.around import Room, room
from tests.reminder.deciding import ALBUMIN, APPROVED, COUNTED, INDICATED, NOW, decided, visit

BLOCK = decided(visit(INDICATED))
BLOCKED = BLOCK.found[0].finding_id
WARNED = decided(visit(COUNTED, quantity=5), 2)
LACKING = decided(visit(ALBUMIN), 3)
WITHIN_S = 60.0


def story(tell: Callable[[Room], Awaitable[Any]], *known: Any) -> Any:
    """Something told in a room whose journal knows decisions."""

    async def whole() -> Any:
        async with room() as here:
            await here.knows(*(known or (BLOCK, WARNED, LACKING)))
            return await tell(here)

    return asyncio.run(whole())


def leave(finding_id: str = BLOCKED, **fields: Any) -> dict[str, Any]:
    """A block left by its emergency exit."""
    return {"finding_id": finding_id, "done": "exited", "reason_code": "system_fault"} | fields


def because(finding_id: str, code: str = "result_supports", **fields: Any) -> dict[str, Any]:
    """Gone on with a reason."""
    return {"finding_id": finding_id, "done": "overridden", "reason_code": code} | fields


async def in_force(here: Room, hours: float = 0) -> list[tuple[str, str, str]]:
    """What only warns some hours later."""
    found = await here.exits.of(("e",), NOW + timedelta(hours=hours), WITHIN_S)
    return [(one.rule_id, one.item, one.order_date) for one in found]


def test_a_block_that_is_left_warns_for_a_day() -> None:
    """Its rule, for its item and order date; the answer says until when."""

    async def tell(here: Room) -> None:
        answer = await here.one(leave())
        assert answer.exit_until == "2026-01-02 09:00:01"
        assert await in_force(here, 23.9) == [("indicated", INDICATED, "2026-01-01")]
        assert await in_force(here, 24.1) == []
        assert [one.until for one in here.kept()[0].exits] == [here.kept()[0].done_at + timedelta(hours=24)]
        assert 'reminder_exits_total{what="left"} 1.0' in here.metrics.text().decode()

    story(tell)


def test_told_again_it_is_left_once() -> None:
    """The same word begins no second day; a new one does."""

    async def tell(here: Room) -> None:
        first = await here.one(leave(), doctor_id="D1")
        again = await here.one(leave(), doctor_id="D1")
        assert (again.status, again.exit_until) == ("repeated", first.exit_until)
        here.at += timedelta(hours=3)
        anew = await here.one(leave(reason_text="仍在抢救"), doctor_id="D1")
        assert (anew.status, anew.exit_until) == ("kept", "2026-01-02 12:00:03")
        assert 'reminder_exits_total{what="left"} 2.0' in here.metrics.text().decode()

    story(tell)


def test_what_is_no_block_is_not_left() -> None:
    """The word is kept, and the caller told."""

    async def tell(here: Room) -> None:
        answer = await here.one(leave(WARNED.found[0].finding_id))
        assert (answer.status, answer.exit_until) == ("kept", "")
        assert "no block, so there was nothing to leave" in answer.message
        assert await in_force(here) == []

    story(tell)


def test_a_block_that_only_warns_by_its_exit_can_be_left_again() -> None:
    """A later check found it again: leaving it there begins a day anew."""
    (found,) = BLOCK.found
    warned = replace(BLOCK, found=(replace(found, action="warn", exited=True),))

    async def tell(here: Room) -> None:
        assert (await here.one(leave(found.finding_id))).exit_until

    story(tell, warned)


def test_a_word_about_a_day_long_past_leaves_nothing_now() -> None:
    """It is kept, and the caller told that later checks block."""

    async def tell(here: Room) -> None:
        answer = await here.one(leave(done_at="2025-12-30 09:00:00"))
        assert (answer.exit_until, "over 24 hours ago" in answer.message) == ("", True)
        assert await in_force(here) == []

    story(tell)


def test_a_block_of_no_encounter_is_left_for_nobody() -> None:
    """A later check could not be known to be of the same encounter."""
    body = visit(INDICATED)
    body["encounter"]["id"] = ""
    nowhere = decided(body, 5)

    async def tell(here: Room) -> None:
        answer = await here.one(leave(nowhere.found[0].finding_id))
        assert (answer.exit_until, "named no encounter" in answer.message) == ("", True)

    story(tell, nowhere)


def test_two_doctors_flag_a_rule_once() -> None:
    """At the word that makes it two; told again, or a third time, it is not flagged anew."""
    blocks = [decided(visit(INDICATED), number) for number in range(10, 14)]

    async def tell(here: Room) -> None:
        for block, doctor in zip(blocks, ("D1", "D1", "D2", "D3"), strict=True):
            for _ in range(2):
                await here.told(leave(block.found[0].finding_id), doctor_id=doctor)
        await here.settle()
        flags = [line for line in here.logged if line["event"] == "flagged"]
        assert flags == [{"event": "flagged", "rule_id": "indicated", "day": "2026-01-01", "times": 3, "doctors": 2}]
        assert 'reminder_exits_total{what="flagged"} 1.0' in here.metrics.text().decode()

    story(tell, *blocks)


def test_doctors_on_two_days_flag_nothing() -> None:
    """Days are the hospital's: midnight in China is four in the afternoon, UTC."""
    blocks = [decided(visit(INDICATED), number) for number in range(10, 12)]

    async def tell(here: Room) -> None:
        await here.told(leave(blocks[0].found[0].finding_id), doctor_id="D1")
        here.at = NOW + timedelta(hours=15, minutes=1)
        await here.told(leave(blocks[1].found[0].finding_id), doctor_id="D2")
        await here.settle()
        assert "flagged" not in [line["event"] for line in here.logged]

    story(tell, *blocks)


def test_the_fact_of_a_reason_is_looked_for_at_once() -> None:
    """What the laboratory told justifies; the answer says value, source and since when."""

    async def tell(here: Room) -> None:
        here.memory.known.append(
            StoreFact(subject="e", fact="encounter.albumin_g_l", value=Decimal(22), source="laboratory")
        )
        answer = await here.one(because(LACKING.found[0].finding_id, "low"))
        assert answer.verdict == "present"
        assert answer.found is not None
        assert (answer.found.fact, answer.found.value, answer.found.source) == (
            "encounter.albumin_g_l",
            "22",
            "laboratory",
        )
        assert here.kept()[0].checked.verdict == "present"
        assert here.kept()[0].checked.value == Decimal(22)

    story(tell)


def test_a_reason_without_a_fact_is_not_looked_for() -> None:
    """Nobody named one."""

    async def tell(here: Room) -> None:
        answer = await here.one(because(LACKING.found[0].finding_id, "burns"))
        assert (answer.verdict, answer.found) == ("", None)

    story(tell)


def test_a_value_the_doctor_tells_is_kept_for_the_next_checks() -> None:
    """With the doctor as its source, for 24 hours."""

    async def tell(here: Room) -> None:
        told = {"fact": "encounter.albumin_g_l", "value": "22.0"}
        answer = await here.one(because(LACKING.found[0].finding_id, "low", **told))
        assert (answer.verdict, answer.message) == ("present", "")
        assert answer.found is not None
        assert answer.found.source == "doctor"
        (kept,) = here.memory.known
        assert (kept.subject, kept.value, kept.source) == ("e", Decimal(22), "doctor")
        assert kept.expires - kept.told_at == timedelta(hours=24)

    story(tell)


def test_a_value_that_cannot_be_kept_is_said_so() -> None:
    """It was heard, and judged, all the same."""

    async def tell(here: Room) -> None:
        here.memory.gone = True
        told = {"fact": "encounter.albumin_g_l", "value": "22.0"}
        answer = await here.one(because(LACKING.found[0].finding_id, "low", **told))
        assert (answer.verdict, "the value could not be kept" in answer.message) == ("present", True)

    story(tell)


@pytest.mark.parametrize(("fact", "value"), [("line.doctor_points", 3), ("line.stock", 5)])
def test_what_others_are_judged_by_is_not_taken_from_a_doctor(fact: str, value: int) -> None:
    """It is said where it has to come from."""

    async def tell(here: Room) -> None:
        answer = await here.one(because(LACKING.found[0].finding_id, fact=fact, value=value))
        assert "no fact a doctor can tell here" in answer.message
        assert here.memory.known == []

    story(tell)


def test_a_diagnosis_added_since_justifies() -> None:
    """The last check of the encounter has it."""
    later = decided(visit(INDICATED, diagnoses=("I10", "I21")), 8, at=NOW + timedelta(minutes=5))

    async def tell(here: Room) -> None:
        assert (await here.one(because(BLOCKED, "infarction"))).verdict == "absent"
        await here.knows(later)
        assert (await here.one(because(BLOCKED, "diagnosis_to_add"))).verdict == "present"

    story(tell)


def test_an_approval_in_hand_may_be_told_by_its_number() -> None:
    """The standard reason names the fact; a number alone is a text that says something."""
    asked = decided(visit(APPROVED), 9)

    async def tell(here: Room) -> None:
        reason = because(asked.found[0].finding_id, "approval_in_hand", reason_text="20261130", value=True)
        answer = await here.one(reason | {"fact": "line.prior_approval"})
        assert (answer.verdict, here.kept()[0].junk) == ("present", "")

    story(tell, asked)


def test_what_nobody_could_look_up_is_unknown() -> None:
    """The finding is not in the journal, so nothing can be asked about it."""

    async def tell(here: Room) -> None:
        answer = await here.one(because("01KDZZZZZZ00000000000000990123456789", "emergency"))
        assert (answer.status, answer.verdict, answer.found) == ("unknown_finding", "unknown", None)

    story(tell)
