"""The sidecar's own survey: a few bodies a second are counted, and the counts go to disk once a minute.

Five bodies a second say in a day what a system sends; counting one takes 0.8 ms, 0.4 % of a core. What is counted
never holds an answer up: where the counts are being written, or counting fails, the body is passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from negative_list.readers.dialects import NATIONAL, Form
from reminder.survey.counting import Counting, form_of
from reminder.survey.fields import fields_of
from reminder.survey.keeping import Day, drop_old, encoded, read_day, write_day
from reminder.survey.tally import add

if TYPE_CHECKING:
    from negative_list.decision import Decision
    from negative_list.errors import FieldProblem
    from negative_list.prescription import Prescription
    from negative_list.site import Sites

__all__ = ["EVERY_NS", "WRITTEN_S", "Watching"]

EVERY_NS = 200_000_000
"""Nanoseconds between two bodies that are counted."""

WRITTEN_S = 60.0
"""Seconds between two writings."""


class Watching:
    """Counts what one worker is sent.

    Args:
        folder: where the counts are kept.
        worker: its number.
        secret: what values are hashed with, the same for all workers.
        tick_ns: a clock that only goes forward.
        today: the civil day, like 2026-01-31.
        every_ns: nanoseconds between two bodies that are counted.
    """

    def __init__(
        self,
        folder: Path,
        *,
        secret: bytes,
        tick_ns: Callable[[], int],
        today: Callable[[], str],
        worker: int = 0,
        every_ns: int = EVERY_NS,
    ) -> None:
        self._folder, self._worker, self._today = folder, worker, today
        self._tick_ns, self._every_ns = tick_ns, every_ns
        self._counting = Counting(secret)
        self._lock = Lock()
        self._next = {"read": 0, "decided": 0}
        self._day = Day(day=today())
        fields_of(NATIONAL)  # made once, so that no body waits for it
        self._begun = False
        self._faults = 0
        self._unwritten = ""

    def read(self, body: Any, told: Prescription, sites: Sites, *, own: bool) -> None:
        """A body was read."""

        def count() -> None:
            site, tally = sites.of(told.institution_id), self._day.of(told.institution_id)
            form = body if own or isinstance(body, Form) else form_of(body)
            self._counting.body(tally, form, told, site)

        if not self._counted("read", count):
            self._day.of(told.institution_id).passed += 1

    def decided(self, institution_id: str, decision: Decision, stored: Iterable[str]) -> None:
        """A prescription was decided; ``stored`` names the facts the store knew."""
        self._counted("decided", lambda: self._counting.decided(self._day.of(institution_id), decision, stored))

    def refused(self, problems: Iterable[FieldProblem]) -> None:
        """A body could not be read; whose it is is not known."""
        self._counted("refused", lambda: self._counting.refused(self._day.of(""), problems))

    def _counted(self, what: str, count: Callable[[], None]) -> bool:
        """Whether it was time to count, and it was."""
        now = self._tick_ns()
        if now < self._next.get(what, 0) or not self._lock.acquire(blocking=False):
            return False
        try:
            self._next[what] = now + self._every_ns
            count()
        except Exception:  # noqa: BLE001 - whatever it is, the prescription is answered
            self._faults += 1
            return False
        finally:
            self._lock.release()
        return True

    @property
    def degraded(self) -> tuple[str, ...]:
        """That bodies could not be counted, or the counts not written."""
        faults = f"survey: bodies that could not be counted: {self._faults}" if self._faults else ""
        return tuple(filter(None, (faults, self._unwritten)))

    async def keep_on(self) -> None:
        """Write what was counted, once a minute; cancel this to stop."""
        while True:
            await asyncio.sleep(WRITTEN_S)
            await asyncio.to_thread(self.write)

    def write(self) -> None:
        """Write what was counted; where that cannot be, it is said, and tried again."""
        try:
            self._write()
            self._unwritten = ""
        except OSError as error:
            message = f"counts cannot be written ({error.strerror}); give the rights to `{self._folder}`"
            self._unwritten = f"survey: {message}"

    def _write(self) -> None:
        with self._lock:
            self._take_up()
            day, content = self._day.day, encoded(self._day) if self._day.institutions else b""
            if (today := self._today()) != day:
                self._day, self._begun = Day(day=today), False
        if content:
            write_day(self._folder, day, self._worker, content)
            drop_old(self._folder, today)

    def _take_up(self) -> None:
        """Go on with what the worker of this number counted earlier on the day."""
        if self._begun:
            return
        earlier = read_day(self._folder / f"{self._day.day}.{self._worker}.json")
        for institution, tally in earlier.institutions.items() if earlier is not None else ():
            add(self._day.of(institution), tally)
        self._begun = True
