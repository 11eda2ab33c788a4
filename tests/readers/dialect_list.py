"""A list whose findings need a body to be read whole, and the body that has all of them."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from negative_list.compile import CompiledList, compile
from negative_list.decide import decide
from negative_list.parse import parse_yaml
from negative_list.readers import read_body
from negative_list.readers.body import parse_body
from negative_list.rules import Rule, RuleList
from negative_list.site import Sites

if TYPE_CHECKING:
    from negative_list.decision import Decision

__all__ = ["FOUND", "LIST", "MEN", "WOMEN", "body", "decided", "encoded", "found", "line", "spoken"]

WOMEN, MEN = "XG03GAA001B001010100001", "XL02BBA326A001010102180"
_WHEN = "2026-01-01 09:00:00"

LIST = f"""
rules:
- id: sex
  class: R67
  title: 限男性
  trigger: {{codes: [{MEN}]}}
  violation: {{kind: fact, fact: patient.sex, any_of: [女]}}
  action: block
  message: {{zh: 该药限男性使用}}
  basis: {{document: 药品区分性别使用}}
- id: quantity
  class: E01
  title: 一日数量
  trigger: {{codes: [{WOMEN}]}}
  violation: {{kind: sum, of: line.quantity, lines: {{items: {{codes: [{WOMEN}]}}, window: {{unit: day}}}}, above: 3}}
  action: warn
  message: {{zh: 数量超过三}}
  basis: {{document: 数量规定}}
- id: month
  class: E01
  title: 三十日数量
  trigger: {{codes: [{MEN}]}}
  violation:
    kind: sum
    of: line.quantity
    lines: {{items: {{codes: [{MEN}]}}, window: {{unit: days, length: 30, whose: patient}}}}
    above: 5
  action: warn
  message: {{zh: 三十日超过五}}
  basis: {{document: 数量规定}}
- id: level
  class: R12
  title: 限二级
  trigger: {{codes: [{WOMEN}, {MEN}]}}
  violation: {{kind: fact, fact: encounter.institution_level, below: 2}}
  action: remind
  message: {{zh: 限二级以上医疗机构}}
  basis: {{document: 级别规定}}
- id: diagnosis
  class: E01
  title: 高血压慎用
  trigger: {{codes: [{WOMEN}]}}
  violation: {{kind: diagnosis, codes: [I10]}}
  action: remind
  message: {{zh: 高血压慎用}}
  basis: {{document: 说明书}}
- id: term
  class: E01
  title: 痛风慎用
  trigger: {{codes: [{WOMEN}]}}
  violation: {{kind: diagnosis, terms: [痛风]}}
  action: remind
  message: {{zh: 痛风慎用}}
  basis: {{document: 说明书}}
- id: operation
  class: E01
  title: 结扎后不用
  trigger: {{codes: [{MEN}]}}
  violation: {{kind: operation, codes: ["66.2"]}}
  action: warn
  message: {{zh: 结扎后不用}}
  basis: {{document: 说明书}}
- id: department
  class: E01
  title: 儿科不用
  trigger: {{codes: [{MEN}]}}
  violation: {{kind: fact, fact: encounter.department_name, any_of: [儿科]}}
  action: warn
  message: {{zh: 儿科不用}}
  basis: {{document: 说明书}}
- id: days
  class: E01
  title: 限七日
  trigger: {{codes: [{WOMEN}]}}
  violation: {{kind: fact, fact: line.days, above: 7}}
  action: warn
  message: {{zh: 超过七日}}
  basis: {{document: 数量规定}}
