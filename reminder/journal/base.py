"""The records of the journal and the protocol every journal store keeps.

The journal only grows. It has one *chain* for each worker; the entries of a chain are numbered from 1 without a gap and
each carries a hash over itself and the one before, so that nothing can be edited, removed, inserted or swapped unseen.
What stands at the end of a chain could still be cut off: *checkpoints* (:mod:`reminder.journal.checkpoints`), signed
and on a second path, say how far each chain had come.

Patients and encounters stand here under their keys (:mod:`reminder.stores.keys`); texts are masked before they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, get_args

from msgspec import Struct

from reminder.stores.base import StoreError

__all__ = [
    "KINDS",
    "NO_HASH",
    "Appended",
    "Artifact",
    "ArtifactKind",
    "DamagedError",
    "Draft",
    "Head",
    "JournalStore",
    "Kind",
    "Row",
    "Sealed",
    "receipt_of",
]

NO_HASH = bytes(32)
"""What stands before the first entry of a chain."""

Kind: TypeAlias = Literal[
    "decision",
    "unchecked",
    "feedback",
    "saved",
    "appeal",
    "points",
    "policy",
    "list",
    "report",
    "gap",
    "removed",
    "started",
]
"""What an entry tells (:mod:`reminder.journal.entries`)."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every word of :data:`Kind`."""

ArtifactKind: TypeAlias = Literal["list", "policy", "codes"]
"""What a decision was made with, kept once under its digest for as long as an entry names it."""


def receipt_of(hash_: bytes) -> str:
    """What a caller is given as proof of an entry: the first 16 hex digits of its hash."""
    return hash_[:8].hex()


class Draft(Struct, frozen=True, kw_only=True, weakref=True):
    """An entry that has no place in a chain yet.

    ``at`` is UTC. ``decision_id`` is that of the decision, or of the one a feedback, an appeal is about ("" where there
    is none). ``asked``: of a decision, what an idempotent repetition is known by (a digest; "" without request id), see
    :mod:`reminder.journal.repeated`. ``brief`` is what reports read (:mod:`reminder.journal.brief`), ``body`` the whole
    entry as canonical JSON.
    """

    kind: Kind
    at: datetime
    decision_id: str = ""
    institution_id: str = ""
    patient_key: str = ""
    encounter_key: str = ""
    asked: str = ""
    brief: bytes = b""
    body: bytes


class Row(Draft, frozen=True, kw_only=True):
    """An entry in its place. ``hash`` covers the previous entry's hash and every field of this one."""

    chain: str
    seq: int
    hash: bytes

    @property
    def receipt(self) -> str:
        """What the caller was given as proof."""
        return receipt_of(self.hash)


class Head(Struct, frozen=True, kw_only=True, order=True):
    """How far a chain has come: number and hash of its last entry; 0 and :data:`NO_HASH` for an empty one."""

    chain: str
    seq: int = 0
    hash: bytes = NO_HASH


class Sealed(Struct, frozen=True, kw_only=True):
    """A span of a chain that was taken out whole: its entries ``first`` to ``last``, which ended with ``hash``.

    ``begin`` and ``end`` are the instants (UTC) of its first and last entry; ``kinds`` how many of each kind it held.
    """

    chain: str
    first: int
    last: int
    hash: bytes
    begin: datetime
    end: datetime
    kinds: dict[str, int]


class Appended(Struct, frozen=True, kw_only=True):
    """What became of an entry. ``receipt`` is ``None`` where it was not on disk in time (``journaled`` false)."""

    journaled: bool
    receipt: str | None = None


class Artifact(Struct, frozen=True, kw_only=True):
    """What decisions were made with. ``content`` is the canonical text; ``digest`` the one entries name it by."""

    digest: str
    kind: ArtifactKind
    content: bytes
    first_at: datetime


class DamagedError(StoreError):
    """An entry that is there and cannot be read: ``seq`` of ``chain``. Those after it can, asked for from there on."""

    def __init__(self, chain: str, seq: int, why: str) -> None:
        self.chain = chain
        self.seq = seq
        super().__init__("refused", f"entry {seq} of chain `{chain}` is damaged: {why}; put back a copy")


class JournalStore(Protocol):
    """A place for the journal: SQLite and PostgreSQL keep the same promises, and the same tests hold them to it.

    Every method may block, may be called from any thread, and raises :class:`reminder.stores.base.StoreError`;
    :class:`DamagedError` names the entry.
    """

    def head(self, chain: str) -> Head:
        """How far a chain has come."""

    def heads(self) -> list[Head]:
        """The same of every chain, by name."""

    def append(self, rows: Sequence[Row]) -> None:
        """Write entries, synced to disk when this returns; all of them or none.

        Writing the very same entries again changes nothing (after a connection was lost in the middle of a commit);
        another entry in a place that is taken raises ``StoreError`` of kind ``refused``: somebody else writes
        that chain.
        """

    def chain(self, chain: str, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """The entries of one chain in their order."""

    def decision(self, decision_id: str) -> Row | None:
        """The entry of a decision."""

    def about(self, decision_id: str) -> list[Row]:
        """Every entry that names a decision, by instant: itself, feedback, appeals."""

    def asked(self, asked: str) -> Row | None:
        """The latest decision with that ``asked``."""

    def of_encounter(self, encounter_keys: Sequence[str], kinds: Sequence[Kind] = (), limit: int = 100) -> list[Row]:
        """The latest entries of an encounter under any of its keys, the latest first."""

    def of_patient(self, patient_keys: Sequence[str], limit: int = 1000) -> list[Row]:
        """The latest entries of a patient under any of the patient's keys, the latest first."""

    def period(
        self,
        begin: datetime,
        end: datetime,
        kinds: Sequence[Kind] = (),
        damaged: Callable[[DamagedError], object] | None = None,
    ) -> Iterator[Row]:
        """Entries with ``at`` in [begin, end), by instant, then chain and number.

        Where ``damaged`` is given it hears of those that cannot be read, and they are passed over.
        """

    def briefs(
        self, begin: datetime, end: datetime, *, by_encounter: bool, part: int = 0, parts: int = 1
    ) -> Iterator[Row]:
        """The same of every kind with an empty ``body``; ``by_encounter``: by institution and encounter, then instant.

        Sorted by the database, so that memory does not grow with the period. ``part`` of ``parts`` (from 0, by
        encounter only), for processes of their own: each encounter stands in one. What has no encounter key stands in
        the first; feedback without one in every part, for its finding may be anywhere.
        """

    def count(self, begin: datetime, end: datetime, kinds: Sequence[Kind] = ()) -> int:
        """How many entries a period has, of some kinds or of all."""

    def keep(self, artifact: Artifact) -> None:
        """Keep an artifact, once."""

    def artifact(self, digest: str) -> Artifact | None:
        """An artifact by its digest."""

    def remove(self, spans: Sequence[Sealed]) -> int:
        """Take sealed spans out, and artifacts no entry names any more; returns how many entries went."""

    def close(self) -> None:
        """Let go of files and connections."""
