"""Cells that could be taken two ways come back with the way out; nothing is taken the wrong way in silence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.conditions import Age, Not
from negative_list.parse import read_list
from tests.sheets.books import FEMALE, HEAD, MALE, csv_of, imported, rules_in, run, xlsx_of

if TYPE_CHECKING:
    from pathlib import Path

AGED: list[Any] = ["药品名称", "药品编码", "年龄范围", "来源文件"]
DRUG = "XL02BBA326A001010102180"
OTHER = "XL02BBA326A001010178537"


def one_age(path: Path, header: list[Any], *cells: Any, family: str = "R07") -> tuple[str, Any]:
    """Import one row about ages: what was said, and the condition of the rule, if it made one."""
    result, rules = imported(xlsx_of(path / "a.xlsx", [header, ["某药片", DRUG, *cells, "第1批"]]), family=family)
    return result.output, rules["某药片"].violation if rules else None


@pytest.mark.parametrize(
    "told", ["12岁以下", "6个月以下", "3岁以上、12岁以下", "12岁以上老年人", "200岁以上", "18岁以下禁用"]
)
def test_an_age_that_can_be_meant_two_ways_comes_back(tmp_path: Path, told: str) -> None:
    """A bare 以下, the old without an age, an age nobody has, a ban where the class says who may."""
    output, violation = one_age(tmp_path, AGED, told)
    assert violation is None
    assert "a.xlsx[目录]:2:3: 年龄范围" in output


@pytest.mark.parametrize(
    ("told", "inside"),
    [
        ("18岁以下", Age(below=Decimal(18))),
        ("12岁及以下", Age(at_most=Decimal(12))),
        ("3-12岁", Age(at_least=Decimal(3), at_most=Decimal(12))),
        ("6-12个月", Age(at_least=Decimal(6), at_most=Decimal(12), unit="month")),
        ("不满12岁", Age(below=Decimal(12))),
    ],
)
def test_an_age_that_says_its_ends_is_read(tmp_path: Path, told: str, inside: Age) -> None:
    """Minors, and every way that tells whether the number is meant."""
    assert one_age(tmp_path, AGED, told)[1] == Not(of=inside)


def test_a_column_says_what_a_bare_end_does_not(tmp_path: Path) -> None:
    """含上限 decides 12岁以下, and is refused where the cell says the contrary."""
    header = [*AGED[:3], "含上限", AGED[3]]
    assert one_age(tmp_path, header, "12岁以下", "是")[1] == Not(of=Age(at_most=Decimal(12)))
    ends = ["药品名称", "药品编码", "年龄上限", "含上限", "来源文件"]
    assert one_age(tmp_path, ends, "12岁以下", "否")[1] == Not(of=Age(below=Decimal(12)))
    (tmp_path / "list.jsonl").unlink()
    output, violation = one_age(tmp_path, ends, "<12岁", "是")
    assert (violation, "与“含上限”所填相反" in output) == (None, True)


def test_a_unit_in_a_heading_is_said_of_its_own_column(tmp_path: Path) -> None:
    """Years below and months above are years and months; a column without a unit has none from its neighbour."""
    header = ["药品名称", "药品编码", "年龄下限（岁）", "年龄上限（月）", "来源文件"]
    assert one_age(tmp_path, header, None, "≤12")[1] == Not(of=Age(at_most=Decimal(12), unit="month"))
    (tmp_path / "list.jsonl").unlink()
    header[3] = "年龄上限"
    assert one_age(tmp_path, header, 3, "≤12")[1] is None


def test_a_heading_that_turns_the_sense_is_refused(tmp_path: Path) -> None:
    """适用年龄 in a class of bans would forbid the drug to those it is for."""
    header = [*AGED[:2], "适用年龄", AGED[3]]
    output, violation = one_age(tmp_path, header, "≥18岁", family="R66")
    assert (violation, "表头“适用年龄”与本类规则相反" in output) == (None, True)
    told = one_age(tmp_path, [*header[:3], "限制方式", AGED[3]], "≥18岁", "仅限", family="R66")[1]
    assert told == Not(of=Age(at_least=Decimal(18)))


@pytest.mark.parametrize("cap", [0, -1, "每日2次", "<2次", "24小时"])
def test_a_cap_that_is_none_comes_back(tmp_path: Path, cap: Any) -> None:
    """Zero would refuse every line; words beside the number may mean another unit or window."""
    header = ["项目名称", "项目编码", "限定频次", "时间窗", "来源文件"]
    rows = [["甲检查", "003100000000001", cap, "14天", "批"], ["乙检查", "003100000000002", "不超过1次", "14天", "批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [header, *rows]), family="R31")
    assert rules.keys() == {"乙检查"}
    assert "a.xlsx[目录]:2:3: 限定频次" in result.output


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", '="妇乐"&"胶囊"'])
def test_a_formula_without_a_value_is_no_value(tmp_path: Path, cell: str) -> None:
    """What a formula left behind is neither a name nor a word."""
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, [cell, *FEMALE[1:]], MALE]))
    assert rules.keys() == {"阿帕他胺片"}
    assert "a.xlsx[目录]:2:1: 药品名称" in result.output


def test_a_code_kept_as_text_by_a_formula_is_read_from_text_files(tmp_path: Path) -> None:
    """``="ZD02..."`` is how programs make a spreadsheet keep a code."""
    rows = [HEAD, [FEMALE[0], f'="{FEMALE[1]}"', *FEMALE[2:]]]
    assert imported(csv_of(tmp_path / "a.csv", rows))[1]["妇乐胶囊"].trigger.codes == (FEMALE[1],)


@pytest.mark.parametrize("told", ["高血压，糖尿病", "高血压或糖尿病", "高血压 糖尿病", "除高血压外"])
def test_names_that_may_be_several_are_not_guessed(tmp_path: Path, told: str) -> None:
    """What parts names or is part of one comes back, and so does an exception; in quotes it is one name."""
    header = ["项目名称", "项目编码", "诊断编码", "诊断名称", "来源文件"]
    rows = [
        header,
        ["甲检查", "003100000000001", "I10", told, "批"],
        ["乙检查", "003100000000002", "I10", f'"{told}"、全身型关节炎', "批"],
    ]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R20")
    assert rules.keys() == {"乙检查"}
    assert f"a.xlsx[目录]:2:4: 诊断名称: `{told}`" in result.output


@pytest.mark.parametrize("told", ["除儿科外", "不限", "各科室", "精神科/心身医学科", "康复医学科和中医科"])
def test_a_department_that_is_none_comes_back(tmp_path: Path, told: str) -> None:
    """A department is compared whole: an exception, or two in one, would be none anybody works in."""
    rows = [["项目名称", "项目编码", "科室名称", "来源文件"], ["甲检查", "003100000000001", told, "批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R21")
    assert rules == {}
    assert "a.xlsx[目录]:2:3: 科室名称" in result.output


def test_a_trimester_is_said_of_the_pregnant_alone(tmp_path: Path) -> None:
    """Beside breast-feeding it would ask for both at once, and the rule would never hold."""
    header = ["药品名称", "药品编码", "生育状态", "孕期", "来源文件"]
    rows = [header, ["甲药片", DRUG, "妊娠、哺乳", "早期", "批"], ["乙药片", OTHER, "妊娠", "早期", "批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R73")
    assert rules.keys() == {"乙药片"}
    assert "a.xlsx[目录]:2:4: 孕期: 孕期只适用于妊娠" in result.output


def test_a_second_table_comes_back(tmp_path: Path) -> None:
    """A table below with other columns, or beside under the same headings, is not lost and not read askew."""
    below = [HEAD, FEMALE, ["药品名称", "限定性别", "药品编码", "来源文件"], ["阿帕他胺片", "男", DRUG, "批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", below))
    assert rules.keys() == {"妇乐胶囊"}
    assert "a.xlsx[目录]:4: 这里起是另一张表" in result.output
    beside = [[*HEAD, None, *HEAD], [*FEMALE, None, *MALE], [*FEMALE[:1], OTHER, *FEMALE[2:]]]
    result, rules = imported(xlsx_of(tmp_path / "b.xlsx", beside))
    assert "b.xlsx[目录]:2:7: 药品编码#2: 这一列与前面的列同名" in result.output
    assert rules["妇乐胶囊"].trigger.codes == (OTHER,)


def changed(tmp_path: Path, row: list[Any], *words: str) -> Any:
    """A list with one rule of 2026-01-01, changed by a sheet of these rows: its rules."""
    old = xlsx_of(tmp_path / "old.xlsx", [[*HEAD, "生效日期"], [*FEMALE, "2026-01-01"]])
    imported(old)
    new = xlsx_of(tmp_path / "new.xlsx", [["操作", *HEAD, "生效日期"], *row])
    output = tmp_path / "list.jsonl"
    head = ("import", "sheet", new, "-o", output, "--family", "R67", "--confirm", "--existing", output)
    assert run(*head, "--mode", "action", *words).exit_code == 0
    return {(rule.version, str(rule.valid_from), str(rule.valid_to)) for rule in rules_in_all(output)}


def rules_in_all(path: Path) -> Any:
    """Every rule of a list, also those of one item."""
    return read_list(path).rules


def test_a_change_from_a_later_day_leaves_no_gap(tmp_path: Path) -> None:
    """The version before stays in force until the day before; without a day the change stands in its place."""
    kept = {(1, "2026-01-01", "2026-02-28"), (2, "2026-03-01", "None")}
    told = ["调整", FEMALE[0], FEMALE[1], "男", "新批"]
    assert changed(tmp_path, [[*told, "2026-03-01"]]) == kept
    assert changed(tmp_path, [[*told, None]], "--on", "2026-03-01") == kept
    assert changed(tmp_path, [[*told, None]]) == {(2, "2026-01-01", "None")}


def test_a_rule_is_ended_and_stated_anew_in_one_sheet(tmp_path: Path) -> None:
    """停用 and 新增 of one item, in either order, are the old rule to its last day and a new one."""
    end: list[Any] = ["停用", FEMALE[0], FEMALE[1], None, None, None]
    new: list[Any] = ["新增", FEMALE[0], FEMALE[1], "男", "新批", date(2026, 3, 1)]
    kept = {(1, "2026-01-01", "2026-02-28"), (1, "2026-03-01", "None")}
    assert changed(tmp_path, [end, new], "--on", "2026-03-01") == kept
    assert changed(tmp_path, [new, end], "--on", "2026-03-01") == kept


def test_a_rule_that_ended_needs_the_day_it_begins_again(tmp_path: Path) -> None:
    """A change of an ended rule would be dead; with a day it is in force again."""
    end: list[Any] = ["停用", FEMALE[0], FEMALE[1], None, None, None]
    changed(tmp_path, [end], "--on", "2026-03-01")
    output = tmp_path / "list.jsonl"
    again = xlsx_of(tmp_path / "again.xlsx", [["操作", *HEAD], ["调整", FEMALE[0], FEMALE[1], "男", "批"]])
    words = ("import", "sheet", again, "-o", output, "--family", "R67", "--confirm", "--existing", output)
    result = run(*words, "--mode", "action")
    assert "已于 2026-02-28 停用" in result.output
    assert run(*words, "--mode", "action", "--on", "2026-06-01").exit_code == 0
    assert {str(rule.valid_to) for rule in rules_in_all(output)} == {"2026-02-28", "None"}
    assert len(rules_in(output)) == 1


QUOTED = {
    "a row below": ('"c,XG03AAA001A001010100002,女,批\r\nd,XG03AAA001A001010100003,男,批\r\n', 3),
    "up to the next quote": ('"c,XG03AAA001A001010100002,女,批\r\n"d",XG03AAA001A001010100003,男,批\r\n', 3),
    "from the middle": ('c,"XG03AAA001A001010100002,女,批\r\nd,"XG03AAA001A001010100003,男,批\r\n', 3),
    "the last row": ('"c,XG03AAA001A001010100002,女,批\r\n', 3),
}


@pytest.mark.parametrize(("rows", "row"), QUOTED.values(), ids=QUOTED.keys())
def test_a_quote_that_is_not_closed_loses_no_rows(tmp_path: Path, rows: str, row: int) -> None:
    """What a quote took in comes back, and the command ends with one; a name of two lines is a name."""
    path = tmp_path / "a.csv"
    good = f'"妇乐\n胶囊",{",".join(FEMALE[1:])}'
    path.write_text(f"{','.join(HEAD)}\r\n{good}\r\n{rows}", encoding="utf-8", newline="")
    result, rules = imported(path)
    assert (result.exit_code, len(rules)) == (1, 1)
    assert f"a.csv:{row}:" in result.output
    assert "引号不成对" in result.output


def test_a_note_that_holds_a_code_comes_back(tmp_path: Path) -> None:
    """A rule somebody wrote as a note is not passed over; a note without codes is."""
    rows = [HEAD, FEMALE, ["注：本表自发布之日起执行。"], [f"注：{DRUG} 限男性使用"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert (result.exit_code, set(rules)) == (1, {"妇乐胶囊"})
    assert f"a.xlsx[目录]:4: 这一行像注释，却有项目编码 `{DRUG}`" in result.output
