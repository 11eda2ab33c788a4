"""A request that comes again gets the answer it had: in flight, afterwards, after a restart, from another sidecar."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.decision import Decision
from reminder import wire_client
from reminder.journal.drafts import Digests
from reminder.journal.repeated import MOST_ANSWERS, REUSED, WINDOW, Found, Repeated, asked_of
from reminder.stores.base import StoreError
from tests.journal.recorded import decisions_in
from tests.reminder.bodies import encoded, national_body, own_body, own_line
from tests.reminder.sidecar import NOW, ask, post, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reminder.v1 import reminder_pb2 as pb


def message(quantity: int = 1, **changes: Any) -> pb.CheckRequest:
    """A body with an id of its own."""
    return wire_client.request_of(own_body(own_line(quantity=quantity), **{"request_id": "MSG-9"} | changes))


def codes(answer: pb.CheckResponse) -> list[str]:
    """Codes of the notes."""
    return [note.code for note in answer.notes]


def test_the_same_request_gets_the_same_answer(tmp_path: Path) -> None:
    """Id, receipt and findings; it is not written again."""
    with running(tmp_path) as here:
        first, second = ask(here, message()), ask(here, message())
        other = ask(here, message(request_id="MSG-10"))
    assert second == first
    assert first.receipt
    assert other.decision_id != first.decision_id
    assert len(decisions_in(tmp_path / "var")) == 2


def test_the_same_id_with_another_body_is_a_new_decision(tmp_path: Path) -> None:
    """It says so, and so does its entry; without a request id nothing is a repetition."""
    with running(tmp_path) as here:
        first, second = ask(here, message()), ask(here, message(quantity=2))
        third = ask(here, message(quantity=2))
        bare = [ask(here, message(request_id="")) for _ in range(2)]
    assert second.decision_id != first.decision_id
    assert (codes(first), codes(second)) == ([], [REUSED])
    assert third == second
    assert bare[0].decision_id != bare[1].decision_id
    assert [entry.reused for entry in decisions_in(tmp_path / "var")] == [False, True, False, False]


def test_a_restarted_sidecar_knows_what_was_answered(tmp_path: Path) -> None:
    """The journal tells it, with the caller's own ids put back."""
    sent = own_body(request_id="MSG-9", sex="女")
    with running(tmp_path) as here:
        first = ask(here, wire_client.request_of(sent))
    with running(tmp_path) as here:
        second = ask(here, wire_client.request_of(sent))
        other = ask(here, message(quantity=2))
    assert second == first
    assert [list(found.lines) for found in second.findings] == [["R1"]]
    assert codes(other) == [REUSED]
    assert len(decisions_in(tmp_path / "var")) == 2


def test_national_replies_repeat_too(tmp_path: Path) -> None:
    """The same 3101 gets the same results."""
    body = encoded(national_body(msgid="N1"))
    with running(tmp_path) as here:
        first, second = (post(here, body)[1]["output"] for _ in range(2))
    assert first["receipt"]
    assert second == first


class Asked:
    """A journal that is only asked, or cannot be."""

    def __init__(self, row: Any = None, *, broken: bool = False) -> None:
        self.row, self.broken, self.times = row, broken, 0

    async def ask(self, work: Callable[[Any], Any], within_s: float) -> Any:
        """What there is."""
        assert within_s > 0
        self.times += 1
        if self.broken:
            raise StoreError("gone", "gone")
        return work(self)

    def asked(self, _asked: str) -> Any:
        """The latest decision."""
        return self.row

    def briefs(self, *_period: Any, **_order: Any) -> list[Any]:
        """None."""
        return []


def repeated(journal: Any, *, shared: bool = False) -> Repeated:
    """Requests of a process."""
    return Repeated(journal, shared=shared)


def test_who_is_alone_asks_the_journal_only_until_it_has_learned() -> None:
    """Of what it knows to be new nothing is asked; with a shared journal it is asked each time."""

    async def told(*, shared: bool) -> int:
        journal = Asked()
        requests = repeated(journal, shared=shared)
        await requests.load(NOW)
        asked_before = journal.times
        for number in range(5):
            assert (await requests.first(f"a{number}", NOW, LONG_S)).answer is None
            requests.answered(f"a{number}", Decision(decision="pass"))
        return journal.times - asked_before

    assert asyncio.run(told(shared=False)) == 0
    assert asyncio.run(told(shared=True)) == 5


def test_one_in_flight_is_waited_for() -> None:
    """Both get one answer; where the first fails the second decides for itself."""

    async def both(*, fails: bool) -> Decision | None:
        requests = repeated(Asked())
        assert (await requests.first("a", NOW, LONG_S)).answer is None
        second = asyncio.create_task(requests.first("a", NOW, LONG_S))
        await asyncio.sleep(0)
        if fails:
            requests.failed("a")
        else:
            requests.answered("a", Decision(decision="warn"))
        return (await second).answer

    waited = asyncio.run(both(fails=False))
    assert waited is not None
    assert waited.decision == "warn"
    assert asyncio.run(both(fails=True)) is None


