"""Points and requests of the traps, with what a test cares about named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from negative_list.readers.own import read_check_request
from negative_list.site import Sites

if TYPE_CHECKING:
    from negative_list.prescription import Prescription

__all__ = ["DRUG", "ask", "drug_line", "herb_line", "point", "request", "service_line"]

DRUG = "XD01AAA001A001010100001"
"""The code of a made-up drug."""

Json = dict[str, Any]


def point(rule_class: str, remark: str, *, code: str = DRUG, item: str = "某某片", **more: Any) -> Json:
    """A published point: its class, its remark and its item."""
    codes = more.pop("codes", [code])
    row = {"kp_id": f"{rule_class}-{codes[0]}", "batch_tag": "batch_18", "item_name": item, "med_codes": codes}
    return {**row, "rule_class": rule_class, "constraint": remark, **more}


def request(*lines: Json, birth_date: str = "1980-01-01", visit_mode: str = "outpatient", **encounter: Any) -> Json:
    """A request of 20 November 2026, nine o'clock."""
    diagnoses = encounter.pop("diagnoses", [{"code": "I10", "name": "高血压病", "main": True}])
    told = {"id": "e", "visit_mode": visit_mode, "insurance": ["employee"], "institution_level": 3}
    admitted = {"admitted_at": "2026-11-20 08:00:00", "diagnoses": diagnoses, "lines": list(lines)}
    patient = {"id": "p", "sex": "男", "birth_date": birth_date}
    return {"time": "2026-11-20 09:00:00", "patient": patient, "encounter": {**told, **admitted, **encounter}}


def drug_line(code: str = DRUG) -> Json:
    """One line of a drug."""
    return {"id": "a", "code": code, "name": "某某片", "quantity": "1", "begins": "2026-11-20 09:00:00"}


def herb_line(name: str, code: str, item: str) -> Json:
    """One line of a herb, on the prescription all herbs stand on."""
    told = {"id": name, "code": code, "name": item, "item_type": "herb", "rx_no": "H"}
    return {**told, "quantity": "10", "begins": "2026-11-20 09:00:00"}


def service_line(name: str, code: str, clock: str) -> Json:
    """One line of a service, charged at a time of the day."""
    told = {"id": name, "code": code, "name": "某某项目", "item_type": "service"}
    return {**told, "quantity": "1", "begins": f"2026-11-20 {clock}"}


def ask(body: Json) -> Prescription:
    """The prescription of a body."""
    return read_check_request(body, Sites())
