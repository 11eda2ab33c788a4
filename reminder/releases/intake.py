"""Taking a release in: from a file in ``incoming`` through every step to its place among the staged ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.release.manifest import Manifest
from reminder.releases.children import answers
from reminder.releases.folder import sync_folder
from reminder.releases.ledger import STEPS, Step
from reminder.releases.orders import Again, Failed, Named, Take, Told
from reminder.releases.staged import place_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reminder.releases.book import Book
    from reminder.releases.folder import Folder
    from reminder.releases.staged import Shelf
    from reminder.releases.standing import Standing

__all__ = ["TEST_S", "Brought", "Staging", "move", "pairs_known", "take_in"]

TEST_S = 120.0
"""Seconds the self-test of a release may take: some 12,000 cases."""


class Brought(Struct, frozen=True, kw_only=True):
    """A file that was brought: where it lies now, where it came from, who brought it and why."""

    path: Path
    source: str = ""
    who: str = ""
    why: str = ""


class Staging(Struct, frozen=True, kw_only=True):
    """What became of it. ``manifest``: what it says it is, as far as that could be read.

    ``staged``: it can become active; ``known``: it was staged before, and nothing was done; ``problem``: why not.
    """

    steps: tuple[Step, ...]
    manifest: Manifest | None = None
    staged: bool = False
    known: bool = False
    problem: str = ""


def pairs_known(shelf: Shelf, standing: Standing, steps: Sequence[Step]) -> tuple[tuple[str, str], ...]:
    """Versions with their digests that passed every step once: what lies here, what stands, what was written down."""
    lying = [(one.version, one.digest) for one in shelf.all()]
    stood = [(one.version, one.digest) for one in (standing.active, *standing.before) if one is not None]
    passed = [(one.version, one.digest) for one in steps if one.step == "compile" and one.result == "done"]
    return tuple(dict.fromkeys(pair for pair in (*stood, *lying, *passed) if pair[0]))


async def take_in(
    folder: Folder, book: Book, brought: Brought, trust: Sequence[Path], known: Sequence[tuple[str, str]]
) -> Staging:
    """Take a file through every step; each is told as it ends. The file is gone afterwards, or in its place.

    Args:
        folder: of releases.
        book: where steps are told.
        brought: the file, inside the folder's ``incoming``.
        trust: files of public keys.
        known: versions and digests that passed every step before.
    """
    taking = _Taking(book, brought)
    try:
        size = brought.path.stat().st_size
        await taking.told(Told(step="receive", result="done", detail=f"{size} 字节 ({size} bytes, {brought.source})"))
        order = Take(
            path=str(brought.path),
            data=str(folder.root.parent.absolute()),
            trust=tuple(str(path.absolute()) for path in trust),
            known=tuple(known),
            test_s=TEST_S,
        )
        return await taking.through(folder, order)
    finally:
        brought.path.unlink(missing_ok=True)


class _Taking:
    """One release on its way in, and its steps so far."""

    def __init__(self, book: Book, brought: Brought) -> None:
        self._book = book
        self._brought = brought
        self._steps: list[Step] = []
        self._manifest: Manifest | None = None

    async def told(self, told: Told) -> None:
        """A step ended."""
        manifest, brought = self._manifest, self._brought
        step = Step(
            at=self._book.now(),
            version=manifest.version if manifest else "",
            digest=manifest.digest if manifest else "",
            name=manifest.name if manifest else "",
            step=told.step,
            result=told.result,
            reason=told.reason,
            detail=told.detail,
            who=brought.who,
            why=brought.why,
            took_ms=told.took_ms,
        )
        self._steps.append(await self._book.told(step))

    async def through(self, folder: Folder, order: Take) -> Staging:
        """The steps the process takes, and the last one, which is ours: into its place."""
        compiled: Told | None = None
        async with contextlib.aclosing(answers(order)) as heard:
            async for answer in heard:
                if isinstance(answer, Named):
                    self._manifest = answer.manifest
                elif isinstance(answer, Again):
                    return self._became(staged=True, known=True)
                elif isinstance(answer, Told) and answer.step == "compile" and answer.result == "done":
                    compiled = answer
                elif isinstance(answer, Told):
                    await self.told(answer)
                elif isinstance(answer, Failed):
                    step, compiled = STEPS[STEPS.index(self._steps[-1].step) + 1], None
                    await self.told(Told(step=step, result="failed", reason=answer.reason, detail=answer.detail))
        if compiled is None or self._manifest is None or self._steps[-1].result == "failed":
            return self._became()
        await self.told(await _placed(folder, self._brought.path, self._manifest, compiled))
        return self._became(staged=self._steps[-1].result == "done")

    def _became(self, *, staged: bool = False, known: bool = False) -> Staging:
        last = self._steps[-1]
        problem = "" if staged else f"{last.step}: {last.detail}"
        return Staging(steps=tuple(self._steps), manifest=self._manifest, staged=staged, known=known, problem=problem)


async def _placed(folder: Folder, path: Path, manifest: Manifest, compiled: Told) -> Told:
    """Move a release that passed every step to its place, whole on disk."""
    try:
        await asyncio.to_thread(move, path, place_for(folder, manifest))
    except OSError as error:
        detail = f"无法保存 (cannot be kept: {error.strerror})"
        return msgspec.structs.replace(compiled, result="failed", reason="unwritable", detail=detail)
    return compiled


def move(path: Path, place: Path) -> None:
    """Move a file to its place, whole on disk before and after. Raises ``OSError``."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    path.replace(place)
    sync_folder(place.parent)
