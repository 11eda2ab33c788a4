"""Twelve sheets with one dirt each: the right rows go in, and the right problems are named."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from negative_list.sheets.grid import read_grids
from tests.sheets.books import FEMALE, HEAD, MALE, back, csv_of, imported, run, xls_of, xlsx_of

if TYPE_CHECKING:
    from pathlib import Path

BOTH = {"妇乐胶囊", "阿帕他胺片"}
SERVICE = ["项目名称", "项目编码", "限定性别", "来源文件"]


def edited(path: Path, change: Any) -> Path:
    """Change the worksheet of an XLSX file in place."""
    book = load_workbook(path)
    change(book.worksheets[0])
    book.save(path)
    return path


def test_title_rows_stand_above_the_header(tmp_path: Path) -> None:
    """A title over all columns, a line of units and a blank row are passed over."""
    rows: list[list[Any]] = [
        ["药品区分性别使用目录"],
        ["单位：某市医保局", None, None, "2026年1月"],
        [],
        HEAD,
        FEMALE,
        MALE,
    ]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows, merges=["A1:D1"]))
    assert result.exit_code == 0, result.output
    assert rules.keys() == BOTH


def test_a_header_of_two_merged_rows_is_read_as_one(tmp_path: Path) -> None:
    """The upper row's words go with each heading below it."""
    rows: list[list[Any]] = [["药品", None, "限定", "来源文件"], ["名称", "编码", "性别", None], FEMALE, MALE]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows, merges=["A1:B1", "D1:D2"]))
    assert result.exit_code == 0, result.output
    assert rules.keys() == BOTH
    assert rules["妇乐胶囊"].trigger.codes == ("ZD02AAF0221010105329",)


def test_several_codes_stand_in_one_cell(tmp_path: Path) -> None:
    """Every separator in use parts them; a range of codes is named, not expanded."""
    codes = (
        "ZD02AAF0221010105329、ZD02AAF0221010205329，ZD02AAF0221010305329；\nZD02AAF0201010105046 ZD02AAF0201020105046"
    )
    ranged = ["千金片", "ZD02AAF0201010105046-ZD02AAF0201010105049", "女", "公开第1批"]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, ["妇乐胶囊", codes, *FEMALE[2:]], ranged]))
    assert result.exit_code == 1
    assert len(rules["妇乐胶囊"].trigger.codes) == 5
    assert "a.xlsx[目录]:3:2: 药品编码: 编码区间" in result.output


@pytest.mark.parametrize(
    "damaged",
    [3_102_050_010_100, 3.10205001e12, "3.10205E+12", "2101030310000", 123_456_789_012_345_680, 310_205_001_010_000],
)
def test_a_code_that_became_a_number_is_named_as_damaged(tmp_path: Path, damaged: Any) -> None:
    """Lost zeros, scientific notation, digits lost behind the fifteenth: named with the cell, never repaired."""
    rows = [SERVICE, ["子宫造影", "002101030300000", "女", "第1批"], ["输卵管造影", damaged, "女", "第1批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R81")
    assert result.exit_code == 1
    assert rules.keys() == {"子宫造影"}
    assert "a.xlsx[目录]:3:2: 项目编码: 编码已损坏" in result.output


def test_a_number_that_shows_all_its_zeros_is_the_code_it_shows(tmp_path: Path) -> None:
    """A cell of fifteen places shows the whole code, so nothing is lost and nothing is guessed."""
    path = xlsx_of(tmp_path / "a.xlsx", [SERVICE, ["子宫造影", 2_101_030_300_000, "女", "第1批"]])

    def shown(page: Any) -> None:
        page["B2"].number_format = "000000000000000"

    result, rules = imported(edited(path, shown), family="R81")
    assert result.exit_code == 0, result.output
    assert rules["子宫造影"].trigger.codes == ("002101030300000",)


def test_old_files_and_other_encodings_are_read(tmp_path: Path) -> None:
    """XLS, CSV in GB18030 and in UTF-8 with a mark hold the same rules, whatever their names say."""
    rows = [HEAD, FEMALE, MALE]
    files = [
        xls_of(tmp_path / "a.xls", rows),
        csv_of(tmp_path / "b.csv", rows, "gb18030"),
        csv_of(tmp_path / "c.csv", rows),
        xlsx_of(tmp_path / "d.xlsx", rows).rename(tmp_path / "d.xls"),
    ]
    read = [imported(path) for path in files]
    assert [result.exit_code for result, _ in read] == [0, 0, 0, 0]
    assert all(rules == read[0][1] for _, rules in read)
    assert read[0][1].keys() == BOTH


def test_hidden_rows_and_columns_are_read_and_told(tmp_path: Path) -> None:
    """A filter somebody left on withdraws nothing in silence; who wants it may leave hidden rows out."""

    def hide(page: Any) -> None:
        page.row_dimensions[3].hidden = True
        page.column_dimensions["D"].hidden = True

    path = edited(xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE, MALE]), hide)
    result, rules = imported(path)
    assert rules.keys() == BOTH
    assert "隐藏行已读 (hidden rows, read)：第 3 行" in result.output
    assert "隐藏列已读 (hidden columns, read)：来源文件" in result.output
    result, rules = imported(path, "--skip-hidden")
    assert rules.keys() == {"妇乐胶囊"}
    assert "隐藏行，未读 (hidden, not read)：第 3 行" in result.output


