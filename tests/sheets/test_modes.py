"""How a sheet is taken: as the whole class, as additions, or by its own column of changes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.parse import read_list
from tests.sheets.books import FEMALE, HEAD, MALE, imported, rules_in, run, xlsx_of

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

CHANGES = ["操作", *HEAD, "失效日期"]
THIRD: list[Any] = ["妇科千金胶囊", "ZD02AAF0201010105046", "女", "公开第1批"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A list of two rules from a sheet."""
    result, _ = imported(xlsx_of(tmp_path / "base.xlsx", [HEAD, FEMALE, MALE]))
    assert result.exit_code == 0, result.output
    return tmp_path / "list.jsonl"


def into(base: Path, rows: list[list[Any]], *words: str) -> Result:
    """Import rows into the list, which is written again."""
    sheet = xlsx_of(base.parent / "next.xlsx", rows)
    told = ("--family", "R67", "--confirm", "--existing", base)
    return run("import", "sheet", sheet, "-o", base, *told, *words)


def test_rows_add_change_and_end_by_their_own_column(base: Path) -> None:
    """新增 makes a rule, 调整 makes the next version of one, 停用 gives one its last day."""
    rows = [CHANGES, ["新增", *THIRD, None], ["调整", *MALE[:2], "女", MALE[3], None], ["停用", *FEMALE, "2026-03-31"]]
    result = into(base, rows)
    rules = rules_in(base)
    assert result.exit_code == 0, result.output
    assert "新增 1，调整 1，停用 1" in result.stdout
    assert (rules["阿帕他胺片"].version, rules["阿帕他胺片"].message.zh) == (2, "限女性使用")
    assert rules["妇乐胶囊"].valid_to == date(2026, 3, 31)
    assert rules["妇科千金胶囊"].version == 1


def test_an_end_without_a_day_asks_for_one(base: Path) -> None:
    """The last day is told by the row, or is the day before the sheet holds."""
    rows = [CHANGES, ["停用", *FEMALE, None]]
    assert "何时停用" in into(base, rows).stderr
    assert into(base, rows, "--on", "2026-05-01").exit_code == 0
    assert rules_in(base)["妇乐胶囊"].valid_to == date(2026, 4, 30)


@pytest.mark.parametrize(
    ("change", "row", "said"),
    [
        ("新增", FEMALE, "已存在"),
        ("调整", THIRD, "列表中没有这条规则"),
        ("停用", THIRD, "列表中没有这条规则"),
        (None, THIRD, "没有填写操作"),
        ("新曾", THIRD, "不是可用的词"),
    ],
)
def test_a_change_that_cannot_be_is_rejected(base: Path, change: str | None, row: list[Any], said: str) -> None:
    """What is there cannot be new, what is not there cannot change, and a change has to be told."""
    before = base.read_bytes()
    result = into(base, [CHANGES, [change, *row, None]])
    assert result.exit_code == 1
    assert said in result.stderr
    assert base.read_bytes() == before


def test_a_whole_sheet_ends_what_it_no_longer_holds(base: Path) -> None:
    """Rules that are not in the new sheet end the day before it holds, and stay so that old findings explain."""
    result = into(base, [HEAD, FEMALE, THIRD], "--mode", "replace", "--on", "2026-06-01")
    rules = rules_in(base)
    assert result.exit_code == 0, result.output
    assert "新增 1，调整 0，停用 1，未变 1" in result.stdout
    assert (rules["妇乐胶囊"].version, rules["妇乐胶囊"].valid_from) == (1, None)
    assert rules["阿帕他胺片"].valid_to == date(2026, 5, 31)
    assert rules["妇科千金胶囊"].valid_from == date(2026, 6, 1)


def test_a_rejected_row_withdraws_nothing(base: Path) -> None:
    """The rule a bad row is about stays as it is, even where its code cannot be read."""
    damaged = [MALE[0], 2.1e12, *MALE[2:]]
    result = into(base, [HEAD, FEMALE, damaged], "--mode", "replace", "--on", "2026-06-01")
    assert result.exit_code == 1
    assert "停用 0，未变 1，保留 1" in result.stdout
    assert rules_in(base)["阿帕他胺片"].valid_to is None


def test_other_classes_are_left_alone(base: Path) -> None:
    """A sheet that is the whole of one class says nothing of another."""
    service = xlsx_of(
        base.parent / "s.xlsx",
        [["项目名称", "项目编码", "性别", "文件"], ["子宫造影", "002101030300000", "女", "第1批"]],
    )
    words = ("--family", "R81", "--confirm", "--existing", base, "--mode", "replace", "--on", "2026-06-01")
    assert run("import", "sheet", service, "-o", base, *words).exit_code == 0
    assert {name: rule.valid_to for name, rule in rules_in(base).items()} == dict.fromkeys(
        ("妇乐胶囊", "阿帕他胺片", "子宫造影")
    )


def test_additions_meet_no_rule_that_is_there(base: Path) -> None:
    """Without a column of changes rows are new; one that is there already is rejected, the others go in."""
    result = into(base, [HEAD, FEMALE, THIRD])
    assert result.exit_code == 1
    assert "已存在" in result.stderr
    assert len(rules_in(base)) == 3


