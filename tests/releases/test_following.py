"""A worker follows what stands: lists beside each other, one object in the place of another, policies at once."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from negative_list.compile import BoundRule, digest_of
from negative_list.policy import Setting
from negative_list.rules import RuleList
from reminder.deciding import NOTHING_ASKED, Clock
from reminder.recording import NOT_TOLD
from reminder.releases import loading
from reminder.releases.letting_go import LettingGo
from reminder.releases.standing import Row, Standing
from tests.negative_list.builders import rule
from tests.releases.lists import FIRST, NOW, PATIENCE_S, PROBE, SECOND, Following, chosen, until

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.compile import CompiledList

SECOND_DIGEST = digest_of(SECOND)
DOWN = Row(setting=Setting(action="warn", why="太多", at_most=True), at=NOW)


@pytest.fixture
def one(tmp_path: Path) -> Following:
    """A worker that answers with the first list."""
    return Following(tmp_path)


def test_a_list_is_loaded_beside_and_then_takes_the_place_of_the_other(one: Following) -> None:
    """While it comes nothing changes; once it stands every answer is its, and names it."""

    async def activate() -> list[tuple[str | None, str, str]]:
        answers = [await one.answer()]
        one.stand(coming=chosen("2", SECOND))
        await one.loaded(SECOND_DIGEST)
        answers.append(await one.answer())
        one.stand(active=one.standing.coming, coming=None)
        await one.follower.look()
        return [*answers, await one.answer()]

    assert asyncio.run(activate()) == [("1", "first", "block"), ("1", "first", "block"), ("2", "second", "block")]
    assert (one.said("serial"), one.said("version"), one.said("digest")) == (3, "2", SECOND_DIGEST)
    assert one.said("problem") == ""


def test_a_list_that_was_taken_back_is_forgotten(one: Following) -> None:
    """What was coming and does not come any more leaves nothing behind."""

    async def take_back() -> tuple[str | None, str, str]:
        one.stand(coming=chosen("2", SECOND))
        await one.loaded(SECOND_DIGEST)
        one.stand(coming=None)
        await one.look_until(lambda: one.said("loaded") == "")
        return await one.answer()

    assert asyncio.run(take_back()) == ("1", "first", "block")


def test_a_list_nobody_announced_is_loaded_and_answers(one: Following) -> None:
    """A worker that was not there when the list came, or slept, follows what stands all the same."""

    async def follow() -> tuple[str | None, str, str]:
        one.stand(active=chosen("2", SECOND))
        await one.answering(SECOND_DIGEST)
        return await one.answer()

    assert asyncio.run(follow()) == ("2", "second", "block")


def test_a_check_ends_with_what_it_began_with(one: Following) -> None:
    """A list that takes another's place in the middle of a check is not seen in its answer."""

    async def swap_between() -> tuple[str | None, str]:
        case = one.service._case(PROBE, NOT_TOLD, Clock(lambda: 0, None))  # noqa: SLF001 - stopped in its middle
        begun = one.service.begin(case)
        one.stand(active=chosen("2", SECOND))
        await one.answering(SECOND_DIGEST)
        decision = case.decide(begun, NOTHING_ASKED).decision
        return decision.release, decision.findings[0].rule_id

    assert asyncio.run(swap_between()) == ("1", "first")


def test_a_row_of_the_office_is_in_force_with_the_look_that_sees_it(one: Following) -> None:
    """Blocks are turned down, and up again, without a word about lists."""

    async def turn() -> list[str]:
        said = []
        for rows in ((DOWN,), ()):
            one.stand(rows=rows)
            await one.follower.look()
            said.append((await one.answer())[2])
        return said

    assert asyncio.run(turn()) == ["warn", "block"]
    assert one.said("policy") == one.service.base_policy.digest


def test_a_row_is_in_force_while_a_list_is_loaded(one: Following) -> None:
    """Loading takes a while; the office does not wait for it."""

    async def turn() -> tuple[str | None, str, str]:
        one.stand(coming=chosen("2", SECOND))
        await one.follower.look()
        one.stand(rows=(DOWN,))
        await one.follower.look()
        return await one.answer()

    assert asyncio.run(turn()) == ("1", "first", "warn")


def test_what_is_not_confirmed_warns_at_most(one: Following) -> None:
    """Of the list that comes, not of the one that answers."""

    async def activate() -> list[str]:
        one.stand(coming=chosen("2", SECOND, unconfirmed=("first", "second")))
        await one.loaded(SECOND_DIGEST)
        said = [(await one.answer())[2]]
        one.stand(active=one.standing.coming, coming=None)
        await one.follower.look()
        said.append((await one.answer())[2])
        assert one.standing.active is not None
        one.stand(active=replace(one.standing.active, unconfirmed=()))
        await one.follower.look()
        return [*said, (await one.answer())[2]]

    assert asyncio.run(activate()) == ["block", "warn", "block"]


