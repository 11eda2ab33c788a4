"""A value may be told of the fact that only the reason names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.reminder.around import Room, room
from tests.reminder.deciding import ALBUMIN, INDICATED, NOW, decided, visit

BLOCK = decided(visit(INDICATED))
LACKING = decided(visit(ALBUMIN), 3)
NOBODYS = "01KDZZZZZZ00000000000000090123456789"


def story(tell: Callable[[Room], Awaitable[None]], *known: Any) -> None:
    """Something told in a room whose journal knows decisions."""

    async def whole() -> None:
        async with room() as here:
            await here.knows(*(known or (BLOCK, LACKING)))
            await tell(here)

    asyncio.run(whole())


def because(found: Any, reason_code: str, **fields: Any) -> dict[str, Any]:
    """A finding gone on with."""
    told = {"finding_id": found.found[0].finding_id, "done": "overridden", "reason_code": reason_code}
    return told | fields


@pytest.mark.parametrize("value", ["22.0", 22, {"value": "22", "at": "2026-01-01 08:00:00"}])
def test_a_value_is_of_the_fact_that_the_reason_names(value: object) -> None:
    """Of a rule's own reason, which only the decision's entry knows: judged, and kept for the next checks."""

    async def tell(here: Room) -> None:
        answer = await here.one(because(LACKING, "low", value=value))
        assert (answer.status, answer.verdict, answer.message) == ("kept", "present", "")
        (fact,) = here.memory.known
        assert (fact.fact, fact.value, fact.source) == ("encounter.albumin_g_l", Decimal(22), "doctor")
        assert (fact.valid_from is not None) == isinstance(value, dict)

    story(tell)


@pytest.mark.parametrize("reason_code", ["infarction", "diagnosis_to_add"])
def test_a_diagnosis_is_looked_for_by_the_code_that_was_told(reason_code: str) -> None:
    """Of the rule's own reason and of a standard one; the code decides which diagnosis counts."""
    later = decided(visit(INDICATED, diagnoses=("I10", "I21")), 8, at=NOW + timedelta(minutes=5))

    async def tell(here: Room) -> None:
        said = [await here.one(because(BLOCK, reason_code, value=code)) for code in ("I21", "E11")]
        assert [one.verdict for one in said] == ["present", "absent"]
        assert [one.message for one in said] == ["", ""]
        assert here.kept()[0].checked.fact == "encounter.diagnoses"

    story(tell, BLOCK, later)


def test_a_value_of_another_kind_is_named_and_the_word_kept() -> None:
    """Only once the finding is known is it known what the value is of."""

    async def tell(here: Room) -> None:
        answer = await here.one(because(LACKING, "low", value="高"))
        assert (answer.status, here.memory.known) == ("kept", [])
        assert answer.message.startswith("不是 `encounter.albumin_g_l` 的值：`高` 不是数字")
        assert "no value of it; not kept" in answer.message

    story(tell)


@pytest.mark.parametrize("reason_code", ["burns", "no_alternative", "nobodys"])
def test_a_value_of_no_fact_is_said_not_to_be_kept(reason_code: str) -> None:
    """Neither the item nor its reason names one; the word itself is kept."""

    async def tell(here: Room) -> None:
        answer = await here.one(because(LACKING, reason_code, value="22"))
        assert (answer.status, answer.verdict, here.memory.known) == ("kept", "", [])
        assert "of no fact: name it in `fact`; the value was not kept" in answer.message

    story(tell)


def test_a_value_about_nobody_known_is_not_kept() -> None:
    """The answer says that nobody knows the finding, which is enough."""

    async def tell(here: Room) -> None:
        answer = await here.one(because(LACKING, "diagnosis_to_add", value="E11") | {"finding_id": NOBODYS})
        assert (answer.status, answer.verdict, here.memory.known) == ("unknown_finding", "unknown", [])
        assert "E11" not in repr(here.kept())

    story(tell)
