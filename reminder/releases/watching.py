"""A folder in which new releases are looked for: a file is taken once nobody writes to it any more.

Copies over a network take minutes and stall. A file is taken when its size and time have not changed between two looks
and it is as long as it says itself; one that stays shorter is waited for a minute longer, and then taken for what it
is. Each state of a file is taken once, whatever came of it, also after a restart. A file over the limit is told of and
never copied; one that cannot be copied keeps no other out, and is tried again each minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from negative_list.release.container import MOST_BYTES, MOST_MANIFEST_BYTES, ReleaseError, read_manifest
from reminder.releases.folder import shown, write_whole
from reminder.releases.intake import Brought

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from reminder.releases.office import Office

__all__ = ["ENDING", "MOST_WHOLE_BYTES", "PATIENCE_S", "WATCH", "Watch", "copy_seen", "wait_for_due", "watch"]

ENDING = ".release"
"""Only files ending so are looked at: a copy under another name is on its way."""

WATCH = "watch"
"""Who brings what is found."""

PATIENCE_S = 60.0
"""How long a file that ends too early is waited for after it last changed, and one that cannot be copied."""

MOST_WHOLE_BYTES = MOST_BYTES + MOST_MANIFEST_BYTES + 64 * 1024
"""Bytes of a file that may be a release: its list, its manifest, two short lines."""

_LOOK_S = 1.0
_DUE_S = 0.25

_State: TypeAlias = tuple[int, int]  # size, time of the last change in nanoseconds
_TAKEN = msgspec.json.Decoder(dict[str, _State])
_Say: TypeAlias = Callable[[str, str], None]

_WATCHING, _SCHEDULE = "watch", "schedule"
_PIECE = 1024 * 1024
_TOO_LARGE = (
    f"超过 {MOST_WHOLE_BYTES} 字节，未读取 (over {MOST_WHOLE_BYTES} bytes, and not read); 请拆分清单 (split it)"
)


class Watch:
    """What was seen of a folder.

    Args:
        folder: where releases are looked for.
        taken: the file that remembers which were taken.

    Attributes:
        troubles: files that cannot be taken, by name, and why.
    """

    def __init__(self, folder: Path, taken: Path) -> None:
        self._folder = folder
        self._file = taken
        self._taken: dict[str, _State] = {}
        self._seen: dict[str, tuple[_State, float]] = {}
        self._not_before: dict[str, tuple[_State, float]] = {}
        self.troubles: dict[str, str] = {}
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
        self._seen = {_name(path): self._since(_name(path), state, tick_s) for path, state in there.items()}
        self.troubles = {name: problem for name, problem in self.troubles.items() if name in self._seen}
        found = [path for path, state in there.items() if self._is_ready(path, state, tick_s)]
        return sorted(found, key=lambda path: there[path][1])

    def _since(self, name: str, state: _State, tick_s: float) -> tuple[_State, float]:
        """The state of a file and since when it has it."""
        before = self._seen.get(name)
        return before if before is not None and before[0] == state else (state, tick_s)

    def _is_ready(self, path: Path, state: _State, tick_s: float) -> bool:
        same_s = tick_s - self._seen[_name(path)][1]
        if self._taken.get(_name(path)) == state or same_s <= 0:
            return False
        before = self._not_before.get(_name(path))
        if before is not None and before[0] == state and tick_s < before[1]:
            return False
        return same_s >= PATIENCE_S or self.is_large(path) or not _is_short(path)

    def is_large(self, path: Path) -> bool:
        """Whether a file that was seen is longer than any release."""
        return self._seen[_name(path)][0][0] > MOST_WHOLE_BYTES

    def pass_over(self, path: Path) -> None:
        """Remember a file as it was seen, as if it had been taken. Blocks. Raises ``OSError``."""
        self._remember(_name(path), self._seen[_name(path)][0])

    def later(self, path: Path, tick_s: float, problem: str) -> None:
        """Leave a file that cannot be taken alone for a while; until then it is among the ``troubles``."""
        self.troubles[_name(path)] = problem
        self._not_before[_name(path)] = (self._seen[_name(path)][0], tick_s + PATIENCE_S)

    def take(self, path: Path, into: Path) -> bool:
        """Copy a file and remember it; ``False``: it changed meanwhile, or is gone. Blocks.

        Raises:
            OSError: it cannot be copied, or would take the room others need; nothing of it is left.
        """
        state = self._seen[_name(path)][0]
        try:
            copy_seen(path, into, state[0])
            if _state(path) == state:
                self._remember(_name(path), state)
                return True
        except OSError:
            into.unlink(missing_ok=True)
            raise
        into.unlink(missing_ok=True)
        return False

    def _remember(self, name: str, state: _State) -> None:
        self._taken = {**{known: s for known, s in self._taken.items() if known in self._seen}, name: state}
        write_whole(self._file, msgspec.json.encode(self._taken))


def _name(path: Path) -> str:
    """What a file is remembered by."""
    return shown(path.name)


def copy_seen(path: Path, into: Path, size: int) -> None:
    """Copy as much of a file as it was seen to have: no more, if it grows. Raises ``OSError``."""
    # As much again as it takes is needed to serve it, and decisions have to be written down meanwhile.
    if shutil.disk_usage(into.parent).free < 2 * size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with path.open("rb") as source, into.open("wb") as target:
        while size > 0 and (piece := source.read(min(size, _PIECE))):
            target.write(piece)
            size -= len(piece)


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


async def watch(office: Office, folder: Path, log: FilteringBoundLogger, say: _Say) -> None:
    """Take in what comes into a folder, for as long as the service runs; cancel it to stop.

    Args:
        office: takes it in.
        folder: where releases are looked for.
        log: told once of what cannot be read.
        say: told under a name what does not work just now; "" when it does again.
    """
    seen, told = Watch(folder, office.folder.root / "watched.json"), dict[str, str]()
    while True:
        troubles = await _look(office, seen)
        for place, problem in troubles.items():
            if told.get(place) != problem:
                # Said once: a share that is away is looked for again and again.
                log.warning("not watched", folder=shown(folder), file=place, problem=problem)
        told = troubles
        say(_WATCHING, "; ".join(_words(folder, *trouble) for trouble in troubles.items()))
        await asyncio.sleep(_LOOK_S)


async def _look(office: Office, seen: Watch) -> dict[str, str]:
    """Take what is there; returns what cannot be read by its name ("": the folder), and why."""
    try:
        ready = await asyncio.to_thread(seen.ready, time.monotonic())
    except OSError as error:
        return {"": str(error.strerror)}
    for path in ready:
        try:
            await _bring(office, seen, path)
            seen.troubles.pop(shown(path.name), None)
        except OSError as error:
            seen.later(path, time.monotonic(), str(error.strerror))
    return dict(seen.troubles)


def _words(folder: Path, name: str, problem: str) -> str:
    place = shown(folder / name) if name else shown(folder)
    return f"releases: `{place}` cannot be taken in ({problem}); see to its rights and to the space"


async def _bring(office: Office, seen: Watch, path: Path) -> None:
    """Take one file in. Raises ``OSError``: it cannot be copied, or that it was cannot be written down."""
    into = office.folder.incoming / f"{WATCH}{ENDING}"
    brought = Brought(path=into, source=shown(path.name), who=WATCH)
    if seen.is_large(path):
        await asyncio.to_thread(seen.pass_over, path)
        await office.half(brought, f"{brought.source}: {_TOO_LARGE}", "too-large")
    elif await asyncio.to_thread(seen.take, path, into):
        await office.stage(brought)


async def wait_for_due(office: Office, say: _Say) -> None:
    """Make active what was scheduled, when its time has come; cancel it to stop. ``say``: as in :func:`watch`."""
    while True:
        try:
            await office.make_due()
            say(_SCHEDULE, "")
        except OSError as error:
            say(_SCHEDULE, f"releases: the schedule cannot be written ({error.strerror}); see to the data folder")
        await asyncio.sleep(_DUE_S)
