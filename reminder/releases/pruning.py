"""Releases that are not needed any more are taken away: their files, their compiled form, their forecast.

Kept is what is active, what one can go back to, what is scheduled or coming, what a worker answers with, what was seen
last, and the newest that were staged. Of the rest a list that ever decided goes only once the journal has it whole:
from there decisions are derived again. Whether it ever did is said by the steps; where they do not know, it may have.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.journal.artifacts import intact
from reminder.releases.ledger import Step
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from reminder.journal.journal import Journal
    from reminder.releases.folder import Folder
    from reminder.releases.office import Office
    from reminder.releases.serves import Serves
    from reminder.releases.staged import Staged
    from reminder.releases.standing import Standing

__all__ = ["PRUNE", "lying", "needed", "never_decided", "prune", "removed"]

PRUNE = "prune"
"""Who takes old releases away: nobody was asked."""

_DIGEST = re.compile(r"[0-9a-f]{64}(?=\.)")
_ASK_S = 30.0


async def prune(office: Office, service: Serves, newest: int) -> None:
    """Take away the files of releases nobody needs any more, and tell it as a step of each.

    Args:
        office: whose folder it is.
        service: what decides, and its journal.
        newest: how many of the staged ones are kept, those that came last.

    Raises:
        OSError: the folder cannot be read.
    """
    there, kept = await asyncio.to_thread(lambda: (lying(office.folder), _kept(office, service, newest)))
    may_go = [digest for digest in there if digest not in kept and await _may_go(office, service, digest)]
    if not may_go:
        return
    names = {one.digest: one for one in office.shelf.all()}
    async with office.staging, office.turn:
        # What became needed meanwhile stays.
        gone = await asyncio.to_thread(lambda: removed(office.folder, _kept(office, service, newest), may_go))
    for digest, (files, size) in gone.items():
        await office.book.told(_told(service, digest, names.get(digest), files, size))


async def _may_go(office: Office, service: Serves, digest: str) -> bool:
    return never_decided(digest, office.book.all()) or await _is_kept_in(service.journal, digest)


def _kept(office: Office, service: Serves, newest: int) -> frozenset[str]:
    answering = {name for one in office.folder.working() for name in (one.digest, one.loaded)}
    return needed(office.standing(), office.shelf.all(), newest) | answering | {service.active.compiled.digest}


def _told(service: Serves, digest: str, one: Staged | None, files: int, size: int) -> Step:
    return Step(
        at=service.now(),
        version=one.version if one is not None else "",
        digest=digest,
        name=one.name if one is not None else "",
        step="prune",
        result="done",
        detail=f"{files} 个文件，{size} 字节，已移走 ({files} files, {size} bytes, taken away)",
        who=PRUNE,
    )


def needed(standing: Standing, staged: Iterable[Staged], newest: int) -> frozenset[str]:
    """Digests of the lists that are kept whatever the journal has.

    Args:
        standing: what stands.
        staged: the releases that lie here.
        newest: how many of them are kept, those that came last.
    """
    named = (standing.active, standing.coming, standing.scheduled, standing.seen, *standing.before)
    by_age = sorted(staged, key=lambda one: _came(one.path), reverse=True)
    return frozenset([*(one.digest for one in named if one is not None), *(one.digest for one in by_age[:newest])])


def _came(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def lying(folder: Folder) -> Mapping[str, tuple[Path, ...]]:
    """The files of each list, by its digest. Blocks. Raises ``OSError``: a folder cannot be read."""
    found: dict[str, list[Path]] = {}
    for place in (folder.staged, folder.compiled, folder.forecasts):
        for path in place.iterdir():
            if (digest := _DIGEST.match(path.name)) is not None:
                found.setdefault(digest[0], []).append(path)
    return {digest: tuple(paths) for digest, paths in found.items()}


def never_decided(digest: str, steps: Iterable[Step]) -> bool:
    """Whether the steps know a list, and that it never became active."""
    known = {step.step for step in steps if step.digest == digest}
    return "compile" in known and not known & {"activate", "rollback"}


async def _is_kept_in(journal: Journal | None, digest: str) -> bool:
    """Whether the journal has a list whole; not while it cannot be read."""
    if journal is None:
        return False
    try:
        return await journal.ask(lambda store: intact(store, digest) is not None, _ASK_S)
    except StoreError:
        return False


def removed(folder: Folder, kept: AbstractSet[str], digests: Iterable[str]) -> Mapping[str, tuple[int, int]]:
    """Take the files of lists away; returns how many and their bytes, of those that are gone. Blocks.

    Args:
        folder: where they lie.
        kept: digests of lists that stay all the same.
        digests: those that may go.

    Raises:
        OSError: a folder cannot be read.
    """
    there = lying(folder)
    gone = {digest: _unlinked(there[digest]) for digest in digests if digest in there and digest not in kept}
    return {digest: told for digest, told in gone.items() if told[0]}


def _unlinked(paths: Iterable[Path]) -> tuple[int, int]:
    """How many files went, and their bytes. One that is still open on Windows goes the next time."""
    files = size = 0
    for path in paths:
        with contextlib.suppress(OSError):
            length = path.stat().st_size
            path.unlink()
            files, size = files + 1, size + length
    return files, size
