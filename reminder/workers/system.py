"""What workers need of the system, and Windows lacks: asked for in one place, by functions that say so there."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "CAN_SHARE",
    "as_at_first",
    "ended",
    "fork",
    "held_back",
    "kill",
    "lock_range",
    "lock_whole",
    "on_signals",
    "share_port",
    "shared_file",
    "unlock_range",
]

CAN_SHARE = sys.platform == "linux"
"""Whether processes can share a port so that connections are spread over them: other systems give all to one."""

_AGAIN_S = 0.005
_NAMES = ("SIGTERM", "SIGINT", "SIGCHLD")


def fork() -> int:
    """A copy of this process: 0 in it, its number here. Nothing may have started a thread before."""
    if sys.platform != "win32":
        return os.fork()
    raise NotImplementedError


def ended(pid: int) -> int | None:
    """The exit code of a child, below 0 where a signal ended it; ``None``: it has not ended."""
    if sys.platform != "win32":
        found, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None
    raise NotImplementedError


def on_signals(asked: Callable[[], object]) -> None:
    """Call something when the process is asked to end; the end of a child only interrupts a wait."""
    if sys.platform != "win32":
        for name in _NAMES:
            stops = name != "SIGCHLD"
            signal.signal(getattr(signal, name), lambda *_told, stops=stops: asked() if stops else None)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """No signal comes while the block runs; what is sent to a copy made in it waits for :func:`as_at_first`."""
    if sys.platform != "win32":
        numbers = [getattr(signal, name) for name in _NAMES]
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def as_at_first() -> None:
    """In a copy: signals do what they do to any process."""
    if sys.platform != "win32":
        signal.set_wakeup_fd(-1)
        numbers = [getattr(signal, name) for name in _NAMES]
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def kill(pid: int, *, at_once: bool) -> None:
    """Ask a process to end, or end it; one that has ended needs nothing."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if at_once else signal.SIGTERM)


def share_port(made: socket.socket) -> None:
    """Let others that say the same have the address of a socket, too."""
    if sys.platform != "win32":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def shared_file() -> int:
    """A file nobody else sees, for locks on its ranges."""
    if sys.platform == "linux":
        return os.memfd_create("reminder-workers")
    raise NotImplementedError


def lock_range(file: int, place: int, *, wait: bool) -> bool:
    """Lock one byte of a file for this process, until it ends at the latest; whether it was free, or was waited for.

    Locks are of a process, not of a thread (fcntl(2), "Advisory record locking").
    """
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - Windows has none

        how = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
        while True:
            try:
                fcntl.lockf(file, how, 1, place)
            except OSError:  # where it waits: threads of two processes that wait for each other's look like a deadlock
                if not wait:
                    return False
                time.sleep(_AGAIN_S)
            else:
                return True
    raise NotImplementedError


def unlock_range(file: int, place: int) -> None:
    """Let go of it."""
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - as above

        fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


def lock_whole(file: int) -> bool:
    """Lock a file for this process and its copies, if it is free; a file system without locks keeps nobody away."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows alone has it

        os.lseek(file, 1 << 30, os.SEEK_SET)  # a locked byte cannot be read, so none that is
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - as above

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True
