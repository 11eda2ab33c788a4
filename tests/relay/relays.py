"""A relay in a loop of its own, and what tests call through it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from reminder.logs import LineWriter, make_logger
from reminder.relay.metrics import RelayMetrics
from reminder.relay.outbox import MOST_BYTES, Outbox
from reminder.relay.records import Call
from reminder.relay.relay import OUTBOX_FILE, Parts, Relay
from reminder.upstream import Upstream
from tests.stores.desks import LONG_S

__all__ = ["BOTH", "Kept", "answer", "call", "relay", "settled"]

T = TypeVar("T")

BOTH = {"3101": "both", "3102": "both", "3103": "both"}
"""Modes of a bureau that is asked beside us."""

_PATIENT_MS = LONG_S * 1000


class Kept:
    """A relay that runs: ``do`` is what some work of it comes to."""

    def __init__(self, made: Relay, metrics: RelayMetrics, loop: asyncio.AbstractEventLoop) -> None:
        self.relay = made
        self.metrics = metrics
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Work in the relay's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * LONG_S)

    def counted(self, what: str) -> dict[str, float]:
        """A counter by result, where it is not 0."""
        families = {family.name: family for family in self.metrics.collect()}
        samples = families[f"reminder_relay_{what}"].samples
        return {one.labels["result"]: one.value for one in samples if one.name.endswith("_total") and one.value}


@contextlib.contextmanager
def relay(
    folder: Path, url: str, *, owner: bool = True, most_bytes: int = MOST_BYTES, **settings: Any
) -> Iterator[Kept]:
    """A relay to a bureau, patient unless told otherwise; its outbox is in the folder, and stays there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    writer = LineWriter(io.StringIO())
    metrics = RelayMetrics()
    patient: dict[str, Any] = {"wait_ms": _PATIENT_MS, "connect_ms": _PATIENT_MS, "read_ms": _PATIENT_MS, "modes": BOTH}

    async def made() -> Relay:
        one = Relay(
            Parts(
                upstream=Upstream(url=url, **(patient | settings)),
                outbox=Outbox(folder / OUTBOX_FILE, most_bytes),
                now=lambda: datetime.now(UTC),
                metrics=metrics,
                log=make_logger(writer, "debug"),
                owner=owner,
            )
        )
        await one.start()
        return one

    try:
        kept = Kept(asyncio.run_coroutine_threadsafe(made(), loop).result(LONG_S), metrics, loop)
        try:
            yield kept
        finally:
            kept.do(kept.relay.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LONG_S)
        loop.close()
        writer.close()


def call(infno: str, body: bytes = b"{}", **told: Any) -> Call:
    """A call of a hospital's system."""
    headers = ((b"host", b"sidecar:8080"), (b"content-type", b"text/plain"), (b"_api_name", infno.encode()))
    return Call(**({"path": f"/{infno}", "headers": headers, "body": body} | told))


def answer(*warns: tuple[str, ...], msgid: str = "1") -> bytes:
    """The body of a 3103: of each finding the way, and the reason."""
    rows = [dict(zip(("warn_rslt_id", "dspo_way", "dspo_way_rea"), warn, strict=False)) for warn in warns]
    told = {"infno": "3103", "msgid": msgid, "input": {"data": {"warn_type": "1", "warns": rows}}}
    return json.dumps(told, ensure_ascii=False).encode()


def settled(folder: Path) -> tuple[int, int]:  # waiting, put aside
    """How many calls wait in the outbox of a folder, and how many were put aside."""
    outbox = Outbox(folder / OUTBOX_FILE)
    try:
        standing = outbox.count()
        return standing.waiting, standing.put_aside
    finally:
        outbox.close()
