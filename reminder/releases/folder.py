"""What the data folder's ``releases`` holds: every path of it, and the small files that say what stands.

Files are written beside their place, synced and moved there: whoever reads one reads a whole one, whenever the
machine stops. What is not in its place did not happen.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from reminder.releases.standing import Standing, Working

__all__ = ["Folder", "FolderError", "shown", "sync_folder", "write_whole"]

_STANDING = msgspec.json.Decoder(Standing)
_WORKING = msgspec.json.Decoder(Working)
_PART = ".part"


class FolderError(Exception):
    """The folder of releases cannot be used; the message says what to see to."""


class Folder:
    """The folder ``releases`` of a data folder.

    Args:
        data: the data folder.
    """

    def __init__(self, data: Path) -> None:
        self.root = data / "releases"
        self.standing = self.root / "standing.json"
        self.standing_copy = self.root / "standing.copy.json"
        self.steps = self.root / "steps.jsonl"
        self.staged = self.root / "staged"
        self.compiled = self.root / "compiled"
        self.confirmed = self.root / "confirmed.jsonl"
        self.forecasts = self.root / "forecasts"
        self.workers = self.root / "workers"
        self.health = self.workers / "health"
        self.incoming = self.root / "incoming"

    def make(self) -> None:
        """Make what is missing of it.

        Raises:
            FolderError: it cannot be made.
        """
        try:
            for path in (self.staged, self.compiled, self.forecasts, self.workers, self.incoming):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(
                f"`{self.root}` cannot be made ({error.strerror}); see to the data folder and its rights"
            ) from error

    def sweep(self) -> None:
        """Take away what a process that is gone left behind: half uploads, half files, what its workers said."""
        for path in (*self.incoming.glob("*"), *self.workers.glob("*"), *self.root.glob(f"**/*{_PART}")):
            with contextlib.suppress(OSError):
                path.unlink()

    def staged_file(self, digest: str) -> Path:
        """Where a release lies that passed every step."""
        return self.staged / f"{digest}.release"

    def list_file(self, digest: str) -> Path:
        """Where the canonical form of a list lies that ``--list`` gave and a release followed."""
        return self.staged / f"{digest}.list"

    def marks_file(self, digest: str) -> Path:
        """Where the marks of the rules of a list lie (:mod:`reminder.releases.confirming`)."""
        return self.staged / f"{digest}.marks"

    def compiled_file(self, digest: str) -> Path:
        """Where the compiled form of a list lies, if it does."""
        return self.compiled / f"{digest}.compiled"

    def forecast_file(self, digest: str) -> Path:
        """Where the last forecast of a release lies."""
        return self.forecasts / f"{digest}.json"

    def read_standing(self) -> Standing:
        """What stands; in a folder without it nothing does.

        Raises:
            FolderError: it cannot be read, or is damaged.
        """
        try:
            return _STANDING.decode(self.standing.read_bytes())
        except FileNotFoundError:
            return Standing()
        except OSError as error:
            raise FolderError(f"`{self.standing}` cannot be read ({error.strerror}); see to its rights") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FolderError(
                f"`{self.standing}` is damaged ({str(error).lower()}); restore it from a backup, or take it and its "
                "copy away to begin anew with --list or --release"
            ) from error

    def mend_standing(self) -> str:
        """Make what stands again from its copy where it is missing or damaged; returns what was done, "" for nothing.

        Called by one process alone, before anybody reads what stands. Where the copy is of no use either, nothing is
        done: reading says why.

        Raises:
            OSError: it could not be written.
        """
        try:
            standing, copy = (_whole(path) for path in (self.standing, self.standing_copy))
        except OSError:
            return ""
        if standing is None and copy is not None:
            write_whole(self.standing, copy)
            return f"`{self.standing}` was missing or damaged, and was made again from its copy; look at what stands"
        if standing is not None and copy is None:
            self._keep_copy(standing)
        return ""

    def _keep_copy(self, content: bytes) -> None:
        """Beside what stands. Where it cannot be written the older one stays: what stands does."""
        with contextlib.suppress(OSError):
            write_whole(self.standing_copy, content)

    def write_standing(self, standing: Standing) -> None:
        """Make this what stands. Called by one process alone.

        Raises:
            OSError: it could not be written; what stood still stands.
        """
        content = msgspec.json.format(msgspec.json.encode(standing), indent=1) + b"\n"
        write_whole(self.standing, content)
        self._keep_copy(content)

    def working(self) -> tuple[Working, ...]:
        """What the workers say they answer with, by number; one that cannot be read is left out."""
        found = []
        for path in self.workers.glob("*.json"):
            with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                found.append(_WORKING.decode(path.read_bytes()))
        return tuple(sorted(found, key=lambda one: one.number))

    def write_working(self, working: Working) -> None:
        """Say what a worker answers with. Raises ``OSError``."""
        write_whole(self.workers / f"{working.number}.json", msgspec.json.encode(working), sync=False)


def _whole(path: Path) -> bytes | None:
    """What stands as a file has it; ``None``: it is missing or damaged. Raises ``OSError``: it cannot be read."""
    try:
        content = path.read_bytes()
        _STANDING.decode(content)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return content


def shown(name: Path | str) -> str:
    """A file's name as it can be written down: bytes that are no UTF-8 with backslashes."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def write_whole(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file beside its place and move it there; with ``sync`` it survives the machine's stop, too.

    Raises:
        OSError: it could not be written; what was there still is.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    if sync:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the move itself on disk; Windows opens no folders, and writes moves through."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
