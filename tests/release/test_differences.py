"""What changed between two lists is told wholly, in words, and what matters most first."""

from __future__ import annotations

import json
import typing
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from typer.testing import CliRunner

from negative_list import conditions as c
from negative_list import selection
from negative_list.cli import app
from negative_list.compile import canonical_lines, digest_of
from negative_list.differences.comparing import Named, compare
from negative_list.differences.telling import lines_of
from negative_list.differences.words import ACTION_MARKS, WORDS
from negative_list.release.signing import public_pem
from negative_list.rules import Basis, Grade, NamedSet, OnUnknown, Reason, Rule, RuleList, Text, Trigger
from tests.generators_lists import draw_list
from tests.negative_list.builders import DRUG, OTHER, SERVICE, rule
from tests.release.made import key, release, some_rules

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.differences.records import Change, Differences

CHILD = c.Age(below=Decimal(18))
"""The patient is under 18."""


def between(before: RuleList, after: RuleList) -> Differences:
    """What changed from one list to another."""
    return compare(
        *(Named(rules=rules, name=name, digest=digest_of(rules)) for rules, name in ((before, "A"), (after, "B")))
    )


def changes(before: Rule, after: Rule, sets: tuple[NamedSet, ...] = ()) -> tuple[Change, ...]:
    """What changed in one rule."""
    (changed,) = between(some_rules(before, sets=sets), some_rules(after, sets=sets)).changed
    return changed.changes


def text(before: RuleList, after: RuleList, *, english: bool = False) -> list[str]:
    """The lines an office reads."""
    return list(lines_of(between(before, after), most=0, english=english))


def test_rules_are_new_gone_changed_or_as_they_were() -> None:
    """By their ids; each is told once."""
    before = some_rules(rule(id="a"), rule(id="b"), rule(id="c", title="丙"))
    after = some_rules(rule(id="a"), rule(id="b", action="warn"), rule(id="d", title="丁"))
    found = between(before, after)
    assert [[r.id for r in rules] for rules in (found.new, found.gone)] == [["d"], ["c"]]
    assert [(row.rule.id, [(x.path, x.before, x.after) for x in row.changes]) for row in found.changed] == [
        ("b", [("action", "block", "warn")])
    ]
    assert (found.unchanged, found.renumbered) == (1, ())


def test_a_rule_that_only_has_another_id_is_told_as_that() -> None:
    """Insurers number anew; nothing of it is new or gone."""
    found = between(some_rules(rule(id="old", version=3)), some_rules(rule(id="new", points=("kp-1",))))
    assert [(row.before, row.rule.id) for row in found.renumbered] == [("old", "new")]
    assert (found.new, found.gone) == ((), ())


def test_codes_are_told_added_and_removed() -> None:
    """With each code; those that stay are not."""
    (change,) = changes(rule(trigger=Trigger(codes=(DRUG, OTHER))), rule(trigger=Trigger(codes=(OTHER, SERVICE))))
    assert (change.path, change.added, change.removed) == ("trigger.codes", (SERVICE,), (DRUG,))


def test_codes_that_moved_into_a_set_are_no_change_of_codes() -> None:
    """What counts is which codes are meant."""
    named = NamedSet(id="s", codes=(DRUG, OTHER))
    (change,) = changes(rule(trigger=Trigger(codes=(OTHER, DRUG))), rule(trigger=Trigger(sets=("s",))), sets=(named,))
    assert (change.kind, change.path) == ("writing", "trigger.codes")


def test_a_set_that_changed_is_told_once_with_the_rules_that_name_it() -> None:
    """Wherever they name it; the rules themselves are not told as changed, only counted."""
    gathered = c.Some(lines=c.Lines(items=c.Items(sets=("s",))))
    rules = (rule(id="a", trigger=Trigger(sets=("s",))), rule(gathered, id="b"), rule(id="c"))
    found = between(*(some_rules(*rules, sets=[NamedSet(id="s", codes=codes)]) for codes in ((DRUG,), (DRUG, OTHER))))
    (told,) = found.sets
    assert (told.kind, told.added, told.removed, told.rules) == ("changed", (OTHER,), (), ("a", "b"))
    assert (found.changed, found.unchanged, found.through_sets) == ((), 3, 2)


CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "action": ({"action": "warn"}, {"action": "block"}, "处理方式：警告 → 拦截"),
    "bound": ({"violation": CHILD}, {"violation": c.Age(below=Decimal(14))}, "违规条件 · 年龄（周岁） · 小于：18 → 14"),
    "unit": (
        {"violation": CHILD},
        {"violation": c.Age(below=Decimal(18), unit="month")},
        "违规条件 · 年龄（月龄） · 单位：年 → 月",
    ),
    "bound taken away": (
        {"violation": c.Age(below=Decimal(18), at_least=Decimal(3))},
        {"violation": CHILD},
        "违规条件 · 年龄（周岁） · 不小于：3 → 未设",
    ),
    "window": (
        {"violation": c.Sum(lines=c.Lines(window=c.Window(unit="days", length=7)), above=Decimal(1))},
        {"violation": c.Sum(lines=c.Lines(window=c.Window(unit="days", length=14)), above=Decimal(1))},
        "违规条件 · 合计 · 明细行 · 时间范围 · 若干天内 · 长度：7 → 14",
    ),
    "values": (
        {"violation": c.Fact(fact="patient.sex", any_of=("男",))},
        {"violation": c.Fact(fact="patient.sex", any_of=("女",))},
        "违规条件 · 性别 · 取值：增加 1 个（女）；减少 1 个（男）",
    ),
    "another condition": (
        {"violation": c.Fact(fact="patient.sex", any_of=("男",))},
        {"violation": CHILD},
        "违规条件：性别（取值 男） → 年龄（周岁，小于 18）",
    ),
    "a branch more": (
        {"violation": c.Any(of=(CHILD,))},
        {"violation": c.Any(of=(CHILD, c.Not(of=c.Diagnosis(codes=("I10",), terms=("高血压",)))))},
        "违规条件 · 任一满足：增加 1 个（非 诊断（代码 I10，词 高血压））",
    ),
    "terms in a branch": (
        {"violation": c.All(of=(CHILD, c.Diagnosis(terms=("感冒",))))},
        {"violation": c.All(of=(CHILD, c.Diagnosis(terms=("感冒", "流感"))))},
        "违规条件 · 同时满足 · 诊断 · 词：增加 1 个（流感）",
    ),
    "scope": ({}, {"scope": CHILD}, "适用范围：未设 → 年龄（周岁，小于 18）"),
    "ends": ({}, {"valid_to": date(2026, 1, 28)}, "最后有效日：未设 → 2026-01-28"),
    "undecided": (
        {"on_unknown": OnUnknown(action="remind")},
        {"on_unknown": OnUnknown(action="pass")},
        "信息不足时 · 处理方式：提醒 → 不提示",
    ),
    "asked": (
        {},
        {"on_unknown": OnUnknown(ask=("patient.weight_kg",))},
        "信息不足时 · 询问：增加 1 个（体重）",
    ),
    "message": ({}, {"message": Text(zh="限妇女", en="for women only")}, "提示文字 · 中文：限女性使用 → 限妇女"),
    "fund": ({"fund_only": False}, {"fund_only": True}, "仅医保不支付：否 → 是"),
    "basis": ({}, {"basis": Basis(document="新文件", article="条文")}, "依据 · 文件：知识库 → 新文件"),
    "addressee": ({}, {"addressee": "pharmacy"}, "提示对象：医生 → 药房"),
    "result": ({}, {"result": "suspicious"}, "结论：明确违规 → 可疑"),
    "per": ({}, {"per": "encounter"}, "提示单位：每行 → 每次就诊"),
    "a reason reworded": (
        {"reasons": (Reason(code="R1", text=Text(zh="甲")), Reason(code="R2", text=Text(zh="乙")))},
        {"reasons": (Reason(code="R1", text=Text(zh="甲")), Reason(code="R2", text=Text(zh="丙")))},
        "可选理由 · 文字 · 中文：乙 → 丙",
    ),
    "a grade more": (
        {},
        {"grades": (Grade(when=CHILD, action="block"),)},
        "分级：增加 1 个（当 年龄（周岁，小于 18），处理方式 拦截）",
    ),
    "version alone": ({"version": 1}, {"version": 2}, "规则版本：1 → 2"),
    "order": (
        {"violation": c.Any(of=(CHILD, c.Diagnosis(terms=("感冒",))))},
        {"violation": c.Any(of=(c.Diagnosis(terms=("感冒",)), CHILD))},
        "违规条件 · 任一满足：内容未变，次序或写法变了",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_what_changed_in_a_rule_is_said_in_one_line(name: str) -> None:
    """Where in the rule, what it was, and what it is."""
    before, after, line = CHANGED[name]
    said = text(some_rules(rule(**before)), some_rules(rule(**after)))
    assert [row.strip() for row in said if row.startswith("    ")] == [line]


def test_the_order_of_grades_matters() -> None:
    """The first that fits counts, so another order is told before another message."""
    grades = (Grade(when=CHILD, action="block"), Grade(when=c.Diagnosis(terms=("感冒",)), action="remind"))
    told = changes(rule(grades=grades), rule(grades=grades[::-1], message=Text(zh="限妇女", en="for women only")))
    assert [(x.kind, x.path) for x in told] == [("writing", "grades"), ("value", "message.zh")]


def test_a_branch_that_stands_twice_is_told() -> None:
    """Two of three is not two of two, although every branch was there."""
    cold = c.Diagnosis(terms=("感冒",))
    (told,) = changes(rule(c.AtLeast(of=(CHILD, cold), count=2)), rule(c.AtLeast(of=(CHILD, cold, cold), count=2)))
    assert (told.kind, told.path, told.added, told.removed) == ("parts", "violation.of", (cold,), ())


def test_a_version_that_counts_a_change_is_not_told_beside_it() -> None:
    """It is told only where nothing else changed."""
    assert [x.path for x in changes(rule(version=1), rule(version=2, title="新"))] == ["title"]


def test_what_matters_most_comes_first() -> None:
    """New blocks, then rules that block no longer, then other actions, whom it meets, when, and wording last."""
    before = [rule(id=name, action="warn") for name in "abcef"] + [rule(id="d", action="block")]
    after = [
        rule(id="a", action="warn", title="新"),
        rule(id="b", action="warn", valid_to=date(2026, 12, 31)),
        rule(id="c", action="warn", trigger=Trigger(codes=(OTHER,))),
        rule(id="d", action="warn"),
        rule(id="e", action="block", title="新"),
        rule(id="f", action="remind"),
    ]
    found = between(some_rules(*before), some_rules(*after))
    assert [row.rule.id for row in found.changed] == ["e", "d", "f", "c", "b", "a"]


def test_new_rules_that_block_come_first_and_large_ones_before_small_ones() -> None:
    """Then by id."""
    new = [rule(id="a", action="warn"), rule(id="b"), rule(id="c", trigger=Trigger(codes=(DRUG, OTHER)))]
    found = between(some_rules(rule(id="x")), some_rules(rule(id="x"), *new))
    assert [row.id for row in found.new] == ["c", "b", "a"]


def test_the_beginning_says_how_much_changed_and_what_will_block() -> None:
    """In numbers: rules, details, fields, blocks; then a row for each class that changed."""
    before = some_rules(rule(id="a", action="warn"), rule(id="b"), rule(id="c", class_id="R65", action="warn"))
    after = some_rules(rule(id="a"), rule(id="d", title="丁"), rule(id="c", class_id="R65", action="warn"))
    said = text(before, after)
    assert said[: said.index("新增规则 1 条") - 1] == [
        "A → B",
        "规则 3 → 3：新增 1，取消 1，变更 1，换编号 0，未变 1",
        "明细 3 → 3（+0）",
        "变更内容：处理方式 1",
        "拦截：新增 1 条拦截规则，1 条改为拦截；取消 1 条，0 条不再拦截",
        "",
        "类别\t新增\t取消\t变更\t明细",
        "R67 药品区分性别使用\t1\t1\t1\t2 → 2",
    ]


def test_a_section_shows_as_many_rows_as_wanted_and_counts_the_rest() -> None:
    """Nothing is left out without a word."""
    found = between(some_rules(rule(id="x")), some_rules(rule(id="x"), *(rule(id=f"n{n}") for n in range(5))))
    said = list(lines_of(found, most=2, english=False))
    assert said[-4:] == [
        "新增规则 5 条",
        f"  【拦截】R67 n0 {rule().title}，明细 1",
        f"  【拦截】R67 n1 {rule().title}，明细 1",
        "  还有 3 条（--most 0 全部列出）",
    ]


def test_lists_that_are_the_same_are_said_to_be() -> None:
    """And those that are only written otherwise are, too."""
    assert text(some_rules(), some_rules())[-1] == "两份清单没有差别"
    assert text(some_rules(), some_rules(), english=True)[-1] == "the lists are the same"


def test_english_says_the_same() -> None:
    """Facts by their names, everything else in words."""
    before, after = rule(c.Fact(fact="patient.sex", any_of=("男",)), action="warn"), rule(CHILD)
    assert text(some_rules(before), some_rules(after), english=True)[-4:] == [
        "rules changed: 1",
        f"  [block] R67 r {rule().title}",
        "    action: warn → block",
        "    violation: patient.sex (values 男) → age (year, below 18)",
    ]


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_any_two_lists_can_be_told_apart(one: int, other: int) -> None:
    """Every rule is told once; lists differ in words exactly where they differ in their digest."""
    before, after = draw_list(one), draw_list(other)
    found = between(before, after)
    told = [r.id for r in (*found.new, *(row.rule for row in found.changed), *(row.rule for row in found.renumbered))]
    assert len(told) == len(set(told)) == len(after.rules) - found.unchanged
    assert all(row.changes for row in found.changed)
    same = not (told or found.gone or found.sets)
    assert same == (digest_of(before) == digest_of(after))
    for english in (False, True):
        assert all(isinstance(line, str) for line in lines_of(found, most=0, english=english))


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.data())
def test_any_field_of_any_rule_that_changes_is_told(seed: int, data: st.DataObject) -> None:
    """Taking the value of another rule for a field is told under that field."""
    rules = draw_list(seed).rules
    one, other = data.draw(st.sampled_from(rules)), data.draw(st.sampled_from(rules))
    name = data.draw(st.sampled_from([f for f in Rule.__struct_fields__ if f not in {"id", "version"}]))
    changed = msgspec.structs.replace(one, **{name: getattr(other, name)})
    found = between(RuleList(rules=(one,)), RuleList(rules=(changed,)))
    paths = {x.where[0] for row in found.changed for x in row.changes}
    assert paths == ({"class" if name == "class_id" else name} if getattr(one, name) != getattr(other, name) else set())


