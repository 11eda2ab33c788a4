"""The twelve published invariants of CDS Hooks, evaluated as FHIRPath over what we send and take.

Source: HL7/cds-hooks, input/fsh/invariants (names and meanings). Those of responses have to hold of ours; those of
requests and feedback bind clients: they hold of a conforming client's, which we take, and we say what we do of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fhirpathpy import evaluate

from tests.cds.asking import send, sign
from tests.cds.bodies import SIGN, hook_body
from tests.cds.world import World
from tests.reminder.sidecar import running

if TYPE_CHECKING:
    from collections.abc import Iterator

RESPONSE = {
    "cds-resp-1": (
        "cards",
        "selectionBehavior = 'at-most-one' implies suggestions.where(isRecommended = true).count() <= 1",
    ),
    "cds-resp-2": ("actions", "type = 'delete' implies (resourceId.exists() and resource.empty())"),
    "cds-resp-3": ("cards", "links.all(type = 'smart' or appContext.empty())"),
    "cds-resp-4": ("cards", "overrideReasons.all(display.exists())"),
    "cds-resp-5": ("suggestions", "actions.all(description.exists())"),
    "cds-resp-6": ("cards", "suggestions.exists() implies selectionBehavior.exists()"),
    "cds-resp-7": (
        "suggestions",
        "actionSelectionBehavior.empty() or actionSelectionBehavior in ('all' | 'any' | 'at-most-one')",
    ),
}
"""What each is about, and what has to be true of it. ``= true``: the judge takes a flag that is down for one that is
up where it stands alone."""

REQUEST = {
    "cds-r-1": "fhirAuthorization.exists() implies fhirServer.exists()",
    "cds-r-2": "fhirAuthorization.scope.contains('patient/') implies fhirAuthorization.patient.exists()",
}
FEEDBACK = {
    "cds-fb-1": "outcome = 'accepted' or outcome = 'overridden'",
    "cds-fb-2": "outcome = 'accepted' implies acceptedSuggestions.exists()",
    "cds-fb-3": "overrideReason.all(reason.exists() or userComment.exists())",
}
BREAKS: dict[str, tuple[dict[str, Any], str]] = {
    "cds-fb-1": ({"outcome": "ignored"}, "refused"),
    "cds-fb-2": ({"outcome": "accepted"}, "kept"),
    "cds-fb-3": ({"outcome": "overridden", "overrideReason": {}}, "kept"),
}
"""Feedback that breaks each, and what becomes of it: what can be understood is kept."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """What a sidecar answers."""
    with running(tmp_path_factory.mktemp("sidecar")) as here:
        yield World(here)


def holds(expression: str, value: dict[str, Any]) -> bool:
    """Whether an invariant holds; ``implies`` of an empty collection is true."""
    return evaluate(value, expression) in ([True], [])


@pytest.mark.parametrize("name", RESPONSE)
def test_an_invariant_of_responses_holds_of_every_answer(world: World, name: str) -> None:
    """Over every card, suggestion and action there is."""
    about, expression = RESPONSE[name]
    values: list[dict[str, Any]] = getattr(world, about)
    assert len(values) >= 5
    assert [each for each in values if not holds(expression, each)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cds-resp-1", {"selectionBehavior": "at-most-one", "suggestions": [{"isRecommended": True}] * 2}),
        ("cds-resp-2", {"type": "delete", "resource": "MedicationRequest/1"}),
        ("cds-resp-3", {"links": [{"type": "absolute", "appContext": "x"}]}),
        ("cds-resp-4", {"overrideReasons": [{"code": "x"}]}),
        ("cds-resp-5", {"actions": [{"type": "delete"}]}),
        ("cds-resp-6", {"suggestions": [{"label": "x"}]}),
        ("cds-resp-7", {"actionSelectionBehavior": "some"}),
    ],
)
def test_the_judge_sees_what_breaks_an_invariant(name: str, value: dict[str, Any]) -> None:
    """Else it would hold of everything."""
    assert not holds(RESPONSE[name][1], value)


@pytest.mark.parametrize("name", REQUEST)
def test_an_invariant_of_requests_is_the_clients_to_keep(world: World, name: str) -> None:
    """A conforming request keeps it. One that does not is answered all the same: we never call the FHIR server."""
    assert [each for each in world.requests.values() if not holds(REQUEST[name], each)] == []
    token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3, "scope": "patient/*.rs", "subject": "x"}
    broken = hook_body(fhirAuthorization=token)
    if name == "cds-r-1":
        del broken["fhirServer"]
    assert not holds(REQUEST[name], broken)
    assert len(sign(world.here, broken)["cards"]) == 1


@pytest.mark.parametrize("name", FEEDBACK)
def test_an_invariant_of_feedback_is_the_clients_to_keep(world: World, name: str) -> None:
    """Conforming feedback keeps it and is kept; of what breaks it we keep what can be understood, and say so."""
    told = world.feedback()["feedback"]
    assert [each for each in told if not holds(FEEDBACK[name], each)] == []
    broken, becomes = BREAKS[name]
    item = {"card": world.card("warn")["uuid"], "outcomeTimestamp": "2026-01-01T01:00:00Z"} | broken
    assert not holds(FEEDBACK[name], item)
    answer = send(world.here, "POST", f"{SIGN}/feedback", {"feedback": [item]})
    if becomes == "refused":
        assert (answer.status, answer["issue"][0]["expression"]) == (400, ["feedback[0].outcome"])
    else:
        (kept,) = answer["extension"]["reminder.v1.feedback"]["items"]
        assert (answer.status, kept["status"] in {"kept", "repeated"}) == (200, True)


def test_there_are_twelve() -> None:
    """As many as were published."""
    assert len(RESPONSE) + len(REQUEST) + len(FEEDBACK) == 12
