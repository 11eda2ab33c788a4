"""Reading a list from files: what is read, and that everything wrong is told at once, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from negative_list.compile import canonical_lines, digest_of
from negative_list.errors import ListError, Problem
from negative_list.parse import MAX_DEPTH, parse_jsonl, parse_yaml, read_list, read_parsed
from negative_list.rules import NamedSet, Rule
from tests.negative_list.builders import VIOLATION, rule, rule_yaml, written

if TYPE_CHECKING:
    from pathlib import Path

SETS = "sets:\n- {set: herbs, codes: [T001700688, T000700683]}\n"
JSON_RULE = msgspec.json.encode(rule())


def told(data: str | bytes, kind: str = "yaml") -> list[str]:
    """The problems of a file called ``list``, as people read them."""
    raw = data if isinstance(data, bytes) else data.encode()
    rows = parse_yaml(raw, "list") if kind == "yaml" else parse_jsonl(raw, "list")
    return [str(problem) for problem in sorted(problem for row in rows for problem in row.problems)]


def test_yaml_and_json_lines_say_the_same(tmp_path: Path) -> None:
    """A list reads the same from either form, rules and sets in the order written."""
    one = read_list(written(tmp_path, SETS + "rules:\n" + rule_yaml() + rule_yaml(id="s")))
    lines = b"".join(canonical_lines(one))
    two = read_list(written(tmp_path, lines, "list.jsonl"))
    assert [r.id for r in one.rules] == ["r", "s"]
    assert one.sets[0] == NamedSet(id="herbs", codes=("T001700688", "T000700683"))
    assert (two.rules, two.sets, digest_of(two)) == (one.rules, one.sets, digest_of(one))


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    """All list files of a folder and its folders make one list; other files are passed over."""
    (tmp_path / "z").mkdir()
    written(tmp_path, "rules:\n" + rule_yaml(id="b"), "b.yml")
    written(tmp_path, msgspec.json.encode(rule(id="a")), "a.jsonl")
    written(tmp_path / "z", "rules:\n" + rule_yaml(id="c"), "a.yaml")
    written(tmp_path, "{", "sample.json")
    assert [r.id for r in read_list(tmp_path).rules] == ["a", "b", "c"]


def test_a_bare_sequence_is_a_list_of_rules(tmp_path: Path) -> None:
    """The key ``rules`` may be left out where there are no sets."""
    assert len(read_list(written(tmp_path, rule_yaml())).rules) == 1


@pytest.mark.parametrize("name", ["list.yaml", "list.jsonl"])
def test_a_byte_order_mark_is_passed_over(tmp_path: Path, name: str) -> None:
    """Editors of Windows put one before the text."""
    text = rule_yaml().encode() if name.endswith("yaml") else JSON_RULE
    assert read_list(written(tmp_path, b"\xef\xbb\xbf" + text, name)).rules[0].id == "r"


def test_empty_lines_and_windows_line_ends_count_as_rows_only() -> None:
    """Empty lines of JSON Lines are no records, and problems keep the row of the file."""
    rows = list(parse_jsonl(b"\r\n" + JSON_RULE + b"\r\n   \r\n{}\r\n", "list"))
    assert [type(row.record) for row in rows] == [Rule, type(None)]
    assert {problem.row for problem in rows[1].problems} == {4}


BAD_ROWS = [
    (rule_yaml(vilation="x"), "8:3: vilation: unknown key `vilation`; did you mean `violation`?"),
    (rule_yaml(title=""), "1:3: missing key `title`"),
    (rule_yaml(action="blok"), "8:3: action: `blok` is not one of remind, warn, block; did you mean `block`?"),
    (rule_yaml(trigger="{code: [A]}"), "4:19: trigger.code: unknown key `code`; did you mean `codes`?"),
    (rule_yaml(trigger="{codes: [0123]}"), "4:21: trigger.codes[0]: expected `str`, got `int`, got `83`"),
    (
        rule_yaml("{kind: al, of: []}"),
        "5:15: violation.kind: unknown condition kind `al`; did you mean `all`?",
    ),
    (rule_yaml("{fact: x}"), "5:14: violation: missing key `kind`; a condition says which kind it is"),
    (rule_yaml("never"), "5:3: violation: expected a condition (a mapping with `kind`), got `never`"),
    (
        rule_yaml("{kind: not, of: {kind: age, unit: years, above: 3}}"),
        "5:42: violation.of.unit: `years` is not one of year, month, day; did you mean `year`?",
    ),
    (rule_yaml("{kind: age, above: three}"), "5:26: violation.above: "),
    (rule_yaml(message="限女性"), "6:3: message: expected a mapping with the keys of a text, got `限女性`"),
    (rule_yaml(valid_from="soon"), "8:3: valid_from: invalid rfc3339"),
    (rule_yaml(title="a\n  title: b"), "4:3: key `title` is written twice; keep one"),
    ("rules:\n- just words\n", "2:3: expected a mapping with the keys of a rule, got `just words`"),
    ("rules: 3\n", "1:8: expected a list under `rules`"),
    ("rule:\n- a\n", "1:1: unknown key `rule`; did you mean `rules`?"),
    ("rules: []\nrules: []\n", "2:1: key `rules` is written twice; keep one"),
    ("just words", "1:1: expected `rules:` with a list of rules"),
    ("rules:\n\t- a\n", "2:1: not YAML: found character that cannot start any token"),
    ("? [a]\n: 1\n", "1:3: a list or a mapping is no key; write a word before the colon"),
    (rule_yaml(title="!!python/object:os.system x"), "3:10: not YAML: could not determine a constructor"),
    (rule_yaml(valid_from="2026-02-30"), "1:3: cannot be read: day is out of range for month"),
    (rule_yaml(valid_from="!!timestamp soon"), "1:3: cannot be read: "),
    ("sets:\n- {set: herbs}\n", "2:3: missing key `codes`"),
    (rule_yaml(trigger="{codes: [A], 'codes[7]': 1}"), "4:20: trigger.codes[7]: unknown key `codes[7]`"),
    (rule_yaml(trigger="{codes: [A], 'codes[x]': 1}"), "4:20: trigger.codes[x]: unknown key `codes[x]`"),
]


@pytest.mark.parametrize(("text", "problem"), BAD_ROWS)
def test_bad_yaml_is_told_with_its_place(text: str, problem: str) -> None:
    """What is wrong with a YAML list is named with row, column, path and the nearest known name."""
    assert f"list:{problem}" in "\n".join(told(text))


BAD_LINES = [
    (b'{"id": 3}', "expected `str`, got `int`, got `3`"),
    (b"[1, 2]", "list:1: expected a mapping with the keys of a rule, got `[1, 2]`"),
    (b"true", "list:1: expected a mapping with the keys of a rule, got `True`"),
    (b'{"id": ', "list:1: not JSON in UTF-8: input data was truncated"),
    (b'{"id": "\\ud83d."}', "list:1: not JSON in UTF-8: "),
    (b'{"id": "\xff"}', "list:1: not JSON in UTF-8: "),
    (b'{"set": "a"}', "list:1: missing key `codes`"),
    (b'{"set": "a", "codes": [], "cods": 1}', "list:1: cods: unknown key `cods`; did you mean `codes`?"),
    (b"[" * 200_000, "list:1: nested deeper than 60 levels"),
    (b'{"violation": ' + b'{"kind": "not", "of": ' * 500 + b"1" + b"}" * 501, "list:1: nested deeper than 60 levels"),
    (JSON_RULE.replace(b'"block"', b'"blok"'), "list:1: action: `blok` is not one of remind, warn, block"),
    (JSON_RULE.replace(b'["\xe7\x94\xb7"]', b"[1.5]"), "list:1: violation.any_of[0]: "),
]


@pytest.mark.parametrize(("line", "problem"), BAD_LINES, ids=range(len(BAD_LINES)))
def test_bad_json_lines_are_told_with_their_row(line: bytes, problem: str) -> None:
    """What is wrong with a line of JSON Lines is named with its row and path, and never ends the reading."""
    assert problem in "\n".join(told(line, "jsonl"))


def test_all_problems_come_at_once_sorted_by_place(tmp_path: Path) -> None:
    """Every problem of every record of every file is told in one go; good records do not hide bad ones."""
    bad = rule_yaml(action="stop", vilation="x", trigger="{codes: 3}")
    written(tmp_path, "rules:\n" + rule_yaml(id="good") + bad, "b.yaml")
    written(tmp_path, b"{}\n" + JSON_RULE + b"\nnot json\n", "a.jsonl")
    with pytest.raises(ListError) as caught:
        read_list(tmp_path)
    problems = caught.value.problems
    assert list(problems) == sorted(problems)
    assert [problem.file.rpartition("/")[2] for problem in problems if problem.row == 3] == ["a.jsonl"]
    assert {problem.path for problem in problems if problem.file.endswith("b.yaml")} == {
        "action",
        "trigger.codes",
        "vilation",
    }
    assert len([problem for problem in problems if problem.file.endswith("a.jsonl") and problem.row == 1]) == 7
    # What the bad rule says besides its problems is kept, so that validation can look at it in the same run.
    assert [rule.action for rule in read_parsed(tmp_path).rules.rules] == ["block", "warn", "warn"]


def test_a_record_tells_everything_wrong_with_it() -> None:
    """Unknown keys, missing keys, wrong words and wrong types of one rule are told together, also deep inside."""
    deep = "{kind: all, of: [{kind: age, unit: years}, {kind: some, lines: {window: {unit: week}, itms: {}}}]}"
    assert told(rule_yaml(deep, basis="", action="stop")) == [
        "list:1:3: missing key `basis`",
        "list:5:43: violation.of[0].unit: `years` is not one of year, month, day; did you mean `year`?",
        (
            "list:5:87: violation.of[1].lines.window.unit: `week` is not one of instant, hour, day, month, quarter, "
            "year, insurance_year, hours, days, encounter, lifetime, course, in_use, first_use"
        ),
        "list:5:106: violation.of[1].lines.itms: unknown key `itms`; did you mean `items`?",
        "list:7:3: action: `stop` is not one of remind, warn, block",
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere.yaml", "cannot be read (No such file or directory); check the name and the rights"),
        ("nowhere", "cannot be read (No such file or directory); check the name and the rights"),
        ("list.yam", "`.yam` is no ending of a list file; did you mean `.yaml`?; use one of .yaml, .yml, .jsonl"),
        ("empty", "no list file in this folder; put a file ending in .yaml, .yml, .jsonl here"),
    ],
)
def test_what_is_no_list_is_told_by_its_name(tmp_path: Path, name: str, problem: str) -> None:
    """A missing file, another ending and a folder without lists are problems with the file's name."""
    written(tmp_path, "x", "list.yam")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ListError) as caught:
        read_list(tmp_path / name)
    assert caught.value.problems == (Problem(file=str(tmp_path / name), message=problem),)


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_another_encoding_is_told(encoding: str) -> None:
    """A YAML file in GBK or UTF-16 is refused and says what to do."""
    (problem,) = told(rule_yaml().encode(encoding))
    assert problem.endswith("save it as UTF-8")


