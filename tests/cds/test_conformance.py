"""The mandatory rows for a service in the conformance kit's list of CDS Hooks 2.0, one test each.

Source: the requirement list of the Inferno kit for CRD, set ``cds-hooks_2.0``: 69 SHALL and 4 SHALL NOT rows that touch
the service; numbers are the list's, sentences are ours. Where a row binds only whoever sends something we never send
(links, created resources), it is held that we do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.cds.asking import cards_of, send
from tests.cds.bodies import SIGN, hook_body
from tests.cds.keys import Keys, issuers
from tests.cds.world import World, walk
from tests.reminder.sidecar import running

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = Callable[[World], object]
"""What has to be true."""

PREFETCH_TOKENS = {"context.patientId", "context.encounterId", "context.userId"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """What a sidecar answers."""
    with running(tmp_path_factory.mktemp("sidecar")) as here:
        yield World(here)


def of_all(values: list[dict[str, Any]], key: str, kind: type, least: int = 1) -> bool:
    """Whether a field is there in all, of a type and not empty; at least so many are looked at."""
    return len(values) >= least and all(isinstance(each.get(key), kind) and each[key] != kind() for each in values)


def where_given(values: list[dict[str, Any]], key: str, kind: type) -> bool:
    """Whether a field is of a type wherever it stands; it stands somewhere."""
    given = [each[key] for each in values if key in each]
    return bool(given) and all(isinstance(each, kind) for each in given)


def empties(world: World) -> list[object]:
    """What is null or empty, besides an empty list of cards."""
    told = [dict(answer) for answer in (world.discovery, *world.answers.values(), world.fed_back, world.unreadable)]
    rest = [each | {"cards": [1]} if each.get("cards") == [] else each for each in told]
    return [value for each in rest for value in walk(each) if value in (None, "", [], {})]


def parses(world: World) -> bool:
    """Whether every resource in an action is FHIR to a strict parser."""
    held = [action["resource"] for action in world.actions if "resource" in action]
    return bool(held) and all(get_fhir_model_class(each["resourceType"]).model_validate(each) for each in held)


def width(text: str) -> int:
    """Characters as a browser counts them."""
    return len(text.encode("utf-16-le")) // 2


def unique(values: list[dict[str, Any]]) -> bool:
    """Whether every uuid is one, and no two are the same."""
    return len({str(UUID(each["uuid"])) for each in values}) == len(values) > 4


def deletes(world: World) -> list[dict[str, Any]]:
    """Actions that delete."""
    return [action for action in world.actions if action["type"] == "delete"]


def is_markdown(text: str) -> bool:
    """Whether a name from outside stays a name: the world's holds every mark there is."""
    return r"雷洛昔芬片\*\[x\]\(y\)\<b\>" in text and "<b>" not in text


def whole(world: World) -> bool:
    """Whether an updated order has every element the draft had."""
    draft = world.requests["a warning"]["context"]["draftOrders"]["entry"][0]["resource"]
    (card,) = cards_of(world.answers["a warning"])
    updates = [each["resource"] for one in card["suggestions"] for each in one["actions"]]
    return len(updates) == 2 and all(draft.keys() <= each.keys() for each in updates)


NO_LINKS: Row = lambda w: w.cards and all("links" not in card for card in w.cards)  # noqa: E731 - one of many rows
NO_URLS: Row = lambda w: not re.search("https?://", json.dumps([w.discovery, *w.cards]).replace(UCUM, ""))  # noqa: E731
UCUM = "http://unitsofmeasure.org"