def test_notes_sections_and_empty_rows_are_no_rules(tmp_path: Path) -> None:
    """Headings of sections, a repeated header, blank rows and notes at the bottom are passed over and told."""
    rows: list[list[Any]] = [
        HEAD,
        ["一、妇科用药"],
        FEMALE,
        [],
        HEAD,
        ["二、泌尿科用药"],
        MALE,
        [],
        ["注：本表自发布之日起执行。"],
    ]
    rows.append(["制表人：某某", None, None, "2026年1月"])
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert result.exit_code == 0, result.output
    assert rules.keys() == BOTH
    assert "分段标题 (section heading)：第 2、6 行" in result.output
    assert "注释 (note)：第 9、10 行" in result.output


def test_full_width_characters_are_plain_ones(tmp_path: Path) -> None:
    """Full-width letters, digits and separators in codes and words read as plain ones."""
    row = ["妇乐胶囊", "ＺＤ０２ＡＡＦ０２２１０１０１０５３２９；ZD02AAF0221010205329", "　女　", "公开第1批"]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, row]))
    assert result.exit_code == 0, result.output
    assert rules["妇乐胶囊"].trigger.codes == ("ZD02AAF0221010105329", "ZD02AAF0221010205329")


@pytest.mark.parametrize(
    "written",
    [46054, datetime(2026, 2, 1), "46054 ", "2026-02-01", "2026/2/1", "２０２６年２月１日", "20260201", "2026.2.1"],
)
def test_dates_are_serials_or_text(tmp_path: Path, written: Any) -> None:
    """The first day may be an Excel serial, a date, or text in every usual form."""
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [[*HEAD, "生效日期"], [*FEMALE, written], [*MALE, "长期"]]))
    assert result.exit_code == 0, result.output
    assert rules["妇乐胶囊"].valid_from == date(2026, 2, 1)
    assert rules["阿帕他胺片"].valid_from is None


@pytest.mark.parametrize("written", ["2026年2月", "1/2/2026", "2026-02-30", "下月起"])
def test_a_day_that_is_none_is_named(tmp_path: Path, written: str) -> None:
    """A month without a day, an order nobody can know, a day the calendar lacks: rejected with the cell."""
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [[*HEAD, "生效日期"], [*FEMALE, written], [*MALE, None]]))
    assert result.exit_code == 1
    assert rules.keys() == {"阿帕他胺片"}
    assert "a.xlsx[目录]:2:5: 生效日期" in result.output


def test_cells_merged_over_rows_hold_for_each(tmp_path: Path) -> None:
    """One drug over three rows of codes is one rule with three codes."""
    rows: list[list[Any]] = [HEAD, FEMALE, [None, "ZD02AAF0221010205329"], [None, "ZD02AAF0221010305329"], MALE]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows, merges=["A2:A4", "C2:C4", "D2:D4"]))
    assert result.exit_code == 0, result.output
    assert rules["妇乐胶囊"].trigger.codes == tuple(f"ZD02AAF022101{n}" for n in ("0105329", "0205329", "0305329"))


def test_a_word_that_is_none_is_named_with_the_nearest(tmp_path: Path) -> None:
    """A slip in a word rejects its row, and the known word most like it is offered."""
    rows = [[*HEAD, "处理方式"], [*FEMALE, "拦住"], [*MALE, "拦截"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert rules.keys() == {"阿帕他胺片"}
    assert "a.xlsx[目录]:2:5: 处理方式: `拦住` 不是可用的词" in result.output


def test_a_row_without_a_basis_is_rejected(tmp_path: Path) -> None:
    """Every rule cites a document; the command may name it for the whole sheet."""
    path = xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE, [*MALE[:3], None]])
    result, rules = imported(path)
    assert (result.exit_code, set(rules)) == (1, {"妇乐胶囊"})
    assert "a.xlsx[目录]:3:4: 来源文件: 没有来源文件" in result.output
    result, rules = imported(path, "--document", "某市医保局2026年1号")
    assert (result.exit_code, rules["阿帕他胺片"].basis.document) == (0, "某市医保局2026年1号")


