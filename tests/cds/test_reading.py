"""Requests as real clients send them become the prescription a strict one would."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.errors import RequestError
from negative_list.prescription import Diagnosed
from negative_list.readers.fhir.hooks import Naming
from negative_list.readers.fhir.request import NothingKnownError, hook_form
from negative_list.readers.fhir.visit import MORE_DIAGNOSES
from negative_list.readers.own import read_check_request
from negative_list.site import Sites
from tests.cds.bodies import MEN, WOMEN, bundle, hook_body, order, prefetched
from tests.cds.bodies import extension as fact

if TYPE_CHECKING:
    from negative_list.prescription import Prescription

AT = datetime(2026, 1, 1, 9, 0)
ITEM = {"coding": [{"code": WOMEN}]}
DRUG = {"coding": [{"code": MEN}], "text": "阿帕他胺片"}
HELD = {
    "medicationCodeableConcept": None,
    "medicationReference": {"reference": "#m"},
    "contained": [{"resourceType": "Medication", "id": "m", "code": DRUG}],
}
DRAFT = "context.draftOrders.entry[0].resource"


def read(body: dict[str, Any], **naming: str) -> Prescription:
    """The prescription of a request."""
    form = hook_form(body, Naming(**naming))
    return form.finished(read_check_request(form.body, Sites(), AT, saved=form.saved))


def line_of(**changes: Any) -> dict[str, Any]:
    """Facts of the line of one order, with its record's fields."""
    line = read(hook_body(order(**changes))).encounter.lines[0]
    return dict(line.facts) | {"codes": line.codes, "name": line.name, "begins": line.begins, "stops": line.stops}


def notes_of(prescription: Prescription) -> list[tuple[str, str]]:
    """Codes and fields of what is told besides."""
    return [(note.code, note.field) for note in prescription.notes]


# -- the odd payloads of reference c.1, rebuilt by hand


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"type": None}, id="no Bundle type"),
        pytest.param({"resourceType": None}, id="no resource type of the Bundle"),
        pytest.param({"entry": {"resource": order()}}, id="an entry for a list of entries"),
        pytest.param({"entry": [order()]}, id="resources for entries"),
    ],
)
def test_an_odd_bundle_is_read_like_a_strict_one(odd: dict[str, Any]) -> None:
    """The lines are the same."""
    strict = read(hook_body())
    lenient = read(hook_body(context={"draftOrders": bundle(order()) | odd}))
    assert lenient.encounter.lines == strict.encounter.lines


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"intent": None, "status": None}, id="no intent, no status"),
        pytest.param({"category": {"coding": [{"code": "outpatient"}]}}, id="category as an object"),
        pytest.param({"medicationCodeableConcept": [{"coding": {"code": MEN, "display": "阿帕他胺片"}}]}, id="lists"),
        pytest.param({"medicationCodeableConcept": None, "medication": {"concept": DRUG}}, id="R5"),
        pytest.param(HELD, id="contained"),
        pytest.param({"extension": {"url": "urn:x", "valueString": "x"}}, id="a stranger's extension, as an object"),
        pytest.param({"nobody": {"knows": ["this"]}}, id="an unknown element"),
    ],
)  # fmt: skip
def test_an_odd_order_is_the_same_line(odd: dict[str, Any]) -> None:
    """What is odd about it changes nothing."""
    plain = {"extension": None} | odd
    assert line_of(**plain) == line_of(extension=None)


@pytest.mark.parametrize("sent", ["order", "prefetch"])
def test_a_medication_is_found_where_its_reference_leads(sent: str) -> None:
    """In the Bundle of the orders by its full URL, or among what was prefetched."""
    drug = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"code": MEN}]}, "form": {"text": "片剂"}}
    here = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    if sent == "order":
        drafts = bundle(here | {"medicationReference": {"reference": "urn:uuid:1"}})
        drafts["entry"].append({"fullUrl": "urn:uuid:1", "resource": drug})
        body = hook_body(context={"draftOrders": drafts})
    else:
        body = hook_body(here, prefetch=prefetched() | {"drugs": bundle(drug)})
    (line,) = read(body).encounter.lines
    assert (line.codes, line.facts["line.dosage_form"]) == ((MEN,), "片剂")


