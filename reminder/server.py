"""The life of the sidecar: bind every address, serve, stop without losing an answer.

Stopping: health says NOT_SERVING and /readyz 503, so that callers turn elsewhere; both callers' faces take nothing new
and finish what is in flight within the grace; administration ends last, so that the stop can be watched.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn
from grpc_health.v1 import health

from reminder import feed_rpc, http, report_rpc, rpc
from reminder.config import Address
from reminder.journal.checkpoints import CHECKPOINTS_FILE, Checkpointer, keep_checkpoints
from reminder.journal.health import HEALTH_NAME, keep_health
from reminder.journal.retention import keep_days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    import grpc
    from starlette.applications import Starlette

    from reminder.config import Config
    from reminder.service import Service

__all__ = ["BindError", "Sidecar", "stop_on_signal"]

_BACKLOG = 2048
_IDLE_S = 75
_POLL_S = 0.005


class BindError(Exception):
    """An address cannot be listened on. ``face`` is the setting that names it."""

    def __init__(self, face: str, address: Address, reason: str) -> None:
        self.face = face
        self.address = address
        super().__init__(
            f"{face}: cannot listen on `{address}` ({reason}); stop what uses it or give another address with "
            f"--{face.replace('_', '-')}"
        )


class Sidecar:
    """Four listeners around one service and its memory. Made and used inside one running event loop."""

    def __init__(self, config: Config, service: Service) -> None:
        self._config = config
        self._service = service
        self._health = health.aio.HealthServicer()
        self._grpc = rpc.make_server(config.max_calls)
        self._admin = rpc.make_server(config.max_calls)
        self._web: list[_Web] = []
        rpc.add_reminder(self._grpc, service)
        rpc.add_health(self._grpc, self._health, (rpc.SERVICE,))
        feed_rpc.add_facts(self._admin, service)
        report_rpc.add_reports(self._admin, service, config)
        rpc.add_health(self._admin, self._health, (feed_rpc.SERVICE, report_rpc.SERVICE))

    async def start(self) -> dict[str, Address]:
        """Listen on every address, then serve. Returns where each face listens, by its setting's name.

        Raises:
            BindError: When an address cannot be had; nothing listens then.
            StoreError: When a later version of the program made the store.
        """
        config = self._config
        if self._service.memory is not None:
            await self._service.memory.start()
        await self._start_journal()
        bound = {
            "grpc": _bind_grpc(self._grpc, "grpc", config.grpc),
            "admin": _bind_grpc(self._admin, "admin", config.admin),
        }
        for face, app in (("http", http.callers_app), ("admin_http", http.admin_app)):
            web = _Web(face, getattr(config, face), app(self._service), config.grace_s)
            self._web.append(web)
            bound[face] = web.address
        await asyncio.gather(self._grpc.start(), self._admin.start(), *(web.start() for web in self._web))
        await rpc.set_serving(self._health)
        self._service.serving = True
        return bound

    async def stop(self) -> None:
        """End, answering what is in flight within the grace. May be called when starting failed."""
        grace_s = self._config.grace_s
        self._service.serving = False
        await self._health.enter_graceful_shutdown()
        await asyncio.gather(self._grpc.stop(grace_s), *(web.stop() for web in self._web[:1]))
        await asyncio.gather(self._admin.stop(grace_s), *(web.stop() for web in self._web[1:]))
        if self._service.memory is not None:
            await self._service.memory.stop()
        if self._service.journal is not None:
            await self._service.journal.stop()

    async def _start_journal(self) -> None:
        """Begin to write the journal, and to say on health whether it is written in time."""
        service, config = self._service, self._config
        if service.recorder is None:
            return
        await service.recorder.start(service.active, service.now())
        journal = service.recorder.journal
        keep_health(journal, lambda serving: rpc.set_health(self._health, HEALTH_NAME, serving=serving))
        path = config.checkpoints or config.data / CHECKPOINTS_FILE
        checkpointer = Checkpointer(path, config.data / "keys", service.now)
        keep_checkpoints(journal, checkpointer)
        nightly = config.rounds_at.replace(hour=(config.rounds_at.hour + 1) % 24)  # when the rounds are made
        keep_days(
            journal, checkpointer, config.data, config.journal_days, lambda: service.civil(service.now(), ""), nightly
        )


def _bind_grpc(server: grpc.aio.Server, face: str, address: Address) -> Address:
    # Tried as a plain socket first: the operating system says why not, gRPC only that, and on standard error too.
    _listen(face, address).close()
    try:
        return Address(address.host, server.add_insecure_port(str(address)))
    except RuntimeError as error:
        raise BindError(face, address, "in use, or not an address of this machine") from error


class _Web:
    """One uvicorn server in the running loop, on a socket bound when it is made."""

    def __init__(self, face: str, address: Address, app: Starlette, grace_s: float) -> None:
        self._socket = _listen(face, address)
        self.address = Address(address.host, self._socket.getsockname()[1])
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="critical",
                server_header=False,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=max(1, round(grace_s)),
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
            await asyncio.sleep(_POLL_S)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the process, which has more to stop than this."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(face: str, address: Address) -> socket.socket:
    """A listening socket that no second process can share."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off on every connection: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # On Windows SO_REUSEADDR would let a second process take the port over; elsewhere it lets a restarted one have it.
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if exclusive is None else exclusive, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise BindError(face, address, error.strerror or str(error)) from error
    listener.setblocking(False)  # noqa: FBT003 - the argument has no name
    return listener


def stop_on_signal(stop: asyncio.Event) -> None:
    """Set ``stop`` when the process is asked to end: Ctrl+C, a terminate signal, Ctrl+Break on Windows."""
    loop = asyncio.get_running_loop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    # loop.add_signal_handler exists on Unix only; signal.signal everywhere.
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), ask)
