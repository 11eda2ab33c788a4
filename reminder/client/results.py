"""What a caller hears: what was decided, or that nothing was; what became of what it told."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from negative_list.decision import Decision
from negative_list.errors import FieldProblem
from negative_list.prescription import Note
from negative_list.rules import Action
from reminder.client.refusals import Why

__all__ = ["Checked", "Heard", "State", "Told"]

State: TypeAlias = Literal["kept", "waiting", "refused", "lost"]
"""What became of a word: the sidecar keeps it; it waits here and is delivered later; it cannot be used, the fields say
why; or neither the sidecar nor the spool could take it."""


class Checked(Struct, frozen=True, kw_only=True):
    """What came of a check. Never an exception: nothing here stands in the way of a prescription.

    ``decision`` is ``not_checked`` where nobody decided; then ``why`` says why, and ``decided`` is ``None``.
    ``elapsed_ms``: what the caller waited.
    """

    decision: Action | Literal["not_checked"]
    decided: Decision | None = None
    why: Why = ""
    text: str = ""
    problems: tuple[FieldProblem, ...] = ()
    elapsed_ms: float = 0.0

    @property
    def checked(self) -> bool:
        """Whether it was decided."""
        return self.decided is not None

    @property
    def whole(self) -> bool:
        """Whether every rule was judged; false also where the sidecar had to answer before it had come to all."""
        return self.decided is not None and all(rule.reason != "deadline" for rule in self.decided.not_evaluated)

    @property
    def blocked(self) -> bool:
        """Whether it must not be saved as it stands; never where nobody decided."""
        return self.decision == "block"


class Heard(Struct, frozen=True, kw_only=True):
    """How one word about a finding was understood, in the words of ``docs/feedback.md``."""

    finding_id: str
    status: str
    message: str = ""
    verdict: str = ""
    exit_until: str = ""


class Told(Struct, frozen=True, kw_only=True):
    """What became of what was told. ``items``: of feedback; ``notes``: of a saved prescription; empty unless kept.

    ``why`` and ``text``: why it is not kept yet.
    """

    state: State
    items: tuple[Heard, ...] = ()
    notes: tuple[Note, ...] = ()
    why: Why = ""
    text: str = ""
    problems: tuple[FieldProblem, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether nothing more need be done about it."""
        return self.state in {"kept", "waiting"}
