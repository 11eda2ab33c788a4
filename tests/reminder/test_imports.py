"""``reminder facts import``: what files tell is known to the next check, and told like what ``match`` reads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import negative_list
from reminder import wire_client
from tests.reminder.remembered import DRUG, TEST, asked, body, found, write_rules
from tests.reminder.sidecar import running

ROOT = Path(negative_list.__file__).parent.parent
HISTORY = [
    {"since": "2025-01-01"},
    {"patient_id": "P4", "since": "2025-01-01"},
    {"patient_id": "P1", "institution_id": "H2", "encounter_id": "V0", "id": "7", "code": TEST, "begins": "2026-01-05"},
    {"patient_id": "P2", "institution_id": "H2", "encounter_id": "V1", "code": TEST, "begins": "2026-01-05"},
    {
        "patient_id": "P3",
        "encounter": {"id": "V2", "institution_id": "H2", "lines": [{"code": TEST, "begins": "2026-01-05"}]},
    },
]
FACTS = """subject,fact,value,valid_from,source
M1,encounter.nutrition_risk,false,2026-01-08,nursing
M2,encounter.nutrition_risk,true,2026-01-08,nursing
"""
CALL = {
    "infno": "5204",
    "fixmedins_code": "H2",
    "inf_time": "2026-01-07 08:00:00",
    "input": {"data": {"psn_no": "P1", "mdtrt_id": "V7"}},
    "output": [
        {
            "psn_no": "P1",
            "mdtrt_id": "V7",
            "feedetl_sn": "1",
            "fee_ocur_time": "2026-01-06 10:00:00",
            "med_list_codg": TEST,
            "medins_list_name": "测定",
            "cnt": 1,
        }
    ],
}


def ran(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command of one of the programs."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, check=False, timeout=120, text=True
    )
    return done.returncode, done.stdout, done.stderr


def import_(folder: Path, *files: Path) -> tuple[int, str, str]:
    """``reminder facts import`` into the data folder of the sidecars of this test."""
    return ran("reminder.cli", "facts", "import", *files, "--data", folder / "var", "--institution", "H1")


def written(folder: Path, name: str, text: str) -> Path:
    """A file of the test."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def lines(rows: Sequence[Any]) -> str:
    """Rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def bodies() -> list[dict[str, Any]]:
    """Bodies of patients with and without history, and with each fact."""
    patients = [body(patient=patient, encounter=f"E{patient}") for patient in ("P1", "P2", "P3", "P4", "")]
    return [*patients, *(body(DRUG, encounter=encounter) for encounter in ("M1", "M2", "M3"))]


def test_files_tell_the_sidecar_what_they_tell_match(tmp_path: Path) -> None:
    """The same history and facts, in files beside the bodies and in the store: the same decisions."""
    rules, history = write_rules(tmp_path), written(tmp_path, "h.jsonl", lines(HISTORY))
    facts, sent = written(tmp_path, "f.csv", FACTS), written(tmp_path, "b.jsonl", lines(bodies()))
    code, out, _ = ran("negative_list.cli", "match", rules, "--requests", sent, "--history", history, "--facts", facts)
    assert code == 0
    matched = [json.loads(line) for line in out.splitlines()]
    with running(tmp_path, list=rules) as here:
        code, out, err = import_(tmp_path, history, facts)
        assert (code, err) == (0, "")
        assert out.splitlines() == [
            f"{history}: facts 0, records 3, coverage 4; new or changed 3, refused 0",
            f"{facts}: facts 2, records 0, coverage 0; new or changed 2, refused 0",
        ]
        answers = [wire_client.decision_of(asked(here, one)) for one in bodies()]
    for answer, expected in zip(answers, matched, strict=True):
        assert answer.decision == expected["decision"]
        assert [f.rule_id for f in answer.findings] == [f["rule_id"] for f in expected["findings"]]
        assert [[s.source for s in f.facts] for f in answer.findings] == [
            [s["source"] for s in f["facts"]] for f in expected["findings"]
        ]
        assert [(n.rule_id, list(n.needs), n.reason) for n in answer.not_evaluated] == [
            (n["rule_id"], n["needs"], n["reason"]) for n in expected["not_evaluated"]
        ]
    assert {answer.decision for answer in answers} == {"pass", "warn"}


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    """Neither what is known nor how often it counts."""
    files = [written(tmp_path, "h.jsonl", lines(HISTORY)), written(tmp_path, "f.csv", FACTS)]
    assert import_(tmp_path, *files)[0] == 0
    code, out, _ = import_(tmp_path, *files)
    assert (code, [line.partition("; ")[2] for line in out.splitlines()]) == (0, ["new or changed 0, refused 0"] * 2)


def test_good_rows_go_in_and_bad_ones_are_named(tmp_path: Path) -> None:
    """File, row and field of each; exit 1."""
    bad: list[dict[str, Any]] = [
        {"encounter_id": "V0", "institution_id": "H2", "code": TEST, "begins": "2026-01-05"},
        {"patient_id": "P1", "encounter_id": "V0", "code": TEST},
        {"infno": "9999"},
        {"subject": "M1", "fact": "encounter.nutrition_risc", "value": True},
        {"since": "soon"},
    ]
    file = written(tmp_path, "mixed.jsonl", lines([*bad, *HISTORY]) + "[1]\n")
    code, out, err = import_(tmp_path, file)
    assert (code, out) == (1, f"{file}: facts 0, records 3, coverage 4; new or changed 3, refused 6\n")
    places = [line.removeprefix(f"{file}:").split(": ")[:2] for line in err.splitlines()[:-1]]
    assert [place[0] for place in places] == ["1", "2", "3", "4", "5", "11"]
    assert [place[1] for place in places[:5]] == ["patient_id", "begins", "infno", "fact", "since"]
    assert err.splitlines()[-1] == "6 problems"


def test_calls_of_the_national_interface_are_history(tmp_path: Path) -> None:
    """One object in a file of its own, as a log would hold it."""
    file = written(tmp_path, "call.json", json.dumps(CALL, ensure_ascii=False, indent=1))
    rules = write_rules(tmp_path)
    with running(tmp_path, list=rules) as here:
        assert found(asked(here, body())) == ["?R31-weekly"]
        code, out, err = import_(tmp_path, file)
        assert (code, err) == (0, "")
        assert "records 1," in out
        assert found(asked(here, body())) == ["R31-weekly"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """So are a wrong site file and a folder that is none."""
    code, _, err = import_(tmp_path, tmp_path / "none.jsonl")
    assert (code, "cannot be read" in err) == (1, True)
    site = written(tmp_path, "site.toml", "[default]\nzoen = 1\n")
    code, _, err = ran("reminder.cli", "facts", "import", site, "--site", site, "--data", tmp_path / "var")
    assert (code, "default.zoen" in err) == (1, True)
