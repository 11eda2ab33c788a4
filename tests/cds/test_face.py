"""The endpoints of CDS Hooks: what is refused and how, what was not checked, whose settings hold."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.readers.body import MAX_BYTES
from negative_list.readers.fhir.hooks import HOOKS
from reminder.callers import Caller
from reminder.cds.settings import CRD, PROFILES, Cds
from reminder.recording import NOT_TOLD, Came
from reminder.service import Service
from tests.cds.asking import Answer, ask, cards_of, finding_of, send, sign
from tests.cds.bodies import SELECT, SIGN, WOMEN, carried, hook_body, order
from tests.reminder.sidecar import Running, running
from tests.reminder.unchecked import entry_of
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decide import Begun
    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from reminder.deciding import Case

CALLERS = (
    Caller(name="row", on_failure="row"),
    Caller(name="open", on_failure="open"),
    Caller(name="blocks only", lowest_action="block"),
)
NINE = {
    "medicationCodeableConcept": {"coding": [{"code": WOMEN}]},
    "dispenseRequest": {"quantity": {"value": 9}},
    "extension": carried(unit_price_fen=1000),
}


class Broken(Service):
    """A service whose checks fail through our fault."""

    def begin(self, case: Case) -> Begun:
        """Fail as nothing should."""
        raise RuntimeError(f"测试 {case.ident}")


class Slow(Service):
    """A service whose checks take longer than anybody waits."""

    async def check(self, *_told: Any, **_more: Any) -> Decision:
        """Wait for good."""
        await asyncio.sleep(LONG_S)
        raise TimeoutError


class Hurried(Service):
    """A service whose callers wait for a microsecond: every rule is left out."""

    async def check(
        self, prescription: Prescription, size_bytes: int = 0, left_s: float | None = None, came: Came = NOT_TOLD
    ) -> Decision:
        """Decided as ever."""
        del left_s
        return await super().check(prescription, size_bytes, 1e-6, came)


@pytest.mark.parametrize(("on_failure", "status", "cards"), [("error", 504, 0), ("row", 200, 1), ("open", 200, 0)])
def test_rules_left_out_for_want_of_time_are_no_pass(on_failure: Any, status: int, cards: int, tmp_path: Path) -> None:
    """No card at all would read as one: told as its caller is told of what was not checked, and counted."""
    callers = (Caller(name="ehr", on_failure=on_failure),)
    with running(tmp_path, Hurried, callers=callers) as sidecar:
        answer = ask(sidecar, hook_body(), **{"reminder-caller": "ehr"})
        text = sidecar.service.metrics.text().decode()
    assert answer.status == status
    assert len(answer.get("cards", [])) == cards
    if status == 200:
        assert answer["extension"]["reminder.v1.decision"]["not_checked"] is True
        assert answer["extension"]["reminder.v1.decision"]["decision_id"]
    assert f'reminder_unchecked_total{{face="cds",reason="deadline",told="{on_failure}"}} 1.0' in text


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar for the tests that only ask it."""
    with running(tmp_path_factory.mktemp("sidecar"), callers=CALLERS) as sidecar:
        yield sidecar


def outcome(answer: Answer) -> tuple[int, str, list[str]]:
    """Status, code and fields of a refusal, which is an OperationOutcome."""
    assert answer["resourceType"] == "OperationOutcome"
    return (
        answer.status,
        answer["issue"][0]["code"],
        [f for issue in answer["issue"] for f in issue.get("expression", ())],
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "invalid", ["body"])),
        (b"[]", (400, "invalid", ["body"])),
        (b"\xff\xfe{}", (400, "invalid", ["body"])),
        (b'{"hook":"order-sign"}', (400, "invalid", ["context"])),
        (b'{"hook":"order-select","context":{}}', (400, "invalid", ["hook"])),
        (b'{"context":{"draftOrders":null}}', (400, "invalid", ["context.draftOrders"])),
        (b" " * (MAX_BYTES + 1), (413, "too-long", ["body"])),
    ],
    ids=["empty", "list", "bytes", "no context", "another hook", "no orders", "too long"],
)
def test_what_cannot_be_read_is_refused_by_its_name(
    here: Running, body: bytes, expected: tuple[int, str, list[str]]
) -> None:
    """In FHIR's own form."""
    assert outcome(ask(here, body)) == expected


@pytest.mark.parametrize("path", ["/cds-services/nobody", "/cds-services/nobody/feedback"])
def test_a_service_nobody_discovered_is_not_there(here: Running, path: str) -> None:
    """404, whatever is sent."""
    assert outcome(ask(here, hook_body(), path)) == (404, "not-found", ["id"])


