"""One prescription in the words of every face: drawn as our own JSON, written as 3101 in a dialect and as a hook asks.

A list beside it whose rules rest on what every face can say: sex, age, level, diagnoses, quantities, pairs, counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.cds.bodies import of_own

if TYPE_CHECKING:
    from random import Random

__all__ = ["DIALECTS", "LIST", "draw_own", "hook_of", "national_of"]

MEN, WOMEN, ADULT = "XL02BBA326A001010102180", "XG03GAA001B001010100001", "XN05BAA002A001010100002"
INDICATED, PAIRED, SERVICE = "XA10BAA005A001010100003", "XB01ACA001A001010100004", "001103000010000"
_NAMES = {
    MEN: "阿帕他胺片",
    WOMEN: "绒促性素",
    ADULT: "地西泮片",
    INDICATED: "二甲双胍片",
    PAIRED: "氯吡格雷片",
    SERVICE: "普通门诊诊察费",
}

LIST = f"""
rules:
- id: R67-men
  class: R67
  title: 限男性
  trigger: {{codes: [{MEN}]}}
  violation: {{kind: fact, fact: patient.sex, any_of: [女]}}
  on_unknown: {{action: remind, ask: [patient.sex]}}
  action: block
  suggestions: [drop]
  message: {{zh: 该药限男性使用}}
  basis: {{document: 药品区分性别使用, article: 第一条}}
- id: E01-quantity
  class: E01
  title: 数量
  trigger: {{codes: [{WOMEN}, {INDICATED}]}}
  violation:
    kind: sum
    of: line.quantity
    lines: {{items: {{codes: [{WOMEN}, {INDICATED}]}}, window: {{unit: day}}}}
    above: 3
  action: warn
  fund_only: true
  suggestions: [quantity, self_pay]
  message: {{zh: 数量超过三}}
  basis: {{document: 数量规定}}
- id: R12-level
  class: R12
  title: 限二级
  trigger: {{codes: [{WOMEN}, {MEN}, {PAIRED}]}}
  violation: {{kind: fact, fact: encounter.institution_level, below: 2}}
  action: remind
  message: {{zh: 限二级以上医疗机构}}
  basis: {{document: 级别规定}}
- id: R66-adult
  class: R66
  title: 限成人
  trigger: {{codes: [{ADULT}]}}
  violation: {{kind: age, below: 18}}
  action: block
  message: {{zh: 限十八岁以上}}
  basis: {{document: 儿童用药}}
- id: R20-indication
  class: R20
  title: 限糖尿病
  trigger: {{codes: [{INDICATED}]}}
  violation: {{kind: not, of: {{kind: diagnosis, codes: [E11]}}}}
  action: warn
  message: {{zh: 限糖尿病患者}}
  basis: {{document: 药品目录}}
- id: E02-pair
  class: E02
  title: 不同时使用
  trigger: {{codes: [{PAIRED}]}}
  violation: {{kind: count, lines: {{items: {{codes: [{ADULT}]}}, window: {{unit: day}}}}, at_least: 1}}
  action: warn
  message: {{zh: 与地西泮片不宜同时使用}}
  basis: {{document: 说明书}}
