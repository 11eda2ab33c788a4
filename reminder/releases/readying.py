"""Making a list ready to become active: its compiled form is there, and what of it nobody confirmed is known.

Mostly all lies there since it was staged, and two files are compared. Where something is missing or damaged a process
beside makes it again from the list.

Where its staged file is damaged, the journal may still have the list: what decisions were made with is kept there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from negative_list.release.container import ReleaseError, read_release
from reminder.journal.artifacts import intact
from reminder.journal.base import Artifact
from reminder.releases.cache import is_whole
from reminder.releases.children import INTERRUPTED, answers
from reminder.releases.confirming import MarksError, not_confirmed
from reminder.releases.folder import write_whole
from reminder.releases.orders import Failed, Readied, Ready
from reminder.releases.trust import RoadError
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from reminder.releases.confirming import Confirmed
    from reminder.releases.folder import Folder
    from reminder.releases.serves import Serves
    from reminder.releases.standing import Chosen, Standing

__all__ = ["Readying"]

_ASK_S = 30.0


class Readying:
    """Makes lists ready, in a process beside.

    Args:
        folder: of releases.
        confirmed: what the office confirmed, ever.
        service: what decides now, and its journal.
    """

    def __init__(self, folder: Folder, confirmed: Confirmed, service: Serves) -> None:
        self._folder = folder
        self._confirmed = confirmed
        self._service = service

    async def ready(self, chosen: Chosen, standing: Standing) -> Chosen:
        """The list with what of it is not confirmed.

        Raises:
            RoadError: its file is damaged or gone, and the journal does not have it.
            OSError: the folder cannot be written.
        """
        active = self._service.active.compiled
        await asyncio.to_thread(self._keep_lines, active.digest, active.lines())
        news = await self._lying(chosen.digest) if self._confirmed.begun else None
        if news is None:
            await self._make(chosen.digest, active.digest, standing)
            news = await self._lying(chosen.digest)
        if news is None:
            raise RoadError("refused", "damaged", f"清单 {chosen.digest[:16]} 无法准备 (cannot be made ready)")
        self._keep_artifact(chosen.digest)
        return msgspec.structs.replace(chosen, unconfirmed=news)

    async def _lying(self, digest: str) -> tuple[str, ...] | None:
        """What is not confirmed of a list that lies there whole; ``None``: it does not."""
        if not await asyncio.to_thread(is_whole, self._folder.compiled_file(digest), digest):
            return None
        try:
            return await asyncio.to_thread(not_confirmed, self._folder.marks_file(digest), self._confirmed)
        except MarksError:
            return None

    async def _make(self, digest: str, active: str, standing: Standing) -> None:
        """Have it made again. Raises ``RoadError``: what it would be made from is damaged, too."""
        order = Ready(
            data=str(self._folder.root.parent.absolute()),
            digest=digest,
            first="" if self._confirmed.begun else active,
            but=standing.active.unconfirmed if standing.active is not None else (),
        )
        answer = await self._answer(order)
        if isinstance(answer, Failed) and await self._from_journal(digest):
            answer = await self._answer(order)
        if isinstance(answer, Failed):
            raise RoadError("refused", answer.reason, answer.detail)

    def _keep_lines(self, digest: str, lines: Iterable[bytes]) -> None:
        """Keep the list ``--list`` gave: one may want to go back to it, and its file may change."""
        path = self._folder.list_file(digest)
        if not (self._folder.staged_file(digest).exists() or path.exists()):
            write_whole(path, b"".join(lines))

    async def _answer(self, order: Ready) -> Readied | Failed:
        async with aclosing(answers(order)) as heard:
            async for answer in heard:
                if isinstance(answer, (Readied, Failed)):
                    return answer
        return INTERRUPTED

    async def _from_journal(self, digest: str) -> bool:
        """Whether the journal has the list; then it lies in the folder again."""
        if self._service.journal is None:
            return False
        try:
            artifact = await self._service.journal.ask(lambda store: intact(store, digest), _ASK_S)
        except StoreError:
            return False
        if artifact is None:
            return False
        await asyncio.to_thread(write_whole, self._folder.list_file(digest), artifact.content)
        return True

    def _keep_artifact(self, digest: str) -> None:
        """Have the journal keep the list, before a decision names it."""
        if self._service.journal is not None:
            paths = (self._folder.staged_file(digest), self._folder.list_file(digest))
            self._service.journal.keep(partial(_artifact, digest, paths, self._service.now()))


def _artifact(digest: str, paths: Iterable[Path], at: datetime) -> Artifact:
    """The list as it lies in the folder.

    Raises:
        StoreError: it does not, or is damaged.
    """
    for path in paths:
        try:
            content = read_release(path).content if path.suffix == ".release" else path.read_bytes()
        except (ReleaseError, OSError):
            continue
        if hashlib.sha256(content).hexdigest() == digest:
            return Artifact(digest=digest, kind="list", content=content, first_at=at)
    raise StoreError("refused", f"the file of list {digest[:16]} is damaged")
