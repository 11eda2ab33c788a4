"""What nobody may find again: names, numbers and days of invented people, and bodies that carry them everywhere.

All of it is made up: the id number has a wrong check digit, so nobody bears it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.reminder.bodies import MEN, WOMEN

__all__ = [
    "BIRTH",
    "DOCTOR",
    "ENCOUNTER",
    "IDENTITY",
    "NAME",
    "NEVER",
    "PATIENT",
    "PHONE",
    "PLANT",
    "TOLD",
    "breaking",
    "national",
    "own",
    "planted",
]

NAME, DOCTOR = "欧阳铭泽", "司徒婉蓉"
IDENTITY, PHONE = "110101198706054251", "17012345678"
PATIENT, ENCOUNTER = "PAT-ZX904177Q", "ENC-ZX550219Q"
BIRTH = "1987-06-05"
NEVER = {
    "name": (NAME,),
    "doctor's name": (DOCTOR,),
    "id number": (IDENTITY,),
    "phone": (PHONE,),
    "patient id": (PATIENT,),
    "encounter id": (ENCOUNTER,),
    "birth date": (BIRTH, BIRTH.replace("-", ""), "1987/06/05", "1987年6月5日"),
}
"""What is looked for, in every way it is written down."""

TOLD = f"{IDENTITY} {PHONE} {{}}"
"""What can be recognised where nobody's name is told: numbers by their form, and the id that is told beside."""

PLANT = f"{NAME} {IDENTITY} {PHONE} {PATIENT} {ENCOUNTER} {DOCTOR} {BIRTH} 19870605 1987/06/05 1987年6月5日"
"""All of it, as somebody would write it into a field that is too small for it."""

_BODIES = 15
"""Among how many bodies the fields are dealt out: the fewer share one, the fewer are refused for another's sake."""

_CODES = {
    "code", "local_code", "doctor_id", "department_code", "institution_id", "id", "item_type", "birth_date",
    "mdtrtarea_admvs", "fixmedins_code", "hilist_code", "hosplist_code", "dise_codg", "dscg_main_dise_codg", "dr_codg",
    "adm_dept_codg", "dscg_dept_codg", "drord_dept_codg", "drord_dr_codg", "oprn_code", "medins_id", "medins_admdvs",
    "patn_id", "curr_mdtrt_id", "mdtrt_id", "brdy", "patn_name", "rx_id", "infno", "opter", "recer_sys_code",
    "insuplc_admdvs", "poolarea", "wardarea_codg", "wardno", "bedno", "dise_id", "dise_no", "dr_code", "oper_dr_code",
    "anst_dr_code", "setl_list_oprn_id", "drord_dr_name", "syscode", "sign_no", "group_no", "grpno",
}  # fmt: skip
"""Fields that are codes, or what the plants themselves are told by: whoever writes a name there has named a thing."""


def own() -> dict[str, Any]:
    """Our own body with every field it knows, of a patient whose name is told only to be masked."""
    line = {
        "id": "R1", "code": MEN, "local_code": "L1", "name": "阿帕他胺片", "item_type": "drug", "current": True,
        "begins": "2026-01-01 09:00:00", "stops": "2026-01-03 09:00:00", "quantity": "5", "unit": "盒",
        "unit_price_fen": 1250, "list_price_fen": 1250, "amount_fen": 6250, "rx_no": "RX1", "group_no": "1",
        "long_order": False, "days": 7, "paid_by": "fund",
        "facts": {
            "line.remark": "饭后", "line.spec": "60mg*120", "line.hospital_name": "阿帕他胺",
            "line.dosage_form": "片剂", "line.doctor_name": DOCTOR, "line.dose_text": "240mg", "line.site": "左膝",
        },
    }  # fmt: skip
    encounter = {
        "id": ENCOUNTER, "visit_mode": "outpatient", "insurance": ["employee"], "institution_level": 3,
        "admitted_at": "2026-01-01 08:50:00", "discharged_at": "", "department_code": "0301",
        "department_name": "泌尿外科", "doctor_id": "D330100000001",
        "diagnoses": [{"code": "I10.x00", "name": "高血压", "main": True, "stage": "admission"}],
        "operations": [{"code": "00.0100", "name": "穿刺", "main": True}],
        "lines": [line, {**line, "id": "R2", "code": WOMEN, "name": "雌二醇"}],
        "facts": {
            "encounter.admission_reason": "头晕三天", "encounter.campus": "东院", "encounter.histology": ["腺癌"],
        },
    }  # fmt: skip
    return {
        "request_id": "H1", "institution_id": "H1", "time": "2026-01-01 09:00:00", "scene": ["2"],
        "patient": {
            "id": PATIENT, "sex": "女", "birth_date": BIRTH,
            "facts": {"patient.name": NAME, "patient.allergies": ["青霉素"]},
        },
        "encounter": encounter,
        "other_encounters": [{**encounter, "id": f"{ENCOUNTER}-0", "lines": [{**line, "id": "R0", "current": False}]}],
    }  # fmt: skip


