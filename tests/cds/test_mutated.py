"""Requests with something put into them: read, or refused by name; what is sent back stays strict."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class

from negative_list.decision import Suggestion
from negative_list.errors import RequestError
from negative_list.readers.fhir.hooks import Naming
from negative_list.readers.fhir.request import hook_form
from negative_list.readers.own import read_check_request
from negative_list.site import Sites
from reminder.cds.actions import Orders, actions_of
from reminder.cds.feedback import read_feedback
from tests.cds.bodies import MEN, WOMEN, bundle, hook_body, order, prefetched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.prescription import Prescription
    from negative_list.readers.fhir.request import HookForm

VALUES: tuple[Any, ...] = (
    *(None, "", [], {}, "x", 1, -1, 0, True, Decimal("1e999999999"), Decimal("0.5"), ["x", None, 1, []]),
    *({"a": {"b": []}}, "Patient/", "#", "/", "urn:uuid:", "9999-12-31T23:59:59+14:00", "a" * 300, "\x00", "２０２６"),
    *([{"reference": "Medication/m"}], {"reference": {"reference": 7}}, {"coding": [{"code": MEN}]}, [[[[]]]]),
)
TIMING = {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": "2026-01-01"}}
FULL: dict[str, Any] = {
    "requester": {"reference": "Practitioner/D"},
    "groupIdentifier": {"value": "G"},
    "reasonCode": [{"text": "x"}],
    "reasonReference": [{"reference": "Condition/C1"}],
    "dosageInstruction": [
        {
            "timing": {"repeat": TIMING, "code": {"text": "qd"}},
            "route": {"coding": [{"code": "26643006"}]},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "片"}}],
        }
    ],
}


def whole() -> dict[str, Any]:
    """A request with something of everything."""
    service = {
        "resourceType": "ServiceRequest",
        "id": "S1",
        "code": {"coding": [{"code": WOMEN}]},
        "quantityQuantity": {"value": 2},
        "bodySite": [{"text": "x"}],
        "occurrencePeriod": {"start": "2026-01-01"},
    }
    value = {"code": {"coding": [{"code": "718-7"}]}, "valueQuantity": {"value": 9, "unit": "g/L"}}
    told = prefetched() | {
        "observations": bundle({"resourceType": "Observation", "component": [value], **value}),
        "medications": bundle(order("R5", status="active")),
        "coverage": bundle({"resourceType": "Coverage", "type": {"coding": [{"code": "310"}]}}),
        "procedures": bundle({"resourceType": "Procedure", "code": {"coding": [{"code": "47.0901"}]}}),
    }
    chosen = {"selections": ["MedicationRequest/R1"]}
    return hook_body(order(**FULL), service, hook="order-select", prefetch=told, context=chosen)


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place something may be put into."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from spots(value[key])


def mutated(told: dict[str, Any], random: Random) -> dict[str, Any]:
    """The same with one to four values changed, or swapped for one that stands elsewhere in it."""
    told = copy.deepcopy(told)
    for _ in range(random.randint(1, 4)):
        places = list(spots(told))
        (holder, key), (other, its) = random.choice(places), random.choice(places)
        held = random.random() < 0.2 and (its in other if isinstance(other, dict) else its < len(other))
        value = other[its] if held else random.choice(VALUES)
        holder[key] = copy.deepcopy(value)
    return told


@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_request_is_read_or_refused_by_name(seed: int) -> None:
    """Nothing else happens; a refusal names elements of the request."""
    random, named = Random(seed), list[str]()
    for _ in range(30):
        body = mutated(whole(), random)
        try:
            form = hook_form(body, Naming())
            prescription = _read(form)
        except RequestError as error:
            named += [each.field for each in error.fields]
        else:
            _judge(Orders(by_line=form.references(prescription), patient_id=form.patient_id), random)
    assert len(named) < 15
    assert [field for field in named if not field.startswith(("context", "prefetch"))] == []


def _read(form: HookForm) -> Prescription:
    """The prescription of a request, as the face reads it."""
    try:
        return form.finished(read_check_request(form.body, Sites(), saved=form.saved))
    except RequestError as error:
        raise form.refused(error) from error


def _judge(orders: Orders, random: Random) -> None:
    """Actions on the orders are strict R4B, whatever the orders were; one kind of edit is enough for each."""
    kind: Any = random.choice(["quantity", "days", "self_pay", "drop"])
    for line in orders.by_line:
        made = actions_of(Suggestion(kind=kind, lines=(line,), text="如此", value=Decimal(3)), orders, crd=True)
        for action in made:
            sent = json.loads(msgspec.json.Encoder(decimal_format="number").encode(action["resource"]))
            get_fhir_model_class(sent["resourceType"]).model_validate(sent)


def test_mutated_feedback_is_read_or_refused_by_name() -> None:
    """As above."""
    random = Random(5)
    override = {"reason": {"code": "emergency", "system": "s"}, "userComment": "c"}
    item: dict[str, Any] = {
        "card": "x",
        "outcome": "overridden",
        "overrideReason": override,
        "outcomeTimestamp": "2026-01-01",
    }
    item["acceptedSuggestions"] = [{"id": "y"}]
    read, named = 0, list[str]()
    for _ in range(300):
        try:
            read += len(read_feedback(mutated({"feedback": [item, item]}, random)).told)
        except RequestError as error:
            named += [each.field for each in error.fields]
    assert read >= 150
    assert {field.partition("[")[0] for field in named} == {"feedback"}