ROWS: dict[int, tuple[str, Row]] = {
    1: ("everything is JSON", lambda w: "json" in w.discovery.headers["content-type"] and w.answers["a block"].status),
    2: ("nothing says how the client has to reach us but over its own HTTPS", NO_URLS),
    3: ("nothing is null or empty but a list of cards", lambda w: empties(w) == []),
    4: ("discovery is at {base}/cds-services", lambda w: w.discovery.status == 200),
    5: ("discovery is always there", lambda w: send(w.here, "GET", "/cds-services") == w.discovery),
    6: ("discovery is an object with a list of services", lambda w: isinstance(w.discovery["services"], list)),
    7: ("a service has its hook", lambda w: {each["hook"] for each in w.services} == {"order-select", "order-sign"}),
    9: ("a service has a description", lambda w: of_all(w.services, "description", str, 2)),
    10: ("a service has an id", lambda w: of_all(w.services, "id", str, 2)),
    13: ("discovery succeeds with 200", lambda w: w.discovery.status == 200),
    16: ("a service is at its id", lambda w: all(_hooked(w, each) == 200 for each in w.services)),
    29: ("prefetch templates are registered in discovery", lambda w: of_all(w.services, "prefetch", dict, 2)),
    36: ("each template has a key", lambda w: all(key.isidentifier() for s in w.services for key in s["prefetch"])),
    54: ("what is needed and was not delivered is 412", lambda w: w.lost.status == 412),
    55: ("tokens are in double braces", lambda w: len(w.tokens) == len(w.templates) == 18),
    56: ("tokens are paths of the context", lambda w: set(w.tokens) <= PREFETCH_TOKENS),
    57: ("tokens are of the context's first level", lambda w: all(each.count(".") == 1 for each in w.tokens)),
    59: ("a token names the context first", lambda w: all(each.startswith("context.") for each in w.tokens)),
    61: ("no FHIR server is ever called without its token: none is called", lambda w: w.calls_to_a_fhir_server() == 0),
    74: (
        "success is 200 with a list of cards",
        lambda w: all(isinstance(a["cards"], list) for a in w.answers.values()),
    ),
    75: (
        "system actions come only where they are agreed on",
        lambda w: all("systemActions" not in a for a in w.answers.values()),
    ),
    80: ("a card's uuid is unique, and one", lambda w: unique(w.cards)),
    83: ("a summary has fewer than 140 characters", lambda w: all(0 < width(c["summary"]) < 140 for c in w.cards)),
    85: ("a detail is Markdown in which names stay names", lambda w: any(is_markdown(c["detail"]) for c in w.cards)),
    87: ("a card has an indicator", lambda w: of_all(w.cards, "indicator", str, 5)),
    88: (
        "an indicator is one of three",
        lambda w: {c["indicator"] for c in w.cards} == {"info", "warning", "critical"},
    ),
    89: (
        "an indicator can be sorted by: the strongest first",
        lambda w: cards_of(w.answers["both"])[0]["indicator"] == "critical",
    ),
    90: ("a card has a source", lambda w: of_all(w.cards, "source", dict, 5)),
    92: ("suggestions are a list of objects", lambda w: where_given(w.cards, "suggestions", list)),
    93: ("with suggestions there is a selection behaviour", lambda w: of_all(w.suggesting, "selectionBehavior", str)),
    95: (
        "a selection behaviour is one of two",
        lambda w: {each["selectionBehavior"] for each in w.suggesting} == {"at-most-one"},
    ),
    96: ("a selection behaviour is a text", lambda w: where_given(w.cards, "selectionBehavior", str)),
    98: ("override reasons are a list of codings", lambda w: where_given(w.cards, "overrideReasons", list)),
    100: ("every override reason has a display", lambda w: all(each["display"] for each in w.reasons)),
    103: ("links, if any, are a list: there are none", NO_LINKS),
    105: ("a source has a label", lambda w: of_all(w.sources, "label", str, 5)),
    107: ("a source's url is absolute", lambda w: all("url" not in each for each in w.sources)),
    111: ("a source's icon is absolute", lambda w: all("icon" not in each for each in w.sources)),
    115: ("a source's topic is a coding", lambda w: of_all(w.sources, "topic", dict, 5)),
    117: ("a suggestion has a label", lambda w: of_all(w.suggestions, "label", str, 5)),
    119: ("a suggestion's uuid is a text, and one", lambda w: unique(w.suggestions)),
    121: ("a recommendation is a flag", lambda w: where_given(w.suggestions, "isRecommended", bool)),
    124: ("actions are a list", lambda w: where_given(w.suggestions, "actions", list)),
    125: (
        "all actions of a suggestion belong together",
        lambda w: all("actionSelectionBehavior" not in s for s in w.suggestions),
    ),
    127: ("an action has one of three types", lambda w: {a["type"] for a in w.actions} == {"update", "delete"}),
    128: ("an action has a description", lambda w: of_all(w.actions, "description", str, 5)),
    130: ("a resource is FHIR", parses),
    131: ("what is created is a resource: nothing is created", lambda w: all(a["type"] != "create" for a in w.actions)),
    132: ("an update holds the whole resource", whole),
    133: ("a delete has no resource", lambda w: deletes(w) and all("resource" not in a for a in deletes(w))),
    134: ("a delete has a reference", lambda w: deletes(w) and all("resourceId" in a for a in deletes(w))),
    135: ("a reference is a text", lambda w: of_all(deletes(w), "resourceId", str)),
    136: ("people can read an override reason", lambda w: of_all(w.reasons, "display", str, 10)),
    138: ("a link has a label: there is no link", NO_LINKS),
    139: ("a link has a url: there is no link", NO_LINKS),
    141: ("a link has a type: there is no link", NO_LINKS),
    142: ("a link is absolute or smart: there is no link", NO_LINKS),
    144: ("a link's context is a text: there is no link", NO_LINKS),
    147: ("an absolute link has no context: there is no link", NO_LINKS),
    168: ("nothing leads away from HTTPS", NO_URLS),
    208: ("a browser may call", lambda w: w.preflight.headers["access-control-allow-origin"] == "*"),
    211: (
        "services that replace each other's cards share an id: ours do not",
        lambda w: len({s["id"] for s in w.services}) == 2,
    ),
    213: ("what a client has to agree on is told", lambda w: of_all(w.services, "usageRequirements", str, 2)),
    214: ("an extension is an object", lambda w: where_given([*w.cards, *w.answers.values()], "extension", dict)),
    216: ("a coding has a code", lambda w: of_all(w.codings, "code", str, 10)),
    217: ("a coding has a system", lambda w: of_all(w.codings, "system", str, 10)),
    218: ("a coding's code is a text", lambda w: where_given(w.codings, "code", str)),
    219: ("an override reason's display is a text", lambda w: where_given(w.reasons, "display", str)),
    220: ("a topic's display is a text", lambda w: where_given(w.topics, "display", str)),
}
"""Rows about what is answered; those about tokens are tests of their own below."""

