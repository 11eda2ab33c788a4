"""A decision as it was, from its journal entry alone: what :mod:`reminder.office.layout` lays out for people.

Every finding is told with what the entry holds of it, its rule from the list kept under its digest, and each condition
of the rule with its answer and the facts it rests on. Where the list is gone or another version of the program decided,
that is said, and what was stored then stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from negative_list.decision import FactSeen, NotEvaluated
from negative_list.errors import ListError
from negative_list.prescription import Note
from negative_list.readers.stored import StoreFact
from negative_list.rules import Rule
from reminder.journal.artifacts import intact
from reminder.journal.entries import Appeal, Decided, Exit, Feedback, Found
from reminder.office.again import Again, judged_again, rules_of
from reminder.office.desk import decision, entry_of
from reminder.office.tree import Part, walked

if TYPE_CHECKING:
    from negative_list.decision import Finding
    from reminder.journal.base import JournalStore, Row
    from reminder.office.words import Language

__all__ = ["MOST_LINES", "Explained", "FoundTold", "LineTold", "Placed", "Walked", "Word", "explained"]

MOST_LINES = 3
"""Offending lines of one finding whose conditions are walked: a finding for the encounter may have hundreds."""


class Placed(Struct, frozen=True, kw_only=True):
    """Where an entry stands in the journal: chain, number from 1, hash (hexadecimal) and receipt."""

    chain: str
    seq: int
    hash: str
    receipt: str


class LineTold(Struct, frozen=True, kw_only=True):
    """A line of the decision's encounter."""

    id: str
    name: str
    codes: tuple[str, ...]
    current: bool
    begins: datetime | None
    facts: dict[str, Any]
    sources: dict[str, str]


class Walked(Struct, frozen=True, kw_only=True):
    """The conditions of a rule for one offending line ("" for the encounter)."""

    line: str
    parts: tuple[Part, ...]


class FoundTold(Struct, frozen=True, kw_only=True):
    """A finding: what the entry says of it, what was answered, its rule, and its conditions.

    ``message``, ``basis``, ``facts``, ``needs`` are those answered (empty for one that was not shown). ``rule`` is
    ``None`` and ``walked`` empty where the list is not kept any more, or lacks it.
    """

    found: Found
    class_name: str
    message: str
    basis: str
    facts: tuple[FactSeen, ...]
    needs: tuple[str, ...]
    rule: Rule | None
    walked: tuple[Walked, ...]


class Word(Struct, frozen=True, kw_only=True):
    """A feedback or an appeal about a finding, and where it stands in the journal."""

    at: datetime
    told: Feedback | Appeal
    placed: Placed


