"""Suggestions come back as strict R4B, and applied they help."""

from __future__ import annotations

import importlib
import json
import tomllib
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from negative_list.decision import Suggestion
from negative_list.readers.fhir.request import Ordered
from reminder.cds.actions import Orders, actions_of
from reminder.cds.r4 import UnmendableError, mended
from tests.cds.asking import Answer, cards_of, sign
from tests.cds.bodies import WOMEN, bundle, carried, hook_body, order
from tests.reminder.sidecar import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEM = {"coding": [{"code": WOMEN, "display": "雷洛昔芬片"}]}
NINE: dict[str, Any] = {
    "medicationCodeableConcept": ITEM,
    "dispenseRequest": {"quantity": {"value": 9, "unit": "盒"}},
    "extension": carried(unit_price_fen=1000, amount_fen=9000),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar for the tests that only ask it."""
    with running(tmp_path_factory.mktemp("sidecar")) as sidecar:
        yield sidecar


def strict(resource: dict[str, Any]) -> None:
    """A strict parser of R4B reads a resource, and reads all of it."""
    model = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert json.loads(model.model_dump_json(exclude_none=True)).keys() == resource.keys()


def actions(answer: Answer) -> list[tuple[str, dict[str, Any]]]:
    """The actions of an answer with the labels of their suggestions."""
    suggestions = [each for card in cards_of(answer) for each in card.get("suggestions", ())]
    return [(each["label"], action) for each in suggestions for action in each.get("actions", ())]


ODD: dict[str, dict[str, Any]] = {
    "strict": {},
    "as a client sends it": {
        "category": {"coding": [{"code": "outpatient"}]},
        "intent": None,
        "status": None,
        "subject": None,
        "encounter": {},
        "note": [],
    },
    "the published sample's dose": {
        "dosageInstruction": [{"text": "每日一次", "doseQuantity": {"value": 1, "unit": "片"}}],
    },
    "civil times": {"authoredOn": "2026-01-01 09:00"},
    "R5's medication": {"medicationCodeableConcept": None, "medication": {"concept": ITEM}},
    "a number as text": {"dispenseRequest": {"quantity": {"value": "9", "unit": "盒"}}},
    "a contained medication": {
        "medicationCodeableConcept": None,
        "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": ITEM}],
    },
    "everything": {
        "identifier": [{"system": "urn:his", "value": "1"}],
        "priority": "routine",
        "reasonCode": [{"text": "骨质疏松"}],
        "groupIdentifier": {"value": "G1"},
        "substitution": {"allowedBoolean": False},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["CM"]}},
                "doseAndRate": [{"doseRange": {"low": {"value": 1}, "high": {"value": Decimal("1.5")}}}],
            }
        ],
    },
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_every_update_is_strict_r4b(here: Running, odd: dict[str, Any]) -> None:
    """Whatever the client sent: what can be put right is."""
    answer = sign(here, encodable(hook_body(order(**{**NINE, **odd}))))
    updates = [action["resource"] for _, action in actions(answer) if action["type"] == "update"]
    assert len(updates) == 2
    for resource in updates:
        strict(resource)
        assert resource["id"] == "R1"


def encodable(body: dict[str, Any]) -> dict[str, Any]:
    """The same with numbers JSON can hold."""
    told: dict[str, Any] = json.loads(json.dumps(body, default=float))
    return told


@pytest.mark.parametrize(
    "odd",
    [
        {"id": None},
        {"houseSpecial": {"x": 1}},
        {"authoredOn": "sometime"},
        {"priority": {"code": "routine"}},
        {"extension": [{"url": "urn:x", "valueNothing": 1}]},
        {"contained": [{"resourceType": "Parameters"}]},
        {"contained": [{"resourceType": "element"}]},
    ],
    ids=[
        "no id",
        "an unknown element",
        "no time",
        "an object for a code",
        "no value",
        "a type we do not know",
        "no type",
    ],
)
def test_an_order_that_cannot_go_back_whole_does_not_go_back(here: Running, odd: dict[str, Any]) -> None:
    """The label still says what to do; nothing is left out of an order without saying so."""
    answer = sign(here, hook_body(order(**{**NINE, **odd})))
    (card,) = cards_of(answer)
    assert [each["label"] for each in card["suggestions"]]
    assert actions(answer) == []


@pytest.mark.parametrize("place", [0, 1], ids=["the quantity", "who pays"])
def test_a_suggestion_that_is_applied_takes_its_card_away(here: Running, place: int) -> None:
    """The client puts the updated order in the draft's place and asks again."""
    first = sign(here, hook_body(order(**NINE)))
    _, action = actions(first)[place]
    again = sign(here, hook_body(action["resource"]))
    assert len(cards_of(first)) == 1
    assert cards_of(again) == []


def test_a_draft_is_dropped_by_its_reference(here: Running) -> None:
    """A delete has a reference, and no resource."""
    ((_, action),) = actions(sign(here, hook_body(order("D-1"))))
    assert action == {"type": "delete", "description": action["description"], "resourceId": "MedicationRequest/D-1"}


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "ServiceRequest", "code": ITEM, "quantityQuantity": {"value": 9, "unit": "次"}},
        {"resourceType": "SupplyRequest", "itemCodeableConcept": ITEM, "quantity": {"value": 9, "unit": "个"}},
    ],
    ids=["service", "supply"],
)
def test_other_orders_are_updated_alike(here: Running, resource: dict[str, Any]) -> None:
    """Each where it has its quantity."""
    answer = sign(here, hook_body(resource | {"id": "S1", "extension": carried(unit_price_fen=1000)}))
    changed, paid = (action["resource"] for _, action in actions(answer))
    strict(changed)
    strict(paid)
    assert (changed.get("quantityQuantity") or changed["quantity"])["value"] == 3
    assert cards_of(sign(here, hook_body(changed))) == []


