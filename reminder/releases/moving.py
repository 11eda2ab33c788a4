"""Making a list active in two moves: every worker loads it beside what it serves; when all have, it is what stands."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reminder.journal.drafts import draft_of
from reminder.journal.engine import engine
from reminder.journal.entries import Changed
from reminder.releases.ledger import Step
from reminder.releases.pen import LOAD_S, Settled
from reminder.releases.standing import MOST_BEFORE, Chosen, Standing, Working
from reminder.releases.trust import RoadError

if TYPE_CHECKING:
    from reminder.releases.book import Book
    from reminder.releases.ledger import Result, StepName
    from reminder.releases.pen import Pen
    from reminder.releases.readying import Readying
    from reminder.releases.serves import Serves

__all__ = ["Moves"]

_JOURNAL_S = 1.0
"""How long a call waits for its entry in the journal; it is written all the same."""


class Moves:
    """Makes lists active.

    Args:
        service: what decides now, with its journal.
        book: where steps are told.
        pen: the writer of what stands.
        readying: makes lists ready.
    """

    def __init__(self, service: Serves, book: Book, pen: Pen, readying: Readying) -> None:
        self._service = service
        self._book = book
        self._pen = pen
        self._readying = readying

    def active(self) -> Chosen:
        """What is active; the list ``--list`` gave where no release ever was."""
        standing = self._pen.standing
        if standing.active is not None:
            return standing.active
        return Chosen(version="", digest=self._service.active.compiled.digest, at=self._service.now())

    async def become(self, chosen: Chosen, before: tuple[Chosen, ...], step: StepName) -> Settled:
        """Make it active on every worker, or leave everything as it is.

        Args:
            chosen: the list.
            before: what one can go back to from it, newest first.
            step: ``activate`` or ``rollback``.

        Raises:
            RoadError: it is damaged, or a worker cannot load it.
        """
        begun, was = time.monotonic(), self.active()
        async with self.failing(chosen, step):
            chosen = await self._readying.ready(chosen, self._pen.standing)
            await self._load(chosen)
            settled = await self._pen.change(_active_now(chosen, before))
        settled = await self._pen.followed(settled)
        detail = f"未确认规则 {len(chosen.unconfirmed)} 条 ({len(chosen.unconfirmed)} rules not confirmed)"
        if settled.late:
            detail += f"; 进程 {settled.late} 尚未切换 (workers {settled.late} have not switched yet)"
        await self.step(chosen, step, "done", detail, took_s=time.monotonic() - begun)
        await self.journal_list(chosen, was, step)
        return settled

    async def _load(self, chosen: Chosen) -> None:
        """Have every worker load it; where one cannot, none changes."""
        coming = await self._pen.change(lambda now: msgspec.structs.replace(now, coming=chosen))
        try:
            ended = partial(_ended, digest=chosen.digest)
            loaded = await self._pen.followed(coming, LOAD_S, ended)
            _all_have(loaded, chosen.digest)
        except BaseException:
            await self._pen.change(lambda now: msgspec.structs.replace(now, coming=None))
            raise

    # -- what is told of it

    @contextlib.asynccontextmanager
    async def failing(self, chosen: Chosen, step: StepName) -> AsyncIterator[None]:
        """What fails inside is told as the step that failed; a folder that cannot be written, too."""
        begun = time.monotonic()
        try:
            yield
        except RoadError as error:
            took_s = time.monotonic() - begun
            await self.step(chosen, step, "failed", str(error), reason=error.reason, took_s=took_s)
            raise
        except OSError as error:
            detail = (
                f"数据目录无法读写 (the data folder cannot be used: {error.strerror}); 请检查空间和权限 (see to it)"
            )
            await self.step(chosen, step, "failed", detail, reason="unwritable")
            raise RoadError("refused", "unwritable", detail) from error

    async def step(
        self, chosen: Chosen, step: StepName, result: Result, detail: str, *, reason: str = "", took_s: float = 0.0
    ) -> Step:
        """A step about a list ended."""
        told = Step(
            at=self._service.now(),
            version=chosen.version,
            digest=chosen.digest,
            name=chosen.name,
            step=step,
            result=result,
            reason=reason,
            detail=detail,
            who=chosen.who,
            why=chosen.why,
            took_ms=round(took_s * 1000),
        )
        return await self._book.told(told)

    async def journal_list(self, chosen: Chosen, was: Chosen, step: StepName) -> bool:
        """Write down in the journal which list decides from now on."""
        detail = {
            "step": step,
            "version": chosen.version,
            "before": was.version,
            "forecast": chosen.forecast,
            "unconfirmed": len(chosen.unconfirmed),
            "shadow": chosen.shadow,
        }
        changed = Changed(
            engine=engine(),
            at=self._service.now(),
            what="list",
            digest=chosen.digest,
            before=was.digest,
            who=chosen.who,
            why=chosen.why,
            detail=detail,
        )
        return await self.journal(changed)

    async def journal(self, changed: Changed) -> bool:
        """Write down that what decides became another; whether it was on disk within a second."""
        journal = self._service.journal
        if journal is None:
            return False
        draft = draft_of(changed, "list" if changed.what == "list" else "policy")
        return (await journal.append(draft, _JOURNAL_S)).journaled


def _has(one: Working, digest: str) -> bool:
    return digest in {one.loaded, one.digest}


def _ended(one: Working, digest: str) -> bool:
    """Whether a worker has loaded a list, or says why it cannot."""
    return _has(one, digest) or bool(one.problem)


def _all_have(loaded: Settled, digest: str) -> None:
    """Raises ``RoadError`` where a worker has not loaded the list."""
    if loaded.late or not loaded.workers:
        told = f"进程 {list(loaded.late)} 未及时加载 (workers {list(loaded.late)} have not loaded it in time)"
        raise RoadError("refused", "not-loaded", told)
    bad = [one for one in loaded.workers if not _has(one, digest)]
    if bad:
        told = "; ".join(f"{one.number}: {one.problem}" for one in bad)
        raise RoadError("refused", "not-loaded", f"有进程无法加载 (a worker cannot load it): {told}")


def _active_now(chosen: Chosen, before: tuple[Chosen, ...]) -> Callable[[Standing], Standing]:
    """The second move. What was to become active then is so now."""

    def make(now: Standing) -> Standing:
        # What is not confirmed of them is worked out when one goes back; here it would be read at every change.
        kept = tuple(msgspec.structs.replace(one, unconfirmed=()) for one in before[:MOST_BEFORE])
        due = now.scheduled is not None and now.scheduled.version == chosen.version
        scheduled = None if due else now.scheduled
        return msgspec.structs.replace(now, active=chosen, coming=None, before=kept, scheduled=scheduled)

    return make
