"""``reminder serve``: from settings to a list compiled and served, until somebody stops it."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import negative_list
from negative_list.compile import compile as compile_list
from negative_list.errors import ListError, SiteError
from negative_list.parse import read_parsed
from negative_list.policy import read_policy, shipped
from negative_list.site import Sites
from negative_list.validate import check
from reminder.active import Active
from reminder.config import ON, SQLITE, Address, Config, ConfigError, load_config
from reminder.exits import Exits
from reminder.journal.beside import Beside
from reminder.journal.child import Where
from reminder.journal.coding import encode
from reminder.journal.journal import Journal
from reminder.journal.naming import chain_name
from reminder.journal.opening import open_journal
from reminder.journal.own import OwnEntries
from reminder.logs import LineWriter, make_logger
from reminder.memory import Memory
from reminder.metrics import Metrics
from reminder.recording import Recorder
from reminder.rounds import make_rounds
from reminder.server import BindError, Sidecar, stop_on_signal
from reminder.service import Outside, Service
from reminder.stores.base import StoreError
from reminder.stores.desk import Clocks, Desk
from reminder.stores.keys import Keys, KeysError
from reminder.stores.opening import open_store
from reminder.stores.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import FilteringBoundLogger

__all__ = ["StartError", "load", "open_memory", "open_recorder", "run"]

NO_LIST = (
    "no list: there is nothing to check against\n"
    "give one with --list LIST (or `list` in the file of --config): a file, or a folder of files\n"
    "make one with `negative-list import knowledge-points POINTS.jsonl -o LIST`, or try the shipped sample, "
    "`--list {sample}`"
)


_SWITCH_S = 0.001
# Ids need no secrecy, and the system's generator lets go of the interpreter at every draw.
_DRAW = random.Random().getrandbits  # noqa: S311


class StartError(Exception):
    """The sidecar cannot start; the message says what to change."""


def run(file: Path | None, options: Mapping[str, Any]) -> None:
    """Serve until asked to stop.

    Raises:
        StartError: When the settings, the list or an address cannot be used.
    """
    started = time.perf_counter()
    try:
        config = load_config(file, options)
        active = load(config)
        asyncio.run(_serve(config, active, started))
    except (ConfigError, ListError, SiteError, BindError, KeysError, StoreError) as error:
        raise StartError(str(error)) from error


def load(config: Config) -> Active:
    """The list, policy and sites of the settings, ready to decide with.

    Raises:
        StartError: When no list is named.
        ListError: When the list or the policy cannot be used.
        SiteError: When the site configuration cannot be used.
    """
    if config.list is None:
        raise StartError(NO_LIST.format(sample=_sample()))
    gc.disable()
    try:
        compiled = compile_list(check(read_parsed(config.list)))
    finally:
        gc.enable()
    sites = Sites.read(config.site) if config.site else Sites()
    policy = read_policy(config.policy) if config.policy else shipped()
    return Active(compiled=compiled, policy=policy, sites=sites)


async def _serve(config: Config, active: Active, started: float) -> None:
    stop = asyncio.Event()
    stop_on_signal(stop)
    # While a large request is decided beside the loop, a small one waits 3 ms instead of 12 (median).
    sys.setswitchinterval(_SWITCH_S)
    writer = LineWriter(sys.stdout)
    log = make_logger(writer, config.log_level)
    outside = Outside(now=_now, tick_ns=time.perf_counter_ns, draw=_DRAW)
    metrics = Metrics()
    memory = open_memory(config, metrics, Clocks(now=_now, tick_s=time.monotonic))
    for text in active.sites.degraded:
        log.warning("degraded", what=text)
    recorder = open_recorder(config, active, memory, Clocks(now=_now, tick_s=time.monotonic), metrics, log)
    if recorder is not None:
        recorder.journal.append_by(Beside(Where(data=str(config.data.absolute()), database=_database(config)), log=log))
    service = Service(active, outside, metrics, log, memory, recorder)
    sidecar = Sidecar(config, service)
    try:
        _say_serving(log, await sidecar.start(), active, time.perf_counter() - started)
        rounds = asyncio.create_task(make_rounds(service, config.rounds_at))
        await stop.wait()
        rounds.cancel()
        log.info("stopping", grace_s=config.grace_s)
        await sidecar.stop()
        log.info("stopped")
    except (BindError, StoreError):
        await sidecar.stop()
        raise
    finally:
        writer.close()


def open_memory(config: Config, metrics: Metrics, clocks: Clocks) -> Memory:
    """The memory of the settings: what is known from outside the bodies, in the data folder or a database.

    Raises:
        KeysError: When the secrets of the data folder cannot be used.
        StoreError: When what must be in the data folder cannot be.
    """
    database = "" if config.store == SQLITE else config.store
    keys = Keys.open(config.data / "keys")
    spool = Spool(config.data / "spool.sqlite")
    desk = Desk(lambda: open_store(config.data, database), spool, clocks)
    return Memory(desk, keys, config.store_deadline_ms / 1000, metrics)


def open_recorder(
    config: Config, active: Active, memory: Memory, clocks: Clocks, metrics: Metrics, log: FilteringBoundLogger
) -> Recorder | None:
    """The journal of the settings, not started yet; ``None`` where they say that none is kept.

    Raises:
        StoreError: When the data folder cannot be written.
    """
    if config.journal != ON:
        return None
    database = _database(config)
    digests = active.digests
    own = OwnEntries(
        engine=digests.engine,
        encode=encode,
        zone=active.sites.default.zone.key,
        list=digests.list,
        policy=digests.policy,
        codes=digests.codes,
    )
    journal = Journal(
        lambda: open_journal(config.data, database),
        clocks,
        chain_name(config.data),
        own,
        metrics=metrics.journal,
        log=log,
    )
    return Recorder(journal, memory.keys, Exits(journal), config.commit_budget_ms / 1000, shared=bool(database))


def _database(config: Config) -> str:
    """The URL of the database; "" for files in the data folder."""
    return "" if config.store == SQLITE else config.store


def _say_serving(log: FilteringBoundLogger, bound: Mapping[str, Address], active: Active, seconds: float) -> None:
    """One line that names what serves and where.

    The list lives as long as the process: no collection walks it again.
    """
    gc.collect()
    gc.freeze()
    # A check leaves next to nothing that only the collector finds: to look every 700 objects took 2 % of its time.
    gc.set_threshold(10_000)
    compiled = active.compiled
    log.info(
        "serving",
        **{face: str(address) for face, address in bound.items()},
        rules=len(compiled.rules),
        details=compiled.details,
        digest=compiled.digest,
        start_ms=round(seconds * 1000),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _sample() -> Path:
    return Path(negative_list.__file__).parent / "lists" / "sample"
