"""What may be wrong with a journal, and what is proved of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["Problem", "ProblemKind", "Proof", "Report"]

ProblemKind: TypeAlias = Literal[
    "entry", "missing", "order", "attested", "disagrees", "line", "sealed", "unattested", "artifact"
]
"""An entry is not what was written; entries are missing; an entry does not follow the one before; it is not the one a
checkpoint names; its columns or brief say other than its body; a line of the checkpoints file does not hold; a span was
taken out without a signed record; checkpoints are missing at the end; a list, policy or code table that entries name is
missing, or not what was kept."""


class Problem(Struct, frozen=True, kw_only=True):
    """One finding, of an entry (``chain``, ``seq``), of a line of the checkpoints file, or of what entries name."""

    kind: ProblemKind
    chain: str = ""
    seq: int = 0
    line: int = 0
    text: str

    def __str__(self) -> str:
        """Where, and what."""
        if not (self.chain or self.line):
            return self.text
        where = f"checkpoint line {self.line}" if self.line else f"chain `{self.chain}` entry {self.seq}"
        return f"{where}: {self.text}" if self.line or self.seq else f"chain `{self.chain}`: {self.text}"


class Proof(Struct, frozen=True, kw_only=True):
    """What is known of a chain.

    Entries ``first`` to ``last`` are there, ``sealed`` before them were taken out with a signed record. That none is
    missing is proved up to ``proved`` (0: nowhere), by a checkpoint of ``proved_at``; what follows is chained, but its
    end could have been cut off. ``last_at`` is the instant of the last entry.
    """

    chain: str
    entries: int
    first: int = 0
    last: int = 0
    last_at: datetime | None = None
    sealed: int = 0
    proved: int = 0
    proved_at: datetime | None = None


class Report(Struct, frozen=True, kw_only=True):
    """The outcome: sound where there is no problem. ``notes`` are no problems, but good to know."""

    problems: tuple[Problem, ...]
    proofs: tuple[Proof, ...]
    lines: int
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
