"""One sidecar a data folder: two would each keep a half of what callers tell, and report two halves.

The lock is the system's, so that nothing is left of it by who was killed. Workers hold it too: as long as one of them
still drains after its supervisor was killed, the folder is in use.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from reminder.stores.base import StoreError
from reminder.workers.system import lock_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LEFT_S", "LOCK_FILE", "alone_in"]

LOCK_FILE = "serving.lock"
"""The file in the data folder; it holds the number of the process."""

LEFT_S = 20.0
"""How long a start waits for what is left of a sidecar that was killed: its workers answer what is in flight."""

_LOOK_S = 0.05
_DIGITS = 20


@contextlib.contextmanager
def alone_in(data: Path) -> Iterator[None]:
    """Serve from a data folder, as the only one.

    Raises:
        StoreError: When another sidecar does, or the folder cannot be written.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError("read-only", f"`{data}` cannot be written ({error.strerror}); give the rights") from error
    try:
        _take(handle, data)
        with contextlib.suppress(OSError):  # a full disk: the number is for people
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _take(handle: int, data: Path) -> None:
    """Have the lock; who holds it is waited for where that is only what is left of a sidecar."""
    until = time.monotonic() + LEFT_S
    while not lock_whole(handle):
        number = _number(handle)
        if _lives(number) or time.monotonic() >= until:
            who = f"process {number}" if number else "another process"
            raise StoreError(
                "locked", f"`{data}` is served by {who} already; stop that one, or give another folder with --data"
            )
        time.sleep(_LOOK_S)


def _number(handle: int) -> int:
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, _DIGITS).strip()
    return int(text) if text.isdigit() else 0


def _lives(number: int) -> bool:
    """Whether a process is there; on Windows, where asking would end it, it is taken to be."""
    if os.name == "nt" or not number:
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
