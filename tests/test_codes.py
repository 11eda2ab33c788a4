"""National code structures: what is usable, what a shape stands for, and what a range means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from negative_list import codes

POINTS = Path(__file__).parents[2] / "shared" / "data" / "knowledge_points.jsonl"


@pytest.mark.parametrize(
    ("code", "item_type"),
    [
        ("XA11DAW036A001010104127", "drug"),
        ("ZA09HAZ0413010200940", "drug"),
        ("T001700914", "herb"),
        ("T00173001410101" + "12345", "granule"),
        ("C0101010010000100001", "material"),
        ("C01010100100001000010000001", "material"),
        ("003402000390000", "service"),
        (" xa11daw036a001010104127 ", "drug"),
        ("NMLC999", None),
        ("NDPB999", None),
        ("L0001", None),
        ("00340200039000", None),
        ("", None),
    ],
)
def test_a_code_stands_for_an_item_type_by_its_shape(code: str, item_type: str | None) -> None:
    """Each national shape names its item type; placeholders and local codes name none."""
    assert codes.structure(code) == item_type
    assert codes.usable_item(code) is (item_type is not None)


def test_every_published_code_is_usable() -> None:
    """All codes of the published points have a national structure."""
    if not POINTS.exists():
        pytest.skip("the published points are not here")
    rows = [json.loads(line) for line in POINTS.read_text(encoding="utf-8").splitlines()]
    unusable = [code for row in rows for code in row["med_codes"] if not codes.usable_item(code)]
    assert unusable == []


@pytest.mark.parametrize("code", ["I10", "I63.9", "I63.900", "I10.x00", "i10.X00x002", "A99.999x99", "E11.900x001"])
def test_diagnosis_codes_of_every_edition_are_usable(code: str) -> None:
    """Categories, four characters, the insurer's 3.3 form and x extensions are ICD-10."""
    assert codes.icd10_codes(code) == (code.upper(),)


@pytest.mark.parametrize("code", ["", "1234", "LOCAL1", "A04.03.04", "I1", "I63900", "-"])
def test_other_texts_are_no_diagnosis_codes(code: str) -> None:
    """Local numbers, codes of traditional medicine and placeholders are not ICD-10."""
    assert codes.icd10_codes(code) == ()


def test_a_dagger_pair_is_two_codes() -> None:
    """A code of a cause with its manifestation is both codes."""
    assert codes.icd10_codes("E11.2†N08.3*") == ("E11.2", "N08.3")


@pytest.mark.parametrize(("code", "usable"), [("66.2100", True), ("00.6600x004", True), ("66", False), ("I10", False)])
def test_operation_codes_are_all_digits(code: str, *, usable: bool) -> None:
    """ICD-9-CM-3 has two digits, a dot and up to four more."""
    assert bool(codes.icd9_codes(code)) is usable


def test_prefixes_run_from_the_category_to_the_code() -> None:
    """Every beginning a rule may name is there, the dot alone is not one."""
    assert codes.icd_prefixes("i63.90") == ("I63", "I63.9", "I63.90")
    assert codes.icd_prefixes("66.21") == ("66", "66.2", "66.21")


def test_ranges_include_both_ends() -> None:
    """A range of categories is every category from end to end, also over letters."""
    assert codes.expand_ranges(("I20-I25", "C34")) == {"I20", "I21", "I22", "I23", "I24", "I25", "C34"}
    assert codes.expand_ranges(("a98-b01",)) == {"A98", "A99", "B00", "B01"}
    assert codes.expand_ranges(("35-36",)) == {"35", "36"}


def test_four_character_ends_cut_their_category() -> None:
    """A four-character end takes only its part of the category in."""
    assert codes.expand_ranges(("E10.8-E12.1",)) == {"E10.8", "E10.9", "E11", "E12.0", "E12.1"}
    assert codes.expand_ranges(("E10.2-E10.3",)) == {"E10.2", "E10.3"}


@pytest.mark.parametrize("code", ["I25-I20", "I20-35", "高血压", "I20.00-I20.90", "E10.5-E10.2"])
def test_what_is_no_range_is_refused(code: str) -> None:
    """Backward and mixed ranges, and texts, name what to write instead."""
    with pytest.raises(ValueError, match="`"):
        codes.expand_ranges((code,))
