"""Facts that follow from dose, frequency, specification and quantity."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.readers.derived import dosage
from negative_list.readers.dosage import Dose, parse_dose, parse_frequency, parse_spec

if TYPE_CHECKING:
    from negative_list.prescription import FactValue


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("qd", 1),
        ("Bid", 2),
        ("t.i.d.", 3),
        ("QID", 4),
        ("q8h", 3),
        ("q12h", 2),
        ("q72h", Fraction(1, 3)),
        ("qod", Fraction(1, 2)),
        ("qw", Fraction(1, 7)),
        ("biw", Fraction(2, 7)),
        ("每日3次", 3),
        ("一日三次", 3),
        ("3次/日", 3),
        ("1次/8小时", 3),
        ("每12小时一次", 2),
        ("每周1次", Fraction(1, 7)),
        ("隔日1次", Fraction(1, 2)),
        ("每晚一次", 1),
        ("睡前", 1),
        ("早晚各一次", 2),
        ("三餐前", 3),
        ("每日三次,饭后", 3),
        ("tid（饭后）", 3),
        ("每日1剂，分2次服", 2),
    ],
)
def test_frequencies_of_one_meaning_are_read(text: str, times: Fraction | int) -> None:
    """A frequency with a fixed number of times a day is that number."""
    read = parse_frequency(text)
    assert read is not None
    assert read.times == times


@pytest.mark.parametrize("text", ["每日1-2次", "st", "立即", "每月1次", "遵医嘱", "q0h", "每日", "3"])
def test_frequencies_of_no_fixed_number_are_not_read(text: str) -> None:
    """What has no number, or two, or no fixed length is unknown."""
    assert parse_frequency(text) is None


@pytest.mark.parametrize("text", ["必要时", "prn", "q8h prn", "sos", "必要时每日3次"])
def test_as_needed_has_no_number_of_times(text: str) -> None:
    """As needed is known to be so, and how often is not."""
    read = parse_frequency(text)
    assert read is not None
    assert read.as_needed
    assert read.times is None


@given(st.integers(1, 12), st.sampled_from(["每日{}次", "每天{}次", "{}次/日", "{}次/天", "日{}次", "1日{}次"]))
def test_every_way_to_write_times_a_day_comes_back(times: int, written: str) -> None:
    """However the number is written, it is the same number."""
    read = parse_frequency(written.format(times))
    assert read is not None
    assert read.times == times


@given(st.integers(1, 72), st.sampled_from(["q{}h", "每{}小时1次", "每{}小时一次", "1次/{}小时"]))
def test_every_so_many_hours_comes_back(hours: int, written: str) -> None:
    """Every n hours is 24 / n times a day, exactly."""
    read = parse_frequency(written.format(hours))
    assert read is not None
    assert read.times == Fraction(24, hours)


@given(
    st.decimals(Decimal("0.001"), 9999, places=3),
    st.sampled_from(["mg", "g", "ml", "片", "粒", "支", "单位", "滴"]),
    st.sampled_from(["{}{}", "{} {}", "每次{}{}", "{}{}/次", "{}{}(注)"]),
)
def test_every_way_to_write_a_dose_comes_back(amount: Decimal, unit: str, written: str) -> None:
    """However a dose is written, its number and unit are the same."""
    assert parse_dose(written.format(amount, unit)) == Dose(Fraction(amount), unit)


@pytest.mark.parametrize(
    ("text", "dose"),
    [("半片", Dose(Fraction(1, 2), "片")), ("1/2片", Dose(Fraction(1, 2), "片")), ("两粒", Dose(Fraction(2), "粒"))],
)
def test_doses_in_words_and_fractions_are_read(text: str, dose: Dose) -> None:
    """Half a tablet is half a tablet."""
    assert parse_dose(text) == dose


@pytest.mark.parametrize("text", ["1-2片", "5%", "0.5", "适量", "0片", "2片 tid"])
def test_doses_of_two_meanings_are_not_read(text: str) -> None:
    """A range, a percentage or a bare number is no dose."""
    assert parse_dose(text) is None


@pytest.mark.parametrize(
    ("text", "mass", "pieces"),
    [
        ("0.25g*24片/盒", 250, 24),
        ("10mg×7粒", 10, 7),
        ("0.5g×12片×2板/盒", 500, 24),
        ("2ml:0.1g*10支/盒", 100, 10),
        ("100ml:5g", 5000, None),
        ("40mg(以奥美拉唑计)*14片", 40, 14),
        ("100片/瓶", None, 100),
        ("0.1g:0.2g*10片", None, 10),
    ],
)
def test_specifications_are_read(text: str, mass: int | None, pieces: int | None) -> None:
    """What one piece holds, and how many a pack holds; two strengths of one kind are none."""
    spec = parse_spec(text)
    assert spec is not None
    assert spec.measures.get("mass") == mass
    assert spec.pieces == pieces


@pytest.mark.parametrize("text", ["", "g", "0.9%100ml", "每片10mg", "详见说明书"])
def test_other_specifications_are_not_read(text: str) -> None:
    """What is not of a known form is unknown."""
    assert parse_spec(text) is None


def following(**told: object) -> dict[str, FactValue]:
    """The facts that follow from those of a line."""
    facts: dict[str, FactValue] = {}
    for name, value in told.items():
        facts[f"line.{name}"] = Decimal(str(value)) if name in {"quantity", "dose", "doses_per_day"} else value  # type: ignore[assignment]
    before = set(facts)
    dosage(facts)
    return {name.removeprefix("line."): value for name, value in facts.items() if name not in before}


def test_days_are_the_whole_days_a_quantity_lasts() -> None:
    """Two packs of 24 tablets of 0.25 g last 8 days at 0.5 g three times a day, and one pack 4."""
    told = following(quantity=2, unit="盒", spec="0.25g*24片/盒", dose_text="0.5g", frequency_text="tid")
    assert told["days"] == 8
    assert told["days_less_one_pack"] == 4
    assert told["daily_dose"] == Decimal("1.5")
    assert told["daily_dose_mg"] == 1500


def test_days_are_rounded_down_and_never_less_than_one() -> None:
    """Seven tablets twice a day last 3 days; one tablet twice a day lasts the day it is taken."""
    assert following(quantity=7, unit="片", dose_text="1片", frequency_text="bid", spec="10mg*7片")["days"] == 3
    assert following(quantity=1, unit="片", dose_text="1片", frequency_text="bid", spec="10mg*7片")["days"] == 1


def test_the_pack_as_the_order_tells_it_is_believed() -> None:
    """The smallest pack's count of the order counts where its units are those of the quantity and the dose."""
    pack = {"pack_count": Decimal(14), "pack_dose_unit": "片", "pack_unit": "盒"}
    assert following(quantity=2, unit="盒", dose_text="2片", frequency_text="bid", **pack)["days"] == 7
    assert "days" not in following(quantity=2, unit="袋", dose_text="2片", frequency_text="bid", **pack)


