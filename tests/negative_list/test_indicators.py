"""The eight indicator classes are worked out from what is known of an institution."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from negative_list.indicators import FACTS, Indicator, Visit, indicators_of
from negative_list.prescription import Encounter, Line
from tests.negative_list.builders import line

BEGIN, END = datetime(2026, 3, 1), datetime(2026, 4, 1)
LATER = datetime(2026, 6, 1)


def priced(amount_fen: int | None, code: str = "002503020020000", **facts: object) -> Line:
    """A line of March that costs so much."""
    return line(code=code, begins=datetime(2026, 3, 5), facts={"amount_fen": amount_fen, **facts})


def visit(*lines: Line, patient: str = "p", institution: str = "H1", **facts: Any) -> Visit:
    """An encounter of a patient in an institution."""
    told = {f"encounter.{name}": value for name, value in facts.items()}
    encounter = Encounter(id=f"{patient}-{facts.get('admitted_at')}", facts=told)
    return Visit(patient=patient, institution_id=institution, encounter=encounter, lines=lines)


def stay(came: datetime, left: datetime | None, *, patient: str = "p", institution: str = "H1", **facts: Any) -> Visit:
    """An inpatient stay."""
    times = {"admitted_at": came} | ({"discharged_at": left} if left else {})
    return visit(patient=patient, institution=institution, visit_mode="inpatient", **times, **facts)


def figure(class_id: str, *visits: Visit, known_until: datetime = LATER) -> Indicator:
    """One indicator of the first institution over March."""
    found = indicators_of(visits, BEGIN, END, known_until)
    return next(indicator for indicator in found if indicator.class_id == class_id)


def test_every_institution_has_all_eight() -> None:
    """Two institutions, eight figures each, in the order of the classes."""
    found = indicators_of([visit(institution="B"), visit(institution="A")], BEGIN, END, LATER)
    assert [(one.institution_id, one.class_id) for one in found] == [(h, r) for h in ("A", "B") for r in FACTS]


def test_the_drug_share_leaves_herbs_out() -> None:
    """40 yuan of drugs in 100 yuan; herbs belong to the whole, not to the part."""
    kinds = [("drug", 3000), ("preparation", 1000), ("herb", 2000), ("service", 4000)]
    share = figure("R56", visit(*(priced(amount, item_type=kind) for kind, amount in kinds)))
    assert (share.part, share.whole, share.percent, share.uncounted) == (4000, 10000, Decimal("40.00"), 0)


def test_what_cannot_be_told_is_counted_apart() -> None:
    """A line without an amount, and one without a kind."""
    share = figure("R58", visit(priced(None, item_type="material"), priced(100), priced(300, item_type="material")))
    assert (share.part, share.whole, share.uncounted) == (300, 400, 2)


def test_tests_and_treatment_go_by_the_kind_of_charge() -> None:
    """Laboratory and examination are tests; treatment, operation and nursing are treatment."""
    lines = [priced(100, item_type="service", charge_type=word) for word in ("laboratory", "examination", "nursing")]
    shares = [figure(class_id, visit(*lines)).part for class_id in ("R57", "R59")]
    assert shares == [200, 100]


def test_imaging_goes_by_the_national_code() -> None:
    """2103 is CT, 2102 is magnetic resonance; a line without a usable code is counted apart."""
    lines = [priced(700, "002103000010000"), priced(200, "002102000010000"), priced(100, "")]
    shares = [figure(class_id, visit(*lines)) for class_id in ("R60", "R61")]
    assert [(one.part, one.uncounted) for one in shares] == [(700, 1), (200, 1)]


def test_lines_of_other_months_are_no_part_of_it() -> None:
    """The period holds its first moment and not the one after its last."""
    edges = [line(begins=moment, facts={"item_type": "drug"}) for moment in (BEGIN, END, datetime(2026, 2, 28, 23))]
    assert figure("R56", visit(*edges)).whole == 1000


def test_nothing_to_divide_by_is_no_share() -> None:
    """Without a line there is no percentage, not zero."""
    assert figure("R56", visit()).percent is None


def test_infections_are_a_share_of_the_discharges_that_tell() -> None:
    """One in two stays; the third tells nothing."""
    told: tuple[dict[str, bool], ...] = ({"hospital_infection": True}, {"hospital_infection": False}, {})
    stays = [stay(BEGIN, datetime(2026, 3, 9), patient=str(n), **facts) for n, facts in enumerate(told)]  # type: ignore[arg-type]
    rate = figure("R62", *stays)
    assert (rate.part, rate.whole, rate.uncounted) == (1, 2, 1)


def test_a_readmission_counts_within_31_days_anywhere() -> None:
    """Back on the 31st day in another hospital counts, on the 32nd it does not."""
    left = datetime(2026, 3, 10)
    for back, part in ((datetime(2026, 4, 10), 1), (datetime(2026, 4, 11), 0)):
        rate = figure("R63", stay(BEGIN, left), stay(back, None, institution="H2"))
        assert (rate.part, rate.whole) == (part, 1)


def test_a_planned_readmission_is_none() -> None:
    """The settlement list announced it."""
    first = stay(BEGIN, datetime(2026, 3, 10), readmission_planned=True)
    assert figure("R63", first, stay(datetime(2026, 3, 20), None, institution="H2")).part == 0


def test_a_discharge_too_recent_cannot_be_counted_yet() -> None:
    """On the 20th nobody knows whether the patient discharged on the 10th comes back."""
    rate = figure("R63", stay(BEGIN, datetime(2026, 3, 10)), known_until=datetime(2026, 3, 20))
    assert (rate.part, rate.whole, rate.uncounted, rate.percent) == (0, 0, 1, None)
