"""Drawn prescriptions as a client of the national interface would send them (transaction 3101)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.builders import body, diagnosis, line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.prescription import FactValue, Line, Prescription

__all__ = ["body_of"]

Json = dict[str, Any]

_SEX = {"男": "1", "女": "2"}
_MED_TYPE = {"outpatient": "11", "emergency": "13", "inpatient": "21", "internet": "11"}
_INSURANCE = {"employee": "310", "resident": "390", "maternity": "510"}
_LEVELS = {3: "3", 2: "6", 1: "9", 0: "11"}
_FIELDS = (
    "patient.sex", "patient.birth_date", "encounter.visit_mode", "encounter.insurance", "encounter.institution_level",
    "encounter.admitted_at", "encounter.department_code", "encounter.scene", "line.quantity", "line.unit",
    "line.list_price_fen", "line.unit_price_fen", "line.amount_fen", "line.full_price", "line.item_type", "line.rx_no",
    "line.long_order", "line.paid_by",
)  # fmt: skip
"""Facts that have, or follow from, a field of their own."""


def body_of(drawn: Prescription) -> Json:
    """The body that says what the prescription says; what no field carries stands in ``facts``."""
    encounter = drawn.encounter
    facts = encounter.facts
    (insurance,) = _words(facts["encounter.insurance"])
    mode = str(facts["encounter.visit_mode"])
    told = _facts(facts)
    if insurance not in _INSURANCE:  # no code of the interface stands for work injury: the hospital says so
        told["encounter.insurance"] = [insurance]
    main = next(held for held in encounter.diagnoses if held.main)
    built = body(
        [_order(held) for held in encounter.lines],
        diagnoses=[diagnosis(held.codes[0], held.name, main=held.main) for held in encounter.diagnoses],
        patient={
            "gend": _SEX[str(drawn.patient.facts["patient.sex"])],
            "brdy": str(drawn.patient.facts["patient.birth_date"]),
            "facts": _facts(drawn.patient.facts),
        },
        encounter={
            "mdtrt_id": encounter.id,
            "adm_date": str(facts["encounter.admitted_at"]),
            "dscg_date": str(facts["encounter.admitted_at"]),
            "dscg_main_dise_codg": main.codes[0],
            "dscg_main_dise_name": main.name,
            "insutype": _INSURANCE.get(insurance, "310"),
            "med_type": _MED_TYPE[mode],
            "med_mdtrt_type": "2" if mode == "inpatient" else "1",
            "medins_lv": _LEVELS[int(str(facts["encounter.institution_level"]))],
            "pay_loc": "5" if mode == "internet" else "2",
            "facts": told,
        },
        inf_time=str(drawn.at),
        msgid=drawn.request_id,
    )
    (built["input"]["data"]["trig_scen"],) = _words(facts["encounter.scene"])
    return built


def _order(held: Line) -> Json:
    facts = held.facts
    amount = _yuan(facts["line.amount_fen"])
    return line(
        rx_id=held.id,
        rxno=facts["line.rx_no"],
        hilist_type={"drug": "101", "herb": "102", "service": "201", "material": "301"}[str(facts["line.item_type"])],
        hilist_code=held.codes[0],
        hilist_name=held.name,
        hosplist_name=held.name,
        hilist_pric=_yuan(facts["line.list_price_fen"]),
        pric=_yuan(facts["line.unit_price_fen"]),
        cnt=_plain(facts["line.quantity"]),
        sumamt=amount,
        ownpay_amt=amount if facts["line.paid_by"] == "self" else 0,
        long_drord_flag="0",
        drord_begn_date=str(held.begins),
        curr_drord_flag="1" if held.current else "0",
        facts=_facts(facts),
    )


def _facts(facts: Mapping[str, FactValue]) -> Json:
    return {name: _plain(value) for name, value in facts.items() if name not in _FIELDS}


def _words(value: FactValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _plain(value: FactValue) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (date, datetime)):
        return str(value)
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


def _yuan(fen: FactValue) -> Decimal:
    return Decimal(int(str(fen))) / 100