def test_the_published_sample_has_its_dose_where_stu3_had_it() -> None:
    """Directly under the dosage; it is the same dose."""
    repeat = {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}
    old = line_of(dosageInstruction=[{"doseQuantity": {"value": 2, "unit": "片"}, "timing": repeat}])
    new = line_of(dosageInstruction=[{"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "片"}}], "timing": repeat}])
    assert old == new
    assert (old["line.dose"], old["line.dose_unit"], old["line.doses_per_day"]) == (2, "片", 3)


BLANK = {"resourceType": "MedicationRequest", "id": "R9", "status": "draft"}


def test_a_draft_without_any_drug_beside_others_is_a_line_nobody_can_judge() -> None:
    """The others are judged; of it a note says that it was not."""
    prescription = read(hook_body(BLANK, order()))
    assert [bool(line.codes) for line in prescription.encounter.lines] == [False, True]
    assert notes_of(prescription) == [("unknown_code", DRAFT)]


LOST = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/gone"})


@pytest.mark.parametrize(
    ("drafts", "field"),
    [
        ([BLANK], DRAFT),
        ([LOST], DRAFT + ".medicationReference"),
        ([BLANK, LOST], DRAFT.replace("[0]", "[1]") + ".medicationReference"),
        ([{"resourceType": "MedicationOrder", "id": "O1"}], "context.draftOrders"),
        ([{"resourceType": "RequestGroup"}, {**order(), "status": "stopped"}], "context.draftOrders"),
        ([{}], "context.draftOrders"),
    ],
    ids=["no item", "a reference to nothing", "both", "STU2", "a group, and one that was stopped", "no type"],
)
def test_drafts_of_which_nothing_can_be_said_are_no_pass(drafts: list[dict[str, Any]], field: str) -> None:
    """The service has to answer that something needed is missing."""
    with pytest.raises(NothingKnownError) as caught:
        hook_form(hook_body(context={"draftOrders": bundle(*drafts)}), Naming())
    assert [problem.field for problem in caught.value.fields] == [field]


@pytest.mark.parametrize("told", [{"resourceType": "Bundle", "entry": [{}]}, {"entry": "x"}, ["x"]])
def test_a_bundle_with_something_in_place_of_resources_is_no_pass(told: object) -> None:
    """Nobody knows what it was; one with nothing in it asks nothing."""
    with pytest.raises(NothingKnownError) as caught:
        hook_form(hook_body(context={"draftOrders": told}), Naming())
    assert "0 项资源" in caught.value.fields[0].message


def test_a_selected_draft_without_item_is_no_pass_although_others_have_one() -> None:
    """The others were judged when they were selected."""
    body = hook_body(BLANK, order(), hook="order-select", context={"selections": ["MedicationRequest/R9"]})
    with pytest.raises(NothingKnownError):
        hook_form(body, Naming())


def test_drafts_that_say_that_nothing_is_to_be_done_are_a_pass() -> None:
    """They were withdrawn: there is nothing to judge, and a note says so."""
    prescription = read(hook_body(order(doNotPerform=True), order("R2", status="cancelled")))
    assert [code for code, _ in notes_of(prescription)] == ["not_an_order", "not_an_order"]


def test_a_bundle_in_place_of_a_resource_is_opened() -> None:
    """As some clients nest the answer of a search; a problem is told where it stands. Not any number of levels."""
    inner = bundle(order(), order("R2"))
    prescription = read(hook_body(context={"draftOrders": bundle(inner)}))
    assert [line.id for line in prescription.encounter.lines] == ["R1", "R2"]
    with pytest.raises(NothingKnownError, match="1 项 Bundle"):
        read(hook_body(context={"draftOrders": bundle(bundle(bundle(bundle(inner))))}))


# -- what an order says


def test_every_element_of_an_order_becomes_a_fact() -> None:
    """Codes of both kinds, times, who, how much, how often, which way."""
    told = line_of(
        medicationCodeableConcept={"coding": [{"code": "L-77"}, {"code": MEN}], "text": "阿帕他胺"},
        requester={"reference": "Practitioner/D9", "identifier": {"value": "D430100000009"}},
        groupIdentifier={"value": "G1"},
        courseOfTherapyType={"coding": [{"code": "continuous"}]},
        category=[{"coding": [{"code": "discharge"}]}],
        dispenseRequest={
            "quantity": {"value": Decimal("2.5"), "unit": "盒"},
            "expectedSupplyDuration": {"value": 2, "code": "wk"},
        },
        dosageInstruction=[
            {
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
                "timing": {
                    "repeat": {
                        "frequency": 1,
                        "period": 8,
                        "periodUnit": "h",
                        "boundsPeriod": {"start": "2026-01-01T01:30:00Z", "end": "2026-01-05"},
                    }
                },
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "片"}}],
            }
        ],
    )
    assert (told["codes"], told["line.local_code"], told["name"]) == ((MEN,), "L-77", "阿帕他胺")
    assert (told["line.doctor_id"], told["line.group_no"], told["line.long_order"]) == ("D430100000009", "G1", True)
    assert (told["line.take_home"], told["line.route"], told["line.doses_per_day"]) == (True, "oral", 3)
    assert (told["line.quantity"], told["line.unit"], told["line.days"]) == (Decimal("2.5"), "盒", 14)
    assert (told["begins"], told["stops"]) == (datetime(2026, 1, 1, 9, 30), datetime(2026, 1, 5))


