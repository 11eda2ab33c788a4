"""A made-up hospital's bodies: what its system leaves out, fills by rote and calls by codes of its own is known."""

from __future__ import annotations

import json
from typing import Any

from tests.builders import DRUG, SERVICE, body, diagnosis, line

__all__ = ["HOSPITAL", "LIST", "NAMES", "encoded", "sent"]

HOSPITAL = "H00000000000"
NAMES = ("欧阳测试", "司马试验", "诸葛样例")
"""Names of the invented patients."""

LIST = f"""
rules:
- id: R12-level
  class: R12
  title: 限二级以上
  trigger: {{codes: [{DRUG}]}}
  violation: {{kind: fact, fact: encounter.institution_level, below: 2}}
  on_unknown: {{action: remind, ask: [encounter.institution_level]}}
  action: block
  message: {{zh: 限二级以上医疗机构}}
  basis: {{document: 级别规定}}
- id: R33-days
  class: R33
  title: 疗程
  trigger: {{codes: [{DRUG}]}}
  scope: {{kind: fact, fact: encounter.visit_mode, any_of: [inpatient]}}
  violation: {{kind: sum, of: line.days, lines: {{}}, above: 7}}
  action: warn
  message: {{zh: 超过七天}}
  basis: {{document: 疗程规定}}
- id: R67-sex
  class: R67
  title: 限女性
  trigger: {{codes: [{DRUG}]}}
  violation: {{kind: fact, fact: patient.sex, any_of: [男]}}
  action: block
  message: {{zh: 限女性使用}}
  basis: {{document: 性别规定}}
- id: E01-weight
  class: E01
  title: 按体重
  trigger: {{codes: [{DRUG}]}}
  violation:
    kind: any
    of:
      - {{kind: fact, fact: patient.weight_kg, below: 20}}
      - {{kind: fact, fact: line.quantity, above: 100}}
  on_unknown: {{action: warn}}
  action: warn
  message: {{zh: 体重不足}}
  basis: {{document: 体重规定}}
- id: E02-herb
  class: E01
  title: 饮片剂数
  trigger: {{types: [herb]}}
  violation: {{kind: fact, fact: line.days, above: 14}}
  action: warn
  message: {{zh: 剂数过多}}
  basis: {{document: 饮片规定}}
"""
"""A rule by level (never sent), by days (inpatients never come), by sex, by weight or quantity, and for herbs."""


def sent(number: int, **changes: Any) -> dict[str, Any]:
    """The body of one invented visit: no level, no weight, one line of three with a code of the hospital's own."""
    lines = [line(rx_id=f"R{number}-1"), line(rx_id=f"R{number}-2", hilist_code=SERVICE, hilist_name="推拿")]
    lines.append(line(rx_id=f"R{number}-3", hilist_code=f"HIS-{number % 2}", hilist_name=f"自制合剂{number % 2}"))
    told = body(
        lines,
        patient={
            "patn_id": f"3307{number:06}",
            "patn_name": NAMES[number % len(NAMES)],
            "gend": str(1 + number % 2),
            "brdy": f"19{50 + number % 40}-0{1 + number % 9}-11",
        },
        encounter={"mdtrt_id": f"ZY88{number:05}", "medins_lv": "-", "drg_group": "A1"},
        diagnoses=[diagnosis("BM0007" if number % 4 == 0 else "I10.x00", "高血压")],
        msgid=f"{HOSPITAL}2026010109{number:08}",
        **changes,
    )
    assert isinstance(told, dict)
    return told


def encoded(told: dict[str, Any], codec: str = "utf-8") -> bytes:
    """A body's bytes."""
    return json.dumps(told, ensure_ascii=False).encode(codec)
