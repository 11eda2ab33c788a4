"""What reports read of an entry, made from the entry alone: `reminder journal verify` makes it again and compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from negative_list.items import item_of, order_date_of
from reminder.journal.brief import Brief, DecisionBrief, FeedbackBrief, FoundBrief, LineBrief, SavedBrief, encode_brief
from reminder.journal.entries import Decided, Entry, Feedback, Saved

if TYPE_CHECKING:
    from negative_list.prescription import Encounter, FactValue, Line
    from reminder.journal.entries import Found

__all__ = ["DRUGS", "brief_of", "briefed"]

DRUGS = frozenset({"drug", "herb", "preparation", "ethnic-drug", "granule"})
"""Kinds of items that are drugs (``line.item_type``)."""


def brief_of(entry: Entry) -> bytes:
    """The brief of an entry as it stands in ``Draft.brief``; nothing where the kind has none."""
    # Lines are most of it, and written as arrays: a plain tuple is half as dear as a record.
    brief = _decision(entry, _fields) if isinstance(entry, Decided) else briefed(entry)
    return b"" if brief is None else encode_brief(brief)


def briefed(entry: Entry) -> Brief | None:
    """The brief of an entry; ``None`` where the kind has none."""
    for kind, make in _MADE.items():
        if isinstance(entry, kind):
            return make(entry)
    return None


def _decision(entry: Decided, line_of: Callable[[Line], Any] | None = None) -> DecisionBrief:
    prescription, answer = entry.prescription, entry.answer
    encounter = prescription.encounter
    get = encounter.facts.get
    lines = tuple(map(line_of or _line, encounter.lines))
    return DecisionBrief(
        zone_minutes=_zone_minutes(entry.zone, entry.at),
        decision=answer.decision,
        department=_ordered_by(encounter, _DEPARTMENTS),
        doctor=_ordered_by(encounter, _DOCTORS),
        ward=_text(get("encounter.ward")),
        scene=_words(get("encounter.scene")),
        visit_mode=_text(get("encounter.visit_mode")),
        face=entry.face,
        release=entry.release or "",
        late=entry.late,
        elapsed_us=entry.elapsed_us,
        unread=entry.unread,
        not_evaluated=len(answer.not_evaluated),
        fee_fen=_whole(get("encounter.total_fen")),
        discharged="encounter.discharged_at" in encounter.facts,
        complete=encounter.complete,
        diagnoses=_diagnoses(encounter),
        lines=lines,
        found=_found(entry.found, encounter.lines) if entry.found else (),
        undecided=tuple(dict.fromkeys([rule.rule_id for rule in answer.not_evaluated])),
    )


def _found(found: Iterable[Found], lines: Sequence[Line]) -> tuple[FoundBrief, ...]:
    places = {line.id: place for place, line in enumerate(lines)}
    return tuple([_one_found(one, places) for one in found])


def _one_found(one: Found, places: Mapping[str, int]) -> FoundBrief:
    return FoundBrief(
        finding_id=one.finding_id,
        rule_id=one.rule_id,
        class_id=one.class_id,
        own_action=one.own_action,
        action=one.action,
        shown=one.shown,
        unknown=one.unknown,
        exited=one.exited,
        fund_only=one.fund_only,
        addressee=one.addressee,
        lines=tuple([places[name] for name in one.lines if name in places]),
        amount_fen=one.amount_fen,
        reminders=one.reminders,
    )


def _line(line: Line) -> LineBrief:
    return LineBrief(**dict(zip(LineBrief.__struct_fields__, _fields(line), strict=True)))


def _fields(line: Line) -> tuple[Any, ...]:
    """The fields of a line's brief, in their order."""
    get = line.facts.get
    return (
        line.id,
        item_of(line),
        line.name,
        order_date_of(line),
        line.current,
        _text(get("line.quantity")),
        _text(get("line.days")),
        _whole(get("line.amount_fen")),
        _text(get("line.paid_by")),
        get("line.item_type") in DRUGS,
    )


def _feedback(entry: Feedback) -> FeedbackBrief:
    return FeedbackBrief(
        finding_id=entry.finding_id,
        known=entry.known,
        rule_id=entry.rule_id,
        class_id=entry.class_id,
        reminders=entry.reminders,
        done=entry.done,
        done_at=entry.done_at,
        reason_code=entry.reason_code,
        has_text=bool(entry.reason_text),
        junk=entry.junk,
        verdict=entry.checked.verdict,
        doctor=entry.doctor_id,
        answer_ms=entry.answer_ms,
        automatic=entry.automatic,
    )


def _saved(entry: Saved) -> SavedBrief:
    return SavedBrief(
        zone_minutes=_zone_minutes(entry.zone, entry.saved_at),
        prescription_id=entry.prescription_id,
        revision=entry.revision,
        saved_at=entry.saved_at,
        diagnoses=_diagnoses(entry.encounter),
        lines=tuple([_line(line) for line in entry.lines]),
    )


_MADE: dict[type, Callable[[Any], Brief]] = {Decided: _decision, Feedback: _feedback, Saved: _saved}


_DOCTORS = (("line.doctor_id",), ("encounter.doctor_id",))
_DEPARTMENTS = (
    ("line.department_code", "line.department_name"),
    ("encounter.department_code", "encounter.department_name"),
)


def _ordered_by(encounter: Encounter, names: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    """Who orders: what the first current line that tells it does, else the encounter."""
    of_lines, of_encounter = names
    for line in encounter.lines:
        if line.current:
            for name in of_lines:
                if name in line.facts:
                    return str(line.facts[name])
    return next((str(encounter.facts[name]) for name in of_encounter if name in encounter.facts), "")


def _diagnoses(encounter: Encounter) -> tuple[str, ...]:
    """The first code of each, else its name."""
    return tuple([each.codes[0] if each.codes else each.name for each in encounter.diagnoses])


def _text(value: FactValue | None) -> str:
    return "" if value is None else str(value)


def _whole(value: FactValue | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _words(value: FactValue | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _zone_minutes(zone: str, at: datetime) -> int:
    return _offset(zone, at.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=1024)
def _offset(zone: str, at: datetime) -> int:
    """Minutes to add to UTC; they change on the hour."""
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)
