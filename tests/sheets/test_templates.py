"""Templates open, say how they are filled in, and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from negative_list.parse import read_list
from negative_list.sheets.families import FAMILIES
from tests.sheets.books import run

if TYPE_CHECKING:
    from pathlib import Path


def template(folder: Path, family: str) -> Path:
    """Write the template of a family."""
    path = folder / f"{family}.xlsx"
    assert run("template", family, "-o", path).exit_code == 0
    return path


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_example_of_a_template_is_passed_over_and_would_be_a_good_rule(tmp_path: Path, family: str) -> None:
    """An empty template imports nothing and asks nothing; its example is what the importer takes as a row."""
    path = template(tmp_path, family)
    words = ("import", "sheet", path, "-o", tmp_path / "list.jsonl", "--family", family)
    empty = run(*words)
    assert "示例 (example)：第 2 行" in empty.stderr
    assert (empty.exit_code, (tmp_path / "list.jsonl").exists()) == (1, False)
    book = load_workbook(path)
    page: Any = book.worksheets[0]
    page["A2"] = "新增"
    book.save(path)
    filled = run(*words)
    assert filled.exit_code == 0, filled.output
    assert [rule.class_id for rule in read_list(tmp_path / "list.jsonl").rules] == [family]


def test_a_template_offers_words_and_keeps_codes_as_text(tmp_path: Path) -> None:
    """Columns of words have a list, columns of codes the text format, needed ones their own colour, and all a note."""
    book = load_workbook(template(tmp_path, "R67"))
    page: Any = book.worksheets[0]
    heads = {cell.value: cell for cell in page[1]}
    offered = {str(check.sqref).split(":")[0]: check.formula1 for check in page.data_validations.dataValidation}
    assert offered[f"{heads['限定性别'].column_letter}2"] == '"男,女"'
    assert offered["A2"] == '"新增,调整,停用,示例"'
    assert page.column_dimensions[heads["项目编码"].column_letter].number_format == "@"
    assert heads["项目编码"].fill.start_color.rgb != heads["版本"].fill.start_color.rgb
    assert heads["来源文件"].comment.text == "必填：哪份文件"
    assert book.sheetnames == ["R67", "填写说明"]


def test_a_class_may_be_called_by_its_name(tmp_path: Path) -> None:
    """The official name of a class is as good as its number; an unknown one is a usage error."""
    assert run("template", "药品区分性别使用", "-o", tmp_path / "a.xlsx").exit_code == 0
    assert run("template", "药品区分性别", "-o", tmp_path / "b.xlsx").exit_code == 2
