"""Exits are found again in both databases: by another worker, after a restart, and until the encounter ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.prescription import Encounter
from reminder.exits import Exits
from reminder.journal.base import Draft
from reminder.journal.brief import DecisionBrief, encode_brief
from reminder.journal.coding import encode
from reminder.journal.entries import Saved
from tests.journal.journals import CHAIN, LONG_S, journal_on
from tests.reminder.words import NOW, RULE, after, exit_until, kept, word

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.journal.journal import Journal
    from reminder.journal.store import SqlJournal


async def in_force(journal: Journal, hours: float) -> list[str]:
    """The rules whose exits a process that has heard nothing finds in force some hours later."""
    return [one.rule_id for one in await Exits(journal).of(("older", "e"), after(hours), LONG_S)]


def decision(hours: float, **told: Any) -> Draft:
    """A later check of the encounter."""
    brief = DecisionBrief(zone_minutes=480, decision="pass", **told)
    return Draft(
        kind="decision",
        at=after(hours),
        decision_id=f"d{hours}",
        encounter_key="e",
        brief=encode_brief(brief),
        body=b'{"kind":"decision"}',
    )


def saved(hours: float, **facts: Any) -> Draft:
    """A prescription of the encounter that was saved."""
    entry = Saved(
        engine="test",
        at=after(hours),
        patient_key="p",
        encounter_key="e",
        prescription_id="rx",
        revision=1,
        saved_at=after(hours),
        encounter=Encounter(id="e", facts=facts),
    )
    return Draft(kind="saved", at=entry.at, encounter_key="e", body=encode(entry))


def test_another_worker_and_a_restart_know_an_exit(opening: Callable[[], SqlJournal]) -> None:
    """The entry is all there is, and it is enough."""

    async def story() -> None:
        async with journal_on(opening) as journal:
            assert (await journal.append(kept(word(exits=(exit_until(),))), LONG_S)).journaled
        async with journal_on(opening, f"{CHAIN[:-1]}1") as journal:
            assert await in_force(journal, 23.9) == [RULE]
            assert await in_force(journal, 24) == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("later", "found"),
    [
        (decision(1), [RULE]),
        (decision(1, scene=("9",)), [RULE]),
        (decision(1, discharged=True), []),
        (decision(1, scene=("8",)), []),
        (decision(-1, discharged=True), [RULE]),
        (saved(1), [RULE]),
        (saved(1, **{"encounter.discharged_at": NOW.replace(tzinfo=None)}), []),
        (saved(1, **{"encounter.scene": ("6",)}), []),
    ],
)
def test_an_exit_ends_with_what_any_worker_heard(
    opening: Callable[[], SqlJournal], later: Draft, found: list[str]
) -> None:
    """A check or a saved prescription with a discharge or a settlement after it; one before it says nothing."""

    async def story() -> None:
        async with journal_on(opening) as journal:
            for entry in (kept(word(exits=(exit_until(),))), later):
                assert (await journal.append(entry, LONG_S)).journaled
            assert await in_force(journal, 2) == found

    asyncio.run(story())
