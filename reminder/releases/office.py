"""The road of a release: taken in, tried step by step, made active on every worker at once, taken back.

One office in all, in worker 0. It never loads a list itself: what is heavy is done by a process beside
(:mod:`reminder.releases.preparing`), loading by every worker for itself (:mod:`reminder.releases.following`). Of what
was asked one thing is done at a time, and a change is what stands on disk: whenever the process is killed, either the
old or the new stands. Every step is kept, and why it failed is said in the call, in the status, in metrics and the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from reminder.releases.book import Book
from reminder.releases.confirming import Confirmed
from reminder.releases.folder import Folder
from reminder.releases.intake import Brought, Staging, pairs_known, take_in
from reminder.releases.ledger import Step
from reminder.releases.moving import Moves
from reminder.releases.pen import SWAP_S, Lag, Pen, Settled
from reminder.releases.readying import Readying
from reminder.releases.saying import fell_back, overdue, told_of, trouble, waits_on, why_not_active
from reminder.releases.scheduling import Schedule
from reminder.releases.staged import Shelf, Staged
from reminder.releases.standing import Chosen, Scheduled, Seen, Standing, Working
from reminder.releases.trust import RoadError, may_activate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from structlog.typing import FilteringBoundLogger

    from reminder.journal.entries import Changed
    from reminder.releases.ledger import Result, StepName
    from reminder.releases.serves import Serves

__all__ = ["Done", "Office", "Stands"]

T = TypeVar("T")

_LOOKED_AT = 1_000
"""Steps looked at for why something is as it is, newest first."""

_INTERRUPTED = "启用中途被打断，已恢复原状 (interrupted on the way; what was active still is)"
_FOUND = "重启后补记 (written down after a restart)"


class Done(Struct, frozen=True, kw_only=True):
    """What a call changed: what is active now and was before, what is scheduled, what each worker answers with."""

    active: Chosen | None
    before: Chosen | None = None
    scheduled: Scheduled | None = None
    workers: tuple[Working, ...] = ()


class Stands(Struct, frozen=True, kw_only=True):
    """Everything the status tells. ``why``: why the release seen last is not the active one.

    ``staged``: each with whether a forecast was made of it.
    """

    standing: Standing
    why: str
    staged: tuple[tuple[Staged, bool], ...]
    workers: tuple[Working, ...]
    steps: tuple[Step, ...]


class Office:
    """The office of one data folder. Made and used inside one event loop.

    Args:
        service: what decides here, for its clock, its journal and its metrics.
        data: the data folder.
        trust: files of the public keys that are trusted.
        log: where it tells.

    Raises:
        FolderError: the folder cannot be made, or what stands cannot be read.
    """

    def __init__(self, service: Serves, data: Path, trust: Sequence[Path], log: FilteringBoundLogger) -> None:
        self.folder = Folder(data)
        self.folder.make()
        self.shelf = Shelf(self.folder)
        self.confirmed = Confirmed(self.folder.confirmed)
        self.book = Book(self.folder, service.metrics.releases, log, service.now)
        self.turn = asyncio.Lock()
        self.staging = asyncio.Lock()
        self._pen = Pen(self.folder)
        self._moves = Moves(service, self.book, self._pen, Readying(self.folder, self.confirmed, service))
        self._trust = tuple(trust)
        self._service = service
        self._tasks: set[asyncio.Task[Any]] = set()
        self._schedule = Schedule(service, self.book, self._pen, self._moves, self._activate_due)
        self._measure()

    # -- what stands

    def standing(self) -> Standing:
        """What stands, as it is on disk."""
        return self._pen.standing

    def staged(self, version: str) -> Staged:
        """The staged release of a version. Raises ``RoadError``."""
        return self.shelf.of(version)

    def status(self, steps: int) -> Stands:
        """What the status tells, with the newest ``steps``."""
        staged = tuple((one, self.folder.forecast_file(one.digest).exists()) for one in self.shelf.all())
        return Stands(
            standing=self.standing(),
            why=self._why(),
            staged=staged,
            workers=self._pen.live(),
            steps=self.book.last(steps),
        )

    def said(self) -> dict[str, Any]:
        """What is active beside what was seen last, for health."""
        return told_of(self._moves.active(), self.standing(), self._why())

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work although decisions are made."""
        day = self._service.civil(self._service.now(), "").date()
        steps = self.book.last(_LOOKED_AT)
        waiting = waits_on(self.standing(), self._schedule.waiting())
        told = (self.book.problem, fell_back(steps), waiting, overdue(self.standing(), self.shelf.all(), day))
        return tuple(filter(None, told))

    def trouble(self, lag: Lag, tick_s: float) -> str:
        """What is wrong and nobody's decision, for health; "" where nothing is. ``tick_s``: a steady clock."""
        standing, workers, steps = self.standing(), self._pen.live(), self.book.last(_LOOKED_AT)
        late = lag.late(standing.serial, workers, tick_s)
        return trouble(standing, steps, self._schedule.waiting(), workers, late)

    def _why(self) -> str:
        return why_not_active(self.standing(), self.book.last(_LOOKED_AT), self._schedule.waiting())

    def _measure(self) -> None:
        """Tell the metrics what stands."""
        standing, active = self.standing(), self._moves.active()
        told = {"active": active, "latest_seen": standing.seen, "scheduled": standing.scheduled}
        self._service.metrics.releases.stands(
            {which: (one.version, one.digest) for which, one in told.items() if one is not None},
            behind=bool(self._why()),
            unconfirmed=len(active.unconfirmed),
            since=standing.active.at.timestamp() if standing.active is not None else 0.0,
        )

    # -- one writer, also for what the office decides of findings

    async def change(
        self, make_next: Callable[[Standing], Standing], *, within_s: float = SWAP_S, wait: bool = True
    ) -> Settled:
        """Make the next standing, on disk when this returns, and wait until every live worker follows it.

        Args:
            make_next: from what stands to what is to stand; the same: nothing is written.
            within_s: how long workers are waited for.
            wait: whether they are at all.

        Raises:
            OSError: it could not be written; what stood still stands.
        """
        settled = await self._pen.change(make_next)
        self._measure()
        return await self._pen.followed(settled, within_s) if wait else settled

    async def journal(self, changed: Changed) -> bool:
        """Write down that what decides became another; whether it was on disk within a second."""
        return await self._moves.journal(changed)

    async def noted(
        self, digest: str, *, step: StepName, result: Result, detail: str = "", who: str = "", took_ms: int = 0
    ) -> None:
        """Somebody else's step about a staged release ended: its forecast."""
        about = next((one for one in self.shelf.all() if one.digest == digest), None)
        told = Step(
            at=self._service.now(),
            version=about.version if about is not None else "",
            digest=digest,
            name=about.name if about is not None else "",
            step=step,
            result=result,
            detail=detail,
            who=who,
            took_ms=took_ms,
        )
        await self.book.told(told)

    # -- the life of the office

    async def start(self) -> None:
        """Put right what a process that was killed left half done."""
        standing = self.standing()
        if standing.coming is not None:
            await self.change(lambda now: msgspec.structs.replace(now, coming=None), wait=False)
            await self._moves.step(standing.coming, "activate", "failed", _INTERRUPTED, reason="interrupted")
        active, before = standing.active, standing.before
        if active is not None and self._is_news(active):
            await self._moves.step(active, "activate", "done", _FOUND)
            await self._moves.journal_list(active, before[0] if before else active, "activate")

    def _is_news(self, active: Chosen) -> bool:
        """Whether the process was killed after something became active and before that was written down."""
        moves = (step for step in self.book.last(_LOOKED_AT) if step.step in {"activate", "rollback"})
        last = next((step for step in moves if step.result == "done"), None)
        return last is None or (last.version, last.digest) != (active.version, active.digest)

    def beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Work on beside the calls, until the office stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something to its end, also when whoever asked for it goes."""
        return await asyncio.shield(self.beside(work))

    async def stop(self) -> None:
        """Let go of everything; what is half done is put right at the next start."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- the road

    async def stage(self, brought: Brought) -> Staging:
        """Take a file of ``incoming`` in. Never touches what is active; the file is gone afterwards.

        One at a time, beside everything else: nobody who takes a list back waits for a new one to be tried.
        """
        async with self.staging:
            known = pairs_known(self.shelf, self.standing(), self.book.all())
            staging = await take_in(self.folder, self.book, brought, self._trust, known)
            await self._saw(brought, staging)
            return staging

    async def half(self, brought: Brought, detail: str, reason: str = "half") -> Step:
        """Say that a file never came whole, or why it was never taken."""
        told = Step(
            at=self._service.now(),
            step="receive",
            result="failed",
            reason=reason,
            detail=detail,
            who=brought.who,
            why=brought.why,
        )
        step = await self.book.told(told)
        await self._saw(brought, Staging(steps=(step,), problem=f"receive: {detail}"))
        return step

    async def _saw(self, brought: Brought, staging: Staging) -> None:
        manifest = staging.manifest
        seen = Seen(
            version=manifest.version if manifest is not None else "",
            digest=manifest.digest if manifest is not None else "",
            name=manifest.name if manifest is not None else "",
            at=self._service.now(),
            source=brought.source,
            problem=staging.problem,
        )
        await self.change(lambda now: msgspec.structs.replace(now, seen=seen), wait=False)

    async def activate(self, version: str, *, allow_older: bool, shadow: bool, who: str, why: str) -> Done:
        """Make a staged release active on every worker; one that is active already stays so.

        Raises:
            RoadError: it is not staged, older, damaged, or a worker cannot load it; what was active still is.
        """
        async with self.turn:
            return await self._activate(version, allow_older=allow_older, shadow=shadow, who=who, why=why)

    async def _activate(self, version: str, *, allow_older: bool, shadow: bool, who: str, why: str) -> Done:
        staged, was = self.shelf.of(version), self._moves.active()
        if (was.version, was.digest) == (staged.version, staged.digest):
            return self._done()
        chosen = self._chosen(staged, who, why, shadow=shadow)
        async with self._moves.failing(chosen, "activate"):
            may_activate(staged.version, was.version, allow_older=allow_older)
        if not chosen.forecast:
            await self._moves.step(chosen, "forecast", "skipped", "未做预测 (none was made)")
        settled = await self._moves.become(chosen, (was, *self.standing().before), "activate")
        self._measure()
        return self._done(was, settled.workers)

    async def rollback(self, *, who: str, why: str) -> Done:
        """Make the list active that was before. Raises ``RoadError``: nothing was, or it is damaged."""
        async with self.turn:
            before, was = self.standing().before, self._moves.active()
            if not before:
                raise RoadError("refused", "nothing-before", "没有可回退的版本 (nothing was active before)")
            chosen = msgspec.structs.replace(before[0], at=self._service.now(), who=who, why=why)
            settled = await self._moves.become(chosen, before[1:], "rollback")
            self._measure()
            return self._done(was, settled.workers)

    async def schedule(self, wanted: Scheduled) -> Done:
        """Write down when a staged release is to become active. Raises ``RoadError``."""
        async with self.turn:
            staged = self.shelf.of(wanted.version)
            wanted = msgspec.structs.replace(wanted, version=staged.version, digest=staged.digest)
            chosen = self._chosen(staged, wanted.who, wanted.why, shadow=wanted.shadow)
            async with self._moves.failing(chosen, "schedule"):
                may_activate(staged.version, self._moves.active().version, allow_older=wanted.allow_older)
                await self.change(lambda now: msgspec.structs.replace(now, scheduled=wanted), wait=False)
            await self._moves.step(chosen, "schedule", "done", f"{wanted.at:%Y-%m-%d %H:%M:%S} UTC")
            return self._done()

    async def unschedule(self, version: str, who: str, why: str) -> Done:
        """Take back when a release was to become active. Raises ``RoadError``: it was not to."""
        async with self.turn:
            staged, scheduled = self.shelf.of(version), self.standing().scheduled
            if scheduled is None or scheduled.digest != staged.digest:
                raise RoadError("refused", "not-scheduled", f"版本 `{version}` 没有定时启用 (is not scheduled)")
            await self.change(lambda now: msgspec.structs.replace(now, scheduled=None), wait=False)
            await self._moves.step(self._chosen(staged, who, why), "schedule", "skipped", "已取消 (taken back)")
            return self._done()

    async def make_due(self) -> None:
        """Make what is scheduled active once its time has come.

        Where that fails it is tried again, as :mod:`reminder.releases.due` says; in the end it is scheduled no more.

        Raises:
            OSError: that it is scheduled no more could not be written; that alone is tried again with the next call.
        """
        if (due := self._schedule.due) is None:
            return
        async with self.turn:
            over = await self._schedule.is_over(due, self.standing())
            self._measure()
            if over:
                await self.change(lambda now: msgspec.structs.replace(now, scheduled=None), wait=False)

    def _activate_due(self, due: Scheduled) -> Coroutine[Any, Any, Done]:
        return self._activate(due.version, allow_older=due.allow_older, shadow=due.shadow, who=due.who, why=due.why)

    def _chosen(self, staged: Staged, who: str, why: str, *, shadow: bool = False) -> Chosen:
        return Chosen(
            version=staged.version,
            digest=staged.digest,
            name=staged.name,
            at=self._service.now(),
            who=who,
            why=why,
            forecast=self.folder.forecast_file(staged.digest).exists(),
            shadow=shadow,
        )

    def _done(self, before: Chosen | None = None, workers: tuple[Working, ...] = ()) -> Done:
        standing = self.standing()
        return Done(
            active=self._moves.active(),
            before=before,
            scheduled=standing.scheduled,
            workers=workers or self._pen.live(),
        )
