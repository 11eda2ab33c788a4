"""The life of the sidecar: bind every address, serve, stop without losing an answer.

Stopping: health says NOT_SERVING and /readyz 503, so that callers turn elsewhere; both callers' faces take nothing new
and finish what is in flight within the grace; administration ends last, so that the stop can be watched. Of several
workers the first has administration, and signs the last checkpoint once the others have ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, TypeAlias

import uvicorn
from grpc_health.v1 import health

from reminder import feed_rpc, forecast_rpc, http, list_rpc, policy_rpc, report_rpc, rpc
from reminder.callers import Callers
from reminder.config import Address
from reminder.journal.checkpoints import CHECKPOINTS_FILE, Checkpointer, keep_checkpoints
from reminder.journal.health import HEALTH_NAME, keep_health
from reminder.journal.journal import GRACE_S
from reminder.journal.retention import keep_days
from reminder.releases.health import HEALTH_NAME as RELEASES
from reminder.releasing import Releasing
from reminder.workers.place import ALONE, Place
from reminder.workers.ports import BindError, listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import FrameType

    import grpc
    from starlette.applications import Starlette

    from reminder.config import Config
    from reminder.service import Service

__all__ = ["Sidecar", "stop_on_signal"]

_App: TypeAlias = "Callable[[Service, Config], Starlette]"
_IDLE_S = 75
_POLL_S = 0.005
_LOOK_S = 0.02


class Sidecar:
    """Four listeners around one service and its memory, two in workers after the first. Used inside one event loop."""

    def __init__(self, config: Config, service: Service, place: Place = ALONE) -> None:
        self._config = config
        self._service = service
        service.callers = Callers(config.callers, config.http_deadline_ms)
        self._health = health.aio.HealthServicer()
        self._place = place
        self._shared = place.common is not None
        self._grpc = rpc.make_server(config.max_calls, shared=self._shared)
        self._admin = rpc.make_server(config.max_calls, shared=self._shared)
        self._web: list[_Web] = []
        self._started = False
        self._releasing = Releasing(config, service, place, service.log)
        rpc.add_reminder(self._grpc, service)
        rpc.add_health(self._grpc, self._health, (rpc.SERVICE,))
        feed_rpc.add_facts(self._admin, service)
        report_rpc.add_reports(self._admin, service, config)
        list_rpc.add_lists(self._admin, service)
        forecast_rpc.add_forecasts(self._admin, service, config)
        policy_rpc.add_policy(self._admin, service)
        services = (feed_rpc.SERVICE, report_rpc.SERVICE, list_rpc.SERVICE, policy_rpc.SERVICE)
        rpc.add_health(self._admin, self._health, services)

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
        await self._releasing.start()
        self._releasing.keep_health(lambda well: rpc.set_health(self._health, RELEASES, serving=well))
        await self._start_relay()
        bound = {"grpc": self._bind(self._grpc, "grpc")}
        faces: list[tuple[str, _App]] = [("http", http.callers_app)]
        if self._place.first:
            bound["admin"] = self._bind(self._admin, "admin")
            faces.append(("admin_http", http.admin_app))
        for face, app in faces:
            listening = listener(face, getattr(config, face), shared=self._shared)
            web = _Web(listening, app(self._service, config), config.grace_s)
            self._web.append(web)
            bound[face] = Address(getattr(config, face).host, listening.getsockname()[1])
        await asyncio.gather(self._grpc.start(), self._admin.start(), *(web.start() for web in self._web))
        await rpc.set_serving(self._health)
        self._service.serving = self._started = True
        return bound

    async def stop(self) -> None:
        """End, answering what is in flight within the grace. May be called when starting failed."""
        grace_s = self._config.grace_s
        self._service.serving = False
        await self._health.enter_graceful_shutdown()
        await asyncio.gather(self._grpc.stop(grace_s), *(web.stop() for web in self._web[:1]))
        await asyncio.gather(self._admin.stop(grace_s), *(web.stop() for web in self._web[1:]))
        if self._service.relay is not None:
            await self._service.relay.stop()
        await self._releasing.stop()
        if self._service.memory is not None:
            await self._service.memory.stop()
        await self._others_ended()
        if self._service.journal is not None:
            await self._service.journal.stop()

    def _bind(self, server: grpc.aio.Server, face: str) -> Address:
        # Tried as a plain socket first: the operating system says why not, gRPC only that, and on standard error too.
        address: Address = getattr(self._config, face)
        listener(face, address, shared=self._shared).close()
        try:
            return Address(address.host, server.add_insecure_port(str(address)))
        except RuntimeError as error:
            raise BindError(face, address, "in use, or not an address of this machine") from error

    async def _others_ended(self) -> None:
        """The last checkpoint says how far the chains of all workers came: it waits for them, though not for ever."""
        common = self._place.common
        if common is None or not self._place.first or not self._started:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while any(map(common.turns.lives, range(1, self._place.count))):  # noqa: ASYNC110 - a lock has no event
                    await asyncio.sleep(_LOOK_S)

    async def _start_relay(self) -> None:
        """Begin to relay where the settings name a bureau; nothing of it is loaded where they do not."""
        upstream = self._config.upstream
        if upstream is None:
            return
        from reminder.relay.opening import open_relay  # noqa: PLC0415 - as said

        self._service.relay = open_relay(upstream, self._config.data, self._service, owner=self._place.first)
        await self._service.relay.start()

    async def _start_journal(self) -> None:
        """Begin to write the journal, and to say on health whether it is written in time."""
        service, config = self._service, self._config
        if service.recorder is None:
            return
        await service.recorder.start(service.active, service.now(), keeps_list=self._place.first)
        journal = service.recorder.journal
        keep_health(journal, lambda serving: rpc.set_health(self._health, HEALTH_NAME, serving=serving))
        path = config.checkpoints or config.data / CHECKPOINTS_FILE
        checkpointer = Checkpointer(path, config.data / "keys", service.now)
        if not self._place.first:
            return
        common = self._place.common
        keep_checkpoints(journal, checkpointer, None if common is None else lambda: common.written)
        nightly = config.rounds_at.replace(hour=(config.rounds_at.hour + 1) % 24)  # when the rounds are made
        keep_days(
            journal, checkpointer, config.data, config.journal_days, lambda: service.civil(service.now(), ""), nightly
        )


class _Web:
    """One uvicorn server in the running loop, on a listening socket, which it closes."""

    def __init__(self, listening: socket.socket, app: Starlette, grace_s: float) -> None:
        self._socket = listening
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


def stop_on_signal(stop: asyncio.Event) -> None:
    """Set ``stop`` when the process is asked to end: Ctrl+C, a terminate signal, Ctrl+Break on Windows."""
    loop = asyncio.get_running_loop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    # loop.add_signal_handler exists on Unix only; signal.signal everywhere.
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), ask)
