"""Appending in a process beside the sidecar, where there is one: it makes things faster and is never needed.

:class:`Beside` starts :mod:`reminder.journal.child`, looks whether it still answers, and starts it again when it does
not. Until the process is ready, and whenever it failed in any way, :meth:`Beside.append` returns ``None``: the caller
then writes the same entries itself, which changes nothing where the process had written them, and finds out what is
wrong with the store.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, cast

import msgspec

from reminder.journal.child import LENGTH, Answer, Group, Where

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from reminder.journal.base import Draft, Head

__all__ = ["AGAIN_S", "COMMAND", "HANGS_S", "Beside"]

COMMAND = (sys.executable, "-m", "reminder.journal.child")
"""The process."""

HANGS_S = 3.0
"""How long a group may take before the process is ended: longer than it waits itself for others that write."""

AGAIN_S = 5.0
"""How long after its end the process is started again."""

_LOOK_S = 1.0
_END_S = 2.0
_PIPE_BYTES = 1024 * 1024
_AT_ONCE = 4096
_HASH_BYTES = 32

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Answer).decode


class _WrongError(Exception):
    """The process does not answer, or not what it was asked."""


class Beside:
    """The process, as the one thread uses it that writes the journal.

    Args:
        where: The journal.
        command: What to start.
        log: Where the end of a process is told.
    """

    def __init__(self, where: Where, command: Sequence[str] = COMMAND, log: FilteringBoundLogger | None = None) -> None:
        self._resting = False
        self._where = where
        self._command = command
        self._log = log
        self._child: _Child | None = None
        self._starting: _Child | None = None
        self._since: float | None = None
        self._over = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="journal-beside", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether groups go to the process."""
        return self._child is not None and not self._resting

    def start(self) -> None:
        """Start the process, beside the caller."""
        self._thread.start()

    def stop(self) -> None:
        """End the process, once nothing is appended any more. Blocks until it has ended."""
        self._ending = True
        self._over.set()
        if (starting := self._starting) is not None:
            starting.process.kill()
        if self._thread.ident is not None:
            self._thread.join(2 * _END_S)

    def append(self, before: Head, drafts: Sequence[Draft]) -> list[bytes] | None:
        """Entries appended after ``before``: their hashes, once they are on disk; ``None``: not known, do it here."""
        child = self._child
        if child is None or self._resting:
            return None
        self._since = time.monotonic()
        try:
            return child.append(before, drafts)
        except UnicodeEncodeError:  # a text that is no Unicode is mended by who places it
            return None
        except (_WrongError, OSError, ValueError, msgspec.MsgspecError):
            self._child = None
            child.process.kill()
            self._over.set()
            return None
        finally:
            self._since = None

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Leave the process out for a while: one that waits for another to end its write tries again and again."""
        self._resting = True
        try:
            yield
        finally:
            self._resting = False

    def _run(self) -> None:
        while not self._has_to_end():
            with contextlib.suppress(OSError):
                self._serve()
            if not self._has_to_end():
                self._over.wait(AGAIN_S)

    def _has_to_end(self) -> bool:
        self._over.clear()  # before the question: whoever stops says so first and wakes then
        return self._ending

    def _serve(self) -> None:
        """One process, from its start to its end."""
        child = self._starting = _Child(self._command)
        try:
            if not self._ending and child.begun(self._where):
                self._starting, self._child = None, child
                if self._log is not None:
                    self._log.info("journal process ready")
                self._watch(child)
        finally:
            self._starting = self._child = None
            code = child.end()
            if self._log is not None and not self._ending:
                self._log.warning("journal process ended", code=code)

    def _watch(self, child: _Child) -> None:
        """Until the process has ended, is to end, or hangs."""
        while not self._over.wait(_LOOK_S) and child.process.poll() is None:
            since = self._since
            if since is not None and time.monotonic() - since > HANGS_S:
                child.process.kill()
                return


class _Child:
    """One process and the two pipes to it, which nobody else gets."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 (our own command)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._to = cast("IO[bytes]", self.process.stdin)
        self._from = cast("IO[bytes]", self.process.stdout)
        self._serial = 0
        self._used = threading.Lock()  # no pipe is closed under whoever uses it: its number may be another's by then
        _widen(self._to.fileno())

    def begun(self, where: Where) -> bool:
        """Wait until it has opened the journal; whether it has."""
        try:
            self._send(_ENCODE(where))
            return self._heard().serial == 0
        except (_WrongError, OSError, ValueError, msgspec.MsgspecError):
            return False

    def append(self, before: Head, drafts: Sequence[Draft]) -> list[bytes] | None:
        """What the process made of a group; ``None`` when the store did not take it."""
        self._serial += 1
        message = _ENCODE(Group(serial=self._serial, before=before, drafts=list(drafts)))
        with self._used:
            self._send(message)
            answer = self._heard()
        if answer.serial != self._serial:
            raise _WrongError
        if answer.failed:
            return None
        if [len(hash_) for hash_ in answer.hashes] != [_HASH_BYTES] * len(drafts):
            raise _WrongError
        return answer.hashes

    def end(self) -> int:
        """Let it end with its input, and see to it that it does; its code."""
        if not self._used.acquire(timeout=_END_S):
            self.process.kill()
            self._used.acquire()
        self._to.close()
        try:
            code = self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._from.close()
        return code

    def _send(self, content: bytes) -> None:
        left = memoryview(LENGTH.pack(len(content)) + content)
        while left:  # one call, but for what is larger than a pipe
            left = left[self._to.write(left) :]

    def _heard(self) -> Answer:
        heard = self._from.read(_AT_ONCE)
        while len(heard) < LENGTH.size or len(heard) < LENGTH.size + LENGTH.unpack_from(heard)[0]:
            more = self._from.read(_AT_ONCE)
            if not more:
                raise _WrongError
            heard += more
        return _DECODE(heard[LENGTH.size :])


def _widen(pipe: int) -> None:
    """Let a pipe hold a group, so that whoever writes goes on at once (Linux)."""
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - Windows has none

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
