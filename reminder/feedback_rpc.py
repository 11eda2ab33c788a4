"""RecordFeedback over the wire: messages and JSON become words, what became of them becomes messages and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reminder import wire
from reminder.bodies import NOT_KEPT
from reminder.feedback.items import read_words
from reminder.feedback.words import NoJournalError
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from reminder.feedback.items import Words
    from reminder.feedback.words import Answer, Recorded
    from reminder.stores.base import StoreError

__all__ = ["DONES", "STATUSES", "VERDICTS", "json_of", "response_of", "why_not_kept", "words_in", "words_of"]

DONES = {
    pb.DONE_UNSPECIFIED: "",
    pb.DONE_CHANGED: "changed",
    pb.DONE_WITHDRAWN: "withdrawn",
    pb.DONE_SELF_PAID: "self_paid",
    pb.DONE_OVERRIDDEN: "overridden",
    pb.DONE_EXITED: "exited",
    pb.DONE_WRONG_RULE: "wrong_rule",
}
STATUSES = {
    "kept": pb.FEEDBACK_STATUS_KEPT,
    "repeated": pb.FEEDBACK_STATUS_REPEATED,
    "unknown_finding": pb.FEEDBACK_STATUS_UNKNOWN_FINDING,
    "refused": pb.FEEDBACK_STATUS_REFUSED,
}
VERDICTS = {
    "": pb.VERDICT_UNSPECIFIED,
    "present": pb.VERDICT_PRESENT,
    "absent": pb.VERDICT_ABSENT,
    "unknown": pb.VERDICT_UNKNOWN,
}
"""The words of closed fields and their numbers in the matching enums."""

_NOT_TOLD = {"verdict": "", "found": None, "message": "", "found_at": "", "exit_until": ""}


def words_in(data: bytes, zone: Callable[[str], tzinfo]) -> Words:
    """The words of a message; raises ``RequestError`` naming every field that cannot be used."""
    return read_words(_body(wire.message_in(data, pb.RecordFeedbackRequest)), zone, "grpc")


def words_of(body: dict[str, Any], zone: Callable[[str], tzinfo]) -> Words:
    """The words of a JSON body, with the field names of the message; raises as above."""
    return read_words(body, zone, "json")


def _body(request: pb.RecordFeedbackRequest) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "institution_id": request.institution_id,
        "doctor_id": request.doctor_id,
        "items": [_item(item) for item in request.items],
    }


def _item(item: pb.FindingFeedback) -> dict[str, Any]:
    body: dict[str, Any] = {
        "finding_id": item.finding_id,
        "done": DONES.get(item.done, str(item.done)),
        "reason_code": item.reason_code,
        "reason_text": item.reason_text,
        "fact": item.fact,
        "done_at": item.done_at,
        "automatic": item.automatic,
        "refusable": item.refusable,
    }
    if item.HasField("answer_ms"):
        body["answer_ms"] = item.answer_ms
    if item.HasField("value"):
        body["value"] = {"value": wire.value_in(item.value), "at": item.value.found_at}
    return body


def why_not_kept(error: StoreError) -> str:
    """What a caller is told where what it told is not kept: to send it again, where that can help."""
    return str(error) if isinstance(error, NoJournalError) else NOT_KEPT


def response_of(recorded: Recorded) -> pb.RecordFeedbackResponse:
    """The message of what became of a request."""
    return pb.RecordFeedbackResponse(items=[_outcome(one) for one in recorded.items], journaled=recorded.journaled)


def _outcome(answer: Answer) -> pb.FeedbackOutcome:
    return pb.FeedbackOutcome(
        finding_id=answer.finding_id,
        status=STATUSES[answer.status],
        message=answer.message,
        verdict=VERDICTS[answer.verdict],
        found=None if answer.found is None else _seen(answer),
        exit_until=answer.exit_until,
    )


def _seen(answer: Answer) -> pb.FactSeen | None:
    seen = answer.found
    if seen is None or seen.value is None:
        return None
    value = wire.value_out(seen.value)
    value.found_at = answer.found_at
    return pb.FactSeen(fact=seen.fact, subject=seen.subject, value=value, unit=seen.unit, source=seen.source)


def json_of(recorded: Recorded) -> bytes:
    """The JSON of what became of a request: the names of the message's fields, words in place of its enums."""
    items = [_NOT_TOLD | msgspec.to_builtins(one, enc_hook=str) for one in recorded.items]
    return msgspec.json.encode({"items": items, "journaled": recorded.journaled}, enc_hook=str)
