"""Which column is what: guessed, shown, confirmed once and kept for the issuer; another header asks again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sheets.books import FEMALE, HEAD, MALE, csv_of, rules_in, run, xlsx_of

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = ("--issuer", "某市医保局", "--family", "R67")


def test_without_confirmation_nothing_is_written(tmp_path: Path) -> None:
    """The proposed map is printed with the way to confirm it, and the exit code is 1."""
    output = tmp_path / "list.jsonl"
    result = run("import", "sheet", xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE]), "-o", output, *ISSUER)
    assert result.exit_code == 1
    assert '"药品编码" = "项目编码"' in result.stdout
    assert "--confirm" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xlsx"]


def test_a_map_is_confirmed_once(tmp_path: Path) -> None:
    """The next sheet of this issuer with this header needs no question; one of another issuer does."""
    output = tmp_path / "list.jsonl"
    first = run("import", "sheet", xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE]), "-o", output, *ISSUER, "--confirm")
    again = run("import", "sheet", csv_of(tmp_path / "b.csv", [["标题"], HEAD, MALE]), "-o", output, *ISSUER)
    other = run("import", "sheet", tmp_path / "a.xlsx", "-o", output, "--family", "R67", "--issuer", "邻市")
    assert (first.exit_code, again.exit_code, other.exit_code) == (0, 0, 1)
    assert set(rules_in(output)) == {"阿帕他胺片"}
    assert [path.name.split("-")[0] for path in (tmp_path / "maps").iterdir()] == ["某市医保局"]


def test_a_changed_header_asks_again(tmp_path: Path) -> None:
    """A new or renamed column of a known issuer is told as such, and nothing is written."""
    output = tmp_path / "list.jsonl"
    run("import", "sheet", xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE]), "-o", output, *ISSUER, "--confirm")
    changed = xlsx_of(tmp_path / "b.xlsx", [[*HEAD, "限制年龄"], [*MALE, "18"]])
    result = run("import", "sheet", changed, "-o", tmp_path / "other.jsonl", *ISSUER, "--maps", tmp_path / "maps")
    assert result.exit_code == 1
    assert "表头与已确认的不同" in result.stderr
    assert '# "限制年龄"' in result.stdout
    assert not (tmp_path / "other.jsonl").exists()


def test_a_map_may_be_written_by_hand(tmp_path: Path) -> None:
    """A sheet with headings nobody knows is read by a map that says what they are."""
    sheet = xlsx_of(tmp_path / "a.xlsx", [["药品名称", "国药", "适用对象", "文"], FEMALE])
    text = 'family = "R67"\n[columns]\n"药品名称" = "项目名称"\n"国药" = "项目编码"\n'
    text += '"适用对象" = "限定性别"\n"文" = "来源文件"\n'
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    output = tmp_path / "list.jsonl"
    result = run("import", "sheet", sheet, "-o", output, "--family", "R67", "--map", tmp_path / "map.toml")
    assert result.exit_code == 0, result.output
    assert set(rules_in(output)) == {"妇乐胶囊"}


def test_what_is_wrong_with_a_map_is_told(tmp_path: Path) -> None:
    """A column nobody knows is offered the nearest; a map of another family is refused."""
    sheet = xlsx_of(tmp_path / "a.xlsx", [HEAD, FEMALE])
    words = ("import", "sheet", sheet, "-o", tmp_path / "list.jsonl", "--family", "R67", "--map", tmp_path / "map.toml")
    (tmp_path / "map.toml").write_text('family = "R67"\n[columns]\n"药品编码" = "项目编玛"\n', encoding="utf-8")
    result = run(*words)
    assert result.exit_code == 1
    assert "没有叫 `项目编玛` 的列 (no such column); did you mean `项目编码`?" in result.stderr
    (tmp_path / "map.toml").write_text('family = "R81"\n[columns]\n"药品编码" = "项目编码"\n', encoding="utf-8")
    assert "列对照表是 R81 的" in run(*words).stderr


def test_the_family_may_be_told_by_the_sheet(tmp_path: Path) -> None:
    """A title that names one class is enough; none, or a class without a sheet, is not."""
    titled = xlsx_of(tmp_path / "a.xlsx", [["药品区分性别使用规则明细"], HEAD, FEMALE])
    plain = xlsx_of(tmp_path / "b.xlsx", [HEAD, FEMALE])
    output = tmp_path / "list.jsonl"
    assert run("import", "sheet", titled, "-o", output, "--confirm").exit_code == 0
    assert "看不出是哪类规则" in run("import", "sheet", plain, "-o", output).stderr
    assert run("import", "sheet", plain, "-o", output, "--family", "R56").exit_code == 2


def test_rows_of_another_class_are_passed_over_and_told(tmp_path: Path) -> None:
    """A sheet of several classes is read one class at a time, and nothing of the others is lost from sight."""
    rows = [
        ["规则名称", *HEAD],
        ["药品区分性别使用", *FEMALE],
        ["药品儿童专用", "小儿咳嗽糖浆", MALE[1], None, "第1批"],
    ]
    output = tmp_path / "list.jsonl"
    result = run("import", "sheet", xlsx_of(tmp_path / "a.xlsx", rows), "-o", output, "--family", "R67", "--confirm")
    assert (result.exit_code, set(rules_in(output))) == (0, {"妇乐胶囊"})
    assert "其他规则类别 (of another class)：第 3 行" in result.stderr


def test_a_sheet_without_a_known_heading_is_named(tmp_path: Path) -> None:
    """Without a header nothing can be asked; the problem says what it needs."""
    sheet = xlsx_of(tmp_path / "a.xlsx", [["甲", "乙"], ["1", "2"]])
    result = run("import", "sheet", sheet, "-o", tmp_path / "list.jsonl", "--family", "R67", "--confirm")
    assert result.exit_code == 1
    assert "找不到表头" in result.stderr
