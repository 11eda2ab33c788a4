"""The class table: every official class and every extension family, once."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from negative_list.classes import CLASS_IDS, class_by_name, class_name, classes
from negative_list.errors import UnknownNameError

OFFICIAL = Path(__file__).parents[2] / "shared" / "data" / "rule_classes.tsv"


def test_every_class_is_there_once() -> None:
    """R01 to R88, then E01 to E31 without E16, each with its own name."""
    expected = [f"R{n:02d}" for n in range(1, 89)] + [f"E{n:02d}" for n in range(1, 32) if n != 16]
    assert list(CLASS_IDS) == expected
    assert len({c.name for c in classes().values()}) == len(expected)


def test_names_and_codes_are_the_official_ones() -> None:
    """The table agrees with the published one, row by row."""
    if not OFFICIAL.exists():
        pytest.skip("the published class table is not here")
    rows = list(csv.DictReader(OFFICIAL.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
    official = [(f"R{int(row['seq']):02d}", row["name"], row["tier2"], row["code_v1"] or "") for row in rows]
    assert official == [(c.id, c.name, c.tier2, c.code) for c in classes().values() if c.id.startswith("R")]


def test_a_class_is_found_by_id_and_by_name() -> None:
    """Id and official name lead to each other."""
    assert class_name("R13") == "药品限就医方式"
    assert class_by_name("药品区分性别使用").id == "R67"


def test_an_unknown_class_offers_the_nearest() -> None:
    """A slip in an id or a name names what was probably meant."""
    with pytest.raises(UnknownNameError, match="did you mean `R01`"):
        class_name("R001")
    with pytest.raises(UnknownNameError, match="did you mean `药品限儿童使用`"):
        class_by_name("药品限儿童")
