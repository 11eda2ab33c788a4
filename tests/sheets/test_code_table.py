"""The local code table as a sheet: readable either way, part of a site, and reported both ways."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.errors import ListError, SiteError
from negative_list.sheets.codetable import read_code_sheet
from negative_list.site import Sites
from tests.sheets.books import csv_of, run, xls_of, xlsx_of

if TYPE_CHECKING:
    from pathlib import Path

HEAD = ["医院编码", "医院名称", "国家编码", "国家名称", "生效", "失效"]
ROWS: list[list[Any]] = [
    ["A001", "阿帕他胺", "XL02BBA326A001010102180、XL02BBA326A001010178537", "阿帕他胺片", "2026-01-01", None],
    ["B002", "妇乐", "ZD02AAF0221010105329", "妇乐胶囊", None, "2026-06-30"],
    ["C003", "院内制剂", "未对照", None, None, None],
]


@pytest.mark.parametrize("turned", [False, True], ids=["local first", "national first"])
@pytest.mark.parametrize(("make", "name"), [(xlsx_of, "a.xlsx"), (xls_of, "a.xls"), (csv_of, "a.csv")])
def test_a_code_table_reads_either_way(tmp_path: Path, make: Any, name: str, *, turned: bool) -> None:
    """Columns are known by their headings, whichever comes first; several national codes are several rows."""
    order = [2, 3, 0, 1, 4, 5] if turned else range(6)
    rows = [[row[place] for place in order] for row in (HEAD, *ROWS)]
    table = read_code_sheet(make(tmp_path / name, rows))
    assert [(row.local, row.national) for row in table.rows] == [
        ("A001", "XL02BBA326A001010102180"),
        ("A001", "XL02BBA326A001010178537"),
        ("B002", "ZD02AAF0221010105329"),
        ("C003", ""),
    ]
    assert (table.rows[0].valid_from, table.rows[2].valid_to) == (date(2026, 1, 1), date(2026, 6, 30))


def test_two_columns_that_only_say_code_are_told_apart_by_their_codes(tmp_path: Path) -> None:
    """The side all of whose codes have a national structure is the national one; where neither has, it is asked."""
    table = read_code_sheet(xlsx_of(tmp_path / "a.xlsx", [["源编码", "目标编码"], ["ZD02AAF0221010105329", "B002"]]))
    assert [(row.local, row.national) for row in table.rows] == [("B002", "ZD02AAF0221010105329")]
    with pytest.raises(ListError, match="分不清"):
        read_code_sheet(xlsx_of(tmp_path / "b.xlsx", [["源编码", "目标编码"], ["A1", "B002"]]))


def test_what_is_wrong_with_a_row_has_its_place(tmp_path: Path) -> None:
    """A damaged national code, a row without a local code, a day that is none: each by its cell, the rest is read."""
    rows: list[list[Any]] = [
        HEAD,
        ["S1", "造影", 2_101_030_300_000, None, None, None],
        [None, "无码", ROWS[1][2], None, "", ""],
    ]
    rows += [["S2", "造影", "002101030300000", None, "下月", None], ROWS[1]]
    table = read_code_sheet(xlsx_of(tmp_path / "a.xlsx", rows))
    assert [(problem.row, problem.column) for problem in table.problems] == [(2, 3), (3, 1), (4, 5)]
    assert "编码已损坏" in table.problems[0].message
    assert [row.local for row in table.rows] == ["B002"]


def test_local_codes_that_are_numbers_are_told(tmp_path: Path) -> None:
    """A local number is taken as it is, and people are told that zeros before it are gone."""
    table = read_code_sheet(xlsx_of(tmp_path / "a.xlsx", [HEAD, [123, "x", "002101030300000", None, None, None]]))
    assert table.rows[0].local == "123"
    assert "1 个医院编码是数字" in table.notes[0]


def test_a_site_may_name_a_sheet(tmp_path: Path) -> None:
    """A line of the hospital's code has the national codes of the sheet, on the days the sheet says."""
    xlsx_of(tmp_path / "codes.xlsx", [HEAD, *ROWS])
    csv_of(tmp_path / "codes.csv", [HEAD, ["D004", "造影", "002101030300000", None, None, None]], "gb18030")
    (tmp_path / "site.toml").write_text('[default]\ncode_files = ["codes.xlsx", "codes.csv"]\n', encoding="utf-8")
    site = Sites.read(tmp_path / "site.toml").default
    february = site.national("item", "a001", datetime(2026, 2, 1))
    assert february == ("XL02BBA326A001010102180", "XL02BBA326A001010178537")
    assert site.national("item", "B002", datetime(2026, 7, 1)) == ()
    assert site.national("item", "D004", None) == ("002101030300000",)