# -- words


def records() -> set[type[Struct]]:
    """Every record a rule is made of, cases aside."""
    found: set[type[Struct]] = set()
    waiting: list[Any] = [Rule, selection.Weight]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, Struct):
            if kind not in found:
                found.add(kind)
                hints = typing.get_type_hints(kind)
                waiting += [hint for name, hint in hints.items() if name != "cases"]
        else:
            waiting += typing.get_args(kind)
    return found


def test_every_key_and_kind_has_its_words() -> None:
    """An office reads Chinese, whatever the rule says."""
    keys = {field.encode_name for record in records() for field in msgspec.structs.fields(record)}
    kinds = {str(record.__struct_config__.tag) for record in records() if record.__struct_config__.tag}
    assert sorted((keys | kinds) - WORDS.keys() - {"id"}) == []


def test_the_words_fit_a_chinese_windows_console() -> None:
    """Each can be written in GBK."""
    said = text(draw_list(1), draw_list(2))
    texts = [*said, *(zh for zh, _ in WORDS.values()), *(zh for zh, _ in ACTION_MARKS.values())]
    assert [line for line in texts if line.encode("gbk", "ignore").decode("gbk") != line] == []


# -- the command


def run(*arguments: object) -> Any:
    """Run the command inside this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """A list as JSON Lines in a folder, and a release of the next one."""
    folder = tmp_path / "before"
    folder.mkdir()
    (folder / "list.jsonl").write_bytes(b"".join(canonical_lines(some_rules(rule(action="warn")))))
    (tmp_path / "after.release").write_bytes(release(some_rules(rule())))
    (tmp_path / "k.pub").write_bytes(public_pem(key().public))
    return folder, tmp_path / "after.release"


def test_either_side_is_a_list_a_folder_or_a_release(sides: tuple[Path, Path]) -> None:
    """A release is called by its name and version."""
    folder, made = sides
    result = run("diff", folder, made, "--trust", made.with_name("k.pub"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "before → 某市负面清单 2026.11.1"
    assert "    处理方式：警告 → 拦截" in result.stdout.splitlines()
    back = run("diff", made, folder / "list.jsonl", "--english")
    assert "    action: block → warn" in back.stdout.splitlines()


def test_a_release_whose_signature_was_not_checked_is_told(sides: tuple[Path, Path]) -> None:
    """On standard error: the answer is the same."""
    folder, made = sides
    assert "who signed it was not checked" in run("diff", folder, made).stderr


@pytest.mark.parametrize("damage", ["signature", "list"])
def test_a_release_that_is_not_whole_is_compared_with_nothing(sides: tuple[Path, Path], damage: str) -> None:
    """Exit code 1, and why."""
    folder, made = sides
    made.write_bytes(release(keys=[key("stranger")]) if damage == "signature" else made.read_bytes()[:-1])
    result = run("diff", folder, made, "--trust", made.with_name("k.pub"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert ("wrong-key" if damage == "signature" else "truncated") in result.stderr


def test_json_has_everything(sides: tuple[Path, Path]) -> None:
    """For programs: the same, with every code."""
    told = json.loads(run("diff", *sides, "--json").stdout)
    assert told["changed"][0]["changes"] == [
        {"kind": "value", "path": "action", "where": ["action"], "before": "warn", "after": "block"}
    ]
    assert set(told) == {
        *("before", "after", "new", "gone", "changed"),
        *("renumbered", "sets", "classes", "unchanged", "through_sets"),
    }


def test_a_list_that_cannot_be_read_or_names_a_rule_twice_is_told(tmp_path: Path) -> None:
    """With its place; exit code 1."""
    lines = b"".join(canonical_lines(some_rules()))
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "b.jsonl").write_bytes(lines * 2)
    result = run("diff", tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert (result.exit_code, "b.jsonl:2: id: rule `r` stands at" in result.stderr) == (1, True)