def test_what_only_a_reference_names_is_a_precondition(here: Running) -> None:
    """412, with the element that leads nowhere."""
    lost = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/gone"})
    assert outcome(ask(here, hook_body(lost))) == (
        412,
        "incomplete",
        ["context.draftOrders.entry[0].resource.medicationReference"],
    )


def test_a_caller_may_want_a_card_where_nothing_was_checked(here: Running) -> None:
    """It says so, has no id to answer to, and stands in the journal."""
    answer = ask(here, b"{", **{"reminder-caller": "row"})
    (card,) = cards_of(answer)
    told = answer["extension"]["reminder.v1.decision"]
    assert (answer.status, card["indicator"], "uuid" in card) == (200, "warning", False)
    assert card["summary"].startswith("【未检查】")
    assert (told["not_checked"], told["unchecked_id"][:3]) == (True, "nc-")


def test_a_caller_may_want_nothing_in_the_way(here: Running) -> None:
    """No card, but never a silent one: the extension says that nothing was checked."""
    answer = ask(here, b"{", **{"reminder-caller": "open"})
    assert (answer.status, answer["cards"]) == (200, [])
    assert answer["extension"]["reminder.v1.decision"]["not_checked"] is True


def test_our_own_fault_is_told_without_its_text(tmp_path: Path) -> None:
    """500, and the place in our log only."""
    with running(tmp_path, make=Broken) as here:
        answer = ask(here, hook_body())
        assert outcome(answer) == (500, "exception", ["sidecar"])
        assert "测试" not in str(answer)


def test_a_caller_sees_no_card_below_its_lowest_action(here: Running) -> None:
    """The findings are kept back, as on every face."""
    both = hook_body(order("A"), order("B", **NINE))
    assert [finding_of(card)["action"] for card in cards_of(ask(here, both))] == ["block", "warn"]
    again = hook_body(order("A"), order("B", **NINE))
    told = ask(here, again, **{"reminder-caller": "blocks only"})
    assert [finding_of(card)["action"] for card in cards_of(told)] == ["block"]


def test_past_its_deadline_a_call_is_told_that_nothing_was_checked(tmp_path: Path) -> None:
    """By its header; the client hears so while it still listens."""
    with running(tmp_path, make=Slow) as here:
        assert outcome(ask(here, hook_body(), **{"reminder-deadline-ms": "100"})) == (504, "timeout", ["sidecar"])


def test_a_signed_bundle_of_nothing_is_no_error(here: Running) -> None:
    """Nothing was asked."""
    answer = sign(here, hook_body(context={"draftOrders": {"entry": []}}))
    assert answer["cards"] == []
    assert answer["extension"]["reminder.v1.decision"]["decision"] == "pass"


@pytest.mark.parametrize(
    "draft", [{"resourceType": "MedicationRequest", "status": "draft"}, {"resourceType": "MedicationOrder", "id": "O1"}]
)
def test_drafts_that_hold_nothing_to_check_are_told_as_unchecked(here: Running, draft: dict[str, Any]) -> None:
    """Never a silent pass: as the caller wants to hear of it, in the journal under the request's id, and counted."""
    status, code, _ = outcome(ask(here, hook_body(draft)))
    assert (status, code) == (412, "incomplete")
    for name, cards in (("row", 1), ("open", 0)):
        body = hook_body(draft)
        answer = ask(here, body, **{"reminder-caller": name})
        told = answer["extension"]["reminder.v1.decision"]
        assert (answer.status, len(cards_of(answer)), told["not_checked"]) == (200, cards, True)
        assert "decision" not in told
        entry = entry_of(here, told["unchecked_id"])
        assert (entry.face, entry.why, entry.told, entry.request_id) == ("cds", "request", name, body["hookInstance"])
        text = here.service.metrics.text().decode()
        assert f'reminder_unchecked_total{{face="cds",reason="request",told="{name}"}}' in text


def test_order_select_tells_of_what_is_selected(here: Running) -> None:
    """The other draft has its card when it is selected itself."""
    body = hook_body(order("A"), order("B", **NINE), hook=HOOKS[0], context={"selections": ["MedicationRequest/B"]})
    cards = cards_of(ask(here, body, SELECT))
    assert [finding_of(card)["orders"] for card in cards] == [["MedicationRequest/B"]]


