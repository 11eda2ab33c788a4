"""The core that every face calls: a body becomes a prescription, a prescription a decision, and both are counted."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.compile import CompiledList
from negative_list.decide import decide
from negative_list.errors import LimitError
from negative_list.policy import Policy
from negative_list.readers.national import read_national
from negative_list.readers.own import read_check_request
from negative_list.site import Sites
from reminder.ids import RANDOM_BITS, decision_id

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from negative_list.decision import Decision
    from negative_list.errors import RequestError
    from negative_list.prescription import Prescription
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


class Service:
    """Decides prescriptions. ``degraded`` names what does not work although decisions are made."""

    def __init__(self, active: Active, outside: Outside, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self.active = active
        self.metrics = metrics
        self.serving = False
        self.degraded: tuple[str, ...] = ()
        self._outside = outside
        self._log = log
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="large")
        metrics.loaded(len(active.compiled.rules), active.compiled.details)

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

    def read_own(self, body: dict[str, Any]) -> Prescription:
        """The prescription of our own body.

        Raises:
            RequestError: When it is none.
        """
        return self._read(read_check_request, body)

    def read_national(self, body: dict[str, Any]) -> Prescription:
        """The prescription of a body of the national interface.

        Raises:
            RequestError: When it is none.
        """
        return self._read(read_national, body)

    def _read(self, read: _Reader, body: dict[str, Any]) -> Prescription:
        """Read a body for its own time, which nearly all have; one without it is read again for the time of arrival."""
        prescription = read(body, self.active.sites)
        if prescription.at is not None:
            return prescription
        arrived = self.civil(self._outside.now(), prescription.institution_id)
        return msgspec.structs.replace(read(body, self.active.sites, arrived), at=arrived)

    def check(self, prescription: Prescription) -> Decision:
        """Decide, for the prescription's own time."""
        started_ns = self._outside.tick_ns()
        now = self._outside.now()
        active = self.active
        decision = decide(
            active.compiled,
            prescription,
            prescription.at or self.civil(now, prescription.institution_id),
            active.policy,
            decision_id=decision_id(int(now.timestamp() * 1000), self._outside.draw(RANDOM_BITS)),
        )
        elapsed_ns = self._outside.tick_ns() - started_ns
        decision = msgspec.structs.replace(decision, elapsed_us=elapsed_ns // 1000)
        self._decided(prescription, decision, elapsed_ns)
        return decision

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

    def late(self, face: str) -> None:
        """A request came when its deadline had passed."""
        self.metrics.refused(face, "deadline")
        self._log.warning("refused", face=face, reason="deadline")

    def failed(self, face: str, error: Exception) -> None:
        """The check failed through our fault. The message may quote the body, so only its kind and place are logged."""
        self.metrics.refused(face, "failed")
        frames = [f"{PurePath(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-5:]]
        self._log.error("check failed", face=face, error=type(error).__name__, frames=frames)