@pytest.mark.parametrize(
    ("resource", "quantity"),
    [
        ({"resourceType": "ServiceRequest", "code": ITEM, "quantityQuantity": {"value": 3}}, 3),
        ({"resourceType": "DeviceRequest", "codeCodeableConcept": ITEM}, None),
        ({"resourceType": "SupplyRequest", "itemCodeableConcept": ITEM, "quantity": {"value": 2}}, 2),
    ],
    ids=["service", "device", "supply"],
)  # fmt: skip
def test_every_kind_of_order_is_a_line(resource: dict[str, Any], quantity: int | None) -> None:
    """Services, devices and supplies, each with its own elements."""
    (line,) = read(hook_body(resource | {"id": "S1"})).encounter.lines
    assert (line.id, line.codes, line.facts.get("line.quantity")) == ("S1", (WOMEN,), quantity)


def test_what_fhir_has_no_element_for_is_carried_by_extensions() -> None:
    """By dictionary name, on the order, the encounter and the patient."""
    here = prefetched()
    here["patient"]["extension"] = [fact("patient.weight_kg", 61)]
    (line,) = (prescription := read(hook_body(prefetch=here))).encounter.lines
    assert (line.facts["line.unit_price_fen"], line.facts["line.amount_fen"]) == (1250, 1250)
    assert prescription.encounter.facts["encounter.institution_level"] == 3
    assert prescription.patient.facts["patient.weight_kg"] == 61


def test_an_unknown_fact_is_refused_where_the_client_wrote_it() -> None:
    """With the nearest name, as everywhere."""
    form = hook_form(hook_body(order(extension=[fact("line.amunt_fen", 1)])), Naming())
    with pytest.raises(RequestError) as caught:
        read_check_request(form.body, Sites(), AT)
    (problem,) = form.refused(caught.value).fields
    assert (problem.field, "line.amount_fen" in problem.message) == (DRAFT + ".extension", True)


# -- what is no order


def test_what_is_no_order_is_left_and_told() -> None:
    """An order not to do something, one that was ended, a resource of another kind."""
    prescription = read(
        hook_body(
            order(),
            order("R2", doNotPerform=True),
            order("R3", status="entered-in-error"),
            {"resourceType": "NutritionOrder", "id": "N1"},
            {"resourceType": "NutritionOrder", "id": "N2"},
        )
    )
    assert [line.id for line in prescription.encounter.lines] == ["R1"]
    told = notes_of(prescription)
    assert ("not_an_order", "context.draftOrders.entry[1].resource.status") in told
    assert ("not_an_order", "context.draftOrders.entry[2].resource.status") in told
    assert [note.message for note in prescription.notes if note.code == "not_checked"] == [
        "2 项 NutritionOrder 没有可检查的内容，未检查"
    ]


