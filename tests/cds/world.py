"""Everything a conformance test looks at: the answers to many kinds of requests, collected once."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from negative_list.readers.fhir.hooks import HOOKS
from tests.cds.asking import ask, cards_of, finding_of, send, sign
from tests.cds.bodies import MEN, SELECT, SIGN, WOMEN, carried, hook_body, order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reminder.sidecar import Running

__all__ = ["World", "walk"]

PREFLIGHT = {
    "Origin": "https://ehr.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


class World:
    """Requests and answers of one sidecar."""

    def __init__(self, here: Running) -> None:
        self.here = here
        self.discovery = send(here, "GET", "/cds-services")
        self.requests = dict(_requests())
        self.answers = {name: sign(here, body) for name, body in self.requests.items()}
        self.selected = ask(here, hook_body(hook=HOOKS[0]), SELECT)
        self.unreadable = ask(here, b"{")
        self.lost = ask(
            here, hook_body(order(medicationCodeableConcept=None, medicationReference={"reference": "M/1"}))
        )
        self.preflight = send(here, "OPTIONS", SIGN, None, PREFLIGHT)
        self.fed_back = send(here, "POST", f"{SIGN}/feedback", self.feedback())

    @property
    def services(self) -> list[dict[str, Any]]:
        """The services that were discovered."""
        services: list[dict[str, Any]] = self.discovery["services"]
        return services

    @property
    def cards(self) -> list[dict[str, Any]]:
        """Every card of every answer."""
        return [card for answer in (*self.answers.values(), self.selected) for card in cards_of(answer)]

    @property
    def suggestions(self) -> list[dict[str, Any]]:
        """Every suggestion of every card."""
        return [each for card in self.cards for each in card.get("suggestions", ())]

    @property
    def actions(self) -> list[dict[str, Any]]:
        """Every action of every suggestion."""
        return [action for each in self.suggestions for action in each.get("actions", ())]

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The source of every card."""
        return [card["source"] for card in self.cards]

    @property
    def topics(self) -> list[dict[str, Any]]:
        """The topic of every card."""
        return [source["topic"] for source in self.sources]

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Every override reason of every card."""
        return [reason for card in self.cards for reason in card.get("overrideReasons", ())]

    @property
    def suggesting(self) -> list[dict[str, Any]]:
        """Cards with suggestions."""
        return [card for card in self.cards if "suggestions" in card]

    @property
    def templates(self) -> list[str]:
        """Every prefetch template."""
        return [text for each in self.services for text in each["prefetch"].values()]

    @property
    def tokens(self) -> list[str]:
        """Every token of a prefetch template."""
        return [token for text in self.templates for token in re.findall(r"\{\{(.*?)\}\}", text)]

    @property
    def codings(self) -> list[dict[str, Any]]:
        """Every Coding of our own in a card."""
        return self.topics + self.reasons

    def card(self, action: str) -> dict[str, Any]:
        """A card of an action."""
        return next(card for card in self.cards if finding_of(card)["action"] == action)

    def feedback(self) -> dict[str, Any]:
        """Feedback as a conforming client writes it, of each kind."""
        block, warning = self.card("block"), self.card("warn")
        at = {"outcomeTimestamp": "2026-01-01T01:00:00Z"}
        accepted = [{"id": warning["suggestions"][0]["uuid"]}]
        reason = {"code": "emergency", "system": block["overrideReasons"][0]["system"]}
        told = [
            {"card": warning["uuid"], "outcome": "accepted", "acceptedSuggestions": accepted},
            {"card": block["uuid"], "outcome": "overridden", "overrideReason": {"reason": reason}},
            {"card": block["uuid"], "outcome": "overridden", "overrideReason": {"userComment": "患者转运途中"}},
        ]
        return {"feedback": [each | at for each in told]}

    def calls_to_a_fhir_server(self) -> int:
        """How often a FHIR server that is offered, with a token, is called."""
        heard: list[object] = []
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            server.settimeout(0.2)
            thread = threading.Thread(target=_listen, args=(server, heard))
            thread.start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            token = {
                "access_token": "t",
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "user/*.rs",
                "subject": "x",
            }
            sign(self.here, hook_body(fhirServer=url, fhirAuthorization=token, prefetch={}))
            thread.join()
        return len(heard)


def _listen(server: socket.socket, heard: list[object]) -> None:
    """Take calls until there was none for a while."""
    try:
        while True:
            heard.append(server.accept())
    except TimeoutError:
        return


def _requests() -> Iterator[tuple[str, dict[str, Any]]]:
    """One request for each kind of answer; nobody in them is real."""
    nine = {"dispenseRequest": {"quantity": {"value": 9, "unit": "盒"}}, "extension": carried(unit_price_fen=1000)}
    women = {"medicationCodeableConcept": {"coding": [{"code": WOMEN, "display": "雷洛昔芬片*[x](y)<b>"}]}} | nine
    long = {"medicationCodeableConcept": {"coding": [{"code": MEN, "display": "𠮷阿帕他胺片" * 60}]}}
    yield "a block", hook_body()
    yield "a warning", hook_body(order("W1", **women))
    yield "both", hook_body(order("B1"), order("B2", **women))
    yield (
        "a reminder",
        hook_body(order("L1", medicationCodeableConcept=women["medicationCodeableConcept"]), **_level(1)),
    )
    yield "nothing", hook_body(sex="男")
    yield "no orders", hook_body(context={"draftOrders": {"resourceType": "Bundle"}})
    yield "little known", hook_body(prefetch={})
    yield "a long name", hook_body(order("N1", **long))
    yield "an order without id", hook_body(order("", **women))


def _level(level: int) -> dict[str, Any]:
    body = hook_body()
    body["prefetch"]["encounter"]["extension"][0]["valueInteger"] = level
    return {"prefetch": body["prefetch"]}


def walk(value: object) -> Iterator[object]:
    """Every value in some JSON, itself first."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from walk(each)
