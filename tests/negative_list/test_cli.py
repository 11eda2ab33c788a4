"""The command as a shell runs it: exit codes, what goes to standard output, and files written whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from negative_list.cli import app, write_beside
from negative_list.output import FINDING_KEYS, NOT_EVALUATED_KEYS
from negative_list.parse import read_list
from tests.builders import DRUG, SERVICE, body, line, own_body, own_line
from tests.negative_list.builders import rule_yaml, written

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

RULES = (
    rule_yaml(id="sex", trigger=f"{{codes: [{DRUG}]}}", action="block", suggestions="[drop]")
    + rule_yaml(
        "{kind: fact, fact: encounter.rescue, any_of: [true]}",
        id="rescue",
        cls="R08",
        trigger=f"{{codes: [{DRUG}]}}",
        on_unknown="{action: remind}",
    )
    + rule_yaml(
        "{kind: sum, lines: {items: {codes: ['"
        + SERVICE
        + "']}, window: {unit: days, length: 14, ends: open, whose: patient}}, above: 1}",
        id="fortnight",
        cls="R31",
        trigger=f"{{codes: ['{SERVICE}']}}",
    )
)
KEYS = ("decision", "decision_id", "receipt", "release", "journaled", "policy", "findings", "not_evaluated", "notes")


def run(*arguments: object) -> Result:
    """Run the command inside this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answers(result: Result) -> list[dict[str, Any]]:
    """The JSON objects of standard output, one a line."""
    return [json.loads(row) for row in result.stdout.splitlines()]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A list of three rules."""
    return written(tmp_path, "rules:\n" + RULES)


def sent(folder: Path, *bodies: object, name: str = "body.json") -> Path:
    """A file of bodies, one a line."""
    rows = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in bodies]
    return written(folder, "\n".join(rows) + "\n", name)


SERVICES = [own_line(code=SERVICE, name="项目", item_type="service", quantity=1)]


# -- check


def test_check_of_a_good_list(rules: Path) -> None:
    """A good list is counted, exit 0."""
    result = run("check", rules)
    assert (result.exit_code, result.stdout) == (0, "ok: 3 rules, 3 details, 0 sets\n")


def test_check_tells_every_problem(tmp_path: Path) -> None:
    """Problems of reading and of meaning, of one rule too, go to standard error with their places, exit 1."""
    bad = rule_yaml(id="s", action="stop", vilation="x", title="''")
    file = written(tmp_path, "rules:\n" + rule_yaml(cls="R99") + bad)
    result = run("check", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"{file}:3:3: class: unknown class `R99`; did you mean `R79`?; use R01-R88 or E01-E31",
        f"{file}:11:3: title: `title` is empty; write one",
        f"{file}:16:3: action: `stop` is not one of remind, warn, block",
        f"{file}:17:3: vilation: unknown key `vilation`; did you mean `violation`?",
        "4 problems",
    ]


def test_check_of_nothing(tmp_path: Path) -> None:
    """A missing list is a problem of the input; a missing argument is one of the command line."""
    result = run("check", tmp_path / "nowhere.yaml")
    assert result.exit_code == 1
    assert "cannot be read (No such file or directory); check the name and the rights\n1 problem\n" in result.stderr
    assert run("check").exit_code == 2


# -- match


def test_one_body_gives_one_object(rules: Path, tmp_path: Path) -> None:
    """One JSON object on one line with exactly the keys of the contract; a block exits 0."""
    result = run("match", rules, "--request", sent(tmp_path, body()))
    (answer,) = answers(result)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert tuple(answer) == (*KEYS, "elapsed_us")
    assert (answer["decision"], answer["journaled"]) == ("block", False)
    assert [answer[key] for key in ("decision_id", "receipt", "release")] == [None, None, None]
    assert [tuple(found) for found in answer["findings"]] == [FINDING_KEYS] * 2
    assert [tuple(each) for each in answer["not_evaluated"]] == [NOT_EVALUATED_KEYS]
    assert [found["rule_id"] for found in answer["findings"]] == ["sex", "rescue"]


def test_both_kinds_of_body_are_read(rules: Path, tmp_path: Path) -> None:
    """A national body and our own JSON with the same facts get the same findings."""
    national, own = sent(tmp_path, body(), name="a.json"), sent(tmp_path, own_body(), name="b.json")
    one, two = (answers(run("match", rules, "--request", file))[0] for file in (national, own))
    assert one["findings"] == two["findings"] != []


def test_many_bodies_give_one_answer_each_in_their_order(rules: Path, tmp_path: Path) -> None:
    """One line for each body, a bad body's problems in its place; the run goes on and exits 1."""
    women = body(patient={"gend": "2"})
    too_many = own_body([own_line(id=str(n)) for n in range(20_001)])
    file = sent(tmp_path, body(), "not json", women, "", own_body(lines=[]), too_many, body())
    result = run("match", rules, "--requests", file)
    found = answers(result)
    assert [answer.get("decision", "error") for answer in found] == [
        *("block", "error", "remind", "error", "error", "block"),
    ]
    assert result.exit_code == 1
    for answer in found:
        assert "error" not in answer or (answer["error"] and set(answer["error"][0]) == {"field", "message"})
    assert found[0]["findings"] == found[5]["findings"]


