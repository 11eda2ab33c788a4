"""From what was told to an entry: what was left by the exit, what was told before, and what the caller should know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.decision import FactSeen
from negative_list.items import item_of, order_date_of
from reminder.exits import EXIT_PERIOD
from reminder.journal.entries import Exit, Feedback, Verdict
from reminder.junk import WHYS, Junk
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.feedback.known import Subject

__all__ = [
    "ENDED",
    "NOT_LOOKED_UP",
    "NOT_TOLD_HERE",
    "NO_BLOCK",
    "NO_ENCOUNTER",
    "NO_TEXT_KEPT",
    "VALUE_NOT_KEPT",
    "VALUE_OF_NO_FACT",
    "Answer",
    "NoJournalError",
    "Recorded",
    "Status",
    "left_by",
    "no_value",
    "said_of_junk",
    "told_before",
    "unknown_finding",
]

_NO_JOURNAL = "未保存：没有开启日志 (this sidecar keeps no journal); 请联系信息科，勿重发 (do not send it again)"

Status: TypeAlias = Literal["kept", "repeated", "unknown_finding", "refused"]
"""How a word was understood, as ``FeedbackStatus`` says it."""

NO_BLOCK = "该提示不是拦截，无需紧急通道，已照原样记录 (no block, so there was nothing to leave; kept as told)"
NO_ENCOUNTER = "请求没有就诊号，之后的审核仍会拦截 (the request named no encounter, so that later checks still block)"
ENDED = "已超过24小时，之后的审核仍会拦截 (over 24 hours ago, so that later checks block again)"
NO_TEXT_KEPT = "不知所指患者，理由文字未保存 (nobody knows whom the text may name, so its words were not kept)"
NOT_TOLD_HERE = "该事实不能由医生在此告知，未保存 (no fact a doctor can tell here; not kept, feed it by PutFacts)"
VALUE_NOT_KEPT = "告知的事实暂时无法保存，请稍后重发 (the value could not be kept; tell it again later)"
VALUE_OF_NO_FACT = "没有说明是哪个事实，告知的值未保存 (of no fact: name it in `fact`; the value was not kept)"
NOT_LOOKED_UP = "暂时无法查到该提示，已先记录 (the finding could not be looked up now; kept)"
"""What a caller is told besides."""


class NoJournalError(StoreError):
    """No journal is kept, by the settings: sending a word again changes nothing."""

    def __init__(self) -> None:
        super().__init__("gone", _NO_JOURNAL)


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one item.

    ``found`` is the fact that was looked for, as it was found, ``found_at`` since when. ``exit_until`` is a civil time,
    "" where no exit was taken.
    """

    finding_id: str
    status: Status
    message: str = ""
    verdict: Verdict = ""
    found: FactSeen | None = None
    found_at: str = ""
    exit_until: str = ""


class Recorded(Struct, frozen=True, kw_only=True):
    """What became of a request: one answer for each item, in order, and whether all of it is on disk."""

    items: tuple[Answer, ...]
    journaled: bool


def unknown_finding(finding_id: str) -> str:
    """What a caller is told of an id nobody knows."""
    return (
        f"没有编号为 `{finding_id}` 的提示，已照原样记录 "
        f"(no answer in the journal has a finding `{finding_id}`; kept as told, compare it with the answer's)"
    )


def no_value(fact: str, why: str) -> str:
    """What a caller is told of a value that is none of the fact its reason names."""
    return f"不是 `{fact}` 的值：{why}，未保存 (no value of it; not kept, mend it and tell it again)"


def said_of_junk(why: Junk) -> str:
    """Why a text was not taken, and what to do."""
    zh, en = WHYS[why]
    return f"理由文字无效：{zh}，请写明原因 (the reason says nothing: {en}; say why in a few words)"


def left_by(subject: Subject, done_at: datetime) -> tuple[Exit, ...]:
    """What leaving a finding by its exit leaves: the rule, for each offending line's item and order date."""
    found, lines = subject.found, subject.decided.prescription.encounter.lines
    if not (found.action == "block" or found.exited):
        return ()
    offending = [line for line in lines if line.id in found.lines]
    named = {(item_of(line), order_date_of(line)) for line in offending} or {("", "")}
    until = done_at + EXIT_PERIOD
    return tuple(
        Exit(rule_id=found.rule_id, item=item, order_date=order_date, until=until) for item, order_date in sorted(named)
    )


def told_before(word: Feedback, earlier: Iterable[Feedback]) -> Feedback | None:
    """The word that this one only repeats: the last one said of the finding, or one of the very same request."""
    words = sorted(earlier, key=lambda one: (one.done_at, one.at))
    for one in reversed(words):
        if _same(one, word) and (one is words[-1] or (word.request_id and one.request_id == word.request_id)):
            return one
    return None


def _same(one: Feedback, other: Feedback) -> bool:
    """Whether two words say the very same: the same person, or the caller's system both times."""
    return _gist(one) == _gist(other)


def _gist(word: Feedback) -> tuple[str, str, str, str, bool]:
    return word.done, word.reason_code, word.reason_text, word.doctor_id, word.automatic
