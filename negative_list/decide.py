"""The whole way from a prescription to a decision, written once: match → policy → suggestions → texts → decision.

It is taken in two steps, so that who must not block can read between them: :func:`begin` judges by the body alone and
says what reading may decide, :func:`decide` goes on with what was read. Who may block hands in a reader instead; it is
called once, and only for rules that lack history or facts. Who keeps decisions asks :func:`decide_whole`, which tells
what was found and not shown, too.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.decision import Decision, Finding, NotEvaluated, strongest
from negative_list.dictionary import load
from negative_list.engine import Judgement, Matched, judged_on, match
from negative_list.findings import COVERAGE_ONLY, not_evaluated_of, skipped_of, told_of
from negative_list.history import without_copies
from negative_list.hurry import Halt, Stopped
from negative_list.policy import ExitKey, Policy, shipped
from negative_list.prescription import History, Note, Prescription
from negative_list.telling import Ruling, shown_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from negative_list.compile import CompiledList
    from negative_list.messages import Language
    from negative_list.rules import Action

__all__ = [
    "LATE",
    "NOT_READ",
    "Begun",
    "Fuller",
    "Reader",
    "Whole",
    "begin",
    "decide",
    "decide_whole",
    "matched_of",
]


class Fuller(Struct, frozen=True, kw_only=True):
    """What a reader found: the prescription with store facts filled in, and history."""

    prescription: Prescription
    history: History | None = None


Reader: TypeAlias = "Callable[[Prescription, frozenset[str], datetime], Fuller]"
"""Reads what undecided rules need, by name (``history`` or facts), as of the decision's instant, in one batch."""

NOT_READ = "history_not_read"
"""Code of the note on an answer that had to do without history and store facts."""

LATE = "deadline"
"""Code of the note on an answer that left before every rule was evaluated, and reason of the rules left out."""

_TEXTS: dict[str, dict[Language, str]] = {
    NOT_READ: {
        "zh": "历史记录和外部事实未能及时读取，需要它们的规则本次未检查",
        "en": "history and store facts could not be read in time; rules that need them were not evaluated",
    },
    LATE: {
        "zh": "调用方等待的时间已到，部分规则本次未检查",
        "en": "the caller's time was up before every rule was evaluated",
    },
}


class Begun(Struct, frozen=True, kw_only=True):
    """What the body alone decides.

    ``needs`` names what the undecided rules lack and reading may supply: ``history`` or facts; empty where nothing more
    could be decided.
    """

    first: Matched
    not_evaluated: tuple[NotEvaluated, ...] = ()
    needs: frozenset[str] = frozenset()


def begin(compiled: CompiledList, prescription: Prescription, at: datetime, halt: Halt | None = None) -> Begun:
    """The first pass: judge by the body alone, at one instant (civil time of the site), until the time is up."""
    first = match(compiled, prescription, at, halt=halt)
    if not first.judgements:
        return Begun(first=first)
    lacking = not_evaluated_of(first, compiled.binder)
    needs = frozenset(name for entry in lacking for name in entry.needs if _readable(name))
    return Begun(first=first, not_evaluated=lacking, needs=needs)


class Whole(Struct, frozen=True, kw_only=True):
    """A decision, with everything that was found on the way to it.

    ``graded``: all findings with their rules' own actions; ``found``: the same findings in the same order with the
    actions the policy gave and exits left of them (``pass``: shadow). Those shown are ``decision.findings``; they have
    texts and suggestions, and of several questions only one is among them. ``stopped``: where the time was up.
    """

    decision: Decision
    graded: tuple[Finding, ...] = ()
    found: tuple[Finding, ...] = ()
    stopped: Stopped = Stopped()


@cache
def _readable(name: str) -> bool:
    """Whether history or a store could supply it: the body's own records can only come from the body."""
    return name in COVERAGE_ONLY or (name in load() and load()[name].settable)


def decide(  # noqa: PLR0913 (one composition, everything it depends on in view)
    compiled: CompiledList,
    prescription: Prescription,
    at: datetime,
    policy: Policy | None = None,
    *,
    read: Reader | None = None,
    begun: Begun | None = None,
    fuller: Fuller | None = None,
    unread: bool = False,
    exits: AbstractSet[ExitKey] = frozenset(),
    halt: Halt | None = None,
    decision_id: str | None = None,
    release: str | None = None,
    lowest_action: Action = "remind",
    language: Language = "zh",
) -> Decision:
    """Decide a prescription at one instant; arguments and answer as those of :func:`decide_whole`."""
    whole = decide_whole(
        compiled,
        prescription,
        at,
        policy,
        read=read,
        begun=begun,
        fuller=fuller,
        unread=unread,
        exits=exits,
        halt=halt,
        decision_id=decision_id,
        release=release,
        lowest_action=lowest_action,
        language=language,
    )
    return whole.decision


