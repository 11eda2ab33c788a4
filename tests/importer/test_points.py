"""Files of points are read with every problem at its place, and a revision withdraws what it replaces."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from negative_list.errors import ListError
from negative_list.importer import import_points, read_points, report_json


def _row(kp_id: str, **more: Any) -> dict[str, Any]:
    return {
        "kp_id": kp_id,
        "rule_class": "药品限工伤保险",
        "item_name": "某某凝胶",
        "med_codes": ["XD01"],
        "constraint": "限工伤保险",
        "batch_tag": "batch_03",
        **more,
    }


def _written(path: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_points_are_read_in_order(tmp_path: Path) -> None:
    """Rows of several files come back in their order; blank lines and unknown keys do no harm."""
    one = _written(tmp_path / "a.jsonl", _row("KP-1"), "", _row("KP-2", more=1))
    two = _written(tmp_path / "b.jsonl", _row("KP-3"))
    assert [p.kp_id for p in read_points([one, two])] == ["KP-1", "KP-2", "KP-3"]


def test_all_unreadable_rows_are_told_at_once(tmp_path: Path) -> None:
    """Every bad row is told with its file and row: no JSON, a missing key, a wrong kind, a repeated id, no item."""
    rows = [
        "{",
        {"kp_id": "KP-0"},
        _row("KP-1", med_codes="XD01"),
        _row("KP-2"),
        _row("KP-2", item_name="另一片"),
        _row(" "),
    ]
    path = _written(tmp_path / "bad.jsonl", *rows, _row("KP-4", item_name="", med_codes=[]), _row("KP-5", limit=-1))
    with pytest.raises(ListError) as caught:
        read_points([path, tmp_path / "none.jsonl"])
    places = [(Path(p.file).name, p.row) for p in caught.value.problems]
    assert places == [("bad.jsonl", n) for n in (1, 2, 3, 5, 6, 7, 8)] + [("none.jsonl", 0)]
    assert "`KP-2` was already at bad.jsonl:4" in caught.value.problems[3].message


def test_the_same_row_once_more_is_passed_over(tmp_path: Path) -> None:
    """A file named twice, or files that overlap, give every point once."""
    one = _written(tmp_path / "a.jsonl", _row("KP-1"), _row("KP-2"))
    two = _written(tmp_path / "b.jsonl", _row("KP-2"), _row("KP-3"))
    assert [p.kp_id for p in read_points([one, one, two])] == ["KP-1", "KP-2", "KP-3"]


def test_a_name_too_short_to_look_for_is_told(tmp_path: Path) -> None:
    """An item without codes and with a name of one character would be found inside every other name."""
    path = _written(tmp_path / "a.jsonl", _row("KP-1", item_name="片", med_codes=[]))
    with pytest.raises(ListError, match="found inside other names"):
        read_points([path])


def test_a_remark_published_in_several_classes_makes_each_rule_once() -> None:
    """Points that say the same of the same item share a rule, which names them all; so one line has one finding."""
    remark = "限二级及以上医疗机构的高血压住院患者。"
    classes = ("药品限医疗机构级别", "药品限就医方式", "药品限适应症")
    rows = [_row(f"KP-{n}", rule_class=name, constraint=remark) for n, name in enumerate(classes)]
    imported = import_points(rows)
    assert [rule.class_id for rule in imported.rule_list.rules] == ["R12", "R13", "R08"]
    assert {rule.points for rule in imported.rule_list.rules} == {("KP-0", "KP-1", "KP-2")}
    assert {len(entry.rule_ids) for entry in imported.report} == {3}


def test_a_revision_withdraws_the_earlier_rows_of_its_class() -> None:
    """An earlier row of a revised class ends with the revision and keeps its rule; other classes and batches stay."""
    revised = _row("KP-new", batch_tag="updates_2026-01")
    later = _row("KP-later", batch_tag="batch_18", med_codes=["XD02"])
    untouched = _row("KP-other", rule_class="药品限生育保险", constraint="限生育保险", batch_tag="batch_03")
    imported = import_points([_row("KP-old"), revised, later, untouched])
    assert [entry.status for entry in imported.report] == ["superseded", "rule", "rule", "rule"]
    ends = {rule.points[0]: rule.valid_to for rule in imported.rule_list.rules}
    assert ends == {"KP-old": date(2026, 1, 28), "KP-new": None, "KP-later": None, "KP-other": None}


def test_without_a_revision_nothing_is_withdrawn() -> None:
    """Batch 1 alone is in force."""
    assert [entry.status for entry in import_points([_row("KP-old")]).report] == ["rule"]


def test_a_class_nobody_reads_needs_review() -> None:
    """A class without a reader gives no rule, and says so."""
    entry = import_points([_row("KP-1", rule_class="没有的类")]).report[0]
    assert (entry.status, entry.rule_ids) == ("needs-review", ())
    assert "没有的类" in entry.reason


def test_operations_of_one_group_are_one_rule() -> None:
    """The points of a group share one rule that has the codes of all; another group has its own."""
    group = {"rule_class": "手术项目未按规定折价收费", "constraint": "肝胆手术组", "batch_tag": "batch_02"}
    rows = [_row(f"KP-{n}", **{**group, "med_codes": [f"00330000000000{n}"]}) for n in range(3)]
    rows.append(_row("KP-9", **{**group, "constraint": "胃肠手术组"}))
    imported = import_points(rows)
    assert len({entry.rule_ids for entry in imported.report[:3]}) == 1
    assert len(imported.rule_list.rules) == 2
    assert {rule.trigger.codes for rule in imported.rule_list.rules} >= {tuple(f"00330000000000{n}" for n in range(3))}


def test_a_term_never_softens_a_level() -> None:
    """The level is a rule of its own that blocks; the indication beside it only warns."""
    row = _row(
        "KP-1", rule_class="药品限医疗机构级别", constraint="限二级及以上医疗机构癌症患者。", batch_tag="batch_05"
    )
    rules = import_points([row]).rule_list.rules
    assert [(rule.class_id, rule.action) for rule in rules] == [("R12", "block"), ("R08", "warn")]


def test_the_report_is_plain_json() -> None:
    """The report is a list of objects with the keys of the contract."""
    imported = import_points([_row("KP-1")])
    entry = json.loads(report_json(imported.report))[0]
    assert set(entry) == {"kp_id", "rule_ids", "status", "parameters", "unread", "reason"}
    assert entry["parameters"] == {"insurance": ["work-injury"]}


def test_null_is_as_good_as_absent(tmp_path: Path) -> None:
    """A null column, a number written as text and blanks around a code are read as anybody would."""
    row = _row("KP-1", window=None, limit="24", period_days=None, med_codes=[" XD01 ", ""])
    point = read_points([_written(tmp_path / "a.jsonl", row)])[0]
    assert (point.window, point.limit, point.period_days, point.med_codes) == (None, Decimal(24), None, ("XD01",))


def test_a_point_without_codes_is_found_by_its_name() -> None:
    """Where no code was published, lines are recognised by the item's name."""
    rule = import_points([_row("KP-1", med_codes=[])]).rule_list.rules[0]
    assert (rule.trigger.codes, rule.trigger.names) == ((), ("某某凝胶",))