def national() -> dict[str, Any]:
    """A body of the national interface with every field of its tables."""
    order = {
        "rx_id": "R1", "rxno": "RX1", "grpno": "1", "long_drord_flag": "0", "hilist_type": "101", "chrg_type": "09",
        "drord_bhvr": "1", "hilist_code": MEN, "hilist_name": "阿帕他胺片", "hilist_dosform": "片剂", "hilist_lv": "02",
        "hilist_pric": 12.5, "hilist_memo": "限前列腺癌", "hosplist_code": "L1", "hosplist_name": "阿帕他胺",
        "hosplist_dosform": "片剂", "cnt": 5, "pric": 12.5, "sumamt": 62.5, "ownpay_amt": 0, "selfpay_amt": 0,
        "spec": "60mg*120", "spec_unt": "盒", "drord_begn_date": "2026-01-01 09:00:00", "drord_stop_date": "",
        "drord_dept_codg": "0301", "drord_dept_name": "泌尿外科", "drord_dr_codg": "D330100000001",
        "drord_dr_name": DOCTOR, "drord_dr_profttl": "231", "curr_drord_flag": "1", "order_state": "1",
        "extend_order_map": {
            "o_prdDays": "7", "o_minPacCnt": "1", "o_minPrepunt": "片", "o_minPacUnt": "盒", "o_drugSpec": "60mg",
            "o_sinDosDscr": "240mg", "o_used_frqu_dscr": "qd",
        },
    }  # fmt: skip
    encounter = {
        "mdtrt_id": ENCOUNTER, "medins_id": "H33010000001", "medins_name": "第一医院", "medins_admdvs": "330100",
        "medins_type": "A1", "medins_lv": "3", "wardarea_codg": "W1", "wardno": "1", "bedno": "1",
        "wardarea_name": "泌尿外科病区", "adm_date": "2026-01-01 08:50:00", "dscg_date": "", "dr_codg": "D330100000001",
        "dr_name": DOCTOR, "dscg_main_dise_codg": "I10.x00", "dscg_main_dise_name": "高血压", "adm_dept_codg": "0301",
        "adm_dept_name": "泌尿外科", "dscg_dept_codg": "0301", "dscg_dept_name": "泌尿外科", "med_mdtrt_type": "1",
        "med_type": "11", "matn_stas": "0", "medfee_sumamt": 62.5, "ownpay_amt": 0, "selfpay_amt": 0,
        "setl_totlnum": 1, "insutype": "310", "reim_flag": "1", "out_setl_flag": "0", "dise_no": "1",
        "dise_name": "高血压病", "sinc_heal_lv": "1", "his_md_cnt": "1",
        "fsi_diagnose_dtos": [
            {"dise_id": "1", "inout_dise_type": "1", "maindise_flag": "1", "dias_srt_no": "1", "dise_codg": "I10.x00",
             "dise_name": "高血压", "dise_date": "2026-01-01 08:55:00"},
        ],
        "fsi_order_dtos": [order, {**order, "rx_id": "R2", "hilist_code": WOMEN, "hilist_name": "雌二醇"}],
        "fsi_operation_dtos": [
            {"setl_list_oprn_id": "1", "oprn_code": "00.0100", "oprn_name": "穿刺", "main_oprn_flag": "1",
             "oprn_date": "2026-01-01", "anst_way": "局麻", "oper_dr_name": DOCTOR, "anst_dr_name": DOCTOR},
        ],
    }  # fmt: skip
    patient = {
        "patn_id": PATIENT, "patn_name": NAME, "gend": "2", "brdy": BIRTH, "poolarea": "330100",
        "curr_mdtrt_id": ENCOUNTER, "fsi_encounter_dtos": [encounter],
    }  # fmt: skip
    return {
        "infno": "3101", "msgid": "H330100000012026010109000001", "mdtrtarea_admvs": "330100",
        "insuplc_admdvs": "330100", "recer_sys_code": "HIS", "infver": "V1.0", "opter_type": "1", "opter": "D1",
        "opter_name": DOCTOR, "inf_time": "2026-01-01 09:00:00", "fixmedins_code": "H33010000001",
        "fixmedins_name": "第一医院", "sign_no": "",
        "input": {"data": {"trig_scen": "2", "syscode": "HIS", "task_id": "T1", "patient_dtos": [patient]}},
    }  # fmt: skip


def planted(body: Mapping[str, Any], *, stray: bool) -> dict[str, Any]:
    """A body with the plants behind every text of it, and, where they are ``stray``, in keys nobody knows."""
    return dict(_everywhere(body, "", {"memo": PLANT, PLANT: PLANT} if stray else {}))


def _everywhere(value: Any, key: str, stray: dict[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _everywhere(one, name, stray) for name, one in value.items()} | stray
    if isinstance(value, list):
        return [_everywhere(one, key, stray) for one in value]
    return f"{value} {PLANT}" if isinstance(value, str) and key not in _CODES and _free(value) else value


def _free(text: str) -> bool:
    """Whether a text is written by somebody: Chinese, or told by nothing but its place."""
    return not text.isascii()


def breaking(body: Mapping[str, Any], *, behind: bool) -> Iterator[dict[str, Any]]:
    """Bodies with the plants in a few fields each: in place of what stood there, or ``behind`` it."""
    paths = [path for path, _ in _leaves(body, ()) if path[-1] not in _CODES]
    for first in range(_BODIES):
        changed = copy.deepcopy(dict(body))
        for path in paths[first::_BODIES]:
            place: Any = changed
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = f"{place[path[-1]]} {PLANT}" if behind else PLANT
        yield changed


def _leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _leaves(one, (*path, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _leaves(one, (*path, place))
    else:
        yield path, value
