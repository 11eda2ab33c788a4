"""Decisions to translate: one with everything, and the prescription it is about."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from negative_list.decision import Decision, FactSeen, Finding, NotEvaluated, Suggestion
from negative_list.prescription import Encounter, Line, Note, Patient, Prescription
from negative_list.rules import Reason, Text

__all__ = ["BARE", "FULL", "PRESCRIPTION"]

BARE = Decision(decision="pass")
"""Nothing to say."""

PRESCRIPTION = Prescription(
    request_id="H1",
    patient=Patient(id="P1"),
    encounter=Encounter(
        id="M1",
        lines=(
            Line(id="R1", encounter_id="M1", facts={"line.amount_fen": 1250}),
            Line(id="R2#2", encounter_id="M1", facts={"line.amount_fen": 300}),
            Line(id="R2#3", encounter_id="M1"),
            Line(id="#4", encounter_id="M1", current=False),
        ),
    ),
    others=(Encounter(id="M0", lines=(Line(id="M0/R9", encounter_id="M0"),)),),
    at=datetime(2026, 1, 1, 9, 0),
)
"""Four lines, of which two share an id and one has none; and one line of an earlier encounter."""

FULL = Decision(
    decision="block",
    decision_id="01HF7YAT00YB3SV6F5T1N9Y9QJ",
    receipt="0123456789abcdef",
    release="2026-11",
    journaled=True,
    policy="f" * 64,
    findings=(
        Finding(
            finding_id="a" * 32,
            rule_id="R67-1",
            rule_version=3,
            class_name="药品区分性别使用",
            class_id="R67",
            action="block",
            lines=("R1",),
            involved=("#4", "M0/R9"),
            message="【拦截】换药",
            basis="某文件 第三条",
            facts=(
                FactSeen(fact="patient.sex", subject="patient", value="女"),
                FactSeen(fact="line.quantity", subject="R1", value=Decimal("1.50"), unit="盒", source="site"),
                FactSeen(fact="encounter.institution_level", subject="M1", value=0),
                FactSeen(fact="line.long_order", subject="R1", value=False),
                FactSeen(fact="encounter.insurance", subject="M1", value=("employee", "maternity")),
                FactSeen(fact="line.days", subject="R1", value=None),
            ),
            amount_fen=1250,
            suggestions=(
                Suggestion(kind="drop", lines=("R1",), text="去掉"),
                Suggestion(kind="quantity", lines=("R1",), text="减量", value=Decimal("0.5")),
            ),
            fund_only=True,
            addressee="charge_entry",
            reasons=(Reason(code="1", text=Text(zh="已核对", en="checked")),),
        ),
        Finding(
            finding_id="b" * 32,
            rule_id="R31-1",
            rule_version=1,
            class_name="诊疗项目限频次",
            class_id="R31",
            action="warn",
            lines=("R2#2", "R2#3"),
            amount_fen=0,
            result="suspicious",
        ),
        Finding(
            finding_id="c" * 32,
            rule_id="R08-1",
            rule_version=1,
            class_name="药品限适应症",
            class_id="R08",
            action="remind",
            unknown=True,
            needs=("encounter.diagnoses",),
        ),
    ),
    not_evaluated=(
        NotEvaluated(rule_id="R10-1", class_name="药品限疗程", needs=("history",), reason="coverage", lines=("R1",)),
        NotEvaluated(
            rule_id="R08-1", class_name="药品限适应症", needs=("encounter.diagnoses",), reason="missing_facts"
        ),
    ),
    notes=(Note(code="impossible_value", message="出生日期晚于就诊", line="R1", field="patient.birth_date"),),
    elapsed_us=87,
)
"""Every field of every record, with values that are easily lost: zero, false, none, several words."""