def test_one_disease_a_row_is_a_list_of_alternatives(tmp_path: Path) -> None:
    """Rows of one item are joined to what is allowed, never to two rules that each refuse the other's patients."""
    rows = [["药品名称", "药品编码", "诊断编码", "诊断名称", "文件"]]
    rows += [
        ["示例药", "XA01BCD123A001010100001", code, name, "一号文"]
        for code, name in (("I10", "高血压"), ("I25", "冠心病"))
    ]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R08")
    assert result.exit_code == 0, result.output
    assert [rule.message.zh for rule in rules.values()] == ["限高血压、冠心病患者"]


def test_members_of_a_group_join_and_leave_it(tmp_path: Path) -> None:
    """All rows of a group are one rule; a later sheet adds a member and takes one out."""
    head = ["操作", "饮片名称", "编码", "文件"]
    first = [head, ["新增", "丁香", "T000700200", "11批"], ["新增", "人参片", "T001700643", "11批"]]
    result, _ = imported(xlsx_of(tmp_path / "a.xlsx", first), family="R04")
    assert result.exit_code == 0, result.output
    base = tmp_path / "list.jsonl"
    rows = [head, ["新增", "三七粉", "T001700886", "12批"], ["停用", "丁香", "T000700200", "12批"]]
    result, _ = imported(xlsx_of(tmp_path / "b.xlsx", rows), "--existing", str(base), family="R04")
    assert result.exit_code == 0, result.output
    assert [rule.trigger.codes for rule in read_list(base).rules] == [("T001700643", "T001700886")]


def test_a_condition_in_words_is_read_like_a_published_point(tmp_path: Path) -> None:
    """Where a sheet only has the payer's remark, its rules are those the importer of points makes of it."""
    rows = [["药品名称", "药品编码", "限定条件", "文件"]]
    rows += [["示例药", "XA01BCD123A001010100001", "限二级及以上医疗机构癌症患者。", "一号文"]]
    rows += [["另一药", "XA01BCD123A001010100002", "视情况而定", "一号文"]]
    result, _ = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R12")
    rules = read_list(tmp_path / "list.jsonl").rules
    assert result.exit_code == 1
    assert sorted(rule.class_id for rule in rules) == ["R08", "R12"]
    assert {rule.basis.document for rule in rules} == {"一号文"}
    assert "限定条件无法识别" in result.stderr


def test_two_rows_of_one_rule_are_told_of_each_other(tmp_path: Path) -> None:
    """The same codes under two names would be one rule twice: the later row names the earlier one."""
    rows = [HEAD, FEMALE, ["妇乐片", *FEMALE[1:]]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert (result.exit_code, set(rules)) == (1, {"妇乐胶囊"})
    assert "第 2 行 是同一条规则" in result.stderr


def test_a_whole_sheet_needs_its_day(base: Path) -> None:
    """What ends has a last day, so a sheet that is the whole class has to say from when it holds."""
    result = into(base, [HEAD, FEMALE], "--mode", "replace")
    assert result.exit_code == 2
    assert "--on" in result.stderr


def test_groups_of_duplicates_take_a_member_each_row(tmp_path: Path) -> None:
    """Members of a group under one merged cell are one rule, called by the group; a later sheet adds to it."""
    head = ["操作", "药品分组", "药品名称", "药品编码", "文件"]
    codes = [f"XA02BC{letter}001A001010100001" for letter in "APQ"]
    rows: list[list[Any]] = [
        head,
        ["新增", "质子泵抑制剂", "奥美拉唑", codes[0], "书"],
        ["新增", None, "泮托拉唑", codes[1], "书"],
    ]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows, merges=["B2:B3"]), family="R69")
    assert (result.exit_code, set(rules)) == (0, {"质子泵抑制剂"})
    more = xlsx_of(tmp_path / "b.xlsx", [head, ["新增", "质子泵抑制剂", "雷贝拉唑", codes[2], "书"]])
    result, rules = imported(more, "--existing", str(tmp_path / "list.jsonl"), family="R69")
    assert (result.exit_code, rules["质子泵抑制剂"].version) == (0, 2)
    assert rules["质子泵抑制剂"].trigger.codes == tuple(codes)


def test_pairs_under_two_header_rows_keep_their_sides(tmp_path: Path) -> None:
    """项目A contains 项目B inside its window; a window nobody knows is rejected, not taken for the stay."""
    rows: list[list[Any]] = [
        ["项目A", None, "项目B", None, "时间窗", "文件"],
        ["名称", "编码", "名称", "编码", None, None],
        ["急诊监护费", "001103000010000", "普通床位费", "001109000010000", "6小时", "7批"],
        ["甲", "003313010080000", "乙", "003310030220200", "看情况", "7批"],
    ]
    path = xlsx_of(tmp_path / "a.xlsx", rows, merges=["A1:B1", "C1:D1", "E1:E2", "F1:F2"])
    result, rules = imported(path, family="R25")
    violation: Any = rules["急诊监护费×普通床位费"].violation
    assert (result.exit_code, len(rules)) == (1, 1)
    assert (violation.main.codes, violation.contained.codes) == (("001103000010000",), ("001109000010000",))
    assert (violation.window.unit, violation.window.length, violation.symmetric) == ("hours", 6, False)
    assert "a.xlsx[目录]:4:5: 时间窗: 时间窗 `看情况` 无法识别" in result.stderr