def test_no_order_at_all_is_no_error() -> None:
    """Nothing to check is a prescription without lines."""
    assert read(hook_body(context={"draftOrders": bundle()})).encounter.lines == ()


@pytest.mark.parametrize(
    ("context", "field"),
    [(None, "context"), ([], "context"), ({}, "context.draftOrders"), ({"draftOrders": "x"}, "context.draftOrders")],
)
def test_what_is_needed_and_missing_is_refused_by_its_name(context: object, field: str) -> None:
    """A request without orders says nothing at all."""
    with pytest.raises(RequestError) as caught:
        hook_form({"hook": "order-sign", "context": context}, Naming())
    assert [problem.field for problem in caught.value.fields] == [field]


# -- order-select


def select(*chosen: str) -> list[bool]:
    """Which of two drafts are current."""
    body = hook_body(order("R1"), order("R2"), hook="order-select", context={"selections": list(chosen)})
    return [line.current for line in read(body).encounter.lines]


def test_order_select_is_about_what_is_selected() -> None:
    """The other drafts are in force: they count, and were told about when they were selected."""
    assert select("MedicationRequest/R2") == [False, True]
    assert select("https://fhir.example/r4/MedicationRequest/R1") == [True, False]
    assert select("R1") == [True, False]


def test_without_a_selection_that_is_there_everything_is_checked() -> None:
    """And the client hears that its selection is not among the orders."""
    body = hook_body(order(), hook="order-select", context={"selections": ["MedicationRequest/gone"]})
    prescription = read(body)
    assert [line.current for line in prescription.encounter.lines] == [True]
    assert ("conflict", "context.selections") in notes_of(prescription)
    assert select() == [True, True]


# -- orders in force


def test_prefetched_orders_are_in_force_and_counted_once() -> None:
    """Those of this visit are lines of it, those of another stand there, a draft that is signed again counts once."""
    signed = {"status": "active", "medicationCodeableConcept": {"coding": [{"code": WOMEN}]}}
    told = bundle(
        order("R1", status="active"),
        order("R5", **signed),
        order("R6", **signed, encounter={"reference": "Encounter/M0"}),
        order("R7", status="draft"),
        order("R8", status="stopped"),
    )
    prescription = read(hook_body(prefetch=prefetched() | {"medications": told}))
    assert [(line.id, line.current) for line in prescription.encounter.lines] == [("R1", True), ("R5", False)]
    assert [(visit.id, [line.id for line in visit.lines]) for visit in prescription.others] == [("M0", ["R6"])]


@pytest.mark.parametrize(
    ("changes", "complete"),
    [
        ({}, True),
        ({"services": {"resourceType": "OperationOutcome"}}, False),
        ({"medications": bundle() | {"link": [{"relation": "next", "url": "https://x.example"}]}}, False),
        ({"medications": bundle(bundle())}, False),
    ],
    ids=["all there", "refused", "a page of several", "a Bundle inside, which may be a page"],
)
def test_a_visit_is_whole_only_where_both_kinds_of_orders_were_delivered_whole(
    changes: dict[str, Any], complete: bool
) -> None:
    """Else the body tells only new lines, and nothing follows from what it does not tell."""
    assert read(hook_body(prefetch=prefetched() | changes)).encounter.complete is complete


def test_a_key_that_is_missing_was_not_delivered() -> None:
    """It is not the same as one that is null."""
    told = prefetched()
    del told["services"]
    assert read(hook_body(prefetch=told)).encounter.complete is False


# -- the visit


def test_diagnoses_come_from_conditions_and_from_reasons() -> None:
    """Ranked by the encounter; what is over, refuted or of another visit is none; what is suspected has no code."""

    def condition(name: str, code: str, **changes: Any) -> dict[str, Any]:
        told = {"resourceType": "Condition", "id": name, "code": {"coding": [{"code": code, "display": f"病{name}"}]}}
        return told | changes

    def states(**told: str) -> dict[str, Any]:
        return {key: {"coding": [{"code": value}]} for key, value in told.items()}

    rows = bundle(
        condition("C1", "I10.x00"),
        condition("C2", "E11.900", **states(clinicalStatus="resolved")),
        condition("C3", "J18.900", **states(verificationStatus="refuted")),
        condition("C4", "C50.900", **states(verificationStatus="provisional")),
        condition("C5", "K29.700", encounter={"reference": "Encounter/other"}),
    )
    reason = {"coding": [{"code": "N18.900"}], "text": "慢性肾脏病"}
    prescription = read(hook_body(order(reasonCode=[reason]), prefetch=prefetched() | {"conditions": rows}))
    assert prescription.encounter.diagnoses == (
        Diagnosed(codes=("I10.X00",), name="病C1", main=True),
        Diagnosed(name="病C4待排"),
        Diagnosed(codes=("N18.900",), name="慢性肾脏病"),
    )


