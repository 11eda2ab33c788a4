"""``reminder serve``: from settings to a list compiled and served, until somebody stops it.

Until :func:`serve` runs nothing here starts a thread or loads gRPC: workers are forked before.
"""

from __future__ import annotations

import asyncio
import gc
import io
import random
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import negative_list
from negative_list.compiled_form import Loading, form_of, loading_of
from negative_list.policy import read_policy, shipped
from negative_list.site import Sites
from reminder.active import Active
from reminder.config import ON, SQLITE, Address, Config
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
from reminder.releases.beginning import BeginError, begin
from reminder.releases.folder import FolderError
from reminder.releases.policies import policy_of
from reminder.rounds import make_rounds
from reminder.service import Outside, Service
from reminder.stores.base import StoreError
from reminder.stores.desk import Clocks, Desk
from reminder.stores.keys import Keys
from reminder.stores.opening import open_store
from reminder.stores.spool import Spool
from reminder.workers.exits import SharedExits
from reminder.workers.known import SharedKnown
from reminder.workers.place import ALONE, Place
from reminder.workers.together import Together
from reminder.workers.turns import LOG, OPENING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from structlog.typing import FilteringBoundLogger

    from negative_list.compile import CompiledList
    from reminder.server import Sidecar
    from reminder.survey.watching import Watching
    from reminder.workers.lead import Lead

__all__ = ["StartError", "load", "open_memory", "open_recorder", "open_survey", "serve"]

NO_LIST = (
    "no list: there is nothing to check against\n"
    "give one with --list LIST (or `list` in the file of --config): a file, or a folder of files\n"
    "make one with `negative-list import knowledge-points POINTS.jsonl -o LIST`, or try the shipped sample, "
    "`--list {sample}`"
)


_SWITCH_S = 0.001


class StartError(Exception):
    """The sidecar cannot start; the message says what to change."""


def load(config: Config) -> Active:
    """The list, policy and sites of the settings and the data folder, ready to decide with.

    Raises:
        StartError: When no list is named and none stands, or none of those that stand can be used.
        ListError: When the list or the policy cannot be used.
        SiteError: When the site configuration cannot be used.
    """
    try:
        begun = begin(config)
    except (BeginError, FolderError) as error:
        raise StartError(str(error)) from error
    collects = gc.isenabled()
    gc.disable()
    try:
        compiled = _to_its_end(begun.loading or _given(config))
    finally:
        if collects:
            gc.enable()
    sites = Sites.read(config.site) if config.site else Sites()
    base = read_policy(config.policy) if config.policy else shipped()
    chosen = begun.standing.active
    return Active(
        compiled=compiled,
        policy=policy_of(base, begun.standing),
        sites=sites,
        release=chosen.version or None if chosen is not None else None,
        base=base,
        warnings=begun.warnings,
    )


def _given(config: Config) -> Loading:
    """The list the settings name, by its compiled form: what was never asked about is never bound."""
    if config.list is None:
        raise StartError(NO_LIST.format(sample=_sample()))
    from negative_list.parse import read_parsed  # noqa: PLC0415 - a release is never parsed
    from negative_list.validate import check  # noqa: PLC0415 - nor validated, when it starts

    return loading_of(io.BytesIO(form_of(check(read_parsed(config.list)))))


def _to_its_end(loading: Loading) -> CompiledList:
    for _ in loading:
        pass
    return loading.compiled


async def serve(config: Config, active: Active, started: float, place: Place = ALONE, lead: Lead | None = None) -> None:
    """Serve until asked to stop, or until there is no supervisor any more.

    Args:
        config: The settings.
        active: What decisions are made with.
        started: When the process was started, by ``time.perf_counter``.
        place: Which of several workers this is.
        lead: To the supervisor, where there is one.

    Raises:
        BindError: When an address cannot be listened on.
        KeysError: When the secrets of the data folder cannot be used.
        StoreError: When what must be in the data folder cannot be.
    """
    from reminder.server import Sidecar, stop_on_signal  # noqa: PLC0415 - loads gRPC, which starts threads

    stop = asyncio.Event()
    stop_on_signal(stop)
    # While a large request is decided beside the loop, a small one waits 3 ms instead of 12 (median).
    sys.setswitchinterval(_SWITCH_S)
    writer, log = _log(config, place)
    try:
        with nullcontext() if place.common is None else place.common.turns.one_at_a_time(OPENING):
            service = _service(config, active, place, log)
            del active  # the list would be held as long as this runs, also when another has taken its place
            sidecar = Sidecar(config, service, place)
            bound = await _started(sidecar)
        _say_serving(log, bound, service.active, time.perf_counter() - started, place)
        if lead is not None:
            lead.serves()
        service.survey = await asyncio.to_thread(_survey, config, service, place)
        beside = _beside(config, service, place)
        await _until(stop, lead)
        for task in beside:
            task.cancel()
        log.info("stopping", grace_s=config.grace_s)
        await sidecar.stop()
        if service.survey is not None:
            service.survey.write()
        log.info("stopped")
    finally:
        writer.close()


async def _started(sidecar: Sidecar) -> dict[str, Address]:
    try:
        return await sidecar.start()
    except BaseException:
        await sidecar.stop()
        raise