@pytest.mark.parametrize("harm", ["missing", "truncated", "flipped"])
def test_a_damaged_cache_changes_nothing_and_is_told(one: Following, harm: str) -> None:
    """The worker says why it cannot load the list, and goes on with its own; when the file is whole, it follows."""
    path = one.folder.compiled_file(SECOND_DIGEST)
    whole = path.read_bytes()
    harmed = {"truncated": whole[:-9], "flipped": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]}
    path.unlink() if harm == "missing" else path.write_bytes(harmed[harm])

    async def follow() -> tuple[str | None, str, str]:
        one.stand(coming=chosen("2", SECOND))
        await one.look_until(lambda: bool(one.said("problem")))
        return await one.answer()

    assert asyncio.run(follow()) == ("1", "first", "block")
    assert SECOND_DIGEST[:8] in one.said("problem")

    async def again() -> None:
        path.write_bytes(whole)
        one.stand(coming=chosen("2", SECOND))
        await one.loaded(SECOND_DIGEST)

    asyncio.run(again())
    assert one.said("problem") == ""


def test_a_list_of_the_same_digest_is_there_already(one: Following) -> None:
    """Another version with the same content is loaded at once: only the name changes."""

    async def rename() -> tuple[str | None, str, str]:
        one.stand(coming=chosen("1.1", FIRST))
        await one.follower.look()
        assert one.said("loaded") == digest_of(FIRST)
        one.stand(active=one.standing.coming, coming=None)
        await one.follower.look()
        return await one.answer()

    assert asyncio.run(rename()) == ("1.1", "first", "block")


def test_a_standing_that_cannot_be_read_is_told_and_passed_over(one: Following) -> None:
    """The last one that could be read stands."""

    async def follow() -> tuple[str | None, str, str]:
        one.folder.standing.write_bytes(b"{")
        await one.follower.look()
        return await one.answer()

    assert asyncio.run(follow()) == ("1", "first", "block")
    assert "standing.json" in one.said("problem")


def test_it_follows_by_itself_until_it_is_stopped(one: Following) -> None:
    """Ten times a second, whatever fails in between."""

    async def run() -> tuple[str | None, str, str]:
        task = asyncio.create_task(one.follower.follow())
        one.stand(active=chosen("2", SECOND))
        await until(lambda: one.said("digest") == SECOND_DIGEST)
        task.cancel()
        await asyncio.wait([task])
        return await one.answer()

    assert asyncio.run(run()) == ("2", "second", "block")


MANY = [RuleList(rules=tuple(rule(id=f"{name}{n}") for n in range(40))) for name in "ab"]


def bound_rules() -> int:
    """Rules that are bound anywhere in this process, of the lists of this test."""
    gc.unfreeze()
    gc.collect()
    return sum(isinstance(each, BoundRule) and each.rule.id[1:].isdigit() for each in gc.get_objects())


def test_a_policy_is_followed_while_a_list_is_let_go(one: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large list takes seconds to go beside a busy loop: no look waits for it, and one goes at a time."""
    began: list[None] = []

    async def never(_going: LettingGo) -> None:
        began.append(None)
        await asyncio.Event().wait()

    async def work() -> tuple[str | None, str, str]:
        one.stand(active=chosen("2", SECOND))
        await one.answering(SECOND_DIGEST)
        await one.look_until(lambda: bool(began))
        one.stand(rows=(DOWN,))
        async with asyncio.timeout(PATIENCE_S):
            await one.follower.look()
        return await one.answer()

    monkeypatch.setattr(LettingGo, "go_on", never)
    assert asyncio.run(work()) == ("2", "second", "warn")
    assert len(began) == 1


def test_lists_that_were_replaced_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty changes leave the rules of one list, although what is bound is kept out of the collector's way."""
    monkeypatch.setattr(loading, "SETTLED_RULES", 10)
    one = Following(tmp_path, *MANY)

    async def change() -> None:
        for turn in range(40):
            coming = MANY[(turn + 1) % 2]
            one.stand(active=chosen(str(turn + 2), coming))
            await one.answering(digest_of(coming))
            assert len((await one.decided()).findings) == 40
            await one.look_until(lambda: not len(one.follower.going))

    asyncio.run(change())
    assert bound_rules() == 40


def test_a_list_is_whole_while_a_check_uses_it(tmp_path: Path) -> None:
    """It is taken apart only when the last check that began with it has ended."""
    one = Following(tmp_path)

    async def hold() -> int:
        held: list[CompiledList] = [one.service.active.compiled]
        one.stand(active=chosen("2", SECOND))
        await one.answering(SECOND_DIGEST)
        await one.follower.look()
        assert [found.rule.id for found in held[0].rules] == ["first"]
        held.clear()
        await one.look_until(lambda: not len(one.follower.going))
        return len(one.follower.going)

    assert asyncio.run(hold()) == 0


def test_nothing_stands_in_a_new_folder(tmp_path: Path) -> None:
    """Without a file nothing is followed, and nothing is told."""
    one = Following(tmp_path)
    one.folder.standing.unlink()

    async def look() -> bool:
        return await one.follower.look()

    assert asyncio.run(look()) is False
    assert one.said("serial") is None
    assert one.folder.read_standing() == Standing()