class Slow(Asked):
    """A journal that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()

    async def ask(self, work: Callable[[Any], Any], within_s: float) -> Any:
        """What there is, later."""
        await self.free.wait()
        return await super().ask(work, within_s)


def test_of_many_that_ask_the_journal_together_one_decides() -> None:
    """The others, and those that come meanwhile, get its answer; nobody is left waiting."""

    async def all_of_them() -> list[Decision | None]:
        journal = Slow()
        requests = repeated(journal, shared=True)

        async def one() -> Decision | None:
            found = await requests.first("a", NOW, LONG_S)
            if found.answer is None:
                decided.append(1)
                await asyncio.sleep(0)
                later.extend(asyncio.create_task(one()) for _ in range(2))
                for number in range(MOST_ANSWERS + 1):  # others that are answered before it
                    await requests.first(f"b{number}", NOW, LONG_S)
                    requests.answered(f"b{number}", Decision(decision="pass"))
                requests.answered("a", Decision(decision="warn"))
            return found.answer

        later: list[asyncio.Task[Decision | None]] = []
        together = [asyncio.create_task(one()) for _ in range(3)]
        await asyncio.sleep(0)
        journal.free.set()
        async with asyncio.timeout(LONG_S):
            return await asyncio.gather(*together) + await asyncio.gather(*later)

    decided: list[int] = []
    answers = asyncio.run(all_of_them())
    assert decided == [1]
    assert [answer and answer.decision for answer in answers] == [None, "warn", "warn", "warn", "warn"]


def test_a_journal_that_is_gone_makes_no_repetition() -> None:
    """The request is decided, as any other."""

    async def told() -> bool:
        found = await repeated(Asked(broken=True), shared=True).first("a", NOW, LONG_S)
        return found.reused or found.answer is not None or found.journaled is not None

    assert asyncio.run(told()) is False


@pytest.mark.parametrize("after", [timedelta(hours=23), WINDOW, timedelta(days=3)])
def test_an_id_is_remembered_for_a_day(after: timedelta) -> None:
    """Afterwards it is a new request, whatever its body."""

    async def reused() -> bool:
        requests = repeated(Asked())
        await requests.load(NOW)
        first, other = asked_of("H1", "1", "a" * 64), asked_of("H1", "1", "b" * 64)
        await requests.first(first, NOW, LONG_S)
        requests.answered(first, Decision(decision="pass"))
        return (await requests.first(other, NOW + after, LONG_S)).reused

    assert asyncio.run(reused()) is (after < WINDOW)


def test_only_so_many_answers_are_held() -> None:
    """Older ones are looked up in the journal."""

    async def asked() -> int:
        journal = Asked()
        requests = repeated(journal)
        await requests.load(NOW)
        for number in range(MOST_ANSWERS + 1):
            await requests.first(f"a{number}", NOW, LONG_S)
            requests.answered(f"a{number}", Decision(decision="pass"))
        before = journal.times
        await requests.first("a0", NOW, LONG_S)
        return journal.times - before

    assert asyncio.run(asked()) == 1


class Elsewhere(Repeated):
    """Requests of a process, one of which another worker has answered anew."""

    async def _journaled(self, *_asked: Any) -> Found | None:
        return Found(journaled=Decision(decision="warn"))


def test_a_block_held_here_gives_way_to_a_newer_answer_of_another_worker() -> None:
    """Also once what made it is in force again: one request has one answer, whoever is asked."""
    in_force = Digests(engine="e", list="l", policy="p", codes="", release=None)

    async def told() -> Found:
        requests = repeated(Asked())
        await requests.load(NOW)
        await requests.first("a", NOW, LONG_S, lambda: in_force)
        requests.answered("a", Decision(decision="block", policy="p"))
        requests.__class__ = Elsewhere
        return await requests.first("a", NOW, LONG_S, lambda: in_force)

    found = asyncio.run(told())
    assert found.journaled is not None
    assert (found.answer, found.journaled.decision) == (None, "warn")


def test_requests_are_told_apart_by_institution() -> None:
    """The same id of two hospitals is two requests; none is none."""
    assert asked_of("H1", "1", "d") != asked_of("H2", "1", "d")
    assert asked_of("H1", "", "d") == asked_of("H1", "1", "") == ""


def test_each_body_of_an_id_keeps_its_answer(tmp_path: Path) -> None:
    """Whatever came under the id in between, before a restart and after it."""
    with running(tmp_path) as here:
        one, two = ask(here, message()), ask(here, message(quantity=2))
        assert [ask(here, message()), ask(here, message(quantity=2))] == [one, two]
    with running(tmp_path) as here:
        assert [ask(here, message()), ask(here, message(quantity=2)), ask(here, message())] == [one, two, one]
    assert len(decisions_in(tmp_path / "var")) == 2