def test_a_row_that_ends_before_it_begins_is_no_row(tmp_path: Path) -> None:
    """Days the wrong way round would never hold; the row is named by its last day."""
    row = ["S1", "造影", "002101030300000", None, "2026-05-01", "2026-01-01"]
    table = read_code_sheet(xlsx_of(tmp_path / "a.xlsx", [HEAD, row, ROWS[1]]))
    assert [(problem.row, problem.column) for problem in table.problems] == [(2, 6)]
    assert [row.local for row in table.rows] == ["B002"]


def test_a_quote_that_is_not_closed_loses_no_rows_of_a_code_table(tmp_path: Path) -> None:
    """Rows that a quote takes in are a problem, however few cells are left."""
    path = tmp_path / "a.csv"
    rows = 'S1,造影,002101030300000\n"S2,造影,002101030400000\nS3,造影,002101030500000\n'
    path.write_text(f"医院编码,医院名称,国家编码\n{rows}", encoding="utf-8")
    table = read_code_sheet(path)
    assert ([row.local for row in table.rows], [problem.row for problem in table.problems]) == (["S1"], [3])


def test_one_bad_row_leaves_the_site_usable(tmp_path: Path) -> None:
    """Good rows hold, and whoever starts the site is told which row does not."""
    xlsx_of(tmp_path / "codes.xlsx", [HEAD, *ROWS, ["S1", "造影", 2_101_030_300_000, None, None, None]])
    (tmp_path / "site.toml").write_text('[default]\ncode_files = ["codes.xlsx"]\n', encoding="utf-8")
    sites = Sites.read(tmp_path / "site.toml")
    assert sites.default.national("item", "B002", datetime(2026, 2, 1)) == ("ZD02AAF0221010105329",)
    assert sites.degraded == ("code table codes.xlsx[目录]: rows not used: 1",)
    body = tmp_path / "body.json"
    asked = {"id": "e", "lines": [{"id": "1", "local_code": "B002", "name": "x", "begins": "2026-02-01"}]}
    sent = {"time": "2026-02-01 09:00:00", "patient": {"id": "p"}, "encounter": asked}
    body.write_text(json.dumps(sent), encoding="utf-8")
    told = run("match", written_list(tmp_path), "--request", body, "--site", tmp_path / "site.toml")
    assert told.exit_code in (0, 2)
    assert "codes.xlsx[目录]:5:3: 国家编码: 编码已损坏" in told.stderr
    assert [rule["rule_id"] for rule in json.loads(told.stdout)["not_evaluated"]] == ["r0"]


def test_problems_of_a_sheet_are_problems_of_the_site(tmp_path: Path) -> None:
    """A site with a code table that has no good row is refused, with the place in the sheet."""
    xlsx_of(tmp_path / "codes.xlsx", [HEAD, ["S1", "造影", 2_101_030_300_000, None, None, None]])
    (tmp_path / "site.toml").write_text('[default]\ncode_files = ["codes.xlsx"]\n', encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        Sites.read(tmp_path / "site.toml")
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(2, 3)]


def written_list(folder: Path) -> Path:
    """A list of two drugs."""
    path = folder / "list.yaml"
    rule = "- id: r{n}\n  class: R65\n  title: t\n  trigger: {{codes: [{code}]}}\n"
    rule += "  violation: {{kind: age, at_least: 18}}\n  message: {{zh: m}}\n  basis: {{document: d}}\n"
    codes = ("ZD02AAF0221010105329", "ZD02AAF0201010105046")
    path.write_text("".join(rule.format(n=n, code=code) for n, code in enumerate(codes)), encoding="utf-8")
    return path


def test_unmapped_codes_are_reported_both_ways(tmp_path: Path) -> None:
    """Local codes without a national one, and codes of the list that no local code maps to."""
    sheet = xlsx_of(tmp_path / "a.xlsx", [HEAD, *ROWS])
    result = run("codes", sheet, "--list", written_list(tmp_path))
    assert result.exit_code == 0, result.output
    assert "\tC003\t院内制剂" in result.stdout
    assert "\tZD02AAF0201010105046" in result.stdout
    found = json.loads(run("codes", sheet, "--list", written_list(tmp_path), "--json").stdout)
    assert [row["local"] for row in found["local"]] == ["C003"]
    assert (found["national"], found["used"]) == (["ZD02AAF0201010105046"], 1)


def test_rows_that_cannot_be_read_end_the_report_with_one(tmp_path: Path) -> None:
    """The report is printed, then the problems of the sheet with their places."""
    sheet = xlsx_of(tmp_path / "a.xlsx", [HEAD, *ROWS, ["S1", "造影", 2_101_030_300_000, None, None, None]])
    result = run("codes", sheet, "--list", written_list(tmp_path))
    assert result.exit_code == 1
    assert "a.xlsx[目录]:5:3: 国家编码: 编码已损坏" in result.stderr
