"""What tests of CDS Hooks ask a sidecar with."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.cds.bodies import SIGN
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

    from tests.reminder.sidecar import Running

__all__ = ["Answer", "ask", "cards_of", "finding_of", "send", "sign"]


class Answer(dict[str, Any]):
    """The JSON of an answer, with its status and headers."""

    status: int
    headers: Message


def send(
    here: Running, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """One request to the callers' address; ``body`` bytes, or what becomes JSON."""
    data = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
    told = {"Content-Type": "application/json"} | dict(headers or {})
    request = urllib.request.Request(f"http://{here.at('http')}{path}", data=data, headers=told, method=method)
    try:
        with urllib.request.urlopen(request, timeout=LONG_S) as response:  # noqa: S310 - our own http address
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Message, raw: bytes) -> Answer:
    told = Answer(json.loads(raw) if raw.startswith(b"{") else {"text": raw.decode()})
    told.status, told.headers = status, headers
    return told


def ask(here: Running, body: object, path: str = SIGN, **headers: str) -> Answer:
    """One hook call."""
    return send(here, "POST", path, body, headers)


def sign(here: Running, body: object) -> Answer:
    """One order-sign that is answered."""
    answer = ask(here, body)
    assert answer.status == 200, answer
    return answer


def cards_of(answer: Answer) -> list[dict[str, Any]]:
    """The cards of an answer."""
    cards: list[dict[str, Any]] = answer["cards"]
    return cards


def finding_of(card: dict[str, Any]) -> dict[str, Any]:
    """Our finding in a card."""
    finding: dict[str, Any] = card["extension"]["reminder.v1.finding"]
    return finding
