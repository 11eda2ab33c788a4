"""A list as sheets and back: exact, or refused by name."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import negative_list
from negative_list.compile import canonical_lines
from negative_list.conditions import Age, Window
from negative_list.conditions import Any as AnyOf
from negative_list.parse import read_list
from negative_list.rules import Basis, Rule, RuleList, Text, Trigger
from negative_list.sheets.convert import not_held
from negative_list.sheets.families import FAMILIES
from negative_list.sheets.spans import read_window, written_window
from tests.sheets.books import run

SAMPLE = Path(negative_list.__file__).parent / "lists" / "sample"


def lines_of(path: Path, family: str) -> list[bytes]:
    """The canonical lines of the rules of a family."""
    rules = tuple(rule for rule in read_list(path).rules if rule.class_id == family)
    return list(canonical_lines(RuleList(rules=rules)))


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize(
    "family", ["R01", "R03", "R05", "R08", "R10", "R12", "R13", "R15", "R25", "R27", "R31", "R65", "R67", "R81"]
)
def test_the_sample_list_is_the_same_after_a_sheet(tmp_path: Path, family: str, suffix: str) -> None:
    """Rules written by hand go out and come in without a byte of difference, and without a question."""
    sheet = tmp_path / f"a{suffix}"
    out = run("export", "sheet", SAMPLE, "--family", family, "-o", sheet)
    assert out.exit_code == 0, out.output
    back = run("import", "sheet", sheet, "-o", tmp_path / "list.jsonl", "--family", family)
    assert back.exit_code == 0, back.output
    assert lines_of(tmp_path / "list.jsonl", family) == lines_of(SAMPLE, family) != []


def test_a_rule_the_sheet_cannot_hold_is_refused_by_name(tmp_path: Path) -> None:
    """The others are written; the exit code and the message tell of the one that was not."""
    result = run("export", "sheet", SAMPLE, "--family", "R29", "-o", tmp_path / "a.xlsx")
    assert result.exit_code == 1
    assert "sample-R29-01: 规则 `sample-R29-01` 的 violation 写不进这类表格" in result.stderr
    assert (tmp_path / "a.xlsx").exists()


def rule(**fields: Any) -> Rule:
    """A rule of the family of sex, but for what a test cares about."""
    plain: dict[str, Any] = {
        "id": "r",
        "class_id": "R65",
        "title": "规则",
        "trigger": Trigger(codes=("ZD02AAF0221010105329",)),
        "violation": Age(at_least=Decimal(18)),
        "message": Text(zh="限儿童"),
        "basis": Basis(document="文件"),
    }
    return Rule(**{**plain, **fields})


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"violation": AnyOf(of=(Age(at_least=Decimal(18)), Age(unit="month", below=Decimal(3))))}, "violation"),
        ({"trigger": Trigger(diagnoses=("I10",))}, "trigger"),
        ({"title": "规则 "}, "title"),
        ({"message": Text(zh="x" * 40_000)}, "violation"),
    ],
)
def test_what_would_be_lost_is_named(fields: dict[str, Any], lost: str) -> None:
    """Another make of trigger or condition, blanks at an end, a text too long for a cell: nothing goes in silence."""
    assert lost in not_held(FAMILIES["R65"], rule(**fields))


def test_a_rule_of_many_codes_goes_on_in_further_rows(tmp_path: Path) -> None:
    """A cell holds so many characters; the rule is one again when its rows are read."""
    codes = tuple(f"ZD02AAF02210101{n:05d}" for n in range(2_500))
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(canonical_lines(RuleList(rules=(rule(trigger=Trigger(codes=codes)),)))))
    out = run("export", "sheet", path, "--family", "R65", "-o", tmp_path / "a.xlsx")
    assert "1 条规则 (rules)，3 行 (rows)" in out.stdout
    back = run("import", "sheet", tmp_path / "a.xlsx", "-o", tmp_path / "out.jsonl", "--family", "R65")
    assert back.exit_code == 0, back.output
    assert (tmp_path / "out.jsonl").read_bytes() == path.read_bytes()


def test_a_text_that_looks_like_a_formula_stays_a_text(tmp_path: Path) -> None:
    """What begins with = + or @ is written and read as the text it is."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(canonical_lines(RuleList(rules=(rule(title="=1+1", message=Text(zh="+医保不支付")),)))))
    for name in ("a.xlsx", "a.csv"):
        assert run("export", "sheet", path, "--family", "R65", "-o", tmp_path / name).exit_code == 0
        assert run("import", "sheet", tmp_path / name, "-o", tmp_path / "o.jsonl", "--family", "R65").exit_code == 0
        assert (tmp_path / "o.jsonl").read_bytes() == path.read_bytes()


def test_branches_of_an_indication_are_rows(tmp_path: Path) -> None:
    """Each branch is a row whose diagnoses may be corrected; how they go together is kept beside them."""
    assert run("export", "sheet", SAMPLE, "--family", "R08", "-o", tmp_path / "a.csv").exit_code == 0
    text = (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "a.csv").write_text(text.replace("N80", "N80、N94"), encoding="utf-8")
    back = run("import", "sheet", tmp_path / "a.csv", "-o", tmp_path / "list.jsonl", "--family", "R08")
    assert back.exit_code == 0, back.output
    before, after = (
        {rule.id: rule.violation for rule in read_list(path).rules if rule.class_id == "R08"}
        for path in (SAMPLE, tmp_path / "list.jsonl")
    )
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["sample-R08-05"]
    assert "codes=('N80', 'N94')" in str(after["sample-R08-05"])


def test_a_branch_that_was_taken_out_is_missed(tmp_path: Path) -> None:
    """A row of a branch cannot vanish unseen: the structure needs it."""
    assert run("export", "sheet", SAMPLE, "--family", "R08", "-o", tmp_path / "a.csv").exit_code == 0
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    kept = [line for line in lines if "N80" not in line]
    (tmp_path / "a.csv").write_text("\n".join(kept), encoding="utf-8")
    back = run("import", "sheet", tmp_path / "a.csv", "-o", tmp_path / "list.jsonl", "--family", "R08")
    assert back.exit_code == 1
    assert "分支与条件结构不符" in back.stderr


def test_named_sets_go_with_the_rules_that_use_them(tmp_path: Path) -> None:
    """A workbook has a worksheet for them; text has none, so that the rule is refused there."""
    out = run("export", "sheet", SAMPLE, "--family", "R04", "-o", tmp_path / "a.xlsx")
    assert out.exit_code == 0, out.output
    back = run("import", "sheet", tmp_path / "a.xlsx", "-o", tmp_path / "list.jsonl", "--family", "R04")
    assert back.exit_code == 0, back.output
    assert lines_of(tmp_path / "list.jsonl", "R04") == lines_of(SAMPLE, "R04") != []
    assert read_list(tmp_path / "list.jsonl").sets == read_list(SAMPLE).sets
    text = run("export", "sheet", SAMPLE, "--family", "R04", "-o", tmp_path / "a.csv")
    assert (text.exit_code, "sets.herbs-not-alone" in text.stderr) == (1, True)


@pytest.mark.parametrize("unit", ["hours", "days", "course"])
@pytest.mark.parametrize("length", [1, 2, 24])
def test_a_counted_window_is_no_window_of_the_calendar(unit: Any, length: int) -> None:
    """Any sixty minutes are written apart from the hour of the clock."""
    window = Window(unit=unit, length=length, whose="encounter")
    assert read_window(written_window(window)) == window