@pytest.mark.parametrize("conditions", ["missing", "paged"])
def test_nothing_is_excluded_by_diagnoses_that_were_not_all_delivered(conditions: str) -> None:
    """One without a code stands for the rest, and the client is told."""
    told = prefetched()
    if conditions == "missing":
        del told["conditions"]
    else:
        told["conditions"]["link"] = [{"relation": "next"}]
    reason = {"coding": [{"code": "I10.x00"}]}
    prescription = read(hook_body(order(reasonCode=[reason]), prefetch=told))
    assert prescription.encounter.diagnoses[-1] == Diagnosed(name=MORE_DIAGNOSES)
    assert ("not_delivered", "prefetch.conditions") in notes_of(prescription)


def test_the_visit_says_where_when_how_and_by_whom() -> None:
    """R5's shapes as well as R4's."""
    told = prefetched()
    told["encounter"] |= {
        "class": [{"coding": [{"code": "IMP"}]}],
        "period": None,
        "actualPeriod": {"start": "2025-12-30T08:00:00+08:00"},
        "serviceProvider": {"reference": "Organization/O1"},
        "serviceType": {"coding": [{"code": "02.01", "display": "心内科"}]},
        "participant": [
            {"individual": {"reference": "Practitioner/D2"}},
            {"type": [{"coding": [{"code": "ATND"}]}], "individual": {"reference": "Practitioner/D3"}},
        ],
        "location": [{"location": {"reference": "Location/W5"}}],
    }
    told["hospital"] = {
        "resourceType": "Organization",
        "id": "O1",
        "identifier": [{"system": "urn:nhsa", "value": "H43010000001"}],
    }
    told["coverage"] = bundle({"resourceType": "Coverage", "status": "active", "type": {"coding": [{"code": "310"}]}})
    prescription = read(hook_body(prefetch=told))
    facts = prescription.encounter.facts
    assert (prescription.institution_id, facts["encounter.visit_mode"]) == ("H43010000001", "inpatient")
    assert (facts["encounter.department_code"], facts["encounter.department_name"]) == ("02.01", "心内科")
    assert (facts["encounter.doctor_id"], facts["encounter.ward"]) == ("D3", "W5")
    assert (facts["encounter.insurance"], facts["encounter.admitted_at"]) == (
        ("employee",),
        datetime(2025, 12, 30, 8, 0),
    )


def test_ids_are_those_of_the_hospitals_other_systems_where_they_are_asked_for() -> None:
    """By the identifier system of the settings."""
    told = prefetched()
    told["patient"]["identifier"] = [{"value": "x"}, {"system": "urn:his", "value": "0007"}]
    told["encounter"]["identifier"] = {"system": "urn:his", "value": "MZ01"}
    prescription = read(hook_body(prefetch=told), patient="urn:his", encounter="urn:his")
    assert (prescription.patient.id, prescription.encounter.id) == ("0007", "MZ01")


def test_operations_and_allergies_are_read() -> None:
    """Procedures that were done in this visit; allergies that are."""
    told = prefetched() | {
        "procedures": bundle(
            {"resourceType": "Procedure", "status": "completed", "code": {"coding": [{"code": "47.0901"}]}},
            {"resourceType": "Procedure", "status": "not-done", "code": {"coding": [{"code": "51.2300"}]}},
        ),
        "allergies": bundle({"resourceType": "AllergyIntolerance", "code": {"text": "青霉素"}}),
    }
    prescription = read(hook_body(prefetch=told))
    assert [operation.codes for operation in prescription.encounter.operations] == [("47.0901",)]
    assert prescription.patient.facts["patient.allergies"] == ("青霉素",)


