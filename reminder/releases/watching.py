"""A folder in which new releases are looked for: a file is taken once nobody writes to it any more.

Copies over a network take minutes and stall. A file is taken when its size and time have not changed between two looks
and it is as long as it says itself; one that stays shorter is waited for a minute longer, and then taken for what it
is. Each state of a file is taken once, whatever came of it, also after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from negative_list.release.container import ReleaseError, read_manifest
from reminder.releases.folder import write_whole
from reminder.releases.intake import Brought

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from reminder.releases.office import Office

__all__ = ["ENDING", "PATIENCE_S", "WATCH", "Watch", "wait_for_due", "watch"]

ENDING = ".release"
"""Only files ending so are looked at: a copy under another name is on its way."""

WATCH = "watch"
"""Who brings what is found."""

PATIENCE_S = 60.0
"""How long a file that ends too early is waited for after it last changed."""

_LOOK_S = 1.0
_DUE_S = 0.25

_State: TypeAlias = tuple[int, int]  # size, time of the last change in nanoseconds
_TAKEN = msgspec.json.Decoder(dict[str, _State])


class Watch:
    """What was seen of a folder.

    Args:
        folder: where releases are looked for.
        taken: the file that remembers which were taken.
    """

    def __init__(self, folder: Path, taken: Path) -> None:
        self._folder = folder
        self._file = taken
        self._taken: dict[str, _State] = {}
        self._seen: dict[str, tuple[_State, float]] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._taken = _TAKEN.decode(taken.read_bytes())

    def ready(self, tick_s: float) -> list[Path]:
        """The files that are there whole and were not taken yet, oldest first. Blocks.

        Args:
            tick_s: a clock that only goes forward.

        Raises:
            OSError: the folder cannot be read.
        """
        states = {path: _state(path) for path in self._folder.iterdir() if path.name.endswith(ENDING)}
        there = {path: state for path, state in states.items() if state is not None}
        self._seen = {path.name: self._since(path.name, state, tick_s) for path, state in there.items()}
        found = [path for path, state in there.items() if self._is_ready(path, state, tick_s)]
        return sorted(found, key=lambda path: there[path][1])

    def _since(self, name: str, state: _State, tick_s: float) -> tuple[_State, float]:
        """The state of a file and since when it has it."""
        before = self._seen.get(name)
        return before if before is not None and before[0] == state else (state, tick_s)

    def _is_ready(self, path: Path, state: _State, tick_s: float) -> bool:
        same_s = tick_s - self._seen[path.name][1]
        if self._taken.get(path.name) == state or same_s <= 0:
            return False
        return same_s >= PATIENCE_S or not _is_short(path)

    def take(self, path: Path, into: Path) -> bool:
        """Copy a file and remember it; ``False``: it changed meanwhile, or is gone. Blocks.

        Raises:
            OSError: it cannot be copied.
        """
        state = self._seen[path.name][0]
        shutil.copyfile(path, into)
        if _state(path) != state:
            into.unlink(missing_ok=True)
            return False
        self._remember(path.name, state)
        return True

    def _remember(self, name: str, state: _State) -> None:
        self._taken = {**{known: s for known, s in self._taken.items() if known in self._seen}, name: state}
        write_whole(self._file, msgspec.json.encode(self._taken))


def _state(path: Path) -> _State | None:
    """Size and time of a file; ``None``: it is gone, or none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if path.is_file() else None


def _is_short(path: Path) -> bool:
    """Whether a file ends before it says itself that it does."""
    try:
        manifest = read_manifest(path)
        with path.open("rb") as file:
            head = sum(len(file.readline()) for _ in range(3))
        return path.stat().st_size < head + manifest.size_bytes
    except ReleaseError as error:
        return error.reason == "truncated"
    except OSError:
        return True


async def watch(office: Office, folder: Path, log: FilteringBoundLogger) -> None:
    """Take in what comes into a folder, for as long as the service runs; cancel it to stop."""
    seen = Watch(folder, office.folder.root / "watched.json")
    problem = ""
    while True:
        try:
            for path in await asyncio.to_thread(seen.ready, time.monotonic()):
                await _bring(office, seen, path)
            problem = ""
        except OSError as error:
            # Said once: a share that is away is looked for again and again.
            if problem != str(error):
                log.warning("not watched", folder=str(folder), problem=str(error.strerror))
            problem = str(error)
        await asyncio.sleep(_LOOK_S)


async def _bring(office: Office, seen: Watch, path: Path) -> None:
    into = office.folder.incoming / f"{WATCH}-{path.name}"
    if await asyncio.to_thread(seen.take, path, into):
        await office.stage(Brought(path=into, source=path.name, who=WATCH))


async def wait_for_due(office: Office) -> None:
    """Make active what was scheduled, when its time has come; cancel it to stop."""
    while True:
        await office.make_due()
        await asyncio.sleep(_DUE_S)
