"""Traps that real encodings of the payer's rules fell into; here each is sprung on purpose.

The list of traps is the eighth section of the rule families reference; remarks, items and patients are made up.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.compile import compile
from negative_list.decide import decide
from negative_list.importer import import_points
from negative_list.parse import read_parsed
from negative_list.readers.own import read_check_request
from negative_list.site import Sites
from negative_list.validate import check
from tests.cases.traps import ask, drug_line, herb_line, point, request, service_line

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.decision import Decision
    from negative_list.rules import RuleList

HBA1C = """
- id: national
  class: R31
  title: 糖化血红蛋白15日内限1次
  trigger: {codes: ["002503080000000"]}
  violation:
    kind: count
    lines: {items: {codes: ["002503080000000"]}, window: {unit: days, length: 15, ends: open}}
    above: 1
  message: {zh: 15日内限支付1次}
  basis: {document: 医疗服务项目周期超频次}
- id: problem-list
  class: R31
  title: 糖化血红蛋白90日内重复检测
  trigger: {codes: ["002503080000000"]}
  violation:
    kind: count
    lines: {items: {codes: ["002503080000000"]}, window: {unit: days, length: 90, ends: open}}
    above: 1
  result: suspicious
  action: remind
  message: {zh: 90日内重复检测}
  basis: {document: 自查自纠问题清单}
"""
ADD_ON = """
- id: add-on
  class: E09
  title: 加收项须有主项目
  trigger: {prefixes: ["003310010010"], except_codes: ["003310010010000"]}
  violation: {kind: not, of: {kind: some, lines: {items: {codes: ["003310010010000"]}}}}
  message: {zh: 未见主项目}
  basis: {document: 医疗服务价格项目规范}
"""


def of_points(*points: dict[str, Any]) -> RuleList:
    """The rules the importer makes of points."""
    return import_points(points).rule_list


def of_yaml(text: str, folder: Path) -> RuleList:
    """The rules of a file."""
    path = folder / "list.yaml"
    path.write_text(text, encoding="utf-8")
    return check(read_parsed(path))


def found(rules: RuleList, body: dict[str, Any]) -> list[str]:
    """The classes of the certain findings."""
    return [finding.class_id for finding in decided(rules, body).findings if not finding.unknown]


def decided(rules: RuleList, body: dict[str, Any]) -> Decision:
    """What a list says to a body."""
    prescription = read_check_request(body, Sites())
    assert prescription.at is not None
    return decide(compile(rules), prescription, prescription.at)


@pytest.mark.parametrize(
    ("remark", "born", "violated"),
    [
        ("限12岁及以上儿童及成人。", "2014-11-21", True),
        ("限12岁及以上儿童及成人。", "2014-11-20", False),
        ("限12岁及以上儿童及成人。", "1960-01-01", False),
        ("限3-12岁儿童。", "2023-11-21", True),
        ("限3-12岁儿童。", "2023-11-20", False),
        ("限3-12岁儿童。", "2013-11-21", False),
        ("限3-12岁儿童。", "2013-11-20", True),
        ("限4岁(含)以下儿童。", "2021-11-21", False),
        ("限4岁(含)以下儿童。", "2021-11-20", True),
        ("限6个月及以上儿童。", "2026-05-21", True),
        ("限6个月及以上儿童。", "2026-05-20", False),
        ("限28天及以下新生儿。", "2026-10-23", False),
        ("限28天及以下新生儿。", "2026-10-22", True),
    ],
)
def test_both_ends_of_an_age_keep_their_sense_and_their_unit(remark: str, born: str, violated: bool) -> None:
    """12 and over is no upper limit, 3 to 12 has two ends, an included year is included, months are no years."""
    rules = of_points(point("药品限儿童使用", remark))
    assert bool(found(rules, request(drug_line(), birth_date=born))) is violated


@pytest.mark.parametrize(("mode", "violated"), [("emergency", False), ("inpatient", False), ("outpatient", True)])
def test_emergency_or_inpatient_is_both(mode: str, violated: bool) -> None:
    """Emergency or inpatient lets the emergency patient through."""
    rules = of_points(point("药品限就医方式", "限急诊、住院患者。"))
    assert ("R13" in found(rules, request(drug_line(), visit_mode=mode))) is violated


@pytest.mark.parametrize(("diagnosis", "violated"), [("K31.7", False), ("I10", True)])
def test_diagnoses_of_an_operation_are_an_allow_list(diagnosis: str, violated: bool, tmp_path: Path) -> None:
    """A main diagnosis of the list is right; one that is not on it is what offends."""
    rules = of_yaml(
        """
- id: r40
  class: R40
  title: 胃息肉切除术的主要诊断
  trigger: {operations: ["43.4105"]}
  violation:
    kind: all
    of:
      - {kind: operation, codes: ["43.4105"], main: true}
      - {kind: not, of: {kind: diagnosis, codes: [K31.7, D13.1], main: true}}
  message: {zh: 主要诊断与主要手术不符}
  basis: {document: 诊断编码与手术操作编码不符}
