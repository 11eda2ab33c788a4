"""Whatever a sheet holds, the importer answers with a list, with problems, or with both: never with a traceback."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list.parse import Parsed, Place
from negative_list.rules import RuleList
from negative_list.sheets.columns import columns
from negative_list.sheets.families import FAMILIES, Family
from negative_list.sheets.grid import Grid
from negative_list.sheets.header import find_header
from negative_list.sheets.importing import Found, Wanted, import_tables
from negative_list.sheets.maps import known_headings, proposed
from negative_list.validate import validate
from tests.sheets.samples import CODES

WORDS = [
    *CODES, "男", "女性", "3岁以上", "<18岁", "≥6个月", "12", "单日", "14天（含端）", "疗程30天", "I10", "I20-I25",
    "66.2100", "是", "无", "仅限", "新增", "停用", "调整", "拦截", "妊娠、哺乳", "住院", "工伤保险", "二级", "高血压",
    "2026-01-01", "1.5", "{}", '{"at": 0, "of": []}', '{"kind": "all"}', "line.days", "限二级及以上医疗机构",
    "注：说明", "示例", "=1+1",
]  # fmt: skip
CELLS = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.text(max_size=6),
    st.integers(-5, 10**16),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1900, 1, 1), date(9999, 12, 31)),
    st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)),
)
PLACE = Place(file="", locate=lambda _path: (0, 0))


@st.composite
def sheets(draw: st.DrawFn) -> tuple[Family, Grid]:
    """A family, and a sheet with some of its headings above anything at all."""
    family = draw(st.sampled_from(list(FAMILIES.values())))
    needed = [group[0] for group in family.needs]
    keys = list(dict.fromkeys([*needed, "document", *draw(st.lists(st.sampled_from(family.columns), max_size=8))]))
    rows: list[tuple[Any, ...]] = [tuple(columns()[key].zh for key in keys)]
    rows += draw(st.lists(st.tuples(*[CELLS] * len(keys)), min_size=1, max_size=4))
    return family, Grid(file="a.xlsx", sheet="s", kind="xlsx", rows=tuple(rows))


@given(drawn=sheets(), mode=st.sampled_from([None, "add", "action", "replace"]))
@settings(max_examples=300, deadline=None)
def test_any_sheet_gives_a_list_or_problems(drawn: tuple[Family, Grid], mode: Any) -> None:
    """Good rows make rules that a list may hold, every other row is rejected with a place or passed over."""
    family, grid = drawn
    header = find_header(grid, known_headings(family).__contains__)
    assert header is not None
    found = Found(grid=grid, header=header, column_map=proposed(header, family, ""))
    done = import_tables([found], family, RuleList(rules=()), Wanted(mode=mode, on=date(2026, 6, 1)))
    places = (PLACE,) * len(done.rules.rules)
    problems = validate(Parsed(rules=done.rules, rule_places=places, set_places=(), problems=()))
    assert [problem for problem in problems if "the list is empty" not in problem.message] == []
    assert all(problem.row > 1 for problem in done.problems)
    assert done.good + done.rejected <= len(grid.rows) - 1
