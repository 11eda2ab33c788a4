"""The core that every face calls: a body becomes a prescription, a prescription a decision, and both are counted.

A check that the body alone decides asks nobody. One that lacks history or facts asks the store once, under a deadline,
and is answered without them where that does not come in time.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.compile import CompiledList
from negative_list.decide import Begun, Fuller, begin, decide
from negative_list.errors import LimitError
from negative_list.policy import Policy
from negative_list.prescription import Note, Prescription
from negative_list.readers.national import read_national
from negative_list.readers.own import read_check_request
from negative_list.site import Sites
from reminder.ids import RANDOM_BITS, decision_id
from reminder.keyed import ask_of, fuller_of
from reminder.saved import check_saved
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from negative_list.decision import Decision
    from negative_list.errors import RequestError
    from reminder.memory import Memory, Written
    from reminder.metrics import Metrics

__all__ = ["Active", "Outside", "Service"]

T = TypeVar("T")

_MAX_LOGGED = 200
_LARGE_BYTES = 64 * 1024
"""A body of some hundred lines or more: deciding it takes more than some ten milliseconds."""

_Reader: TypeAlias = "Callable[..., Prescription]"


class Active(Struct, frozen=True, kw_only=True):
    """What decisions are made with: replaced whole, so that each answer belongs to one list, policy and site."""

    compiled: CompiledList
    policy: Policy
    sites: Sites


class Outside(Struct, frozen=True, kw_only=True):
    """What is not a function of the request.

    ``now``: the instant, UTC; ``tick_ns``: a clock that only goes forward; ``draw``: that many random bits.
    """

    now: Callable[[], datetime]
    tick_ns: Callable[[], int]
    draw: Callable[[int], int]


class _Read(Struct, frozen=True, kw_only=True):
    """What came of asking the store: what it knows, or that it did not say in time, and what the caller is told."""

    fuller: Fuller | None = None
    unread: bool = False
    notes: tuple[Note, ...] = ()


_NOTHING_ASKED = _Read()


def _left_out(lines: int) -> tuple[Note, ...]:
    """What the caller is told where facts of further lines were not asked for."""
    if not lines:
        return ()
    return (Note(code="facts_cut", message=f"行数过多，另有 {lines} 行的外部事实未查询"),)


class _Case(Struct, frozen=True, kw_only=True):
    """One check in progress: what is asked, of which list, for which instant (civil) and under which id."""

    active: Active
    prescription: Prescription
    at: datetime
    ident: str

    def begin(self) -> Begun:
        """The first pass."""
        return begin(self.active.compiled, self.prescription, self.at)

    def decide(self, begun: Begun, read: _Read) -> Decision:
        """The second pass, and the answer."""
        asked = self.prescription
        return decide(
            self.active.compiled,
            msgspec.structs.replace(asked, notes=(*asked.notes, *read.notes)) if read.notes else asked,
            self.at,
            self.active.policy,
            begun=begun,
            fuller=read.fuller,
            unread=read.unread,
            decision_id=self.ident,
        )


def _cut(at: datetime | None) -> tuple[Note, ...]:
    """What the caller is told of a history too long to be read whole."""
    if at is None:
        return ()
    return (Note(code="history_cut", message=f"历史记录过多，只读取了 {at:%Y-%m-%d %H:%M} 以后的部分"),)


class Service:
    """Decides prescriptions. Without ``memory`` it knows nothing but the bodies."""

    def __init__(
        self,
        active: Active,
        outside: Outside,
        metrics: Metrics,
        log: FilteringBoundLogger,
        memory: Memory | None = None,
    ) -> None:
        self.active = active
        self.metrics = metrics
        self.serving = False
        self.memory = memory
        self._outside = outside
        self._log = log
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="large")
        metrics.loaded(len(active.compiled.rules), active.compiled.details)

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work although decisions are made."""
        return (*self.active.sites.degraded, *(self.memory.degraded if self.memory is not None else ()))

    def now(self) -> datetime:
        """The instant, UTC."""
        return self._outside.now()

    def civil(self, moment: datetime, institution_id: str) -> datetime:
        """An instant as civil time of an institution, without offset."""
        return moment.astimezone(self.active.sites.of(institution_id).zone).replace(tzinfo=None)

    def draw(self, bits: int) -> int:
        """A random number below ``2**bits``."""
        return self._outside.draw(bits)

    async def run(self, size_bytes: int, work: Callable[[], T]) -> T:
        """Do what a request of that size asks for: at once, or, when it is large, in the thread beside.

        A stay of thousands of lines takes seconds, in which small requests and health still have to be answered. One
        large request at a time: more of them would only slow each other down.
        """
        if size_bytes <= _LARGE_BYTES:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)

    def read_own(self, body: dict[str, Any], *, saved: bool = False) -> Prescription:
        """The prescription of our own body; ``saved``: it tells what was saved, which may be nothing.

        Raises:
            RequestError: When it is none.
        """
        return self._read(read_check_request, body, saved=saved)

    def read_national(self, body: dict[str, Any], *, saved: bool = False) -> Prescription:
        """The prescription of a body of the national interface; ``saved`` as above.

        Raises:
            RequestError: When it is none.
        """
        return self._read(read_national, body, saved=saved)

    def _read(self, read: _Reader, body: dict[str, Any], *, saved: bool) -> Prescription:
        """Read a body for its own time, which nearly all have; one without it is read again for the time of arrival."""
        prescription = read(body, self.active.sites, saved=saved)
        if prescription.at is not None:
            return prescription
        arrived = self.civil(self._outside.now(), prescription.institution_id)
        return msgspec.structs.replace(read(body, self.active.sites, arrived, saved=saved), at=arrived)

    async def check(self, prescription: Prescription, size_bytes: int = 0, left_s: float | None = None) -> Decision:
        """Decide, for the prescription's own time.

        Args:
            prescription: what is asked.
            size_bytes: of the request.
            left_s: seconds until the caller gives up; ``None``: it waits.
        """
        started_ns = self._outside.tick_ns()
        now = self._outside.now()
        case = self._case(prescription, now)
        begun = await self.run(size_bytes, lambda: self.begin(case))
        read = _NOTHING_ASKED
        if begun.needs and self.memory is not None:
            spent_s = (self._outside.tick_ns() - started_ns) / 1e9
            # The second pass takes no longer than the first.
            read = await self._read_on(case, begun, size_bytes, None if left_s is None else left_s - 2 * spent_s)
        decision = await self.run(size_bytes, lambda: case.decide(begun, read))
        elapsed_ns = self._outside.tick_ns() - started_ns
        decision = msgspec.structs.replace(decision, elapsed_us=elapsed_ns // 1000)
        self._decided(prescription, decision, elapsed_ns)
        if self.memory is not None:
            self.memory.keep(prescription, now)
        return decision

    def _case(self, prescription: Prescription, now: datetime) -> _Case:
        return _Case(
            active=self.active,
            prescription=prescription,
            at=prescription.at or self.civil(now, prescription.institution_id),
            ident=decision_id(int(now.timestamp() * 1000), self._outside.draw(RANDOM_BITS)),
        )

    def begin(self, case: _Case) -> Begun:
        """The first pass of a check."""
        return case.begin()

    async def _read_on(self, case: _Case, begun: Begun, size_bytes: int, left_s: float | None) -> _Read:
        """What the undecided rules lack, or that it could not be read in time."""
        memory, prescription = self.memory, case.prescription
        if memory is None:
            return _NOTHING_ASKED
        asked = await self.run(size_bytes, lambda: ask_of(memory.keys, prescription, begun, case.at))
        told = await memory.read(asked.wanted, left_s)
        if told.failed:
            return _Read(unread=True)
        own_since = case.active.sites.of(prescription.institution_id).own_history_since
        fuller = await self.run(size_bytes, lambda: fuller_of(asked, told, prescription, own_since))
        return _Read(fuller=fuller, notes=(*_cut(told.cut_at), *_left_out(asked.left_out)))

    async def record_saved(
        self, prescription: Prescription, prescription_id: str, revision: int, saved_at: str
    ) -> Written:
        """Remember a prescription as it was saved.

        Args:
            prescription: the whole of it; its current lines are what was saved.
            prescription_id: the caller's id of it.
            revision: the highest one stands.
            saved_at: civil time; "" for now.

        Raises:
            RequestError: Naming what is missing to know it again.
            StoreError: Nothing can take it.
        """
        if self.memory is None:
            raise StoreError("gone", "this sidecar keeps no history")
        zone = self.active.sites.of(prescription.institution_id).zone
        moment = check_saved(prescription, prescription_id, revision, saved_at, zone) or self._outside.now()
        written = await self.memory.record(prescription, prescription_id, revision, moment, zone)
        self._log.info(
            "saved",
            institution_id=prescription.institution_id[:_MAX_LOGGED],
            lines=len(prescription.encounter.lines),
            changed=bool(written.changed),
            waits=written.waits,
        )
        return written

    def _decided(self, prescription: Prescription, decision: Decision, elapsed_ns: int) -> None:
        self.metrics.decided(decision, elapsed_ns / 1e9)
        self._log.info(
            "checked",
            decision_id=decision.decision_id,
            request_id=prescription.request_id[:_MAX_LOGGED],
            institution_id=prescription.institution_id[:_MAX_LOGGED],
            decision=decision.decision,
            lines=len(prescription.encounter.lines),
            findings=len(decision.findings),
            not_evaluated=len(decision.not_evaluated),
            elapsed_us=decision.elapsed_us,
        )

    def refused(self, face: str, error: RequestError) -> None:
        """A request could not be decided through the caller's fault. Fields are logged, their texts are not."""
        reason = "limit" if isinstance(error, LimitError) else "request"
        self.metrics.refused(face, reason)
        fields = [problem.field[:_MAX_LOGGED] for problem in error.fields[:10]]
        self._log.warning("refused", face=face, reason=reason, fields=fields, problems=len(error.fields))

    def fed(self, kind: str, taken: int, refused: int) -> None:
        """A feed was heard to its end."""
        self.metrics.told(kind, "refused", refused)
        self._log.info("fed", kind=kind, taken=taken, refused=refused)

    def not_kept(self, face: str, error: StoreError) -> None:
        """Something to be remembered could not be written anywhere."""
        self.metrics.refused(face, "store")
        self._log.error("not kept", face=face, kind=error.kind)

    def round_made(self, counts: Mapping[str, int]) -> None:
        """The orders in force were checked again."""
        self._log.info("round", **counts)

    def no_round(self, error: StoreError) -> None:
        """The orders in force could not be checked again."""
        self._log.error("no round", kind=error.kind)

    def late(self, face: str) -> None:
        """A request came when its deadline had passed."""
        self.metrics.refused(face, "deadline")
        self._log.warning("refused", face=face, reason="deadline")

    def failed(self, face: str, error: Exception) -> None:
        """The check failed through our fault. The message may quote the body, so only its kind and place are logged."""
        self.metrics.refused(face, "failed")
        frames = [f"{PurePath(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-5:]]
        self._log.error("check failed", face=face, error=type(error).__name__, frames=frames)
