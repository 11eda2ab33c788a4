"""What both clients do alike: calls made whole, answers understood. Nothing here waits for anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.prescription import Note
from reminder.client.messages import CHECK, FEEDBACK, SAVED, feedback_message, now_of, saved_message
from reminder.client.refusals import Failure
from reminder.client.results import Checked, Heard, Told
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import decision_of
from reminder.wire_json import body_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.message import Message

    from reminder.client.messages import Body
    from reminder.client.results import State

__all__ = [
    "HEALTH",
    "NOT_LOOKED",
    "SERVING",
    "TOO_LATE",
    "Call",
    "Tried",
    "answer_of",
    "checked_of",
    "feedback_call",
    "not_checked",
    "ours",
    "saved_call",
    "spooled",
    "told_of",
    "tried",
    "untold",
]

HEALTH, SERVING = "/grpc.health.v1.Health/Check", b"\x08\x01"
"""The method of health, asked for everything (an empty message), and its answer SERVING (field 1, number 1)."""

NOT_LOOKED = Failure(why="resting", text="the sidecar did not answer lately, and was not asked")
"""Nobody was asked."""

TOO_LATE = Failure(why="deadline", text="the deadline had passed before anything was sent")
"""Making the message took all the time there was."""

_ANSWERS: Mapping[str, Any] = {
    CHECK: pb.CheckResponse,
    SAVED: pb.RecordSavedResponse,
    FEEDBACK: pb.RecordFeedbackResponse,
}


class Call(Struct, frozen=True, kw_only=True):
    """Something to be told: its method and the bytes of its request."""

    method: str
    request: bytes


class Tried(Struct, frozen=True, kw_only=True):
    """What came of telling something at once: ``told`` where it was answered; ``over``: nothing is left to be done."""

    failure: Failure
    told: Told | None = None
    over: Told | None = None


def answer_of(method: str) -> Callable[[bytes], Message]:
    """What reads the answer of a method."""
    read: Callable[[bytes], Message] = _ANSWERS[method].FromString
    return read


def checked_of(response: pb.CheckResponse, elapsed_ms: float) -> Checked:
    """The result of a check that was answered."""
    decided = decision_of(response)
    return Checked(decision=decided.decision, decided=decided, elapsed_ms=elapsed_ms)


def not_checked(failure: Failure, elapsed_ms: float) -> Checked:
    """The result of one that was not."""
    return Checked(
        decision="not_checked", why=failure.why, text=failure.text, problems=failure.fields, elapsed_ms=elapsed_ms
    )


def ours(error: Exception) -> Failure:
    """A failure before anything was sent, or in what came back: the body's, or this program's."""
    if isinstance(error, RequestError):
        return Failure(why="refused", text=str(error), fields=tuple(error.fields), final=True)
    return Failure(why="failed", text=f"{type(error).__name__} in the client", final=True)


def saved_call(body: Body, prescription_id: str, revision: int, saved_at: str, zone: str) -> Call:
    """A saved prescription to be told; without a time it was saved now, whenever it is delivered."""
    told = saved_message(body, prescription_id, revision, saved_at or _now(zone))
    return Call(method=SAVED, request=told.SerializeToString())


def feedback_call(items: Iterable[Mapping[str, Any]], zone: str, **told: str) -> Call:
    """Words about findings to be told; ``told``: request_id, institution_id, doctor_id."""
    return Call(method=FEEDBACK, request=feedback_message(items, _now(zone), **told).SerializeToString())


def told_of(answer: Message) -> Told:
    """What became of something told, by its answer. Not yet on the sidecar's disk is not yet kept."""
    if isinstance(answer, pb.RecordSavedResponse):
        notes = tuple(Note(code=n.code, message=n.message, line=n.line, field=n.field) for n in answer.notes)
        return Told(state="kept", notes=notes)
    body = body_of(answer)
    items = tuple(Heard(**{name: item[name] for name in Heard.__struct_fields__}) for item in body["items"])
    return Told(state="kept" if body["journaled"] else "waiting", items=items)


def tried(answer: Message | Failure | None) -> Tried:
    """What came of telling it at once; ``None``: nobody was asked."""
    if answer is None or isinstance(answer, Failure):
        failure = answer or NOT_LOOKED
        return Tried(failure=failure, over=untold(failure) if failure.final else None)
    told = told_of(answer)
    return Tried(failure=NOT_LOOKED, told=told, over=told if told.state == "kept" else None)


def spooled(failure: Failure, told: Told | None, error: BaseException | None, *, written: bool) -> Told:
    """What became of something that waits: written down, not yet, or lost with an error of the spool."""
    if error is not None:
        return Told(state="lost", why=failure.why, text=str(error))
    text = failure.text if written else f"{failure.text} (not written down yet)"
    return told or Told(state="waiting", why=failure.why, text=text)


def untold(failure: Failure) -> Told:
    """What became of something that will never be kept: its fields say why, or this program is at fault."""
    state: State = "refused" if failure.why == "refused" else "lost"
    return Told(state=state, why=failure.why, text=failure.text, problems=failure.fields)


def _now(zone: str) -> str:
    return now_of(zone, lambda: datetime.now(UTC))
