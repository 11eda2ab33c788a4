"""Bodies and a list that decide alike on every face: builders that say only what a test is about."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["LIST", "MEN", "WOMEN", "encoded", "national_body", "national_order", "own_body", "own_line", "write_list"]

WOMEN, MEN = "XG03GAA001B001010100001", "XL02BBA326A001010102180"
"""Codes of a drug for women only and of one for men only."""

_SERIAL = count(1000)  # one id, one request: what comes again gets the answer it had

LIST = f"""
rules:
- id: R67-men
  class: R67
  title: 限男性
  trigger: {{codes: [{MEN}]}}
  violation: {{kind: fact, fact: patient.sex, any_of: [女]}}
  action: block
  suggestions: [drop]
  message: {{zh: 该药限男性使用，请核对性别或换药}}
  basis: {{document: 药品区分性别使用, article: 第一条}}
- id: E01-quantity
  class: E01
  title: 数量
  trigger: {{codes: [{WOMEN}]}}
  violation: {{kind: sum, of: line.quantity, lines: {{items: {{codes: [{WOMEN}]}}, window: {{unit: day}}}}, above: 3}}
  action: warn
  fund_only: true
  suggestions: [quantity, self_pay]
  message: {{zh: 数量超过三}}
  basis: {{document: 数量规定}}
- id: R12-level
  class: R12
  title: 限二级
  trigger: {{codes: [{WOMEN}, {MEN}]}}
  violation: {{kind: fact, fact: encounter.institution_level, below: 2}}
  action: remind
  message: {{zh: 限二级以上医疗机构}}
  basis: {{document: 级别规定}}
"""
"""A block on sex, a warning on quantity, a reminder on level."""


def write_list(folder: Path) -> Path:
    """The list as a file."""
    file = folder / "list.yaml"
    file.write_text(LIST, encoding="utf-8")
    return file


def own_line(line_id: str = "R1", **changes: Any) -> dict[str, Any]:
    """A current line of our own body: one piece of the drug for men."""
    return {
        "id": line_id,
        "code": MEN,
        "name": "阿帕他胺片",
        "begins": "2026-01-01 09:00:00",
        "quantity": 1,
        "unit": "盒",
        "unit_price_fen": 1250,
        "amount_fen": 1250,
        **changes,
    }


def own_body(*lines: dict[str, Any], sex: str = "女", level: int | None = 3, **changes: Any) -> dict[str, Any]:
    """Our own body: an outpatient at a hospital of level 3."""
    return {
        "request_id": f"H{next(_SERIAL)}",
        "time": "2026-01-01 09:00:00",
        "scene": ["2"],
        "patient": {"id": "P1", "sex": sex, "birth_date": "1960-01-01"},
        "encounter": {
            "id": "M1",
            "visit_mode": "outpatient",
            "institution_level": level,
            "admitted_at": "2026-01-01 08:50:00",
            "diagnoses": [{"code": "I10.x00", "name": "高血压", "main": True}],
            "lines": list(lines) or [own_line()],
        },
        **changes,
    }


def national_order(rx_id: str = "R1", **changes: Any) -> dict[str, Any]:
    """The same line in national words."""
    return {
        "rx_id": rx_id,
        "hilist_code": MEN,
        "hilist_name": "阿帕他胺片",
        "drord_begn_date": "2026-01-01 09:00:00",
        "cnt": 1,
        "spec_unt": "盒",
        "pric": 12.5,
        "sumamt": 12.5,
        "curr_drord_flag": "1",
        **changes,
    }


def national_body(*orders: dict[str, Any], gend: str = "2", level: str = "3", **changes: Any) -> dict[str, Any]:
    """The same body in national words, nested list style."""
    encounter = {
        "mdtrt_id": "M1",
        "medins_lv": level,
        "med_type": "11",
        "adm_date": "2026-01-01 08:50:00",
        "fsi_diagnose_dtos": [{"dise_codg": "I10.x00", "dise_name": "高血压", "maindise_flag": "1"}],
        "fsi_order_dtos": list(orders) or [national_order()],
        "fsi_operation_dtos": [],
    }
    patient = {
        "patn_id": "P1",
        "patn_name": "测试",
        "gend": gend,
        "brdy": "1960-01-01",
        "curr_mdtrt_id": "M1",
        "fsi_encounter_dtos": [encounter],
    }
    return {
        "infno": "3101",
        "msgid": f"H{next(_SERIAL)}",
        "mdtrtarea_admvs": "430100",
        "inf_time": "2026-01-01 09:00:00",
        "fixmedins_code": "",
        "input": {"data": {"trig_scen": "2", "patient_dtos": [patient]}},
        **changes,
    }


def encoded(body: dict[str, Any]) -> bytes:
    """A body as UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False).encode()