def test_what_is_told_wins() -> None:
    """Days and doses that were sent are not worked out again."""
    told = following(
        quantity=2, unit="盒", spec="10mg*7片", dose_text="1片", frequency_text="bid", days=30, dose=2, dose_unit="片"
    )
    assert "days" not in told
    assert told["daily_dose"] == 4


def test_of_a_single_pack_nothing_is_left() -> None:
    """However many days were told: without the only pack there are none; of two packs nobody knows."""
    assert following(quantity=1, unit="盒", days=14) == {"days_less_one_pack": 0}
    assert following(quantity=2, unit="盒", days=14) == {}


def test_units_are_never_mixed() -> None:
    """Tablets of unknown strength taken by milligrams, or millilitres of a tablet, last nobody knows how long."""
    assert "days" not in following(quantity=1, unit="盒", spec="24片/盒", dose_text="10mg", frequency_text="qd")
    assert "days" not in following(quantity=1, unit="盒", spec="10mg*24片", dose_text="5ml", frequency_text="qd")
    assert "days" not in following(quantity=1, unit="盒", spec="0.25g", dose_text="0.5g", frequency_text="qd")


def test_the_rest_of_an_opened_vial_is_not_counted() -> None:
    """Half a vial a time is unknown, for the rest may be thrown away; a syrup is kept."""
    vial = {"quantity": 10, "unit": "支", "spec": "2ml:0.1g*10支/盒", "frequency_text": "bid"}
    assert "days" not in following(**vial, dose_text="0.05g")
    assert following(**vial, dose_text="0.1g")["days"] == 5
    syrup = following(
        quantity=1, unit="瓶", spec="100ml:5g", dose_text="10ml", frequency_text="tid", dosage_form="口服溶液剂"
    )
    assert syrup["days"] == 3
    assert syrup["daily_dose_mg"] == 1500


def test_the_quantity_of_a_long_order_tells_no_days() -> None:
    """A long order goes on, whatever its first day takes."""
    order = {"quantity": 3, "unit": "片", "dose_text": "1片", "frequency_text": "tid", "spec": "10mg*7片"}
    assert following(**order)["days"] == 1
    assert "days" not in following(**order, long_order=True)


def test_as_needed_tells_neither_a_daily_dose_nor_days() -> None:
    """Nobody knows how long tablets taken as needed last."""
    told = following(quantity=1, unit="盒", spec="10mg*7片", dose_text="1片", frequency_text="必要时")
    assert told == {"as_needed": True, "dose": 1, "dose_unit": "片"}


def test_once_a_week_is_exact() -> None:
    """Four tablets once a week last 28 days."""
    told = following(quantity=1, unit="盒", spec="70mg*4片", dose_text="1片", frequency_text="qw")
    assert told["days"] == 28
    assert told["daily_dose_mg"] == 10


def test_herbs_are_weighed_by_the_day() -> None:
    """Grams a day are the grams by the days; portions are days only where the portions a day are told."""
    assert following(quantity=70, unit="g", item_type="herb", days=7) == {"daily_grams": 10}
    portions = following(quantity=7, unit="剂", item_type="herb", frequency_text="每日1剂")
    assert portions == {"doses": 7, "doses_per_day": 1, "days": 7}
    assert following(quantity=70, unit="g", item_type="herb", frequency_text="bid", dose_text="10g") == {
        "dose": 10,
        "dose_unit": "g",
    }