def decide_whole(  # noqa: PLR0913 (one composition, everything it depends on in view)
    compiled: CompiledList,
    prescription: Prescription,
    at: datetime,
    policy: Policy | None = None,
    *,
    read: Reader | None = None,
    begun: Begun | None = None,
    fuller: Fuller | None = None,
    unread: bool = False,
    exits: AbstractSet[ExitKey] = frozenset(),
    halt: Halt | None = None,
    decision_id: str | None = None,
    release: str | None = None,
    lowest_action: Action = "remind",
    language: Language = "zh",
) -> Whole:
    """Decide a prescription at one instant, and tell everything that was found.

    Args:
        compiled: the list.
        prescription: what is asked.
        at: the decision's instant, civil time of the site.
        policy: the hospital's policy; the shipped one when left out.
        read: reads history and store facts for rules that lack them; nothing is read when left out.
        begun: the first pass over the same list, prescription and instant; made here when left out.
        fuller: what was read meanwhile.
        unread: reading failed or came too late, and the answer says so.
        exits: blocks that were left by their emergency exit, and only warn.
        halt: says when the time is up, to both passes; it never is when left out.
        decision_id: the id the answer carries; findings get their ids from it, else from the request's id.
        release: the version of the list that answers.
        lowest_action: findings with a weaker action are not returned to this caller.
        language: of the texts.
    """
    policy = policy or shipped()
    begun = begun or begin(compiled, prescription, at, halt)
    if fuller is None and read is not None and begun.needs:
        fuller = read(prescription, begun.needs, at)
    matched, lacking = _read_on(begun, compiled, fuller, halt, unread=unread)
    ruling = Ruling(policy=policy, exits=exits, lowest_action=lowest_action)
    graded, untold = _graded(matched, compiled, decision_id or prescription.request_id, halt)
    found = ruling.of(graded, matched.check)
    findings = shown_of(found, matched, compiled, ruling, language, halt)
    late = skipped_of((*matched.skipped, *untold))
    notes = _notes(prescription, language, unread=unread, late=bool(late))
    told = Decision(decision=strongest(findings), decision_id=decision_id, release=release, policy=policy.digest)
    decision = msgspec.structs.replace(told, findings=findings, not_evaluated=(*lacking, *late), notes=notes)
    _let_go(begun, matched)
    return Whole(decision=decision, graded=graded, found=found, stopped=halt.stopped if halt is not None else Stopped())


def _let_go(begun: Begun, matched: Matched) -> None:
    """What only the collector would find is let go of; whoever asks the same checks again works it out again."""
    begun.first.check.forget()
    matched.check.forget()


def matched_of(
    compiled: CompiledList,
    prescription: Prescription,
    at: datetime,
    fuller: Fuller | None = None,
    *,
    first: Matched | None = None,
    halt: Halt | None = None,
) -> Matched:
    """What the match found, both passes of it, for whoever explains a decision; ``first``: the first, if it is made."""
    first = first or match(compiled, prescription, at, halt=halt)
    return first if fuller is None else _second(first, compiled, fuller, halt)


def _read_on(
    begun: Begun, compiled: CompiledList, fuller: Fuller | None, halt: Halt | None, *, unread: bool
) -> tuple[Matched, tuple[NotEvaluated, ...]]:
    """What holds and what is still undecided, with what was read where something was."""
    if fuller is not None:
        matched = _second(begun.first, compiled, fuller, halt)
        return matched, not_evaluated_of(matched, compiled.binder)
    return begun.first, _unread(begun.not_evaluated, begun.needs) if unread else begun.not_evaluated


def _graded(
    matched: Matched, compiled: CompiledList, key: str, halt: Halt | None
) -> tuple[tuple[Finding, ...], tuple[Judgement, ...]]:
    """All findings told in time, with their rules' own actions, and the judgements that hold and were not told."""
    if not any(map(_may_find, matched.judgements)):
        return (), ()
    return told_of(matched, compiled.binder, key, halt)


def _may_find(judgement: Judgement) -> bool:
    """Whether a judgement holds, or belongs to a rule that asks."""
    return judgement.holds is True or judgement.rule.rule.on_unknown.action != "pass"


def _notes(prescription: Prescription, language: Language, *, unread: bool, late: bool) -> tuple[Note, ...]:
    """What the body's reader said, that nothing else was read, and that the time was up."""
    if not (unread or late):
        return prescription.notes
    told = [code for code, is_so in ((NOT_READ, unread), (LATE, late)) if is_so]
    return (*prescription.notes, *(Note(code=code, message=_TEXTS[code][language]) for code in told))


def _unread(entries: Iterable[NotEvaluated], needs: frozenset[str]) -> tuple[NotEvaluated, ...]:
    """The rules that what was not read might have decided say so."""
    replace = msgspec.structs.replace
    return tuple(replace(e, reason="not_read") if needs.intersection(e.needs) else e for e in entries)


def _second(first: Matched, compiled: CompiledList, fuller: Fuller, halt: Halt | None) -> Matched:
    """The second pass: only what the first one left undecided is judged again."""
    history = without_copies(fuller.history, fuller.prescription) if fuller.history is not None else None
    return judged_on(first, compiled, fuller.prescription, history, halt)