"""
"""A rule for each part of a body: one block, the others warn or remind."""

FOUND = (
    ("sex", "block", ("A",)),
    ("department", "warn", ("A",)),
    ("month", "warn", ("A",)),
    ("operation", "warn", ("A",)),
    ("days", "warn", ("B",)),
    ("quantity", "warn", ("B",)),
    ("level", "remind", ("A",)),
    ("diagnosis", "remind", ("B",)),
    ("level", "remind", ("B",)),
    ("term", "remind", ("B",)),
)
"""What is found in :func:`body`: rule, action, offending lines."""


def line(rx_id: str, code: str, **fields: object) -> dict[str, Any]:
    """One current order."""
    return {
        "rx_id": rx_id,
        "rxno": f"X{rx_id}",
        "long_drord_flag": "0",
        "hilist_type": "101",
        "chrg_type": "09",
        "drord_bhvr": "0",
        "hilist_code": code,
        "hilist_name": "阿帕他胺片",
        "hilist_lv": "02",
        "hilist_pric": 12.5,
        "lv1_hosp_item_pric": 12.5,
        "hosplist_code": "L1",
        "hosplist_name": "阿帕他胺片",
        "cnt": 1,
        "pric": 12.5,
        "sumamt": 12.5,
        "ownpay_amt": 0,
        "spec": "60mg*120片",
        "spec_unt": "盒",
        "drord_begn_date": _WHEN,
        "drord_dept_codg": "D1",
        "drord_dept_name": "儿科",
        "drord_dr_codg": "T001",
        "drord_dr_name": "测试医生",
        "drord_dr_profttl": "233",
        "curr_drord_flag": "1",
        **fields,
    }


def body() -> dict[str, Any]:
    """A body of 3101, nested list style, invented: a woman of 65 with a visit before, two diagnoses, an operation."""
    before = {
        "mdtrt_id": "M0",
        "medins_lv": "08",
        "med_type": "11",
        "adm_date": "2025-12-20 09:00:00",
        "fsi_diagnose_dtos": [],
        "fsi_order_dtos": [
            line("Z", MEN, cnt=5, sumamt=62.5, drord_begn_date="2025-12-20 09:10:00", curr_drord_flag="0")
        ],
        "fsi_operation_dtos": [],
    }
    current = {
        "mdtrt_id": "M1",
        "medins_id": "H00000000000",
        "medins_name": "测试医院",
        "medins_type": "A1",
        "medins_lv": "08",
        "adm_date": "2026-01-01 08:50:00",
        "dscg_date": "2026-01-01 08:50:00",
        "dscg_main_dise_codg": "I10.x00",
        "dscg_main_dise_name": "高血压",
        "adm_dept_codg": "D1",
        "adm_dept_name": "儿科",
        "dscg_dept_codg": "D1",
        "dscg_dept_name": "儿科",
        "med_mdtrt_type": "1",
        "med_type": "11",
        "matn_stas": "0",
        "medfee_sumamt": 62.5,
        "insutype": "310",
        "reim_flag": "2",
        "out_setl_flag": "0",
        "fsi_diagnose_dtos": [
            {"dise_id": "1", "maindise_flag": "1", "dias_srt_no": "1", "dise_codg": "I10.x00", "dise_name": "高血压"},
            {"dise_id": "2", "maindise_flag": "0", "dias_srt_no": "2", "dise_codg": "M10.900", "dise_name": "痛风"},
        ],
        "fsi_order_dtos": [
            line("A", MEN),
            line("B", WOMEN, cnt=2, sumamt=25, extend_order_map={"o_prdDays": "14", "o_sinDosDscr": "1片"}),
            line("C", WOMEN, cnt=2, sumamt=25, curr_drord_flag="0"),
        ],
        "fsi_operation_dtos": [
            {"setl_list_oprn_id": "1", "oprn_code": "66.2100x001", "oprn_name": "结扎", "main_oprn_flag": "1"}
        ],
    }
    person = {
        "patn_id": "P1",
        "patn_name": "测试",
        "gend": "2",
        "brdy": "1960-01-01",
        "poolarea": "000000",
        "curr_mdtrt_id": "M1",
        "fsi_encounter_dtos": [before, current],
    }
    return {
        "infno": "3101",
        "msgid": "H00000000000202601010900000001",
        "mdtrtarea_admvs": "000000",
        "insuplc_admdvs": "000000",
        "recer_sys_code": "YBXT",
        "infver": "V1.0",
        "opter": "T001",
        "opter_name": "测试医生",
        "inf_time": _WHEN,
        "fixmedins_code": "H00000000000",
        "fixmedins_name": "测试医院",
        "input": {"data": {"trig_scen": "2", "rule_ids": [], "patient_dtos": [person]}},
    }


@cache
def _compiled() -> CompiledList:
    records = [row.record for row in parse_yaml(LIST.encode(), "list")]
    return compile(RuleList(rules=tuple(one for one in records if isinstance(one, Rule))))


def decided(raw: bytes, encoding: str = "") -> Decision:
    """Decide a body as it came."""
    prescription = read_body(parse_body(raw, encoding), Sites())
    assert prescription.at is not None
    return decide(_compiled(), prescription, prescription.at)


def encoded(sent: object, encoding: str = "utf-8") -> bytes:
    """A body as bytes."""
    return json.dumps(sent, ensure_ascii=False).encode(encoding)


def found(decision: Decision) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Rule, action and offending lines of every finding, by action and rule."""
    return tuple((one.rule_id, one.action, tuple(one.lines)) for one in decision.findings)


def spoken(decision: Decision) -> list[tuple[object, ...]]:
    """All that a caller is told of the findings, without their ids."""
    return [
        (one.rule_id, one.action, one.lines, one.involved, one.message, one.amount_fen, one.unknown, one.facts)
        for one in decision.findings
    ]
