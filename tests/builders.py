"""Builders of request bodies: a valid body with what a test cares about named, and nothing else.

Invented people and institutions. The clock is fixed: the body's time is :data:`AT`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["AT", "DRUG", "HERB", "MATERIAL", "SERVICE", "body", "diagnosis", "line", "own_body", "own_line"]

AT = "2026-01-01 09:00:00"
DRUG = "XA11DAW036A001010104127"
HERB = "T001700914"
SERVICE = "003402000390000"
MATERIAL = "C01010100100001000010"

Json = dict[str, Any]


def line(**fields: object) -> Json:
    """One valid current order of transaction 3101; fields are the national ones."""
    order: Json = {
        "rx_id": "R1",
        "rxno": "RX1",
        "grpno": "",
        "long_drord_flag": "0",
        "hilist_type": "101",
        "chrg_type": "09",
        "drord_bhvr": "0",
        "hilist_code": DRUG,
        "hilist_name": "维生素B1片",
        "hilist_dosform": "片剂",
        "hilist_lv": "02",
        "hilist_pric": 12.5,
        "hosplist_code": "L1",
        "hosplist_name": "维生素B1片",
        "cnt": 1,
        "pric": 12.5,
        "sumamt": 12.5,
        "ownpay_amt": 0,
        "selfpay_amt": 0,
        "spec": "10mg*100片/瓶",
        "spec_unt": "瓶",
        "drord_begn_date": AT,
        "drord_stop_date": "",
        "drord_dept_codg": "D1",
        "drord_dept_name": "内科",
        "drord_dr_codg": "T001",
        "drord_dr_name": "测试医生",
        "drord_dr_profttl": "233",
        "curr_drord_flag": "1",
    }
    return order | fields


def diagnosis(code: str = "I10.x00", name: str = "高血压", *, main: bool = False) -> Json:
    """One diagnosis of transaction 3101."""
    return {
        "dise_id": "1",
        "inout_dise_type": "1",
        "maindise_flag": "1" if main else "0",
        "dias_srt_no": "1",
        "dise_codg": code,
        "dise_name": name,
        "dise_date": AT,
    }


def body(
    lines: Sequence[Json] | None = None,
    *,
    diagnoses: Sequence[Json] | None = None,
    operations: Sequence[Json] = (),
    patient: Mapping[str, object] | None = None,
    encounter: Mapping[str, object] | None = None,
    others: Sequence[Json] = (),
    **envelope: object,
) -> Json:
    """A valid body of transaction 3101 in the nested list style: one patient, one encounter, one line.

    ``patient`` and ``encounter`` override national fields of theirs, ``others`` are further encounters that stand
    before the current one, keywords override the envelope.
    """
    current: Json = {
        "mdtrt_id": "M1",
        "medins_id": "H00000000000",
        "medins_name": "测试医院",
        "medins_admdvs": "000000",
        "medins_type": "A1",
        "medins_lv": "2",
        "wardarea_codg": "",
        "wardno": "",
        "bedno": "",
        "adm_date": "2026-01-01 08:50:00",
        "dscg_date": "2026-01-01 08:50:00",
        "dscg_main_dise_codg": "I10.x00",
        "dscg_main_dise_name": "高血压",
        "dr_codg": "T001",
        "adm_dept_codg": "D1",
        "adm_dept_name": "内科",
        "dscg_dept_codg": "D1",
        "dscg_dept_name": "内科",
        "med_mdtrt_type": "1",
        "med_type": "11",
        "matn_stas": "0",
        "medfee_sumamt": 12.5,
        "ownpay_amt": 0,
        "selfpay_amt": 0,
        "setl_totlnum": 1,
        "insutype": "310",
        "reim_flag": "2",
        "out_setl_flag": "0",
        "fsi_diagnose_dtos": list(diagnoses) if diagnoses is not None else [diagnosis(main=True)],
        "fsi_order_dtos": list(lines) if lines is not None else [line()],
        "fsi_operation_dtos": list(operations),
    }
    current |= encounter or {}
    person: Json = {
        "patn_id": "P1",
        "patn_name": "测试",
        "gend": "1",
        "brdy": "1960-01-01",
        "poolarea": "000000",
        "curr_mdtrt_id": current.get("mdtrt_id"),
        "fsi_encounter_dtos": [*others, current],
    }
    person |= patient or {}
    outer: Json = {
        "infno": "3101",
        "msgid": "H00000000000202601010900000001",
        "mdtrtarea_admvs": "000000",
        "insuplc_admdvs": "000000",
        "recer_sys_code": "YBXT",
        "infver": "V1.0",
        "opter_type": "1",
        "opter": "T001",
        "opter_name": "测试医生",
        "inf_time": AT,
        "fixmedins_code": "H00000000000",
        "fixmedins_name": "测试医院",
        "sign_no": "",
        "input": {"data": {"trig_scen": "2", "rule_ids": [], "patient_dtos": [person]}},
    }
    return outer | envelope


def own_line(**fields: object) -> Json:
    """One valid current line of our own JSON."""
    row: Json = {
        "id": "R1",
        "code": DRUG,
        "local_code": "L1",
        "name": "维生素B1片",
        "item_type": "drug",
        "begins": AT,
        "quantity": 1,
        "unit": "瓶",
        "unit_price_fen": 1250,
        "list_price_fen": 1250,
        "amount_fen": 1250,
        "rx_no": "RX1",
        "long_order": False,
        "paid_by": "fund",
    }
    return row | fields


def own_body(
    lines: Sequence[Json] | None = None,
    *,
    patient: Mapping[str, object] | None = None,
    encounter: Mapping[str, object] | None = None,
    **fields: object,
) -> Json:
    """A valid body of our own JSON: one patient, one encounter, one line; overrides as for :func:`body`."""
    current: Json = {
        "id": "M1",
        "visit_mode": "outpatient",
        "insurance": ["employee"],
        "institution_level": 3,
        "admitted_at": "2026-01-01 08:50:00",
        "department_code": "D1",
        "department_name": "内科",
        "doctor_id": "T001",
        "diagnoses": [{"code": "I10.x00", "name": "高血压", "main": True}],
        "operations": [],
        "lines": list(lines) if lines is not None else [own_line()],
    }
    person: Json = {"id": "P1", "sex": "男", "birth_date": "1960-01-01"}
    outer: Json = {
        "request_id": "H00000000000202601010900000001",
        "institution_id": "H00000000000",
        "time": AT,
        "scene": ["2"],
        "patient": person | dict(patient or {}),
        "encounter": current | dict(encounter or {}),
    }
    return outer | fields
