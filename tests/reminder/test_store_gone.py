"""A store that does not answer: checks keep their deadline and say what they lack, and nothing told is lost."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec.structs import replace

from reminder.memory import STORE_PART, Memory
from reminder.metrics import Metrics
from reminder.stores.base import StoreError, Told
from reminder.stores.desk import Clocks, Desk
from reminder.stores.keys import Keys
from reminder.stores.opening import open_store
from reminder.stores.spool import Spool
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.remembered import COVERED, DRUG, asked, body, fact, found, put_facts, put_history, save, write_rules
from tests.reminder.sidecar import NOW, get, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reminder.config import Config
    from reminder.stores.base import Wanted
    from reminder.stores.sqlstore import SqlStore
    from tests.reminder.sidecar import Running

WEEKLY, RISK = "R31-weekly", "R08-risk"


class Moody:
    """The real store of a folder, that hangs or is gone when a test says so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: SqlStore | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.gone = False
        self.cut_at: datetime | None = None

    def open(self) -> SqlStore:
        """The store, each time it is opened."""
        if self.gone:
            raise StoreError("gone", "nobody answers")
        self._store = self._store or open_store(self._folder)
        return cast("SqlStore", self)

    def read(self, wanted: Wanted, *, within_s: float | None = None) -> Told:
        """Once it answers."""
        self.answers.wait(LONG_S)
        told = cast("Told", self._really("read", wanted, within_s=within_s))
        if self.cut_at is None or told.history is None:
            return told
        history = replace(told.history, since=self.cut_at, own_since=self.cut_at)
        return replace(told, history=history, cut_at=self.cut_at)

    def __getattr__(self, name: str) -> Any:
        """Everything else as the store does it, unless it is gone."""
        return lambda *args, **more: self._really(name, *args, **more)

    def _really(self, name: str, *args: Any, **more: Any) -> object:
        if self.gone:
            raise StoreError("gone", "nobody answers")
        return getattr(self._store, name)(*args, **more)


def remembering(moody: Moody, deadline_s: float = LONG_S) -> Callable[[Config, Metrics], Memory]:
    """A memory over a moody store."""

    def remember(config: Config, metrics: Metrics) -> Memory:
        spool = Spool(config.data / "spool.sqlite")
        desk = Desk(moody.open, spool, Clocks(now=lambda: NOW, tick_s=time.monotonic))
        return Memory(desk, Keys.open(config.data / "keys"), deadline_s, metrics)

    return remember


@pytest.fixture
def moody(tmp_path: Path) -> Moody:
    """A store in a good mood."""
    return Moody(tmp_path)


@pytest.fixture
def here(tmp_path: Path, moody: Moody) -> Iterator[Running]:
    """A sidecar over it."""
    (tmp_path / "var").mkdir()
    with running(tmp_path, list=write_rules(tmp_path), remember=remembering(moody)) as sidecar:
        yield sidecar


@contextlib.contextmanager
def hanging(moody: Moody) -> Iterator[None]:
    """The store answers nothing: whoever waits for it waits longer than his call may take."""
    moody.answers.clear()
    try:
        yield
    finally:
        moody.answers.set()


@pytest.fixture
def hurried(tmp_path: Path, moody: Moody) -> Iterator[Running]:
    """A sidecar that waits a fifth of a second for it."""
    (tmp_path / "var").mkdir()
    with running(tmp_path, list=write_rules(tmp_path), remember=remembering(moody, 0.2)) as sidecar:
        yield sidecar


def test_a_store_that_hangs_does_not_hold_a_check_up(hurried: Running, moody: Moody) -> None:
    """The answer comes without what it knows, and says so: a note, the reason at the rules, a metric, readiness."""
    here = hurried
    put_history(here, COVERED)
    with hanging(moody):
        answer = asked(here, body())
        assert found(answer) == [f"?{WEEKLY}"]
        assert answer.not_evaluated[0].reason == pb.NOT_EVALUATED_REASON_NOT_READ
        assert [(note.code, "未能及时读取" in note.message) for note in answer.notes] == [("history_not_read", True)]
        metrics = here.service.metrics.text().decode().splitlines()
        assert 'reminder_store_reads_total{result="slow"} 1.0' in metrics
        assert 'reminder_not_evaluated_total{reason="not_read"} 1.0' in metrics
        for number in range(20):
            assert found(asked(here, body(patient=f"P{number}"))) == [f"?{WEEKLY}"]
        assert get(here.at("http"), "/readyz")[1]["degraded"] != []