TOKENS = {176, 199, 201, 203}


def _hooked(world: World, service: dict[str, Any]) -> int:
    return send(world.here, "POST", f"/cds-services/{service['id']}", hook_body(hook=service["hook"])).status


@pytest.mark.parametrize("row", ROWS, ids=[f"cds-hooks_2.0@{row} {told}" for row, (told, _) in ROWS.items()])
def test_a_mandatory_row_holds(world: World, row: int) -> None:
    """As its id says."""
    assert ROWS[row][1](world)


def test_every_mandatory_row_for_a_service_has_its_test() -> None:
    """69 SHALL and 4 SHALL NOT."""
    assert len(ROWS.keys() | TOKENS) == 73
    assert not ROWS.keys() & TOKENS


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Keys]]:
    """A sidecar that asks for tokens."""
    folder = tmp_path_factory.mktemp("trusting")
    keys = Keys()
    with running(folder, cds=issuers(folder, keys)) as here:
        yield _Only(here), keys


class _Only(World):
    """A sidecar without anything collected."""

    def __init__(self, here: Any) -> None:
        self.here = here


@pytest.mark.parametrize(
    ("row", "algorithm", "status"),
    [(176, "", 401), (199, "ES384", 200), (201, "none", 401), (203, "HS256", 401)],
    ids=[
        "cds-hooks_2.0@176 a client is known by a signed token",
        "cds-hooks_2.0@199 keys are exchanged out of band where a token does not say where they are",
        "cds-hooks_2.0@201 an unsigned token is none",
        "cds-hooks_2.0@203 a shared secret is no signature",
    ],
)
def test_a_mandatory_row_about_tokens_holds(
    trusting: tuple[World, Keys], row: int, algorithm: str, status: int
) -> None:
    """As its id says."""
    world, keys = trusting
    header = {"Authorization": f"Bearer {keys.token(SIGN, algorithm)}"} if algorithm else {}
    assert send(world.here, "POST", SIGN, hook_body(), header).status == status
    assert row in TOKENS