def test_good_bodies_only_exit_0(rules: Path, tmp_path: Path) -> None:
    """Windows line ends and a byte order mark do no harm."""
    row = json.dumps(body()).encode()
    file = written(tmp_path, b"\xef\xbb\xbf" + row + b"\r\n\r\n" + row + b"\r\n", "bodies.jsonl")
    result = run("match", rules, "--requests", file)
    assert (result.exit_code, len(answers(result))) == (0, 2)


def test_a_bad_body_alone_exits_1(rules: Path, tmp_path: Path) -> None:
    """What cannot be read as a prescription is answered with its problems."""
    result = run("match", rules, "--request", sent(tmp_path, {"infno": "3101"}))
    assert result.exit_code == 1
    assert list(answers(result)[0]) == ["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "give either --request or --requests"),
        (("--request", "BODY", "--requests", "BODY"), 2, "give either --request or --requests"),
        (("--request", "BODY", "--at", "soon"), 2, "`soon` is no time; write it like"),
        (("--request", "nowhere.json"), 1, "cannot be read (No such file or directory)"),
        (("--request", "BODY", "--policy", "nowhere.toml"), 1, "cannot be read"),
        (("--request", "BODY", "--policy", "BAD"), 1, "defalt: unknown key `defalt`; did you mean `default`?"),
        (("--request", "BODY", "--site", "nowhere.toml"), 1, "cannot be read"),
        (("--request", "BODY", "--facts", "nowhere.csv"), 1, "cannot be read"),
        (("--request", "BODY", "--history", "nowhere.jsonl"), 1, "cannot be read"),
        (("--request", "BODY", "--history", "BAD"), 1, "no json"),
    ],
)
def test_what_is_wrong_around_a_body(
    rules: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Usage exits 2, input 1; problems go to standard error and nothing to standard output."""
    named = {"BODY": str(sent(tmp_path, body())), "BAD": str(written(tmp_path, "[defalt]\n", "bad.toml"))}
    result = run("match", rules, *(named.get(argument, argument) for argument in arguments))
    assert result.exit_code == code
    assert said in " ".join(result.stderr.replace("│", "").split())
    assert result.stdout == ""


def test_a_list_with_problems_decides_nothing(tmp_path: Path) -> None:
    """Half a list is no list."""
    bad = written(tmp_path, "rules:\n" + RULES + rule_yaml(id="x", cls="R99"))
    result = run("match", bad, "--request", sent(tmp_path, body()))
    assert (result.exit_code, result.stdout) == (1, "")


def test_the_instant_is_given_else_the_bodys(tmp_path: Path) -> None:
    """``--at`` decides over the body's own time: age is judged where the line stands, the rest at the instant."""
    text = rule_yaml("{kind: days_of_use, lines: {}, above: 20}", trigger=f"{{codes: [{DRUG}]}}")
    file = sent(tmp_path, body([line(long_drord_flag="1", drord_begn_date="2026-01-01 08:00:00")]))
    listed = written(tmp_path, text)
    decisions = [
        answers(run("match", listed, "--request", file, *at))[0]["decision"]
        for at in ((), ("--at", "2026-01-20"), ("--at", "2026-01-21 00:00:00"), ("--at", "2026-01-20T17:00:00Z"))
    ]
    assert decisions == ["pass", "pass", "warn", "warn"]
    site = written(tmp_path, '[default]\nzone = "UTC"\n', "site.toml")
    told = run("match", listed, "--request", file, "--at", "2026-01-20T17:00:00Z", "--site", site)
    assert answers(told)[0]["decision"] == "pass"


def test_a_policy_is_taken_in_place_of_the_shipped_one(rules: Path, tmp_path: Path) -> None:
    """The answer names the policy it was made with."""
    policy = written(tmp_path, '[[set]]\naction = "remind"\nwhy = "x"\nrule = "sex"\n', "p.toml")
    file = sent(tmp_path, body())
    (shipped,), (own,) = (answers(run("match", rules, "--request", file, *more)) for more in ((), ("--policy", policy)))
    assert [shipped["decision"], own["decision"]] == ["block", "remind"]
    assert shipped["policy"] != own["policy"]


def test_history_decides_what_the_body_cannot(rules: Path, tmp_path: Path) -> None:
    """Without history a fortnight is unknown; with it the rule holds or does not."""
    file = sent(tmp_path, own_body(SERVICES))
    earlier = own_line(id="old", code=SERVICE, begins="2025-12-25 09:00:00", encounter_id="M0", quantity=1)
    full = sent(tmp_path, {"since": "2025-01-01"}, earlier, name="full.jsonl")
    empty = sent(tmp_path, {"since": "2025-01-01"}, name="empty.jsonl")
    (without,), (held,), (clear,) = (
        answers(run("match", rules, "--request", file, *more))
        for more in ((), ("--history", full), ("--history", empty))
    )
    assert [(each["rule_id"], each["needs"], each["reason"]) for each in without["not_evaluated"]] == [
        ("fortnight", ["history"], "coverage"),
    ]
    assert (held["decision"], held["not_evaluated"]) == ("warn", [])
    assert (clear["decision"], clear["not_evaluated"]) == ("pass", [])


def test_facts_answer_what_the_body_left_open(rules: Path, tmp_path: Path) -> None:
    """A fact of the store fills what the request does not say, and is named as its source."""
    told = {"subject": "M1", "fact": "encounter.rescue", "value": True, "source": "ward"}
    facts = sent(tmp_path, told, name="facts.jsonl")
    (answer,) = answers(run("match", rules, "--request", sent(tmp_path, body()), "--facts", facts))
    assert answer["not_evaluated"] == []
    (seen,) = [fact for found in answer["findings"] for fact in found["facts"] if fact["fact"] == "encounter.rescue"]
    assert (seen["value"], seen["source"]) == (True, "ward")


def test_a_site_may_read_a_body_its_own_way(rules: Path, tmp_path: Path) -> None:
    """A field the site declares untrusted is unknown."""
    site = written(tmp_path, '[default]\nuntrusted = ["patient.sex"]\n', "site.toml")
    (answer,) = answers(run("match", rules, "--request", sent(tmp_path, body()), "--site", site))
    assert "sex" in [each["rule_id"] for each in answer["not_evaluated"]]


# -- stats, generate, import


def test_stats_of_a_list(rules: Path) -> None:
    """A row for each class with its rules and details, and the whole list last; the same as JSON."""
    result = run("stats", rules)
    assert [row.split("\t")[:3] for row in result.stdout.splitlines()] == [
        *(["R08", "1", "1"], ["R31", "1", "1"], ["R67", "1", "1"], ["all", "3", "3"]),
    ]
    counted = json.loads(run("stats", rules, "--json").stdout)
    assert (counted["rules"], counted["kinds"]) == (3, {"fact": 2, "sum": 1})
    assert counted["digest"] in result.stdout


def test_generate_writes_a_list_that_can_be_used(tmp_path: Path) -> None:
    """A made-up list of the size asked for, the same for the same seed; it passes ``check``."""
    first, second = tmp_path / "deep" / "a.jsonl", tmp_path / "b.jsonl"
    result = run("generate", "--rules", 500, "--seed", 3, "-o", first)
    assert result.exit_code == 0
    assert str(first) in result.stdout
    assert run("generate", "--rules", 500, "--seed", 3, "-o", second).exit_code == 0
    assert first.read_bytes() == second.read_bytes()
    assert run("check", first).exit_code == 0
    assert abs(read_list(first).details - 500) <= 25
    assert run("generate", "--rules", 0, "-o", first).exit_code == 2


POINT = {
    "kp_id": "KP-1",
    "rule_class": "药品区分性别使用",
    "item_name": "妇乐胶囊",
    "med_codes": ["ZD02AAF0221010105329"],
    "constraint": "",
    "detect_logic": "与限定性别不符",
    "batch_tag": "batch_01",
}


def test_points_become_a_list(tmp_path: Path) -> None:
    """An import writes the list and the report, says what became of the points, and exits 0."""
    output, report = tmp_path / "list.jsonl", tmp_path / "report.json"
    points = sent(tmp_path, POINT, POINT | {"kp_id": "KP-2", "batch_tag": "batch_02"}, name="points.jsonl")
    result = run("import", "knowledge-points", points, "-o", output, "--report", report)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith(f"{output}: ")
    assert run("check", output).exit_code == 0
    keys = {"kp_id", "rule_ids", "status", "parameters", "unread", "reason"}
    assert [(row["kp_id"], row.keys() == keys) for row in json.loads(report.read_text("utf-8"))] == [
        ("KP-1", True),
        ("KP-2", True),
    ]


def test_a_row_that_cannot_be_read_writes_nothing(tmp_path: Path) -> None:
    """An import ends with exit 1 when a row cannot be read; the list and the report are left alone."""
    points = written(tmp_path, "not json\n", "points.jsonl")
    output = written(tmp_path, "before", "list.jsonl")
    report = tmp_path / "report.json"
    result = run("import", "knowledge-points", points, "-o", output, "--report", report)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "points.jsonl:1" in result.stderr
    assert output.read_text() == "before"
    assert not report.exists()


def test_files_are_written_beside_and_moved(tmp_path: Path) -> None:
    """Nobody ever reads half a file: until it is whole it has another name, in the same folder."""
    seen: list[tuple[str, bytes, bool]] = []
    place = tmp_path / "new" / "list.jsonl"

    def replace(beside: Path, target: Path) -> None:
        seen.append((beside.name, beside.read_bytes(), target.exists()))
        beside.replace(target)

    write_beside(place, b"whole", replace)
    assert seen == [("list.jsonl.part", b"whole", False)]
    assert place.read_bytes() == b"whole"
    assert [file.name for file in place.parent.iterdir()] == ["list.jsonl"]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file in the way of a folder is a problem of the input, and nothing is left behind."""
    (tmp_path / "folder").mkdir()
    result = run("generate", "--rules", 20, "-o", tmp_path / "folder")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_the_command_runs_as_a_program(rules: Path, tmp_path: Path) -> None:
    """Run by a shell, standard output holds the answer in UTF-8 whatever the locale, and nothing else."""
    command = [sys.executable, "-m", "negative_list.cli", "match", str(rules), "--request", str(sent(tmp_path, body()))]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    (answer,) = (json.loads(row) for row in done.stdout.decode("utf-8").splitlines())
    assert answer["findings"][0]["message"].startswith("【拦截】")