def test_rejected_rows_come_back_as_the_same_sheet(tmp_path: Path) -> None:
    """Titles, header and bad rows come back with a column of problems; mended, that file is read as it is."""
    rows = [["目录"], HEAD, FEMALE, ["阿帕他胺片", "XL02BBA", "男", "公开第1批"]]
    result, _ = imported(xlsx_of(tmp_path / "a.xlsx", rows, merges=["A1:D1"]))
    path = tmp_path / "a.rejected.xlsx"
    returned = back(path)
    assert returned[0][0] == "目录"
    assert returned[1] == [*HEAD, "问题"]
    assert [row[:4] for row in returned[2:]] == [["阿帕他胺片", "XL02BBA", "男", "公开第1批"]]
    assert returned[2][4].startswith("B4 药品编码：`XL02BBA` 不符合国家编码的结构")
    assert "退回 1 行" in result.output

    def mend(page: Any) -> None:
        page["B3"] = MALE[1]

    again, rules = imported(edited(path, mend))
    assert (again.exit_code, set(rules)) == (0, {"阿帕他胺片"})


@pytest.mark.parametrize(("make", "suffix"), [(xls_of, ".xlsx"), (csv_of, ".csv")])
def test_rejected_rows_keep_the_kind_of_file(tmp_path: Path, make: Any, suffix: str) -> None:
    """CSV comes back as CSV; XLS, which nobody writes any more, as XLSX."""
    source = make(
        tmp_path / ("a" + (".xls" if suffix == ".xlsx" else ".csv")), [HEAD, FEMALE, ["片", "1", "男", "第1批"]]
    )
    result, _ = imported(source)
    assert result.exit_code == 1
    assert (tmp_path / f"a.rejected{suffix}").exists()


def test_text_comes_back_in_its_own_encoding(tmp_path: Path) -> None:
    """What came in GB18030 opens where it came from."""
    imported(csv_of(tmp_path / "a.csv", [HEAD, FEMALE, ["片", "1", "男", "第1批"]], "gb18030"))
    text = (tmp_path / "a.rejected.csv").read_bytes().decode("gb18030")
    assert text.splitlines()[0] == ",".join([*HEAD, "问题"])
    assert "妇乐胶囊" not in text


def test_a_sheet_without_a_good_row_writes_nothing(tmp_path: Path) -> None:
    """No list is better than one that lost everything."""
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, ["片", "1", "男", "第1批"]]))
    assert result.exit_code == 1
    assert rules == {}
    assert "没有一行可以读入" in result.output


@pytest.mark.parametrize(
    "raw",
    ["PK\x03\x04 no book", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 none", "<html></html>", ""],
    ids=["xlsx", "xls", "html", "empty"],
)
def test_a_file_that_is_no_sheet_is_named(tmp_path: Path, raw: str) -> None:
    """A broken or foreign file is a problem with the file's name, not a traceback."""
    path = tmp_path / "a.xls"
    path.write_bytes(raw.encode("latin-1"))
    result, _ = imported(path)
    assert result.exit_code == 1
    assert "a.xls: " in result.output


def test_a_name_that_begins_like_a_note_is_no_note(tmp_path: Path) -> None:
    """注射用... without its code is a bad row that is named, not a note that is passed over."""
    rows = [HEAD, FEMALE, ["注射用示例", None, "女", "第1批"], ["注射用另一种"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert result.exit_code == 1
    assert set(rules) == {"妇乐胶囊", "注射用示例"}
    assert rules["注射用示例"].trigger.names == ("注射用示例",)
    assert "a.xlsx[目录]:4:4: 来源文件" in result.output
    assert "按名称识别 (no code, known by name)：第 3、4 行" in result.output


def test_without_the_extra_people_are_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XLSX cannot be read or written without the extra; CSV goes in and out all the same."""
    path = xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE])
    text = csv_of(tmp_path / "b.csv", [HEAD, FEMALE])
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    result, _ = imported(path)
    assert (result.exit_code, "没有安装表格组件" in result.output) == (1, True)
    written = run("template", "R67", "-o", tmp_path / "t.xlsx")
    assert (written.exit_code, "pip install '.[sheets]'" in written.output) == (1, True)
    result, rules = imported(text)
    assert (result.exit_code, set(rules)) == (0, {"妇乐胶囊"})


def test_a_stray_cell_far_below_costs_nothing(tmp_path: Path) -> None:
    """A format that reaches down to the last row of the sheet is no million of rows to read."""

    def stray(page: Any) -> None:
        page["C1048576"].number_format = "@"

    path = edited(xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE, MALE]), stray)
    assert [len(grid.rows) for grid in read_grids(path)] == [3]
    result, rules = imported(path)
    assert (result.exit_code, set(rules)) == (0, BOTH)


def test_a_formula_is_what_it_shows(tmp_path: Path) -> None:
    """A formula nobody calculated shows nothing, so its row is rejected by the formula's text."""
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE, ["片", '="ZD02"&A1', "女", "第1批"]]))
    assert (result.exit_code, set(rules)) == (1, {"妇乐胶囊"})
    assert "a.xlsx[目录]:3:2: 药品编码" in result.output