def nested(levels: int, *, flow: bool = True) -> str:
    """A violation that denies a denial of a denial..."""
    if flow:
        return rule_yaml("{kind: not, of: " * levels + VIOLATION + "}" * levels)
    indents = range(4, 4 + 2 * levels, 2)
    block = "\n" + "".join(f"{' ' * indent}kind: not\n{' ' * indent}of:\n" for indent in indents)
    return rule_yaml(block + " " * (4 + 2 * levels) + VIOLATION)


@pytest.mark.parametrize("flow", [True, False])
def test_deep_lists_are_read_up_to_a_limit(tmp_path: Path, *, flow: bool) -> None:
    """As deep as the limit a rule can be used; deeper it is refused with its place, however deep."""
    near = MAX_DEPTH - 3
    assert digest_of(read_list(written(tmp_path, nested(near, flow=flow))))
    for levels in (MAX_DEPTH, 900, 40_000 if flow else 1_200):
        (problem,) = told(nested(levels, flow=flow))
        assert problem.endswith(f"nested deeper than {MAX_DEPTH} levels; write the rule flatter, or as several rules")


def test_aliases_may_be_used_but_not_without_end() -> None:
    """An alias stands for what it names; one inside itself, or aliases of aliases of aliases, are refused."""
    shared = "rules:\n" + rule_yaml("&man " + VIOLATION) + rule_yaml("{kind: not, of: *man}", id="s")
    assert told(shared) == []
    assert "nested deeper" in told(rule_yaml("&a {kind: all, of: [*a]}"))[0]
    bomb = "".join(f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 1}]\n" for n in range(9))
    assert "with its aliases written out" in told("rules:\n" + rule_yaml() + bomb)[0]
