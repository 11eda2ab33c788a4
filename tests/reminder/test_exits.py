"""A block that was left warns, until its encounter ends or 24 hours pass; the office hears of rules often left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list.prescription import Encounter, Prescription
from reminder.exits import MOST, MOST_ANSWERS, Exits, Flag, Left, ends, flagged, in_force
from reminder.journal.base import Draft
from reminder.journal.brief import DecisionBrief, encode_brief
from reminder.stores.base import StoreError
from tests.journal.memory_store import MemoryJournalStore
from tests.journal.records import written
from tests.reminder.words import NOW, RULE, after, exit_until, kept, word

if TYPE_CHECKING:
    from datetime import datetime

    from reminder.journal.entries import Exit

WITHIN_S = 60.0


class Asked:
    """A journal that answers from a store at once, or is gone."""

    def __init__(self, store: MemoryJournalStore | None) -> None:
        self._store = store
        self.times = 0

    def leave(self) -> None:
        """It is gone from now on."""
        self._store = None

    async def ask(self, work: Callable[[Any], Any], _within_s: float) -> Any:
        """What the work finds."""
        self.times += 1
        if self._store is None:
            raise StoreError("gone", "told to be gone")
        return work(self._store)


def told(*entries: Any) -> Asked:
    """A journal with words in it."""
    store = MemoryJournalStore()
    if entries:
        written(store, [kept(entry) for entry in entries])
    return Asked(store)


def now_of(exits: Exits, hours: float, *keys: str) -> tuple[str, ...]:
    """The rules whose exits are in force some hours later."""
    found = asyncio.run(exits.of(keys or ("e",), after(hours), WITHIN_S))
    return tuple(one.rule_id for one in found)


def test_an_exit_holds_for_24_hours() -> None:
    """To the moment, and from when the block was left."""
    left = (exit_until(NOW),)
    assert in_force(left, None, after(24) - timedelta(microseconds=1)) == left
    assert in_force(left, None, after(24)) == ()


def test_an_exit_ends_with_its_encounter() -> None:
    """What is left after the end is another thing: a discharge that was taken back."""
    left = (exit_until(NOW),)
    assert in_force(left, after(1), after(2)) == ()
    assert in_force((exit_until(after(3)),), after(1), after(4)) != ()


def test_the_latest_word_about_a_block_counts() -> None:
    """A new word begins 24 hours anew, whatever came first."""
    first, second = exit_until(NOW), exit_until(after(5))
    assert in_force((second, first), None, after(6)) == (second,)
    assert in_force((first, second), None, after(25)) == (second,)


def test_each_item_and_order_date_has_its_own_exit() -> None:
    """Leaving one block leaves no other one."""
    left = (exit_until(item="A"), exit_until(item="B"), exit_until(order_date="2026-01-02"))
    assert set(in_force(left, None, NOW)) == set(left)


@pytest.mark.parametrize(
    ("facts", "over"),
    [
        ({}, False),
        ({"encounter.discharged_at": NOW.replace(tzinfo=None)}, True),
        ({"encounter.scene": ("8",)}, True),
        ({"encounter.scene": ("6",)}, True),
        ({"encounter.scene": ("7",)}, False),
        ({"encounter.scene": ("2", "5")}, False),
    ],
)
def test_a_discharge_and_a_settlement_end_an_encounter(facts: dict[str, Any], over: bool) -> None:
    """A pre-settlement does not: the patient may stay."""
    assert ends(Prescription(encounter=Encounter(id="v", facts=facts))) is over


def test_what_this_process_heard_holds_without_a_journal() -> None:
    """Neither a journal that is gone nor none at all undoes it."""
    for journal in (None, Asked(None)):
        exits = Exits(journal)
        exits.heard("e", (exit_until(),))
        assert now_of(exits, 1) == (RULE,)
        assert now_of(exits, 1, "another") == ()
        assert now_of(exits, 24) == ()


def test_what_another_worker_heard_is_read() -> None:
    """So is what this one heard before it was started again, under any key the encounter was known by."""
    exits = Exits(told(word(exits=(exit_until(),))))
    assert now_of(exits, 1) == (RULE,)
    assert now_of(exits, 1, "newer", "e") == (RULE,)
    assert now_of(exits, 25) == ()


def test_who_writes_the_journal_alone_asks_it_once() -> None:
    """What it told at the start, and what was heard since, is all there is.

    Only whether an encounter ended of which a block was left before is asked, once, when somebody asks about it.
    """
    journal = told(word(exits=(exit_until(),)))
    exits = Exits(journal)
    asyncio.run(exits.load(after(1)))
    assert (now_of(exits, 1, "e"), now_of(exits, 1, "another")) == ((RULE,), ())
    assert now_of(exits, 1, "e") == (RULE,)
    exits.heard("another", (exit_until(),))
    assert now_of(exits, 2, "another") == (RULE,)
    exits.ended(("e",), after(2))
    assert now_of(exits, 3, "e") == ()
    assert journal.times == 2


def test_what_was_forgotten_is_asked_for_as_long_as_it_counts() -> None:
    """There is room for so many encounters; then the journal is asked again, until what was forgotten is over."""
    journal = told(word(exits=(exit_until(),)))
    exits = Exits(journal)
    asyncio.run(exits.load(NOW))
    for number in range(MOST):
        exits.heard(f"other {number}", (exit_until(),))
    assert now_of(exits, 1, "e") == (RULE,)
    assert journal.times == 2
    assert now_of(exits, 24, "e") == ()
    assert journal.times == 2


class Busy(Asked):
    """The same, which answers its first question when it is let go on, and no other ever."""

    def __init__(self, store: MemoryJournalStore | None) -> None:
        super().__init__(store)
        self.go_on = asyncio.Event()

    async def ask(self, work: Callable[[Any], Any], within_s: float) -> Any:
        """What the work finds."""
        await (self.go_on if not self.times else asyncio.Event()).wait()
        return await super().ask(work, within_s)


def test_who_is_asked_while_it_learns_waits_for_that() -> None:
    """A start reads the words of a day: the question for one encounter may come behind it."""
    store = MemoryJournalStore()
    written(store, [kept(word(exits=(exit_until(),)))])

    async def work() -> tuple[Exit, ...]:
        journal = Busy(store)
        exits = Exits(journal)
        learning = asyncio.create_task(exits.load(after(1)))
        asked = asyncio.create_task(exits.of(("e",), after(1), WITHIN_S))
        await asyncio.sleep(0)
        assert not asked.done()
        journal.go_on.set()
        await learning
        return await asked

    assert [one.rule_id for one in asyncio.run(work())] == [RULE]


def test_an_exit_from_before_the_start_ends_with_its_encounter() -> None:
    """Whether it ended the journal knows; where it cannot be asked any more the exit holds."""
    store = MemoryJournalStore()
    written(store, [kept(word(exits=(exit_until(),))), ended_at(after(1))])
    exits = Exits(Asked(store))
    asyncio.run(exits.load(after(2)))
    assert now_of(exits, 3, "e") == ()
    gone = Asked(store)
    exits = Exits(gone)
    asyncio.run(exits.load(after(2)))
    gone.leave()
    assert now_of(exits, 3, "e") == (RULE,)


def ended_at(at: datetime) -> Draft:
    """A decision of the encounter at its discharge."""
    brief = DecisionBrief(zone_minutes=480, decision="pass", discharged=True)
    return Draft(kind="decision", at=at, decision_id="d", encounter_key="e", brief=encode_brief(brief), body=b"{}")


def test_an_entry_that_cannot_be_read_hides_no_other() -> None:
    """A word and an end of which nothing can be made; `reminder journal verify` names them."""
    store = MemoryJournalStore()
    odd = [msgspec.structs.replace(kept(word(exits=(exit_until(),))), brief=brief, body=b"{}") for brief in (b"", b"?")]
    end = msgspec.structs.replace(ended_at(after(1)), brief=b"?")
    written(store, [*odd, kept(word(exits=(exit_until(),))), end])
    asked, learnt = Exits(Asked(store)), Exits(Asked(store))
    asyncio.run(learnt.load(NOW))
    assert now_of(asked, 2) == now_of(learnt, 2) == (RULE,)


def test_a_journal_that_does_not_answer_is_told() -> None:
    """A block may stand that was left: whoever looks at the metrics sees it."""
    missed: list[None] = []
    exits = Exits(Asked(None), missed=lambda: missed.append(None))
    assert (now_of(exits, 1), len(missed)) == ((), 1)
    exits = Exits(told(), missed=lambda: missed.append(None))
    assert (now_of(exits, 1), len(missed)) == ((), 1)


def test_a_journal_that_cannot_be_read_at_the_start_is_asked_later() -> None:
    """Nothing is sure then."""
    journal = Asked(None)
    exits = Exits(journal)
    asyncio.run(exits.load(after(1)))
    assert now_of(exits, 1, "e") == ()
    assert journal.times == 2


def test_an_end_heard_here_ends_what_another_worker_heard() -> None:
    """And the other way round, see the tests of stores."""
    exits = Exits(told(word(exits=(exit_until(),))))
    exits.ended(("e",), after(2))
    assert now_of(exits, 3) == ()


def test_nobody_is_asked_about_no_encounter() -> None:
    """A body without an encounter has no exits, and costs no question."""
    journal = told()
    assert asyncio.run(Exits(journal).of((), NOW, WITHIN_S)) == ()
    assert asyncio.run(Exits(journal).of(("e",), NOW, 0.0)) == ()
    assert journal.times == 0


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    """The oldest encounters and answers are forgotten first; the same word twice takes no room."""
    exits = Exits()
    for number in range(MOST + 1):
        exits.heard(f"e{number}", (exit_until(),))
        exits.heard(f"e{number}", (exit_until(),))
    assert now_of(exits, 1, "e0") == ()
    assert now_of(exits, 1, f"e{MOST}") == (RULE,)
    for number in range(MOST_ANSWERS + 1):
        exits.answered(kept(word(decision_id=f"d{number}")))
    assert exits.answer("d0") is None
    assert exits.answer("d1") is not None


@pytest.mark.parametrize(
    ("doctors", "flags"),
    [
        (["D1", "D2"], (Flag(day="2026-01-01", rule_id=RULE, times=2, doctors=2),)),
        (["D1", "D2", "D1"], (Flag(day="2026-01-01", rule_id=RULE, times=3, doctors=2),)),
        (["D1", "D1", "D1"], ()),
        (["D1"], ()),
        (["D1", ""], ()),
        ([], ()),
    ],
)
def test_two_doctors_who_leave_a_rules_block_on_a_day_flag_it(doctors: list[str], flags: tuple[Flag, ...]) -> None:
    """One doctor alone may be in a hurry; who was not named may be the same one."""
    assert flagged(Left(rule_id=RULE, doctor_id=doctor, day="2026-01-01") for doctor in doctors) == flags


def test_days_and_rules_are_flagged_apart() -> None:
    """Two doctors on two days, or about two rules, are no flag."""
    left = [("a", "D1", "2026-01-01"), ("a", "D2", "2026-01-02"), ("b", "D2", "2026-01-01")]
    assert flagged(Left(rule_id=rule, doctor_id=doctor, day=day) for rule, doctor, day in left) == ()
