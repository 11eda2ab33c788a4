"""Rows that contradict each other all come back; rows that say the same count once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from negative_list.parse import read_list
from tests.sheets.books import FEMALE, HEAD, MALE, imported, run, xlsx_of

if TYPE_CHECKING:
    from pathlib import Path

DRUG = "XL02BBA326A001010102180"
OTHER = "XL02BBA326A001010178537"


def test_both_rows_that_limit_an_item_to_one_sex_each_come_back(tmp_path: Path) -> None:
    """They share a code of several, so nobody could have it; a third row is not touched."""
    rows = [HEAD, ["甲片", f"{DRUG}、{OTHER}", "女", "批"], FEMALE, ["乙片", OTHER, "男", "批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert (result.exit_code, set(rules)) == (1, {"妇乐胶囊"})
    assert f"a.xlsx[目录]:2:3: 限定性别: `{OTHER}` 在 {tmp_path / 'a.xlsx'}[目录] 第 4 行 限另一性别" in result.output
    assert f"a.xlsx[目录]:4:3: 限定性别: `{OTHER}` 在 {tmp_path / 'a.xlsx'}[目录] 第 2 行 限另一性别" in result.output


def test_both_rows_of_one_rule_that_say_different_things_come_back(tmp_path: Path) -> None:
    """Male and female for one code, once or twice a fortnight for one item: nothing tells which is right."""
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, MALE, FEMALE, [*MALE[:2], "女", MALE[3]]]))
    assert (result.exit_code, set(rules)) == (1, {"妇乐胶囊"})
    assert all(f"a.xlsx[目录]:{row}:3: 限定性别: `{MALE[1]}`" in result.output for row in (2, 4))
    header = ["项目名称", "项目编码", "限定频次", "时间窗", "来源文件"]
    (tmp_path / "list.jsonl").unlink()
    rows: list[list[Any]] = [["甲检查", "003100000000001", times, "14天", "批"] for times in (1, 2)]
    result, rules = imported(xlsx_of(tmp_path / "b.xlsx", [header, *rows]), family="R31")
    assert (result.exit_code, rules) == (1, {})
    assert all(f"b.xlsx[目录]:{row}: 规则编号: 与" in result.output for row in (2, 3))


def test_rows_that_say_the_same_count_once(tmp_path: Path) -> None:
    """The same words, or other words for the same: one rule, nothing comes back."""
    header = ["主项目名称", "主项目编码", "对方名称", "对方编码", "时间窗", "来源文件"]
    row = ["急诊监护", "001103000010000", "急诊诊查", "001102000030000", "同日", "批"]
    rows = [header, row, row, [*row[:4], "单日", "批"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows), family="R25")
    assert (result.exit_code, len(rules)) == (0, 1)
    assert "读入 3 行" in result.stdout


def test_words_without_an_item_come_back(tmp_path: Path) -> None:
    """A condition in words about nothing is a bad row, not the end of the command."""
    rows: list[list[Any]] = [["项目编码", "来源文件", "限定条件"], [None, "批", "限女性"], [DRUG, "批", "限女性"]]
    result, rules = imported(xlsx_of(tmp_path / "a.xlsx", rows))
    assert (result.exit_code, len(rules)) == (1, 1)
    assert "a.xlsx[目录]:2" in result.output


def test_a_row_against_the_list_comes_back(tmp_path: Path) -> None:
    """What the list limits to one sex a new row cannot limit to the other; the same row changes it by 调整."""
    imported(xlsx_of(tmp_path / "a.xlsx", [HEAD, ["甲片", f"{DRUG}、{OTHER}", "女", "批"]]))
    output = tmp_path / "list.jsonl"
    before = output.read_bytes()
    sheet = xlsx_of(tmp_path / "b.xlsx", [HEAD, ["乙片", OTHER, "男", "批"]])
    words = ("import", "sheet", sheet, "-o", output, "--family", "R67", "--confirm", "--existing", output)
    result = run(*words)
    assert (result.exit_code, output.read_bytes() == before) == (1, True)
    assert "b.xlsx[目录]:2:3: 限定性别" in result.output
    assert len(read_list(output).rules) == 1
