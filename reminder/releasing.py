"""What one worker does about releases: it follows what stands; the first one has the office, too."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

from reminder.releases.beginning import news
from reminder.releases.folder import Folder, shown
from reminder.releases.following import Follower
from reminder.releases.health import keep_health
from reminder.releases.intake import Brought
from reminder.releases.keys import watch_keys
from reminder.releases.office import Office
from reminder.releases.pruning import prune
from reminder.releases.saying import START
from reminder.releases.watching import wait_for_due, watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from reminder.config import Config
    from reminder.service import Service
    from reminder.workers.place import Place

__all__ = ["Releasing"]

_PRUNE_S = 600.0
"""Between looks at what is not needed any more; none at the start, which has other things to do."""


class Releasing:
    """Started once the journal is, before anybody is answered; used inside one event loop.

    Args:
        config: the settings.
        service: what answers.
        place: which of several workers this is.
        log: told of what happens.
    """

    def __init__(self, config: Config, service: Service, place: Place, log: FilteringBoundLogger) -> None:
        self._config = config
        self._service = service
        self._place = place
        self._log = log
        self._following: asyncio.Task[None] | None = None
        self._health: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer with what stands from now on; the first worker begins to take releases in.

        Raises:
            FolderError: the folder of releases cannot be used.
        """
        folder = Folder(self._config.data)
        folder.make()
        follower = Follower(self._service, folder, self._place.number, self._log)
        await follower.begin()
        self._following = asyncio.create_task(self._service.going_on.keep("releases: following", follower.follow))
        if self._place.first:
            await self._open_office()

    async def _open_office(self) -> None:
        config, service = self._config, self._service
        office = service.office = Office(service, config.data, config.trust, self._log)
        await office.start()
        keep, say = service.going_on.keep, service.going_on.say
        office.beside(keep("releases: schedule", lambda: wait_for_due(office, say)))
        if (watched := config.watch) is not None:
            office.beside(keep("releases: watching", lambda: watch(office, watched, self._log, say)))
        if config.trust:
            office.beside(keep("releases: trust", lambda: watch_keys(config.trust, self._log, say)))
        if newest := config.releases_kept:
            office.beside(keep("releases: pruning", lambda: _prune(office, service, newest)))
        office.beside(_tell_damaged(office, self._log))
        active = office.standing().active
        if config.list is not None and active is not None and active.version:
            self._log.warning("list not used", why=f"release {active.version} of the data folder is active")
        if (path := news(config, office.folder)) is not None:
            office.beside(keep("releases: start", lambda: _bring(office, path, self._log)))

    def keep_health(self, say: Callable[[bool], Awaitable[None]]) -> None:
        """Say on health whether releases are as they should be, until this is stopped."""
        service, folder = self._service, Folder(self._config.data)
        keep = service.going_on.keep("releases: health", lambda: keep_health(service.office, folder, say))
        self._health = asyncio.create_task(keep)

    async def stop(self) -> None:
        """Let go of everything."""
        if self._service.office is not None:
            await self._service.office.stop()
        for task in filter(None, (self._following, self._health)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _prune(office: Office, service: Service, newest: int) -> None:
    """Take old releases away, now and then; where the folder cannot be read, later."""
    while True:
        await asyncio.sleep(_PRUNE_S)
        with contextlib.suppress(OSError):
            await prune(office, service, newest)


async def _tell_damaged(office: Office, log: FilteringBoundLogger) -> None:
    """Say that some of what was confirmed cannot be read: its rules warn at most with the next release."""
    with contextlib.suppress(OSError):
        if lines := await asyncio.to_thread(office.confirmed.damaged):
            log.warning("confirmed rules not read", file=str(office.folder.confirmed), lines=lines)


async def _bring(office: Office, path: Path, log: FilteringBoundLogger) -> None:
    """Stage the release the sidecar was started with, beside the one that is active."""
    into = office.folder.incoming / "start.release"
    try:
        await asyncio.to_thread(shutil.copyfile, path, into)
    except OSError as error:
        log.warning("release not read", path=shown(path), problem=str(error.strerror))
        return
    await office.stage(Brought(path=into, source=shown(path.name), who=START))