class Explained(Struct, frozen=True, kw_only=True):
    """All there is to say of a decision.

    ``civil`` is the instant in the entry's zone. ``patient`` and ``encounter`` are keys. ``list_kept``: the list stands
    in the journal under its digest. ``engine_same``: this program is the one that decided. ``differs``: ids of findings
    whose conditions come out otherwise now than they were stored.
    """

    decision_id: str
    at: datetime
    civil: datetime
    placed: Placed
    entry: Decided
    patient: str
    encounter: str
    found: tuple[FoundTold, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    read: tuple[StoreFact, ...]
    exits: tuple[Exit, ...]
    notes: tuple[Note, ...]
    lines: tuple[LineTold, ...]
    words: tuple[Word, ...]
    list_kept: bool
    engine_same: bool
    differs: tuple[str, ...]


def explained(journal: JournalStore, ident: str, language: Language, engine: str) -> Explained:
    """Explain a decision by its id, or the one a finding's id belongs to; ``engine`` names the running program's.

    Raises:
        OfficeError: There is no such decision, or its entry cannot be read.
        StoreError: The journal cannot be read.
    """
    row, entry = decision(journal, ident)
    again, kept = _again(journal, entry)
    answered = {finding.finding_id: finding for finding in entry.answer.findings}
    told = tuple(_found(one, answered.get(one.finding_id), again, language) for one in entry.found)
    return Explained(
        decision_id=entry.decision_id,
        at=entry.at,
        civil=entry.at.astimezone(ZoneInfo(entry.zone)).replace(tzinfo=None),
        placed=_placed(row),
        entry=entry,
        patient=row.patient_key,
        encounter=row.encounter_key,
        found=told,
        not_evaluated=entry.answer.not_evaluated,
        read=entry.facts,
        exits=entry.exits,
        notes=entry.answer.notes,
        lines=_lines(entry),
        words=_words(journal, entry.decision_id),
        list_kept=kept,
        engine_same=entry.engine == engine,
        differs=tuple(one.found.finding_id for one in told if _differs(one)),
    )


def _placed(row: Row) -> Placed:
    return Placed(chain=row.chain, seq=row.seq, hash=row.hash.hex(), receipt=row.receipt)


def _again(journal: JournalStore, entry: Decided) -> tuple[Again | None, bool]:
    """What conditions can be asked with, and whether the list is kept."""
    artifact = intact(journal, entry.list) if entry.list else None
    if artifact is None or not entry.found:
        return None, artifact is not None
    try:
        return judged_again(entry, rules_of(artifact, {one.rule_id for one in entry.found})), True
    except ListError:
        return None, False


def _found(found: Found, answered: Finding | None, again: Again | None, language: Language) -> FoundTold:
    rule = again.rule(found.rule_id) if again is not None else None
    return FoundTold(
        found=found,
        class_name=answered.class_name if answered else "",
        message=answered.message if answered else "",
        basis=answered.basis if answered else "",
        facts=answered.facts if answered else (),
        needs=answered.needs if answered else (),
        rule=rule,
        walked=tuple(_walked(found, rule, again, language)) if rule is not None and again is not None else (),
    )


def _walked(found: Found, rule: Rule, again: Again, language: Language) -> Sequence[Walked]:
    """The conditions for the first offending lines, or once for the encounter."""
    check, binder = again.check, again.compiled.binder
    trigger = rule.trigger
    if trigger.encounter or trigger.diagnoses or trigger.operations:
        return [Walked(line="", parts=walked(rule, check, binder, None, language))]
    lines = [line for name in found.lines[:MOST_LINES] if (line := again.line(name)) is not None]
    return [Walked(line=line.id, parts=walked(rule, check, binder, line, language)) for line in lines]


def _differs(told: FoundTold) -> bool:
    """Whether what is walked now answers otherwise than was stored: true for a finding, unknown for one that asks."""
    stored = None if told.found.unknown else True
    return bool(told.walked) and all(_held(one.parts) is not stored for one in told.walked)


def _held(parts: Sequence[Part]) -> bool | None:
    """What scope and violation come to together."""
    held = [part.holds for part in parts if part.role != "trigger"]
    return False if False in held else None if None in held else True


def _lines(entry: Decided) -> tuple[LineTold, ...]:
    """The lines findings are about, and those that are current."""
    named = {name for one in entry.found for name in (*one.lines, *one.involved)}
    encounters = (entry.prescription.encounter, *entry.prescription.others)
    past = entry.history.lines if entry.history is not None else ()
    lines = [line for visit in encounters for line in visit.lines if line.current or line.id in named]
    lines += [line for line in past if line.id in named]
    return tuple(
        LineTold(
            id=line.id,
            name=line.name,
            codes=line.codes,
            current=line.current,
            begins=line.begins,
            facts=dict(line.facts),
            sources=dict(line.sources),
        )
        for line in lines
    )


def _words(journal: JournalStore, decision_id: str) -> tuple[Word, ...]:
    """Feedback and appeals since, in their order."""
    about = (row for row in journal.about(decision_id) if row.kind in {"feedback", "appeal"})
    told = ((row, entry_of(row)) for row in about)
    return tuple(
        Word(at=row.at, told=entry, placed=_placed(row)) for row, entry in told if isinstance(entry, Feedback | Appeal)
    )