""",
        tmp_path,
    )
    body = request(drug_line(), diagnoses=[{"code": diagnosis, "name": "主要诊断", "main": True}])
    body["encounter"]["operations"] = [{"code": "43.4105", "name": "胃息肉切除术", "main": True}]
    assert bool(found(rules, body)) is violated


def test_the_two_lists_of_herbs_are_not_each_others() -> None:
    """In a formula of other herbs the one never paid is found, the one not paid alone is not; alone both are."""
    never = point("中药饮片单复方均不予支付", "不得纳入基金支付范围的中药饮片", code="T001700024", item="白糖参")
    alone = point("中药饮片单方使用不予支付", "单独使用时不予支付", code="T000700200", item="丁香")
    rules = of_points(never, alone)
    others = [herb_line("o", "T001700914", "黄芪")]
    answers = [
        found(rules, request(herb_line("a", code, name), *company))
        for code, name in (("T001700024", "白糖参"), ("T000700200", "丁香"))
        for company in (others, [])
    ]
    assert answers == [["R03"], ["R03"], [], ["R04"]]


@pytest.mark.parametrize(("clock", "violated"), [("09:50:00", True), ("11:05:00", False)])
def test_a_window_of_one_hour_is_not_the_whole_stay(clock: str, violated: bool) -> None:
    """The window's column says the same hour: two hours apart nothing is billed twice."""
    codes = ["001103000010000", "001102000030000"]
    rules = of_points(point("医疗服务项目重复收费", "含监护、诊查", codes=codes, item="甲×乙", window="同一小时"))
    lines = [service_line("a", codes[0], "09:10:00"), service_line("b", codes[1], clock)]
    assert bool(found(rules, request(*lines))) is violated


@pytest.mark.parametrize("current", [("a",), ("b",), ("a", "b")])
def test_a_pair_is_found_from_either_side(current: tuple[str, ...]) -> None:
    """Whichever item is being charged now, the pair is seen; nobody has to store it twice."""
    codes = ["001103000010000", "001102000030000"]
    rules = of_points(point("医疗服务项目重复收费", "含诊查", codes=codes, item="甲×乙", window="单日"))
    lines = [service_line(name, code, "09:10:00") for name, code in zip("ab", codes, strict=True)]
    body = request(*({**line, "current": line["id"] in current} for line in lines))
    assert found(rules, body) == ["R25"]


@pytest.mark.parametrize(
    ("code", "violated"), [("003310010010001", True), ("003310010010002", True), ("003310010020001", False)]
)
def test_an_add_on_is_known_by_the_beginning_it_shares_with_its_base(code: str, violated: bool, tmp_path: Path) -> None:
    """A structural beginning names the base's add-ons (…0001, …0002) and those of no other base."""
    rules = of_yaml(ADD_ON, tmp_path)
    assert bool(found(rules, request(service_line("a", code, "09:00:00")))) is violated


def test_a_national_code_does_not_stand_for_a_local_one(tmp_path: Path) -> None:
    """Without a mapping the local code is told as unusable; with one the rule finds."""
    rules = of_yaml(HBA1C, tmp_path)
    lines = [{**service_line(name, "", "09:00:00"), "local_code": "LAB-88", "name": "自编检验"} for name in "ab"]
    without = decided(rules, request(*lines))
    assert (without.findings, {note.line for note in without.notes}) == ((), {"a", "b"})
    site = tmp_path / "site.toml"
    site.write_text('[[default.codes]]\nlocal = "LAB-88"\nnational = "002503080000000"\n', encoding="utf-8")
    prescription = read_check_request(request(*lines), Sites.read(site))
    assert len(decide(compile(rules), prescription, datetime(2026, 11, 20, 9)).findings) > 0


@pytest.mark.parametrize("partner", ["XL04ADC183A001010100001", "XL04ADT002N001010183516"])
def test_a_partner_named_as_a_class_is_every_member_of_it(partner: str, tmp_path: Path) -> None:
    """Calcineurin inhibitors in prose are the group L04AD, not the one example somebody typed."""
    rules = of_yaml(
        """
- id: r74
  class: R74
  title: 与钙调磷酸酶抑制剂合用
  trigger: {prefixes: [XJ02AC]}
  violation: {kind: some, lines: {items: {prefixes: [XL04AD]}, window: {unit: in_use, whose: encounter}}}
  message: {zh: 与钙调磷酸酶抑制剂有相互作用}
  basis: {document: 药品相互作用}
""",
        tmp_path,
    )
    body = request(drug_line("XJ02ACF087E001010100001"), {**drug_line(partner), "id": "partner"})
    assert found(rules, body) == ["R74"]


@pytest.mark.parametrize(("day", "actions"), [("2026-11-10", ["warn", "remind"]), ("2026-10-01", ["remind"])])
def test_two_readings_of_one_item_stand_side_by_side(day: str, actions: list[str], tmp_path: Path) -> None:
    """The 15 days of the national list warn, the 90 days of the problem list remind; neither hides the other."""
    earlier = {**service_line("old", "002503080000000", "09:00:00"), "begins": f"{day} 09:00:00", "current": False}
    body = request(earlier, service_line("new", "002503080000000", "09:00:00"))
    body["encounter"]["admitted_at"] = "2026-09-01"
    assert [finding.action for finding in decided(of_yaml(HBA1C, tmp_path), body).findings] == actions


@pytest.mark.parametrize(("day", "violated"), [("2026-01-28", True), ("2026-01-29", False)])
def test_a_withdrawn_point_explains_old_lines_and_finds_no_new_one(day: str, violated: bool) -> None:
    """Its rule ends with the revision that withdrew it: a line of that day is still explained, a later one is not."""
    old = point("药品限工伤保险", "限工伤保险", batch_tag="batch_03")
    new = point(
        "药品限工伤保险", "限工伤保险", batch_tag="updates_2026-01", code="XD02AAA001A001010100001", kp_id="new"
    )
    body = request({**drug_line(), "begins": f"{day} 09:00:00"})
    assert bool(found(of_points(old, new), body)) is violated


def test_the_trap_bodies_are_read_without_a_complaint() -> None:
    """What the tests above send is what a HIS may send: nothing in it is refused or noted."""
    assert ask(request(drug_line(), herb_line("h", "T001700914", "黄芪"))).notes == ()
