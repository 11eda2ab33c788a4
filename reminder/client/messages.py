"""What a program has in hand becomes the message to send, whole before the first try: a second try sends the same."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.body import parse_body
from reminder import wire, wire_client
from reminder.bodies import inside, is_national
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_json import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHECK", "FEEDBACK", "SAVED", "Body", "check_message", "feedback_message", "now_of", "saved_message"]

_SERVICE = "/reminder.v1.ReminderService/"
CHECK, SAVED, FEEDBACK = (_SERVICE + name for name in ("Check", "RecordSaved", "RecordFeedback"))
"""The methods a caller has."""

Body: TypeAlias = "bytes | str | Mapping[str, Any] | pb.CheckRequest"
"""A prescription: a body of ours or of the national interface as JSON or as plain values, or the message itself."""

_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def check_message(body: Body) -> pb.CheckRequest:
    """The message of a prescription. A national body goes over as it is: one reader reads it however it arrives.

    Raises:
        RequestError: When it is no JSON object, or names fields our own JSON does not have.
    """
    if isinstance(body, pb.CheckRequest):
        return body
    raw = body.encode() if isinstance(body, str) else body
    read = parse_body(raw) if isinstance(raw, bytes | bytearray | memoryview) else dict(raw)
    if is_national(read):
        return pb.CheckRequest(national_body=bytes(raw) if isinstance(raw, bytes) else _ENCODER.encode(read))
    return wire_client.request_of(read)


def saved_message(body: Body, prescription_id: str, revision: int, saved_at: str) -> pb.RecordSavedRequest:
    """The message of a saved prescription. Raises as above, with the fields inside ``prescription``."""
    try:
        prescription = check_message(body)
    except RequestError as error:
        raise type(error)(inside("prescription", error.fields)) from error
    return pb.RecordSavedRequest(
        prescription=prescription, prescription_id=prescription_id, revision=revision, saved_at=saved_at
    )


def feedback_message(
    items: Iterable[Mapping[str, Any]], now: str, *, request_id: str = "", institution_id: str = "", doctor_id: str = ""
) -> pb.RecordFeedbackRequest:
    """The message of what was done about findings, by the fields of ``docs/feedback.md``.

    ``now``: the civil time of items that name none: they may be delivered later. Without ``request_id`` one is made up,
    so that the sidecar knows the same word when it comes again.

    Raises:
        RequestError: For unknown names and values of another kind, all at once.
    """
    request = pb.RecordFeedbackRequest(
        request_id=request_id or str(uuid.uuid4()), institution_id=institution_id, doctor_id=doctor_id
    )
    problems: list[FieldProblem] = []
    for place, item in enumerate(items):
        try:
            request.items.append(_item(dict(item), now))
        except RequestError as error:
            problems += [FieldProblem(field=f"items[{place}].{p.field}", message=p.message) for p in error.fields]
    if problems:
        raise RequestError(problems)
    return request


def _item(item: dict[str, Any], now: str) -> pb.FindingFeedback:
    told = item.pop("value", None)
    message = message_of({"done_at": now} | item, pb.FindingFeedback)
    if isinstance(told, dict):
        message.value.found_at = str(told.get("at") or "")
        told = told.get("value")
    if told is not None:
        message.value.MergeFrom(wire.value_out(told))
    return message


def now_of(zone: str, now: Callable[[], datetime]) -> str:
    """The civil time in a zone (IANA name), as the wire has it."""
    return f"{now().astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