"""
"""Blocks, warnings, reminders, questions and undecided rules, over six items."""

_SERIAL = count(1)
_GENDERS = {"男": "1", "女": "2", "": "0"}
_MODES = {"outpatient": "11", "emergency": "13", "inpatient": "21"}
_DIAGNOSES = (("E11.900", "2型糖尿病"), ("I10.x00", "高血压"), ("C61.x00", "前列腺恶性肿瘤"))


def draw_own(random: Random) -> dict[str, Any]:
    """A prescription of our own JSON that says nothing another face could not say."""
    diagnoses = random.sample(_DIAGNOSES, random.randint(0, 2))
    return {
        "time": "2026-01-01 09:00:00",
        "patient": {
            "id": f"P{next(_SERIAL)}",
            "sex": random.choice(("男", "女", "")),
            "birth_date": random.choice(("1960-02-29", "2008-01-01", "2008-01-02", "2015-06-30")),
        },
        "encounter": {
            "id": f"M{next(_SERIAL)}",
            "visit_mode": random.choice(tuple(_MODES)),
            "institution_level": random.choice((1, 2, 3, None)),
            "admitted_at": "2026-01-01 08:50:00",
            "diagnoses": [{"code": code, "name": name} for code, name in diagnoses],
            "lines": [_drawn_line(random, place) for place in range(1, random.randint(2, 6))],
        },
    }


def _drawn_line(random: Random, place: int) -> dict[str, Any]:
    code = random.choice(tuple(_NAMES))
    quantity = random.randint(1, 5)
    return {
        "id": f"R{place}",
        "code": code,
        "name": _NAMES[code],
        "begins": "2026-01-01 09:00:00",
        "quantity": quantity,
        "unit": "盒",
        "unit_price_fen": 1250,
        "amount_fen": 1250 * quantity,
    }


def hook_of(own: dict[str, Any]) -> dict[str, Any]:
    """The same as the request of order-sign."""
    return of_own(own | {"request_id": f"00000000-0000-4000-8000-{next(_SERIAL):012}"})


# -- the national interface, and how clients write it (national_interface.md 2.7, 2.8)


def national_of(own: Mapping[str, Any]) -> dict[str, Any]:
    """The same as a body of 3101: nested lists, national names."""
    visit, patient = own["encounter"], own["patient"]
    encounter = {
        "mdtrt_id": visit["id"],
        "medins_lv": "" if visit["institution_level"] is None else {1: "8", 2: "5", 3: "2"}[visit["institution_level"]],
        "med_type": _MODES[visit["visit_mode"]],
        "adm_date": visit["admitted_at"],
        "fsi_diagnose_dtos": [{"dise_codg": each["code"], "dise_name": each["name"]} for each in visit["diagnoses"]],
        "fsi_order_dtos": [_order(line) for line in visit["lines"]],
        "fsi_operation_dtos": [],
    }
    person = {
        "patn_id": patient["id"],
        "patn_name": "测试",
        "gend": _GENDERS[patient["sex"]],
        "brdy": patient["birth_date"],
        "curr_mdtrt_id": visit["id"],
        "fsi_encounter_dtos": [encounter],
    }
    return {
        "infno": "3101",
        "msgid": f"F{next(_SERIAL)}",
        "inf_time": own["time"],
        "fixmedins_code": "",
        "input": {"data": {"trig_scen": "2", "rule_ids": [], "patient_dtos": [person]}},
    }


def _order(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rx_id": line["id"],
        "hilist_code": line["code"],
        "hilist_name": line["name"],
        "drord_begn_date": line["begins"],
        "cnt": line["quantity"],
        "spec_unt": line["unit"],
        "pric": line["unit_price_fen"] / 100,
        "sumamt": line["amount_fen"] / 100,
        "curr_drord_flag": "1",
    }


def _objects(body: dict[str, Any]) -> dict[str, Any]:
    """One object where a list of one would do (S5, S6)."""
    data = body["input"]["data"]
    data["patient_dtos"] = data["patient_dtos"][0]
    data["patient_dtos"]["fsi_encounter_dtos"] = data["patient_dtos"]["fsi_encounter_dtos"][0]
    return body


def _escaped(body: dict[str, Any]) -> dict[str, Any]:
    """``input`` as a text of JSON (S15)."""
    return body | {"input": json.dumps(body["input"], ensure_ascii=False)}


def _flat(body: dict[str, Any]) -> dict[str, Any]:
    """The sets beside ``data``, with empty texts in their places (S12)."""
    [person] = body["input"]["data"].pop("patient_dtos")
    [encounter] = person.pop("fsi_encounter_dtos")
    diagnoses, orders = encounter.pop("fsi_diagnose_dtos"), encounter.pop("fsi_order_dtos")
    body["input"]["data"] |= {"patient_dtos": ""}
    body["input"] |= {
        "patient_dtos": person | {"fsi_encounter_dtos": ""},
        "fsi_encounter_dtos": encounter | {"fsi_diagnose_dtos": "", "fsi_order_dtos": ""},
        "fsi_diagnose_dtos": diagnoses,
        "fsi_order_dtos": orders,
    }
    return body


def _texts(value: Any) -> Any:
    """Every number as a text, null and "-" where nothing is told (S6, S9, S3)."""
    if isinstance(value, dict):
        return {key: _texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return "-" if value == "" else str(value) if isinstance(value, int | float) else value


_HAINAN = {
    "patient_dtos": "patientDtos",
    "patn_id": "psn_no",
    "patn_name": "psn_name",
    "fsi_encounter_dtos": "encounterDtos",
    "fsi_diagnose_dtos": "diagnoseDtos",
    "fsi_order_dtos": "orderDtos",
    "fsi_operation_dtos": "operationDtos",
    "trig_scen": "trigScen",
}


def _hainan(body: dict[str, Any]) -> dict[str, Any]:
    """3660 with the mixed names of Hainan (S5)."""
    inner = _objects(body)["input"]["data"]
    return body | {"infno": "3660", "input": {"trigScen": _renamed(inner, lambda key: _HAINAN.get(key, key))}}


def _camel(body: dict[str, Any]) -> dict[str, Any]:
    """3660 with the whole tree in camelCase (S5's second implementation)."""
    inner = _objects(body)["input"]["data"]
    return body | {"infno": "3660", "input": {"trigScen": _renamed(inner, _in_camel)}}


def _renamed(value: Any, name: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name(key): _renamed(each, name) for key, each in value.items()}
    return [_renamed(each, name) for each in value] if isinstance(value, list) else value


def _in_camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _as_it_is(body: dict[str, Any]) -> dict[str, Any]:
    return body


DIALECTS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "national": _as_it_is,
    "objects": _objects,
    "escaped": _escaped,
    "flat": _flat,
    "texts": _texts,
    "hainan": _hainan,
    "camel": _camel,
}
"""How clients write the same body."""