def _beside(config: Config, service: Service, place: Place) -> list[asyncio.Task[None]]:
    """What goes on while it serves."""
    together, keep = service.metrics.together, service.going_on.keep
    beside = [keep("rounds", lambda: make_rounds(service, config.rounds_at))] if place.first else []
    if together is not None:
        beside.append(keep("metrics", together.say_on))
    if service.survey is not None:
        beside.append(keep("survey", service.survey.keep_on))
    return [asyncio.create_task(work) for work in beside]


def _log(config: Config, place: Place) -> tuple[LineWriter, FilteringBoundLogger]:
    """The log; several workers write theirs in turn, each line with its number."""
    common = place.common
    if common is None:
        writer = LineWriter(sys.stdout)
        return writer, make_logger(writer, config.log_level)
    writer = LineWriter(sys.stdout, lambda: common.turns.one_at_a_time(LOG))
    return writer, make_logger(writer, config.log_level).bind(worker=place.number)


async def _until(stop: asyncio.Event, lead: Lead | None) -> None:
    """Until somebody asks to stop, or the supervisor is no more."""
    waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(stop.wait())]
    if lead is not None:
        waiting.append(asyncio.ensure_future(lead.over()))
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


def _service(config: Config, active: Active, place: Place, log: FilteringBoundLogger) -> Service:
    """The service of the settings, not started yet."""
    # Ids need no secrecy, and the system's generator lets go of the interpreter at every draw. Made after the fork:
    # workers that draw alike would make decisions with the same id.
    outside = Outside(now=_now, tick_ns=time.perf_counter_ns, draw=random.Random().getrandbits)  # noqa: S311
    clocks = Clocks(now=_now, tick_s=time.monotonic)
    metrics = Metrics()
    memory = open_memory(config, metrics, clocks)
    for text in (*active.sites.degraded, *active.warnings):
        log.warning("degraded", what=text)
    recorder = open_recorder(config, active, memory, clocks, metrics, log, place)
    if recorder is not None:
        recorder.journal.append_by(Beside(Where(data=str(config.data.absolute()), database=_database(config)), log=log))
    service = Service(active, outside, metrics, log, memory, recorder)
    if place.common is not None:
        metrics.board.share(place.common, place.number)
        metrics.together = Together(
            place.common,
            place.number,
            metrics.registry,
            lambda: service.degraded,
            lambda: service.journal.written if service.journal is not None else 0,
        )
    return service


def _survey(config: Config, service: Service, place: Place) -> Watching | None:
    if service.memory is None:
        return None
    return open_survey(
        config, service.memory.keys, lambda: service.civil(service.now(), "").date().isoformat(), place.number
    )


def open_survey(config: Config, keys: Keys, today: Callable[[], str], worker: int = 0) -> Watching | None:
    """What counts the bodies a worker is sent, unless the settings say that none does; ``today``: the civil day.

    What it takes is loaded here, once the worker serves.
    """
    if config.survey != ON:
        return None
    from reminder.survey.keeping import FOLDER  # noqa: PLC0415 - see above
    from reminder.survey.watching import Watching  # noqa: PLC0415 - see above

    secret = keys.patient("survey", "").encode()
    return Watching(config.data / FOLDER, secret=secret, tick_ns=time.perf_counter_ns, today=today, worker=worker)


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


def open_recorder(  # noqa: PLR0913, PLR0917 - one argument a part it is made of
    config: Config,
    active: Active,
    memory: Memory,
    clocks: Clocks,
    metrics: Metrics,
    log: FilteringBoundLogger,
    place: Place = ALONE,
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
        lambda: open_journal(_there(config.data), database),
        clocks,
        chain_name(config.data, place.number),
        own,
        metrics=metrics.journal,
        log=log,
    )
    known = others = None
    if place.common is not None:
        known = SharedKnown(place.common, place.number, shared=bool(database))
        others = SharedExits(place.common, place.number)
    exits = Exits(journal, others, lambda: metrics.exit("missed"))
    budget_s = config.commit_budget_ms / 1000
    return Recorder(journal, memory.keys, exits, budget_s, shared=bool(database), known=known)


def _there(data: Path) -> Path:
    """The data folder, which stood there at the start: where it was moved away no other is begun in its place."""
    if not data.is_dir():
        raise StoreError("gone", f"`{data}` is not there; put it back")
    return data


def _database(config: Config) -> str:
    """The URL of the database; "" for files in the data folder."""
    return "" if config.store == SQLITE else config.store


def _say_serving(
    log: FilteringBoundLogger, bound: Mapping[str, Address], active: Active, seconds: float, place: Place
) -> None:
    """One line that names what serves and where.

    The list lives as long as the process: no collection walks it again.
    """
    compiled = active.compiled
    if place.common is not None:
        place.common.parts[place.number].serves()
    log.info(
        "serving" if place.common is None else "worker serves",
        **{face: str(address) for face, address in bound.items()},
        rules=len(compiled.rules),
        details=compiled.details,
        digest=compiled.digest,
        start_ms=round(seconds * 1000),
    )
    # Not collected before: a start leaves nothing that only the collector finds, and to look takes 50 ms of somebody's.
    gc.freeze()
    # A check leaves next to nothing that only the collector finds: to look every 700 objects took 2 % of its time.
    gc.set_threshold(10_000)
    gc.enable()


def _now() -> datetime:
    return datetime.now(UTC)


def _sample() -> Path:
    return Path(negative_list.__file__).parent / "lists" / "sample"