@pytest.mark.parametrize("kind", ["drop", "days", "self_pay", "quantity"])
@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "MedicationRequest", "medicationCodeableConcept": ITEM},
        {"resourceType": "ServiceRequest", "code": ITEM},
        {"resourceType": "DeviceRequest", "codeCodeableConcept": ITEM},
        {"resourceType": "SupplyRequest", "itemCodeableConcept": ITEM, "quantity": {"value": 9}},
    ],
    ids=["medication", "service", "device", "supply"],
)
def test_every_edit_of_every_order_is_strict(kind: Any, resource: dict[str, Any]) -> None:
    """For the insurance profile a draft is dropped by its status; only a device has no quantity to lower."""
    ordered = Ordered(reference="X/1", resource=resource | {"id": "1"})
    orders = Orders(by_line={"1": ordered}, patient_id="P1")
    made = actions_of(Suggestion(kind=kind, lines=("1",), text="如此", value=Decimal(3)), orders, crd=True)
    if (kind, resource["resourceType"]) == ("quantity", "DeviceRequest"):
        assert made == []
        return
    ((action),) = made
    strict(json.loads(json.dumps(action["resource"])))
    assert action["type"] == "update"


def test_a_suggestion_of_several_orders_is_all_or_nothing() -> None:
    """Half of it would be another edit than the one that was proved."""
    kept = Ordered(reference="MedicationRequest/1", resource=order("1"))
    lost = Ordered(reference="", resource=order("2"))
    orders = Orders(by_line={"1": kept, "2": lost})
    drop = Suggestion(kind="drop", lines=("1", "2"), text="删除")
    assert actions_of(drop, orders) == []
    assert actions_of(Suggestion(kind="drop", lines=("1", "9"), text="删除"), orders) == []
    assert len(actions_of(Suggestion(kind="drop", lines=("1",), text="删除"), orders)) == 1


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": 7}, {"resourceType": "Patient"}, {"resourceType": "MedicationRequest"}]
)
def test_what_is_no_order_is_never_mended(resource: dict[str, Any]) -> None:
    """Nor is one without an item."""
    with pytest.raises(UnmendableError):
        mended(resource, "P1", "+08:00")


def test_depth_is_limited() -> None:
    """Contained in contained in contained."""
    deep: dict[str, Any] = {"resourceType": "Medication"}
    for _ in range(40):
        deep = {"resourceType": "Medication", "contained": [deep]}
    with pytest.raises(UnmendableError):
        mended(order(contained=[deep]), "P1", "+08:00")


# -- the table of R4 against the strict parser's own


def schema() -> dict[str, dict[str, str]]:
    """Types and their elements."""
    return tomllib.loads((resources.files("reminder.cds") / "r4.toml").read_text("utf-8"))


MODELS = {
    "DispenseRequest": "medicationrequest.MedicationRequestDispenseRequest",
    "InitialFill": "medicationrequest.MedicationRequestDispenseRequestInitialFill",
    "Substitution": "medicationrequest.MedicationRequestSubstitution",
    "Parameter": "devicerequest.DeviceRequestParameter",
    "Ingredient": "medication.MedicationIngredient",
    "Batch": "medication.MedicationBatch",
    "DoseAndRate": "dosage.DosageDoseAndRate",
    "Repeat": "timing.TimingRepeat",
}


@pytest.mark.parametrize("kind", sorted(schema().keys() - {"resource", "element"}))
def test_the_table_of_r4_has_the_strict_parsers_elements(kind: str) -> None:
    """Names, and which of them are lists."""
    module, _, name = MODELS.get(kind, f"{kind.lower()}.{kind}").partition(".")
    model = getattr(importlib.import_module(f"fhir.resources.R4B.{module}"), name)
    fields = {field.alias or key: "List[" in str(field.annotation) for key, field in model.model_fields.items()}
    known = {key: many for key, many in fields.items() if not key.startswith("_") and not key.endswith("__ext")}
    told = schema()
    common = told["resource"] if "contained" in known else told["element"]
    ours = {key: each.endswith("*") for key, each in (common | told[kind]).items()}
    assert ours.items() <= known.items()
    assert known.keys() - ours.keys() <= {"fhir_comments", "resourceType", "resource_type", "modifierExtension"}


def test_bundles_of_many_orders_have_cards_with_their_own_orders(here: Running) -> None:
    """Each card names the orders it is about."""
    body = hook_body(
        context={"draftOrders": bundle(order("A"), order("B", **NINE), {"resourceType": "Task", "id": "T"})}
    )
    told = {card["extension"]["reminder.v1.finding"]["orders"][0] for card in cards_of(sign(here, body))}
    assert told == {"MedicationRequest/A", "MedicationRequest/B"}
