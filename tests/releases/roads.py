"""Releases that bar by sex, as a hospital would bring them, and what a test asks ListService."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from negative_list.parse import gathered, parse_yaml
from negative_list.release.signing import public_pem
from reminder.v1 import reminder_pb2 as pb
from tests.release.made import key, release
from tests.reminder.bodies import LIST, encoded, national_body
from tests.reminder.sidecar import ask
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from google.protobuf.message import Message

    from negative_list.rules import RuleList
    from tests.reminder.sidecar import Running

__all__ = ["Lists", "answer", "listed", "logged", "pieces", "rules_with", "some_release", "trusted", "until"]

R = TypeVar("R", bound="Message")

_SERVICE = "/reminder.v1.ListService"
_PIECE = 64 * 1024


def rules_with(title: str = "限男性", rule_id: str = "R67-men", **changed: str) -> RuleList:
    """The list of :mod:`tests.reminder.bodies` with another title, another id of the rule that blocks, other texts."""
    text = LIST.replace("R67-men", rule_id).replace("title: 限男性", f"title: {title}")
    for old, new in changed.items():
        text = text.replace(old, new)
    return gathered([parse_yaml(text.encode(), "list.yaml")]).rules


def some_release(version: str, rules: RuleList | None = None, **given: Any) -> bytes:
    """A release of that list."""
    return release(rules or rules_with(), version, **given)


def trusted(folder: Path) -> Path:
    """The file of the key the releases of tests are signed with."""
    path = folder / "issuer.pub"
    path.write_bytes(public_pem(key().public))
    return path


def pieces(data: bytes, *, size: int | None = None, who: str = "王办", why: str = "") -> Iterator[pb.StageRequest]:
    """An upload; ``size``: what is said that it will be."""
    wanted = len(data) if size is None else size
    yield pb.StageRequest(who=who, why=why, size_bytes=wanted, piece=data[:_PIECE])
    for begin in range(_PIECE, len(data), _PIECE):
        yield pb.StageRequest(piece=data[begin : begin + _PIECE])


class Lists:
    """What the office asks."""

    def __init__(self, target: str) -> None:
        self._target = target

    def stage(self, data: bytes, **told: Any) -> pb.StageResponse:
        """Upload a release."""
        with grpc.insecure_channel(self._target) as channel:
            call = channel.stream_unary(
                f"{_SERVICE}/Stage",
                request_serializer=pb.StageRequest.SerializeToString,
                response_deserializer=pb.StageResponse.FromString,
            )
            response: pb.StageResponse = call(pieces(data, **told), timeout=LONG_S)
            return response

    def activate(self, version: str, **asked: Any) -> pb.Activated:
        """Make a release active."""
        return self._ask("Activate", pb.ActivateRequest(version=version, **asked), pb.ActivateResponse).activated

    def rollback(self) -> pb.Activated:
        """Take the active one back."""
        return self._ask("Rollback", pb.RollbackRequest(who="王办", why="误拦"), pb.RollbackResponse).activated

    def status(self) -> pb.StatusResponse:
        """What is active beside what was seen."""
        return self._ask("Status", pb.StatusRequest(), pb.StatusResponse)

    def refusal(self, method: str, request: Message) -> tuple[grpc.StatusCode, str]:
        """Why a call is refused."""
        try:
            self._ask(method, request, pb.StatusResponse)
        except grpc.RpcError as error:
            return error.code(), error.details() or ""
        raise AssertionError("nothing was refused")

    def _ask(self, method: str, request: Message, response: type[R]) -> R:
        with grpc.insecure_channel(self._target) as channel:
            call: grpc.UnaryUnaryMultiCallable[Message, R] = channel.unary_unary(
                f"{_SERVICE}/{method}",
                request_serializer=lambda sent: sent.SerializeToString(),
                response_deserializer=response.FromString,
            )
            return call(request, timeout=LONG_S)


def listed(here: Running) -> Lists:
    """What the office asks of a sidecar of this process."""
    return Lists(here.at("admin"))


def answer(here: Running) -> tuple[str, str, list[str]]:
    """What a woman is answered who is given a drug for men: release, decision, rules."""
    told = ask(here, pb.CheckRequest(national_body=encoded(national_body())))
    return told.release, pb.Action.Name(told.decision)[7:].lower(), [found.rule_id for found in told.findings]


def logged(here: Running, event: str) -> Iterable[dict[str, Any]]:
    """Lines of the log with an event."""
    return [line for line in here.logged() if line["event"] == event]


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)
