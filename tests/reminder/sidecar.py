"""A sidecar over real sockets in a thread of the test, and what a test asks it with."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from reminder.config import Address, Config
from reminder.logs import LineWriter, make_logger
from reminder.metrics import Metrics
from reminder.run import load, open_memory, open_recorder
from reminder.server import Sidecar
from reminder.service import Outside, Service
from reminder.stores.desk import Clocks
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.bodies import write_list
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from reminder.memory import Memory

__all__ = [
    "ANY",
    "METHOD",
    "NOW",
    "PATIENT",
    "PATIENT_MS",
    "Running",
    "ask",
    "get",
    "open_memory_at",
    "post",
    "running",
    "stub",
]

T = TypeVar("T")

NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
ANY = Address("127.0.0.1", 0)
PATIENT_MS = 10_000.0
"""How long a check of a test waits for the store: what a test says is not how busy the machine is."""
PATIENT = {"store_deadline_ms": PATIENT_MS, "commit_budget_ms": PATIENT_MS, "http_deadline_ms": 0.0}
"""The settings that say so."""

METHOD = "/reminder.v1.ReminderService/Check"


class Running:
    """A sidecar that serves: where, with which service, and what it has logged once it stopped."""

    def __init__(self, service: Service, log: io.StringIO, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self.loop = loop
        self.bound: dict[str, Address] = {}
        self._log = log
        self.stop: Callable[[], threading.Thread]

    def await_(self, work: Coroutine[Any, Any, T]) -> T:
        """What some work comes to in the sidecar's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LONG_S)

    def at(self, face: str) -> str:
        """HOST:PORT of a face."""
        return str(self.bound[face])

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        return [json.loads(line) for line in self._log.getvalue().splitlines()]


def open_memory_at(config: Config, metrics: Metrics) -> Memory:
    """The memory of the settings, at the instant of the tests."""
    return open_memory(config, metrics, Clocks(now=_now, tick_s=time.monotonic))


_TOLD = count()


def _now() -> datetime:
    """Later each time: of two words about the same the later one counts."""
    return NOW + timedelta(microseconds=next(_TOLD))


@contextlib.contextmanager
def running(
    folder: Path,
    make: type[Service] = Service,
    remember: Callable[[Config, Metrics], Memory] | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """Serve the list of :mod:`tests.reminder.bodies` on free ports; stopped at the end if the test has not.

    ``remember`` opens the memory; left out, that of the settings, in a folder of the test.
    """
    settings = {"list": write_list(folder), "data": folder / "var"} | PATIENT | settings
    config = Config(grpc=ANY, http=ANY, admin=ANY, admin_http=ANY, **settings)
    stream = io.StringIO()
    writer = LineWriter(stream)
    serial = count(1)
    outside = Outside(now=lambda: NOW, tick_ns=lambda: 1000 * next(serial), draw=lambda _bits: next(serial))
    metrics = Metrics()
    memory = (remember or open_memory_at)(config, metrics)
    active, log = load(config), make_logger(writer, "debug")
    clocks = Clocks(now=_now, tick_s=time.monotonic)
    recorder = open_recorder(config, active, memory, clocks, metrics, log)
    service = make(active, outside, metrics, log, memory, recorder)
    loop = asyncio.new_event_loop()
    here = Running(service, stream, loop)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        sidecar = asyncio.run_coroutine_threadsafe(_started(config, service, here), loop).result(LONG_S)
        here.stop = lambda: _in_thread(asyncio.run_coroutine_threadsafe(sidecar.stop(), loop).result)
        try:
            yield here
        finally:  # a failed test, too: a server that was never stopped is complained of in some other test
            if here.service.serving:
                here.stop().join(LONG_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LONG_S)
        loop.close()
        writer.close()


async def _started(config: Config, service: Service, here: Running) -> Sidecar:
    sidecar = Sidecar(config, service)
    here.bound = await sidecar.start()
    return sidecar


def _in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@contextlib.contextmanager
def stub(target: str) -> Iterator[Any]:
    """A call of Check on a channel of its own: ``call(message or bytes, timeout=...)``."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(target, options=options) as channel:
        yield channel.unary_unary(
            METHOD,
            request_serializer=lambda sent: sent if isinstance(sent, bytes) else sent.SerializeToString(),
            response_deserializer=pb.CheckResponse.FromString,
        )


def ask(here: Running, request: pb.CheckRequest | bytes, timeout: float = LONG_S) -> pb.CheckResponse:
    """One Check."""
    with stub(here.at("grpc")) as call:
        response: pb.CheckResponse = call(request, timeout=timeout)
        return response


def post(here: Running, body: bytes, path: str = "/3101", kind: str = "application/json") -> tuple[int, dict[str, Any]]:
    """One POST to the callers' address: status and JSON."""
    request = urllib.request.Request(f"http://{here.at('http')}{path}", data=body, headers={"Content-Type": kind})
    return _read(request)


def get(address: str, path: str) -> tuple[int, dict[str, Any]]:
    """One GET: status and JSON."""
    return _read(urllib.request.Request(f"http://{address}{path}"))


def _read(request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(request, timeout=LONG_S) as response:  # noqa: S310 - our own http address
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
