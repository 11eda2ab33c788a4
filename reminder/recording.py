"""A decision on its way into the journal: it is on disk before the answer leaves, or the answer says that it is not."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.rules import Action
from reminder.journal.artifacts import codes_artifact, list_artifact, policy_artifact
from reminder.journal.drafts import decided_draft
from reminder.journal.repeated import Repeated
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.decision import Decision
    from reminder.active import Active
    from reminder.exits import Exits
    from reminder.journal.base import Draft
    from reminder.journal.drafts import Made
    from reminder.journal.entries import Decided
    from reminder.journal.journal import Journal
    from reminder.journal.known import Known
    from reminder.stores.keys import Keys

__all__ = ["BUDGET_PART", "EXITS_S", "NOT_TOLD", "SAVED_S", "Came", "Recorder", "digest_of"]

_USUAL_BYTES = 64 * 1024
_S_A_BYTE = 0.2 / 1024**2  # of longer entries, which are packed, chained and synced beside other work

BUDGET_PART = 0.5
"""What part of the caller's remaining time the commit may take at most; the way back needs the rest."""

EXITS_S = 0.5
"""How long the journal may be asked about exits where the caller gives no deadline: it is so only in the first second
of a sidecar, or when it could not be read, and a block that was left must not block again."""

SAVED_S = 1.0
"""How long the word that a prescription was saved waits for its entry at least: nobody's prescription waits for it, and
an entry lost with the process would make a saved prescription one that was given up."""

_DIGITS = 32
_PIECE = 2_000  # bytes; hashlib keeps the interpreter below 2,048


class Came(Struct, frozen=True, kw_only=True):
    """How a request came: by which face (grpc, 3101, json, cds), and the digest of its bytes ("": not known).

    ``caller`` is the name of its entry in the settings, ``lowest_action`` the weakest action it is told of.
    """

    face: str = ""
    digest: str = ""
    caller: str = ""
    lowest_action: Action = "remind"

    @property
    def known_by(self) -> str:
        """By what it is known again: the same bytes are another request where other findings are kept back."""
        if not self.digest or self.lowest_action == NOT_TOLD.lowest_action:
            return self.digest
        return digest_of(f"{self.digest} {self.lowest_action}".encode())


NOT_TOLD = Came()
"""A request that came by no face."""


def digest_of(data: bytes) -> str:
    """The digest of a request as it came.

    In pieces, for a longer one lets go of the interpreter, and a busy one takes a millisecond to come back.
    """
    digest = hashlib.sha256()
    for begin in range(0, len(data), _PIECE):
        digest.update(data[begin : begin + _PIECE])
    return digest.hexdigest()[:_DIGITS]


class Recorder:
    """The journal of one service, with what it takes to write a decision.

    Args:
        journal: started and stopped by the server.
        keys: of patients and encounters.
        exits: what was left by its emergency exit.
        budget_s: the longest an answer waits for its entry.
        shared: other processes write the same journal.
        known: which requests came lately, where workers share that.
    """

    def __init__(
        self, journal: Journal, keys: Keys, exits: Exits, budget_s: float, *, shared: bool, known: Known | None = None
    ) -> None:
        self.journal = journal
        self.repeated = Repeated(journal, known, shared=shared)
        self._keys = keys
        self._shared = shared
        self.exits = exits
        self._budget_s = budget_s

    def within_s(self, left_s: float | None, size: int = 0) -> float:
        """How long the journal may be waited for; ``left_s``: until the caller gives up, ``size``: bytes to write."""
        budget_s = self._budget_s + max(0, size - _USUAL_BYTES) * _S_A_BYTE
        return _at_most(budget_s, left_s)

    def exits_s(self, left_s: float | None) -> float:
        """How long the journal may be asked about exits, which it seldom is: a block that was left must not block."""
        return _at_most(EXITS_S, left_s)

    def draft(self, made: Made, active: Active) -> tuple[Draft, Decided]:
        """The draft of a decision, and its entry. While the journal is not written in time, it says so of itself."""
        late = not self.journal.serving
        return decided_draft(
            msgspec.structs.replace(made, late=True) if late else made, self._keys, active.compiled, active.policy
        )

    async def write(self, decision: Decision, draft: Draft, *, late: bool, left_s: float | None) -> Decision:
        """The answer, once its entry is on disk or its time is over."""
        if decision.decision == "block":
            self.exits.answered(draft)
        if late:
            self.journal.note(draft)
            self.exits.waits(draft)
            return decision
        told = await self.journal.append(draft, self.within_s(left_s, len(draft.body)))
        if not told.journaled:
            self.exits.waits(draft)
        return msgspec.structs.replace(decision, receipt=told.receipt, journaled=told.journaled)

    async def start(self, active: Active, now: datetime, *, keeps_list: bool = True) -> None:
        """Begin to write; what only has to be there some time is done beside the callers.

        ``keeps_list``: of several workers one keeps the list; going through it makes its pages this worker's own.

        Raises:
            StoreError: When a later version of the program made the journal, or it can never be one.
        """
        await self.journal.start()
        self.keep(active, now, with_list=keeps_list)
        self.journal.beside(self.repeated.load(now))
        if not self._shared:
            self.journal.beside(self.exits.load(now))

    async def saved(self, draft: Draft, *, known: bool) -> bool:
        """A prescription was saved: back once the entry is on disk, or its time is over; returns whether it is.

        ``known``: it was told before. Then it may stand in the journal, or the sidecar ended before that.
        """
        if known and await self._holds(draft):
            return True
        return (await self.journal.append(draft, max(self._budget_s, SAVED_S))).journaled

    async def _holds(self, draft: Draft) -> bool:
        """Whether the journal has an entry of this prescription's revision; of two the first counts."""
        try:
            rows = await self.journal.ask(
                lambda store: store.of_encounter([draft.encounter_key], ("saved",)), max(self._budget_s, SAVED_S)
            )
        except StoreError:
            return False
        return _revision(draft) in {_revision(row) for row in rows}

    def keep(self, active: Active, now: datetime, *, with_list: bool = True) -> None:
        """Keep what decisions are made with, beside the callers."""
        self.journal.keep(policy_artifact(active.policy, now))
        if with_list:
            self.journal.keep(partial(list_artifact, active.compiled, now))
        codes = codes_artifact(active.sites, now)
        if codes is not None:
            self.journal.keep(codes)


def _at_most(seconds: float, left_s: float | None) -> float:
    """So long, or the part of the caller's time that may be taken where that is less."""
    return seconds if left_s is None else max(0.0, min(seconds, left_s * BUDGET_PART))


class _Revision(Struct, frozen=True, kw_only=True):
    """What tells one word about a prescription from others."""

    institution_id: str = ""
    prescription_id: str = ""
    revision: int = 0


def _revision(draft: Draft) -> _Revision:
    return msgspec.json.decode(draft.body, type=_Revision)