@pytest.mark.parametrize("told", [{}, {"hook": None}, {"hook": ""}])
def test_a_hook_that_is_not_said_is_the_services(here: Running, told: dict[str, Any]) -> None:
    """Its path says it; what is selected counts all the same."""
    body = hook_body(order("A"), order("B", **NINE), context={"selections": ["MedicationRequest/B"]})
    del body["hook"]
    cards = cards_of(ask(here, body | told, SELECT))
    assert [finding_of(card)["orders"] for card in cards] == [["MedicationRequest/B"]]


def test_a_slash_behind_a_path_changes_nothing(here: Running) -> None:
    """A client that is redirected may drop its body, or go to an address it cannot reach."""
    assert send(here, "GET", "/cds-services/") == send(here, "GET", "/cds-services")
    assert len(cards_of(ask(here, hook_body(), SIGN + "/"))) == 1
    assert (
        ask(here, {"feedback": []}, SIGN + "/feedback/").status
        == ask(here, {"feedback": []}, SIGN + "/feedback").status
    )
    assert outcome(ask(here, hook_body(), "/cds-services/nobody/")) == (404, "not-found", ["id"])


def test_an_answer_names_what_could_not_be_evaluated(here: Running) -> None:
    """A client that sends no prefetch gets no card, and hears why."""
    answer = sign(here, hook_body(prefetch={}))
    told = answer["extension"]["reminder.v1.decision"]
    assert {each["rule_id"] for each in told["not_evaluated"]} == {"R67-men", "R12-level"}
    assert [each["needs"] for each in told["not_evaluated"] if each["rule_id"] == "R67-men"] == [["patient.sex"]]


def test_what_is_wrong_with_a_value_is_told_in_the_clients_words(here: Running) -> None:
    """By the path of the resource."""
    body = hook_body()
    body["prefetch"]["patient"]["birthDate"] = "1960-13-01"
    (note,) = sign(here, body)["extension"]["reminder.v1.decision"]["notes"]
    assert (note["code"], note["field"]) == ("impossible_value", "prefetch.patient.birthDate")


def test_a_key_that_came_twice_is_named(here: Running) -> None:
    """The last one counts, also of a body that does not say its hook."""
    told = hook_body()
    del told["hook"]
    raw = json.dumps(told).replace('"gender":', '"gender": "other", "gender":').encode()
    answer = sign(here, raw)
    (note,) = answer["extension"]["reminder.v1.decision"]["notes"]
    assert (note["code"], note["field"], len(cards_of(answer))) == ("conflict", "prefetch.patient.gender", 1)


# -- settings


def test_the_insurance_profile_keeps_critical_for_harm(tmp_path: Path) -> None:
    """And has what its conformance kit asks for."""
    cds = Cds(profile=CRD, indicators=PROFILES[CRD], source_label="示例医保局", source_url="https://payer.example")
    with running(tmp_path, cds=cds) as here:
        answer = sign(here, hook_body(order("A"), order("B", **NINE)))
    block, warning = cards_of(answer)
    assert (block["indicator"], warning["indicator"], answer["systemActions"]) == ("warning", "info", [])
    assert block["source"] | {"topic": None} == {
        "label": "示例医保局",
        "url": "https://payer.example",
        "topic": None,
    }
    assert block["extension"]["davinci-crd.associated-resource"] == ["MedicationRequest/A"]
    ((action,),) = (each["actions"] for each in block["suggestions"])
    assert (action["type"], action["resource"]["status"]) == ("update", "cancelled")


def test_an_institution_and_what_is_asked_for_are_settings(tmp_path: Path) -> None:
    """Where no encounter says whose it is; and a client need not be asked for everything."""
    with running(tmp_path, cds=Cds(institution="H1", prefetch=("patient",))) as here:
        services = send(here, "GET", "/cds-services")["services"]
        assert [list(service["prefetch"]) for service in services] == [["patient"], ["patient"]]
        sign(here, hook_body())
        assert any(line.get("institution_id") == "H1" for line in _checked(here))


def _checked(here: Running) -> list[dict[str, Any]]:
    """The lines of the log about checks, once there are any."""
    here.stop().join(60)
    return [line for line in here.logged() if line["event"] == "checked"]


def test_nothing_asked_for_is_no_key(tmp_path: Path) -> None:
    """An empty object would not conform."""
    with running(tmp_path, cds=Cds(prefetch=())) as here:
        assert all("prefetch" not in service for service in send(here, "GET", "/cds-services")["services"])


def test_other_methods_are_not_here(here: Running) -> None:
    """A hook is posted to."""
    assert send(here, "GET", SIGN).status == 405
