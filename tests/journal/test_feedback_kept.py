"""Words about findings in both databases: what one worker was told, every other one knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.journal.journals import CHAIN
from tests.reminder.around import room
from tests.reminder.deciding import INDICATED, decided, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.journal.store import SqlJournal

OTHER = f"{CHAIN[:-1]}1"
BLOCKS = [decided(visit(INDICATED), number) for number in (1, 2)]


def left(number: int, **fields: Any) -> dict[str, Any]:
    """The block of a decision, left."""
    return {"finding_id": BLOCKS[number].found[0].finding_id, "done": "exited", "reason_code": "emergency"} | fields


def test_a_word_told_to_two_workers_is_a_repetition(opening: Callable[[], SqlJournal]) -> None:
    """Finding, rule and exit come from the journal alone; a new word is one everywhere."""

    async def story() -> None:
        async with room(opening()) as first:
            await first.knows(*BLOCKS)
            told = await first.one(left(0), doctor_id="D1")
        async with room(opening(), OTHER) as second:
            again = await second.one(left(0), doctor_id="D1")
            anew = await second.one(left(0, reason_text="仍在抢救"), doctor_id="D1")
            assert [entry.times for entry in second.kept()] == [1, 0]
            assert [entry.rule_id for entry in second.kept()] == ["indicated"] * 2
        assert (told.status, again.status, anew.status) == ("kept", "repeated", "kept")
        assert again.exit_until == told.exit_until

    asyncio.run(story())


def test_doctors_at_two_workers_flag_a_rule(opening: Callable[[], SqlJournal]) -> None:
    """Each heard one of them; the second one tells the office."""

    async def story() -> None:
        async with room(opening()) as first:
            await first.knows(*BLOCKS)
            await first.one(left(0), doctor_id="D1")
            await first.settle()
            assert "flagged" not in [line["event"] for line in first.logged]
            at = first.at
        async with room(opening(), OTHER) as second:
            second.at = at
            await second.one(left(1), doctor_id="D2")
            await second.settle()
            assert "flagged" in [line["event"] for line in second.logged]

    asyncio.run(story())
