"""A fact that is said to justify going on is looked for at once, and judged as the next check would."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list.readers.stored import StoreFact
from reminder.justify import KEPT_FOR, Case, facts_told, looked_up, uses, wanted_of
from tests.reminder.deciding import ALBUMIN, APPROVED, COUNTED, INDICATED, compiled, decided, visit

if TYPE_CHECKING:
    from reminder.journal.entries import Decided

NOW = datetime(2026, 1, 1, 9, 5)


def case(body: dict[str, Any], fact: str, latest: Decided | None = None, **told: Any) -> Case:
    """A look-up for the one finding of a body."""
    entry = decided(body)
    (found,) = entry.found
    return Case(decided=entry, latest=latest or entry, found=found, fact=fact, at=NOW, **told)


def verdict(*given: Any, **told: Any) -> str:
    """What comes of it."""
    return looked_up(case(*given, **told), compiled()).checked.verdict


def stored(fact: str, value: Any, subject: str = "e", **told: Any) -> StoreFact:
    """A fact of the store."""
    return StoreFact(subject=subject, fact=fact, value=value, source="laboratory", **told)


def test_the_rules_under_test_find_what_they_are_about() -> None:
    """Each body has the one finding the tests are about."""
    bodies = [visit(ALBUMIN), visit(INDICATED), visit(APPROVED), visit(COUNTED, quantity=5)]
    assert [[found.rule_id for found in decided(body).found] for body in bodies] == [
        ["albumin"],
        ["indicated"],
        ["approved"],
        ["counted"],
    ]


@pytest.mark.parametrize(
    ("value", "expected"), [(Decimal(22), "present"), (Decimal(35), "absent"), (Decimal(30), "absent")]
)
def test_a_value_that_came_meanwhile_is_judged(value: Decimal, expected: str) -> None:
    """Present is a value with which the rule no longer holds; one with which it does is no justification."""
    looked = looked_up(
        case(
            visit(ALBUMIN),
            "encounter.albumin_g_l",
            facts=(stored("encounter.albumin_g_l", value, valid_from=datetime(2026, 1, 1, 8)),),
        ),
        compiled(),
    )
    assert looked.checked.verdict == expected
    assert (looked.checked.value, looked.checked.source) == (str(value), "laboratory")
    assert looked.checked.found_at == "2026-01-01 08:00:00"
    assert looked.seen is not None
    assert (looked.seen.subject, looked.seen.unit) == ("encounter", "g/L")


def test_what_nobody_knows_is_neither_present_nor_absent() -> None:
    """No value in the body, none in the store."""
    looked = looked_up(case(visit(ALBUMIN), "encounter.albumin_g_l"), compiled())
    assert (looked.checked.verdict, looked.seen) == ("unknown", None)


def test_what_the_last_body_of_the_encounter_tells_counts() -> None:
    """A later check with the value justifies an earlier finding."""
    later = decided(visit(ALBUMIN, encounter_albumin_g_l="22"), 2)
    assert verdict(visit(ALBUMIN), "encounter.albumin_g_l", later) == "present"


def test_the_body_is_believed_before_the_store() -> None:
    """A value of the store never contradicts the one the finding rests on."""
    body = visit(ALBUMIN, encounter_albumin_g_l="35")
    told = (stored("encounter.albumin_g_l", Decimal(22)),)
    assert verdict(body, "encounter.albumin_g_l", facts=told) == "absent"


def test_a_fact_of_a_line_is_that_of_the_offending_lines() -> None:
    """An approval of the line justifies; a refused one does not."""
    for value, expected in ((True, "present"), (False, "absent")):
        told = (stored("line.prior_approval", value, subject="e\tR1"),)
        assert verdict(visit(APPROVED), "line.prior_approval", facts=told) == expected


def test_a_rule_that_does_not_look_at_the_fact_is_not_judged_by_it() -> None:
    """That the fact is known has to do, to others than the doctor; a flag that is false is none."""
    for value, expected in ((True, "present"), (False, "absent")):
        told = (stored("encounter.prior_approval", value),)
        assert verdict(visit(COUNTED, quantity=5), "encounter.prior_approval", facts=told) == expected
    assert verdict(visit(COUNTED, quantity=5), "encounter.prior_approval") == "unknown"
    by_himself = (replace(stored("encounter.prior_approval", value=True), source="doctor"),)
    assert verdict(visit(COUNTED, quantity=5), "encounter.prior_approval", facts=by_himself) == "unknown"


def test_a_rule_the_list_no_longer_has_is_not_judged() -> None:
    """The fact alone counts then."""
    told = (stored("encounter.albumin_g_l", Decimal(35)),)
    gone = compiled("rules: []\n")
    assert looked_up(case(visit(ALBUMIN), "encounter.albumin_g_l", facts=told), gone).checked.verdict == "present"


@pytest.mark.parametrize(
    ("diagnoses", "value", "expected"),
    [
        (("I10", "I21"), "I21", "present"),
        (("I10", "I21"), "i21.x00", "present"),
        (("I10",), "I21", "absent"),
        ((), "I21", "unknown"),
        (("I10", "I21"), None, "present"),
        (("I10", "I20"), None, "absent"),
        ((), None, "unknown"),
        (("I10",), "心肌梗死", "unknown"),
        (("I10",), "I10", "present"),
    ],
)
def test_a_diagnosis_is_looked_for_in_the_last_body(
    diagnoses: tuple[str, ...], value: str | None, expected: str
) -> None:
    """By its code or category; without one the rule is judged with the diagnoses there are now."""
    later = decided(visit(INDICATED, diagnoses=diagnoses), 2)
    assert verdict(visit(INDICATED), "encounter.diagnoses", later, value=value) == expected


def test_a_diagnosis_found_is_shown() -> None:
    """As the body has it, with when it was told."""
    later = decided(visit(INDICATED, diagnoses=("I10", "I21")), 2)
    looked = looked_up(case(visit(INDICATED), "encounter.diagnoses", later, value="I21"), compiled())
    assert looked.seen is not None
    assert (looked.seen.value, looked.checked.found_at) == ("I21.X00", "2026-01-01 09:00:00")


def test_a_line_that_was_left_out_since_justifies_nothing() -> None:
    """The prescription the finding is of is judged, not that the line is gone."""
    later = decided(visit(COUNTED), 2)
    assert verdict(visit(INDICATED), "encounter.diagnoses", later) == "absent"


def test_what_a_doctor_tells_is_kept_for_a_day() -> None:
    """Of this patient, this encounter, these lines; with the doctor as its source."""
    told = facts_told(case(visit(ALBUMIN), "encounter.albumin_g_l", value=Decimal(22)), None)
    assert told == (
        StoreFact(
            subject="e",
            fact="encounter.albumin_g_l",
            value=Decimal(22),
            expires=NOW + KEPT_FOR,
            source="doctor",
            told_at=NOW,
        ),
    )
    (of_line,) = facts_told(case(visit(APPROVED), "line.prior_approval", value=True), NOW - timedelta(hours=1))
    assert (of_line.subject, of_line.valid_from, of_line.told_at) == ("e\tR1", NOW - timedelta(hours=1), None)
    (of_patient,) = facts_told(case(visit(ALBUMIN), "patient.weight_kg", value=Decimal(60)), None)
    assert of_patient.subject == "p"


@pytest.mark.parametrize(
    ("fact", "value"),
    [("line.doctor_points", 3), ("line.stock", Decimal(1)), ("encounter.diagnoses", "I21"), ("line.dose", None)],
)
def test_what_others_are_judged_by_is_not_told_here(fact: str, value: Any) -> None:
    """A doctor does not qualify himself, stock the pharmacy, or write a diagnosis by a feedback."""
    assert facts_told(case(visit(ALBUMIN), fact, value=value), None) == ()


def test_the_store_is_asked_for_the_findings_own_subjects() -> None:
    """The patient, the encounter, the line and its item."""
    entry = decided(visit(ALBUMIN))
    wanted = wanted_of(entry, entry.found[0], NOW)
    assert {"p", "e", "e\tR1", ALBUMIN} <= set(wanted.subjects)
    assert (wanted.history, wanted.facts, wanted.institution_id) == (False, True, "H1")


def test_the_facts_a_rule_looks_at_are_found_wherever_they_stand() -> None:
    """In conditions inside conditions, and diagnoses under the name of their record."""
    rules = {bound.rule.id: bound.rule for bound in compiled().rules}
    assert uses(rules["albumin"]) == {"encounter.albumin_g_l"}
    assert uses(rules["indicated"]) == {"encounter.diagnoses"}
    assert "line.quantity" in uses(rules["counted"])