# -- observations


def observation(code: str, value: object, unit: str, **changes: Any) -> dict[str, Any]:
    """A laboratory value."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": unit},
        **changes,
    }


def test_observations_are_facts_by_their_codes_the_latest_of_each() -> None:
    """With the time they were found at; components too."""
    rows = bundle(
        observation("718-7", 88, "g/L", effectiveDateTime="2025-12-30T08:00:00+08:00"),
        observation("718-7", 91, "g/L", effectiveDateTime="2025-12-31T08:00:00+08:00"),
        observation("29463-7", 61, "kg"),
        observation("777-3", 140, "10*9/L"),
        {
            "resourceType": "Observation",
            "code": {"coding": [{"code": "85354-9"}]},
            "component": [observation("8480-6", 150, "mm[Hg]")],
        },
    )
    prescription = read(hook_body(prefetch=prefetched() | {"observations": rows}))
    facts = prescription.encounter.facts
    assert (facts["encounter.haemoglobin_g_l"], facts["encounter.platelets_1e9_l"]) == (91, 140)
    assert facts["encounter.systolic_mmhg"] == 150
    assert prescription.encounter.times["encounter.haemoglobin_g_l"] == datetime(2025, 12, 31, 8, 0)
    assert prescription.patient.facts["patient.weight_kg"] == 61


@pytest.mark.parametrize(
    "odd",
    [
        observation("718-7", 9, "g/dL"),
        observation("718-7", 90, "g/L", status="preliminary"),
        observation("718-7", 90, "g/L") | {"valueQuantity": {"value": 90, "unit": "g/L", "comparator": "<"}},
        observation("718-7", "hoch", "g/L"),
    ],
    ids=["another unit", "not final", "less than", "no number"],
)
def test_an_observation_that_is_not_the_facts_number_is_unknown(odd: dict[str, Any]) -> None:
    """Nothing is converted, and nothing guessed."""
    prescription = read(hook_body(prefetch=prefetched() | {"observations": bundle(odd)}))
    assert "encounter.haemoglobin_g_l" not in prescription.encounter.facts


def test_another_unit_is_told() -> None:
    """Else a laboratory would send for years what nobody reads."""
    rows = bundle(observation("718-7", 9, "g/dL"))
    prescription = read(hook_body(prefetch=prefetched() | {"observations": rows}))
    assert ("impossible_value", "prefetch.observations.entry[0].resource.valueQuantity.unit") in notes_of(prescription)


def test_what_could_not_be_delivered_is_told() -> None:
    """An OperationOutcome in the place of a resource."""
    told = prefetched() | {"coverage": {"resourceType": "OperationOutcome", "issue": []}}
    assert ("not_delivered", "prefetch.coverage") in notes_of(read(hook_body(prefetch=told)))


# -- whatever comes


@pytest.mark.parametrize(
    "value", [None, "", "x", 1, True, [], [[]], {}, [None], {"a": {}}, Decimal("1e999999999"), ["x", 1]]
)
def test_no_shape_of_any_element_is_an_error(value: object) -> None:
    """Every element of an order, and every key of the prefetch, may be anything."""
    plain = order(dosageInstruction=[{"timing": {"repeat": {}}}], category=[], groupIdentifier={}, requester={})
    amounts = {"quantity": value, "expectedSupplyDuration": {"value": value}}
    dosages = ("route", "timing", "doseQuantity", "doseAndRate", "asNeededCodeableConcept")
    bodies = [
        *(hook_body(plain | {key: value}, order("R2")) for key in plain.keys() - {"resourceType", "extension"}),
        *(hook_body(prefetch=prefetched() | {key: value}) for key in prefetched()),
        *(hook_body(order(dosageInstruction={key: value})) for key in dosages),
        hook_body(order(dispenseRequest=amounts)),
        hook_body(prefetch=value),
    ]
    forms = [hook_form(body, Naming()) for body in bodies]
    drafts = [len(body["context"]["draftOrders"]["entry"]) for body in bodies]
    assert [len(form.body["encounter"]["lines"]) for form in forms] == drafts