def test_a_check_that_needs_nothing_does_not_ask(here: Running, moody: Moody) -> None:
    """Whatever mood the store is in."""
    with hanging(moody):
        answer = asked(here, body(DRUG, visit={"facts": {"encounter.nutrition_risk": True}}))
    assert (found(answer), list(answer.notes)) == ([], [])
    assert here.service.metrics.text().count(b'reminder_store_reads_total{result="slow"} 0.0') == 1


class Noting:
    """A desk that knows nothing, and notes how long a check would wait for it."""

    def __init__(self) -> None:
        self.within_s: list[float] = []

    async def read(self, _wanted: Wanted, within_s: float) -> Told:
        """Too late."""
        self.within_s.append(within_s)
        return Told(failed="slow")


def test_the_caller_may_have_less_time_than_the_store(tmp_path: Path, moody: Moody) -> None:
    """What is left of its deadline is what the store gets, less what the rest of the answer needs; "slow" without."""
    desk: Any = Noting()
    memory = Memory(desk, Keys((b"k" * 32,)), 9.0, Metrics())
    for left_s in (None, 100.0, 4.0, 0.0, -1.0):
        assert asyncio.run(memory.read(cast("Wanted", None), left_s)).failed == "slow"
    assert desk.within_s == [9.0, 9.0, 4.0 * STORE_PART]


def test_the_store_is_told_what_is_left_of_a_callers_deadline(tmp_path: Path, moody: Moody) -> None:
    """It counts from the call on."""
    (tmp_path / "var").mkdir()
    with running(tmp_path, list=write_rules(tmp_path), remember=remembering(moody, deadline_s=2 * LONG_S)) as here:
        memory = here.service.memory
        assert memory is not None
        desk: Any = Noting()
        kept, memory._desk = memory._desk, desk  # noqa: SLF001 - what it is asked is what is looked at
        answer = asked(here, body(), timeout=LONG_S)
        memory._desk = kept  # noqa: SLF001
    assert found(answer) == [f"?{WEEKLY}"]
    (within_s,) = desk.within_s
    assert 0 < within_s <= STORE_PART * LONG_S


def test_a_history_too_long_to_be_read_says_so(here: Running, moody: Moody) -> None:
    """What was left out is not promised, and a note tells from when on it was read."""
    put_history(here, COVERED)
    moody.cut_at = datetime(2026, 1, 6)
    answer = asked(here, body())
    assert found(answer) == [f"?{WEEKLY}"]
    assert [(note.code, "2026-01-06" in note.message) for note in answer.notes] == [("history_cut", True)]


def test_what_is_told_while_the_store_is_gone_is_there_when_it_is_back(here: Running, moody: Moody) -> None:
    """It waits on disk; until it is in the store nothing is read that would lack it; then nothing counts twice."""
    put_history(here, COVERED)
    moody.gone = True
    response = save(here, body(encounter="M0"))
    assert (response.stored, response.spooled, response.changed) == (False, True, False)
    assert put_facts(here, fact()).spooled == 1
    assert asked(here, body()).not_evaluated[0].reason == pb.NOT_EVALUATED_REASON_NOT_READ
    moody.gone = False
    ends = time.monotonic() + LONG_S
    while found(asked(here, body())) != [WEEKLY] and time.monotonic() < ends:
        time.sleep(0.1)
    answer = asked(here, body())
    assert (found(answer), list(answer.findings[0].involved)) == ([WEEKLY], ["R1"])
    assert found(asked(here, body(DRUG))) == [RISK]
    assert get(here.at("http"), "/readyz")[1]["degraded"] == []
