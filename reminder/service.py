"""The core that every face calls: a body becomes a prescription, a prescription a decision, and both are counted.

A check that the body alone decides asks nobody. One that lacks history or facts asks the store once, under a deadline,
and is answered without them where that does not come in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.prescription import Note, Prescription
from negative_list.readers.national import read_national
from negative_list.readers.own import read_check_request
from negative_list.readers.twice import noted
from reminder.active import Active
from reminder.callers import Callers
from reminder.deciding import NOTHING_ASKED, Case, Clock, Read, keyed_of, made_of, read_of, unread
from reminder.exits import Exits, ends
from reminder.feedback.desk import FeedbackDesk
from reminder.going_on import GoingOn
from reminder.happened import MAX_LOGGED, Happened
from reminder.ids import RANDOM_BITS, decision_id
from reminder.journal.drafts import saved_draft
from reminder.journal.masking import MASK, is_clean
from reminder.journal.repeated import REUSED, asked_of
from reminder.keyed import ask_of, saved_of
from reminder.recording import NOT_TOLD, Came, Recorder
from reminder.saved import check_saved
from reminder.stores.base import StoreError
from reminder.under_keys import own_ids

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from negative_list.decide import Begun, Whole
    from negative_list.decision import Decision
    from reminder.journal.drafts import Made
    from reminder.journal.entries import Exit
    from reminder.memory import Memory, Written
    from reminder.metrics import Metrics
    from reminder.relay.relay import Relay
    from reminder.releases.office import Office
    from reminder.stores.keys import Keys

__all__ = ["LARGE_BYTES", "Active", "Outside", "Service"]

T = TypeVar("T")


LARGE_BYTES = 64 * 1024
"""A body of some hundred lines or more: deciding it takes more than some ten milliseconds."""

_Reader: TypeAlias = "Callable[..., Prescription]"


class Outside(Struct, frozen=True, kw_only=True):
    """What is not a function of the request.

    ``now``: the instant, UTC; ``tick_ns``: a clock that only goes forward; ``draw``: that many random bits.
    """

    now: Callable[[], datetime]
    tick_ns: Callable[[], int]
    draw: Callable[[int], int]


_REUSED = Note(code=REUSED, message="报文ID此前用于内容不同的请求，已按新请求检查")


class Service(Happened):
    """Decides prescriptions. Without ``memory`` it knows nothing but the bodies; without ``recorder`` none is kept."""

    def __init__(
        self,
        active: Active,
        outside: Outside,
        metrics: Metrics,
        log: FilteringBoundLogger,
        memory: Memory | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(metrics, log)
        self.active = active
        self.base_policy = active.base or active.policy
        self.deciding = 0
        self.recorder = recorder
        self.journal = recorder.journal if recorder is not None else None
        self.exits = recorder.exits if recorder is not None else Exits()
        self.serving = False
        self.memory = memory
        self._outside = outside
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="large")
        self.feedback = FeedbackDesk(self, log)
        self.going_on = GoingOn(log)
        self.office: Office | None = None
        self.relay: Relay | None = None
        self.callers = Callers()
        metrics.loaded(len(active.compiled.rules), active.compiled.details)

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work although decisions are made."""
        parts = (self.active.sites, self.memory, self.journal, self.office, self.relay, self.going_on, self.survey)
        return tuple(text for part in parts if part is not None for text in part.degraded)

    def become(self, active: Active) -> None:
        """Decide with another list and policy from now on; checks that were begun end with those they began with."""
        self.active = active
        self.metrics.loaded(len(active.compiled.rules), active.compiled.details)

    def releases(self) -> dict[str, Any]:
        """What is active beside what was seen last, and why they differ, as far as this worker knows."""
        if self.office is not None:
            return self.office.said()
        return {"active": {"version": self.active.release or "", "digest": self.active.compiled.digest}}

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
        if size_bytes <= LARGE_BYTES:
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
        if prescription.at is None:
            arrived = self.civil(self._outside.now(), prescription.institution_id)
            prescription = msgspec.structs.replace(read(body, self.active.sites, arrived, saved=saved), at=arrived)
        if self.survey is not None and not saved:
            self.survey.read(body, prescription, self.active.sites, own=read is read_check_request)
        return noted(prescription, body)

    async def check(
        self, prescription: Prescription, size_bytes: int = 0, left_s: float | None = None, came: Came = NOT_TOLD
    ) -> Decision:
        """Decide, for the prescription's own time; a request that comes again gets the answer it had.

        Args:
            prescription: what is asked.
            size_bytes: of the request.
            left_s: seconds until the caller gives up; ``None``: it waits.
            came: how the request came.
        """
        self.deciding += 1
        try:
            return await self._answered(prescription, size_bytes, Clock(self._outside.tick_ns, left_s), came)
        finally:
            self.deciding -= 1

    async def _answered(self, prescription: Prescription, size_bytes: int, clock: Clock, came: Came) -> Decision:
        """The answer of the journal, or one that is decided now."""
        recorder, asked = self.recorder, asked_of(prescription.institution_id, prescription.request_id, came.known_by)
        if recorder is None or not asked:
            return await self._check(prescription, size_bytes, clock, came)
        now = self._outside.now()
        found = await recorder.repeated.first(
            asked, now, recorder.within_s(clock.left_s()), lambda: self.active.digests
        )
        told = found.answer or self._own(found.journaled, prescription)
        if told is not None:
            self._log.info("repeated", decision_id=told.decision_id)
            return told
        try:
            decision = await self._check(prescription, size_bytes, clock, came, asked, reused=found.reused)
        except BaseException:
            recorder.repeated.failed(asked)
            raise
        recorder.repeated.answered(asked, decision)
        return decision

    def _own(self, journaled: Decision | None, prescription: Prescription) -> Decision | None:
        """An answer out of the journal, with the caller's own ids."""
        if journaled is None:
            return None
        return own_ids(journaled, keyed_of(self._keys, prescription).ids)

    @property
    def _keys(self) -> Keys | None:
        return self.memory.keys if self.memory is not None else None

    async def _check(
        self,
        prescription: Prescription,
        size_bytes: int,
        clock: Clock,
        came: Came,
        asked: str = "",
        *,
        reused: bool = False,
    ) -> Decision:
        """Decide, and have it written."""
        case = await self.run(size_bytes, lambda: self._case(prescription, came, clock, reused=reused))
        begun = await self.run(size_bytes, lambda: self.begin(case))
        read = NOTHING_ASKED
        if begun.needs and self.memory is not None:
            # The second pass takes no longer than the first; where not even that could be ended, none is begun.
            hurried = bool(begun.first.skipped)
            read = unread() if hurried else await self._read_on(case, begun, size_bytes, clock.left_s(twice=True))
        whole = await self.run(size_bytes, lambda: case.decide(begun, read))
        exits = await self._exits(case, whole, clock)
        if exits:
            keys = frozenset((each.rule_id, each.item, each.order_date) for each in exits)
            whole = await self.run(size_bytes, lambda: case.again(begun, read, keys, whole))
        elapsed_ns = clock.spent_ns()
        timed = msgspec.structs.replace(whole.decision, elapsed_us=elapsed_ns // 1000)
        decision = own_ids(timed, case.keyed.ids)
        if self.recorder is not None:
            whole = msgspec.structs.replace(whole, decision=timed)
            made = msgspec.structs.replace(made_of(case, whole, read, exits, came), asked=asked, reused=reused)
            decision = await self._recorded(decision, made, case.active, size_bytes, clock.left_s())
        self._decided(case, decision, elapsed_ns)
        if self.survey is not None:
            self.survey.decided(prescription.institution_id, decision, [fact.fact for fact in read.facts])
        if self.memory is not None:
            self.memory.keep(prescription, case.now)
        return decision

    async def _recorded(
        self, decision: Decision, made: Made, active: Active, size_bytes: int, left_s: float | None
    ) -> Decision:
        """The answer, once its entry is on disk or its time is over."""
        recorder = self.recorder
        if recorder is None:
            return decision
        draft, entry = await self.run(size_bytes, lambda: recorder.draft(made, active))
        return await recorder.write(decision, draft, late=entry.late, left_s=left_s)

    async def _exits(self, case: Case, whole: Whole, clock: Clock) -> tuple[Exit, ...]:
        """What was left by its emergency exit in the encounter, where that may change the answer."""
        keys, recorder, asked = self._keys, self.recorder, case.prescription
        if recorder is None or keys is None or not asked.encounter.id:
            return ()
        if not (ended := ends(asked)) and whole.decision.decision != "block":
            return ()
        known = (
            case.keyed.prescription.encounter.id,
            *keys.encounter_before(asked.institution_id, asked.encounter.id),
        )
        if ended:
            self.exits.ended(known, case.now)
            return ()
        return await self.exits.of(known, case.now, recorder.exits_s(clock.left_s()))

    def _case(self, prescription: Prescription, came: Came, clock: Clock, *, reused: bool = False) -> Case:
        now = self._outside.now()
        return Case(
            active=self.active,
            prescription=prescription,
            keyed=keyed_of(self._keys, prescription),
            now=now,
            at=prescription.at or self.civil(now, prescription.institution_id),
            ident=decision_id(int(now.timestamp() * 1000), self._outside.draw(RANDOM_BITS)),
            notes=(_REUSED,) if reused else (),
            lowest_action=came.lowest_action,
            halt=clock.halt(),
        )

    def begin(self, case: Case) -> Begun:
        """The first pass of a check."""
        return case.begin()

    async def _read_on(self, case: Case, begun: Begun, size_bytes: int, left_s: float | None) -> Read:
        """What the undecided rules lack, or that it could not be read in time."""
        memory, prescription = self.memory, case.prescription
        if memory is None:
            return NOTHING_ASKED
        asked = await self.run(size_bytes, lambda: ask_of(memory.keys, prescription, begun, case.at))
        told = await memory.read(asked.wanted, left_s)
        if told.failed:
            return unread()
        own_since = case.active.sites.of(prescription.institution_id).own_history_since
        return await self.run(size_bytes, lambda: read_of(asked, told, case.keyed.prescription, own_since))

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
        saved = saved_of(self.memory.keys, prescription, prescription_id, revision, moment, zone)
        written = await self.memory.record(saved)
        if self.recorder is not None:
            if ends(prescription):
                self.exits.ended((saved.encounter_key,), self._outside.now())
            own = {prescription.encounter.id: saved.encounter_key, prescription.patient.id: saved.patient_key}
            draft = saved_draft(saved, self.active.digests, self._outside.now(), zone.key, own)
            journaled = await self.recorder.saved(draft, known=not (written.changed or written.waits))
            written = msgspec.structs.replace(written, journaled=journaled)
        self._log.info(
            "saved",
            institution_id=prescription.institution_id[:MAX_LOGGED],
            lines=len(prescription.encounter.lines),
            changed=bool(written.changed),
            waits=written.waits,
        )
        return written

    def _decided(self, case: Case, decision: Decision, elapsed_ns: int) -> None:
        self.metrics.decided(decision, elapsed_ns / 1e9)
        self.metrics.board.decided(self.civil(case.now, case.prescription.institution_id), case.prescription, decision)
        prescription, keyed = case.prescription, case.keyed
        named = not is_clean(prescription.request_id, keyed.names, keyed.own)
        self._log.info(
            "checked",
            decision_id=decision.decision_id,
            request_id=MASK if named else prescription.request_id[:MAX_LOGGED],
            institution_id=prescription.institution_id[:MAX_LOGGED],
            decision=decision.decision,
            lines=len(prescription.encounter.lines),
            findings=len(decision.findings),
            not_evaluated=len(decision.not_evaluated),
            elapsed_us=decision.elapsed_us,
            journaled=decision.journaled,
        )
