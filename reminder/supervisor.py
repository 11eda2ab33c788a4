"""``reminder serve``: one process, or workers that are started, watched, replaced and stopped from here.

The supervisor of workers loads the list and forks, so that one copy of it serves all. It has one thread, no event loop
and no gRPC, which none of them survives a fork; it answers nobody, and so has nothing else to do than to be there.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list.errors import ListError, SiteError
from reminder.config import ConfigError, load_config
from reminder.journal.journal import GRACE_S
from reminder.logs import make_logger
from reminder.releases.folder import FolderError
from reminder.run import StartError, load, serve
from reminder.standby import Standby
from reminder.stores.base import StoreError
from reminder.stores.keys import KeysError
from reminder.worker import work
from reminder.workers.common import Common
from reminder.workers.folder import alone_in
from reminder.workers.lead import FAILED, SERVES, Lead
from reminder.workers.place import Place
from reminder.workers.ports import BindError, Claim
from reminder.workers.system import CAN_SHARE, ended, fork, held_back, kill, on_signals
from reminder.workers.turns import LOG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reminder.active import Active
    from reminder.config import Config
    from reminder.workers.turns import Turns

__all__ = ["GIVE_UP", "MOST_WAIT_S", "STEADY_S", "run"]

GIVE_UP = 5
"""Starts of one worker in a row that may fail while no worker serves; then the sidecar ends and says why."""

STEADY_S = 10.0
"""A worker that lasted this long is replaced at once; one that did not, later each time."""

MOST_WAIT_S = 10.0
"""The longest a place stays empty between two starts."""

_FIRST_WAIT_S = 0.1
_LOOK_S = 1.0
_MORE_S = 15.0
_READ_BYTES = 4096
_FACES = ("grpc", "http", "admin", "admin_http")
_LOG_TRIES, _LOG_WAIT_S = 50, 0.02
_NOT_HERE = (
    "workers: `{count}` processes cannot share addresses on this system, which needs Linux; serve with --workers 1, or "
    "put one sidecar on each of several ports"
)


def run(file: Path | None, options: Mapping[str, Any]) -> None:
    """Serve until asked to stop.

    Raises:
        StartError: When the settings, the list or an address cannot be used, or no worker can start.
    """
    started = time.perf_counter()
    try:
        config = load_config(file, options)
        if config.workers > 1 and not CAN_SHARE:
            raise StartError(_NOT_HERE.format(count=config.workers))
        with alone_in(config.data):
            if config.workers == 1:
                asyncio.run(serve(config, load(config), started))
            else:
                _supervise(config, started)
    except (ConfigError, ListError, SiteError, BindError, FolderError, KeysError, StoreError) as error:
        raise StartError(str(error)) from error


def _supervise(config: Config, started: float) -> None:
    claims = {face: Claim(face, getattr(config, face)) for face in _FACES}
    addresses = {face: claim.address for face, claim in claims.items()}
    config = msgspec.structs.replace(config, **addresses)
    active = load(config)
    # What is frozen is never looked through again, so that its pages stay those of all workers.
    gc.collect()
    gc.freeze()
    gc.enable()
    _Supervisor(config, active, started).run()


class _Worker:
    """A place, and who is in it. ``failed``: starts in a row that came to nothing; ``quick``: ends in a row too soon.

    ``told``: where it says something, -1 once that is over. ``due``: when the next one is to be started.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.told = -1
        self.serves = False
        self.failed = 0
        self.quick = 0
        self.began = 0.0
        self.due = 0.0
        self.why = ""

    def ended(self, now: float, why: str) -> None:
        """Nobody is in the place any more: when the next one is due."""
        self.failed = 0 if self.serves else self.failed + 1
        self.quick = 0 if now - self.began >= STEADY_S else self.quick + 1
        wait_s = 0.0 if self.quick <= 1 else min(MOST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (self.quick - 2))
        self.due = now + wait_s
        self.pid, self.serves, self.why = 0, False, self.why or why


