"""Feedback on cards becomes words about findings, as RecordFeedback takes them (reference b.6).

``accepted`` is what the accepted suggestion does, ``overridden`` is going on in spite of it: of a block, where a reason
is given, by the emergency exit. Nobody tells of ignored cards; the compliance finds those out by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.dictionary import ImpossibleValueError, parse_time
from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.fhir.elements import first, objects, text
from reminder.cds.cards import left_by
from reminder.cds.known import Card
from reminder.feedback.items import MAX_ITEMS, MAX_TEXT, Item, Words
from reminder.reasons import standard

if TYPE_CHECKING:
    from negative_list.readers.fhir.elements import Row
    from reminder.journal.entries import Done

__all__ = ["ACCEPTED", "OTHER", "OVERRIDDEN", "Heard", "Told", "read_feedback", "words_about"]

ACCEPTED, OVERRIDDEN = "accepted", "overridden"
OTHER = "other"
"""The standard reason that is told in words."""

_WRONG_RULE = "wrong_rule"
_LONGEST_ID = 64
_DONE: Mapping[str, Done] = {
    "drop": "withdrawn",
    "quantity": "changed",
    "days": "changed",
    "self_pay": "self_paid",
}


class Told(Struct, frozen=True, kw_only=True):
    """What a client says of one card. ``at`` is UTC, ``None``: it does not say."""

    card: str
    outcome: str
    suggestions: tuple[str, ...] = ()
    reason: str = ""
    comment: str = ""
    at: datetime | None = None


class Heard(Struct, frozen=True, kw_only=True):
    """What could be read of a request, and what could not."""

    told: tuple[Told, ...]
    problems: tuple[FieldProblem, ...]


def read_feedback(body: Row) -> Heard:
    """What a request says. An item that cannot be read costs no other one.

    Raises:
        LimitError: There are too many items.
        RequestError: None of it can be read.
    """
    rows = body.get("feedback")
    if isinstance(rows, list) and len(rows) > MAX_ITEMS:
        message = f"超过 {MAX_ITEMS} 项 (more than {MAX_ITEMS:,} items); 请分次发送 (send them in parts)"
        raise LimitError([FieldProblem(field="feedback", message=message)])
    problems: list[FieldProblem] = []
    placed = rows if isinstance(rows, list) else [rows] if rows else []
    told = [each for n, row in enumerate(placed) if (each := _told(row, f"feedback[{n}]", problems)) is not None]
    if not told:
        raise RequestError(problems or [FieldProblem(field="feedback", message=_NOTHING)])
    return Heard(told=tuple(told), problems=tuple(problems))


def _told(row: object, path: str, problems: list[FieldProblem]) -> Told | None:
    here = row if isinstance(row, dict) else {}
    card, outcome = text(here.get("card")).removeprefix("urn:uuid:").lower(), text(here.get("outcome")).lower()
    wrong = [("card", _NO_CARD)] if not 0 < len(card) <= _LONGEST_ID else []
    wrong += [("outcome", _NO_OUTCOME)] if outcome not in {ACCEPTED, OVERRIDDEN} else []
    if wrong:
        problems += [FieldProblem(field=f"{path}.{name}", message=message) for name, message in wrong]
        return None
    override = first(here.get("overrideReason"))
    reason = first(override.get("reason"))
    return Told(
        card=card,
        outcome=outcome,
        suggestions=tuple(text(each.get("id")).lower() for each in objects(here.get("acceptedSuggestions"))),
        reason=text(reason.get("code"))[:_LONGEST_ID],
        comment=(text(override.get("userComment")) or text(reason.get("display")))[:MAX_TEXT]
        if not text(reason.get("code")) or text(override.get("userComment"))
        else "",
        at=_moment(here.get("outcomeTimestamp"), f"{path}.outcomeTimestamp", problems),
    )


def _moment(raw: object, path: str, problems: list[FieldProblem]) -> datetime | None:
    """A time, UTC where it has no offset (b.6); one that cannot be read is now."""
    try:
        told = parse_time(raw, UTC) if raw is not None else None
    except ImpossibleValueError as error:
        message = f"{error}，按收到时计 (no time, taken as now); 请写成 2026-01-31T01:00:00Z (write it like that)"
        problems.append(FieldProblem(field=path, message=message))
        return None
    return told[0].replace(tzinfo=UTC) if told else None


def words_about(told: tuple[Told, ...], cards: Mapping[str, Card], institution_id: str) -> Words:
    """The words a request comes to; a card nobody knows is kept under the id it was told by."""
    items = tuple(_item(each, cards.get(each.card) or Card(finding_id=each.card)) for each in told)
    return Words(institution_id=institution_id, items=items, face="cds")


def _item(told: Told, card: Card) -> Item:
    code = told.reason or (OTHER if told.comment else "")
    over = told.outcome == OVERRIDDEN
    return Item(
        finding_id=card.finding_id,
        done=_overridden(code, card) if over else _accepted(told, card),
        reason_code=code if over else "",
        reason_text=told.comment if over else "",
        done_at=told.at,
    )


def _accepted(told: Told, card: Card) -> Done:
    kinds = (card.suggestions[each] for each in told.suggestions if each in card.suggestions)
    return _DONE[next(kinds, "quantity")]


def _overridden(code: str, card: Card) -> Done:
    """Going on: by the emergency exit only for a reason; a reason for nothing but another word is that word."""
    if not code:
        return "overridden"
    wanted: Done = left_by(card.action)
    if code == _WRONG_RULE and wanted == "overridden":
        return "wrong_rule"
    usual = standard().get(code)
    return wanted if usual is None or wanted in usual.done else usual.done[0]


_NOTHING = "没有内容 (nothing is told); 请为每张卡片给出一项 (give one item for each card)"
_NO_CARD = "缺少卡片编号 (no id of a card); 请给出卡片的 uuid (give the card's uuid)"
_NO_OUTCOME = "应为 accepted 或 overridden (expected one of them); 请改正 (mend it)"
