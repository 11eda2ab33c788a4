"""The calls of docs/integrating.md from Python, over gRPC, by the client of the project.

Arguments: HOST:PORT of the sidecar, folder of what is still to be told, deadline in milliseconds. The client does what
the other examples spell out: it waits no longer than the deadline, leaves a sidecar alone that does not answer, and
keeps what must arrive until it is delivered.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from reminder.client import Checked, Client

NOW = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
VISIT = f"M{uuid4()}"


def main() -> None:
    """The moments of one visit."""
    target, outbox, deadline_ms = sys.argv[1], Path(sys.argv[2]), float((*sys.argv, "300")[3])
    with Client(target, deadline_ms=deadline_ms, folder=outbox) as client:
        # What waits is delivered beside the work; a program that ends as soon as this one gives it the time.
        client.deliver(within_s=deadline_ms / 1000)

        # 1. An item is chosen: asked about alone, while the doctor types on.
        lines = [
            line("L1", "ZD02AAF0221010105329", "妇乐胶囊", 1, 1000),
            line("L2", "XC02CXY165B002010102918", "银杏达莫注射液", 2, 4860),
            line("L3", "XA11DAW036A001010104127", "维生素B1片", 1, 1250),
        ]
        check(client, "select", "2", lines[:1])

        # 2. The prescription is about to be saved.
        answer = check(client, "save", "2", lines)
        if answer.blocked:
            # The doctor leaves out what is blocked, and goes on with the rest for a reason.
            feedback(client, answer, "withdrawn", "overridden")
            lines = lines[1:]
            check(client, "save", "2", lines)
        # Here your own system saves. Then tell what was saved.
        told = client.record_saved(prescription("2", lines), prescription_id="RX1", revision=1, saved_at=NOW)
        print("saved:", "stored" if told.state == "kept" else "waits")

        # 3. A charge is entered.
        answer = check(client, "charge", "2", [line("L4", "001102000040000", "门急诊留观诊查费", 2, 3000)])
        if answer.decided and answer.decided.findings:
            feedback(client, answer, "changed", "changed")
            check(client, "charge", "2", [line("L4", "001102000040000", "门急诊留观诊查费", 1, 3000)])

        # 4. Before settlement: everything that will be paid.
        check(client, "settle", "7", lines)


def check(client: Client, moment: str, scene: str, lines: list[dict[str, Any]]) -> Checked:
    """Ask. It never raises: where nobody answered in time your system saves as if there were no sidecar."""
    answer = client.check(prescription(scene, lines))
    print(f"{moment}: {answer.decision.replace('_', ' ')}")
    if not answer.decided:
        print(f"{moment}: {answer.text}", file=sys.stderr)
        return answer
    for finding in answer.decided.findings:
        print(" ", ",".join(finding.lines), finding.message)
    return answer


def feedback(client: Client, answer: Checked, of_blocks: str, of_others: str) -> None:
    """Tell what was done about each finding: one word for blocks, one for the others."""
    items = []
    for finding in answer.decided.findings if answer.decided else ():
        done = of_blocks if finding.action == "block" else of_others
        item = {"finding_id": finding.finding_id, "done": done, "done_at": NOW, "answer_ms": 5400}
        if done == "overridden":
            item |= {"reason_code": "outside_record", "reason_text": "外院脑梗死出院小结，患者已带来"}
        items.append(item)
    told = client.record_feedback(items, institution_id="H00000000000", doctor_id="D000000000001")
    print("feedback:", *[item.status for item in told.items] or ["waits"])


def prescription(scene: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What is asked about; every further fact makes more rules decidable (docs/facts.md)."""
    return {
        "request_id": str(uuid4()),  # one question, one id: the same id asks for the answer it had
        "institution_id": "H00000000000",
        "time": NOW,
        "scene": [scene],
        "patient": {"id": f"P-{VISIT}", "sex": "男", "birth_date": "1980-04-12"},
        "encounter": {
            "id": VISIT,
            "visit_mode": "outpatient",
            "insurance": ["employee"],
            "institution_level": 3,
            "admitted_at": NOW,
            "department_code": "0301",
            "department_name": "内科",
            "doctor_id": "D000000000001",
            "diagnoses": [{"code": "I10.x00", "name": "高血压", "main": True}],
            "lines": lines,
        },
    }


def line(line_id: str, code: str, name: str, quantity: int, fen: int) -> dict[str, Any]:
    """A line that is being written, at `fen` a piece."""
    money = {"unit_price_fen": fen, "amount_fen": quantity * fen}
    return {"id": line_id, "code": code, "name": name, "begins": NOW, "quantity": quantity, **money}


if __name__ == "__main__":
    main()
