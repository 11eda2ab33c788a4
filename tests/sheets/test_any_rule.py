"""Whatever rule a family's sheet can make, the sheet of that rule makes it again, to the last byte."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, assume, given, reject, settings

from negative_list.compile import canonical_lines
from negative_list.parse import Parsed, Place
from negative_list.rules import RuleList
from negative_list.sheets.cells import CellError
from negative_list.sheets.convert import not_held, rules_of
from negative_list.sheets.exporting import exported
from negative_list.sheets.importing import Wanted, find_tables, import_tables, mapped
from negative_list.sheets.writing import table_bytes
from negative_list.validate import validate
from tests.sheets.samples import drawn_values

if TYPE_CHECKING:
    from negative_list.sheets.families import Family

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Shrinking a row takes minutes and tells little: its columns are few and independent."""

NOWHERE = Place(file="", locate=lambda _path: (0, 0))


def made(family: Family, values: dict[str, Any]) -> RuleList:
    """The list of the one rule a row makes; a row that contradicts itself, or a rule no list may hold, is none."""
    try:
        rules = RuleList(rules=rules_of(family, values))
    except CellError:
        reject()
    assume(not validate(Parsed(rules=rules, rule_places=(NOWHERE,), set_places=(), problems=())))
    return rules


def again(rules: RuleList, family: Family, name: str) -> RuleList:
    """The list written as a sheet of that name and read again."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(table_bytes(path, {family.class_id: exported(rules, family).rows}))
        sure, unsure = mapped(find_tables([path], family).found, family, "", Path(folder), None)
        assert unsure == ()
        return import_tables(sure, family, RuleList(rules=()), Wanted()).rules


@given(drawn=drawn_values())
@settings(max_examples=300, deadline=None, phases=PHASES)
def test_a_row_holds_the_rule_it_made(drawn: tuple[Family, dict[str, Any]]) -> None:
    """Nothing of a rule a row made is lost in the row that is made of it."""
    family, values = drawn
    assert [not_held(family, rule) for rule in made(family, values).rules] == [()]


@given(drawn=drawn_values())
@settings(max_examples=60, deadline=None, phases=PHASES)
def test_a_list_is_the_same_after_a_sheet(drawn: tuple[Family, dict[str, Any]]) -> None:
    """List, XLSX, list and list, CSV, list give equal canonical lines."""
    family, values = drawn
    rules = made(family, values)
    before = list(canonical_lines(rules))
    assert list(canonical_lines(again(rules, family, "a.xlsx"))) == before
    assert list(canonical_lines(again(rules, family, "a.csv"))) == before