class _Supervisor:
    """Keeps every place filled until it is asked to stop."""

    def __init__(self, config: Config, active: Active, started: float) -> None:
        self._config = config
        self._standby = Standby(active, config.data)
        self._started = started
        self._common = Common(config.workers)
        self._workers = [_Worker(number) for number in range(config.workers)]
        self._log = make_logger(_Direct(self._common.turns), config.log_level)  # type: ignore[arg-type]
        self._stopping = False
        self._said = False
        self._kill_at = 0.0
        self._alive, self._held = os.pipe()  # nobody ever writes: it ends with this process
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Until every worker has ended after a stop.

        Raises:
            StartError: When no worker can start.
        """
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        on_signals(self._ask)
        while not self._stopping or any(worker.pid for worker in self._workers):
            self._fill()
            self._wait()
            self._reap()
            self._look()
            self._standby.look()

    def _ask(self) -> None:
        self._stopping = True

    def _fill(self) -> None:
        """Start who is due."""
        for worker in self._workers:
            if not (worker.pid or self._stopping) and time.monotonic() >= worker.due:
                self._fork(worker)

    def _fork(self, worker: _Worker) -> None:
        told, tell = os.pipe()
        with held_back():
            pid = fork()
            if pid == 0:
                code = 1
                try:
                    code = self._work(worker, tell, told)
                finally:
                    os._exit(code)  # whatever happened: nothing of the supervisor's is done twice
        os.close(tell)
        worker.pid, worker.told, worker.why, worker.began = pid, told, "", time.monotonic()
        self._common.parts[worker.number].began(pid)

    def _work(self, worker: _Worker, tell: int, told: int) -> int:
        """In the worker: leave what is the supervisor's, and serve."""
        for end in (self._held, self._wake, self._woken, told, *(other.told for other in self._workers if other.pid)):
            with contextlib.suppress(OSError):
                os.close(end)
        place = Place(number=worker.number, count=len(self._workers), common=self._common)
        started = time.perf_counter() if self._said else self._started
        return work(self._config, self._standby.active, started, place, Lead(self._alive, tell))

    def _wait(self) -> None:
        """Until something was said, somebody ended, a signal came or a second is over."""
        now = time.monotonic()
        due = [worker.due - now for worker in self._workers if not worker.pid]
        wait_s = 0.0 if self._standby.busy else max(0.0, min([_LOOK_S, *due]))
        heard = [worker for worker in self._workers if worker.told >= 0]
        ready, _, _ = select.select([self._wake, *(worker.told for worker in heard)], [], [], wait_s)
        if self._wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, _READ_BYTES)
        for worker in heard:
            if worker.told in ready:
                self._hear(worker)

    def _hear(self, worker: _Worker) -> None:
        """What a worker says of itself; nothing more when it has ended."""
        word = os.read(worker.told, _READ_BYTES)
        if word[:1] == SERVES:
            worker.serves, worker.failed = True, 0
        elif word[:1] == FAILED:
            worker.why = word[1:].decode()
        else:
            os.close(worker.told)
            worker.told = -1

    def _reap(self) -> None:
        for worker in self._workers:
            if worker.pid and (code := ended(worker.pid)) is not None:
                while worker.told >= 0:  # what it said last
                    self._hear(worker)
                self._ended(worker, code)

    def _ended(self, worker: _Worker, code: int) -> None:
        pid = worker.pid
        worker.ended(time.monotonic(), _why(code))
        self._common.parts[worker.number].ended()
        if not self._stopping:
            again_s = round(max(0.0, worker.due - time.monotonic()), 1)
            self._log.error("worker ended", worker=worker.number, pid=pid, why=worker.why, again_in_s=again_s)

    def _look(self) -> None:
        """Say once that all serve; end where nobody can; see a stop through."""
        if self._stopping:
            self._stop()
        elif not self._said and all(worker.serves for worker in self._workers):
            self._said = True
            self._say_serving()
        elif not any(worker.serves for worker in self._workers):
            self._give_up()

    def _give_up(self) -> None:
        """End where no worker can start: with the first that says why at the first start, else after some tries."""
        for worker in self._workers:
            told = bool(worker.failed and worker.why and not self._said)
            if told or worker.failed >= GIVE_UP:
                self._stopping = True
                while any(other.pid for other in self._workers):
                    self._stop()
                    self._wait()
                    self._reap()
                raise StartError(worker.why)

    def _stop(self) -> None:
        """Ask every worker to end, and end those that do not within all they may take."""
        now = time.monotonic()
        if not self._kill_at:
            self._kill_at = now + 2 * self._config.grace_s + GRACE_S + _MORE_S
            self._end(at_once=False)
        elif now >= self._kill_at:
            self._end(at_once=True)

    def _end(self, *, at_once: bool) -> None:
        for worker in self._workers:
            if worker.pid:
                kill(worker.pid, at_once=at_once)

    def _say_serving(self) -> None:
        compiled = self._standby.active.compiled
        self._log.info(
            "serving",
            **{face: str(getattr(self._config, face)) for face in _FACES},
            rules=len(compiled.rules),
            details=compiled.details,
            digest=compiled.digest,
            workers=len(self._workers),
            start_ms=round((time.perf_counter() - self._started) * 1000),
        )


def _why(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by signal {-code}"


class _Direct:
    """Writes lines at once, from the one thread there is; where nobody reads, a line is dropped."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def msg(self, line: str) -> None:
        """Write one line, whole."""
        for _ in range(_LOG_TRIES):
            if self._turns.now(LOG):
                break
            time.sleep(_LOG_WAIT_S)
        else:
            return
        with contextlib.suppress(OSError):
            if select.select([], [sys.stdout], [], _LOG_TRIES * _LOG_WAIT_S)[1]:
                os.write(sys.stdout.fileno(), line.encode() + b"\n")
        self._turns.free(LOG)

    log = debug = info = warning = warn = error = exception = critical = msg
