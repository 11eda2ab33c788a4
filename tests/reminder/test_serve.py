"""``reminder serve`` and ``reminder check`` as a shell runs them."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

import negative_list
from tests.reminder import remembered
from tests.reminder.bodies import WOMEN, encoded, national_body, national_order, own_body, own_line, write_list
from tests.reminder.sidecar import PATIENT, get
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(negative_list.__file__).parent.parent
SAVED = "/reminder.v1.ReminderService/RecordSaved"
ANYWHERE = tuple(f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http"))


def command(*args: object) -> list[str]:
    """The shell's words."""
    return [sys.executable, "-m", "reminder.cli", *map(str, args)]


def run(*args: object, stdin: bytes | None = None) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error of one command."""
    done = subprocess.run(command(*args), cwd=ROOT, input=stdin, capture_output=True, check=False, timeout=2 * LONG_S)
    return done.returncode, done.stdout, done.stderr.decode()


class Served:
    """A sidecar in a process of its own, and the line it said when it served."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.line: dict[str, Any] = json.loads(process.stdout.readline())

    def end(self, number: int) -> list[dict[str, Any]]:
        """Send a signal; the lines of the log until the process ended well."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=LONG_S)
        assert (self.process.returncode, err) == (0, "")
        return [json.loads(line) for line in out.splitlines()]


@contextlib.contextmanager
def served(*args: object) -> Iterator[Served]:
    """``reminder serve`` on free ports, with a data folder of its own unless one is given."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.toml"
        settings.write_text("".join(f"{name} = {value}\n" for name, value in PATIENT.items()), "utf-8")
        data = () if "--data" in args else ("--data", folder)
        yield from _served("--config", settings, *args, *data)


def _served(*args: object) -> Iterator[Served]:
    words = command("serve", *ANYWHERE, *args)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sidecar for the tests that only ask it."""
    with served("--list", write_list(tmp_path_factory.mktemp("list"))) as sidecar:
        yield sidecar


def check(here: Served, folder: Path, body: bytes, *args: object) -> tuple[int, dict[str, Any], str]:
    """``reminder check``: exit code, the object it printed, standard error."""
    file = folder / "body.json"
    file.write_bytes(body)
    code, out, err = run("check", file, "--target", here.line["grpc"], "--timeout", LONG_S, *args)
    assert out.count(b"\n") == 1
    return code, json.loads(out), err


def test_the_first_line_says_what_serves_and_where(here: Served) -> None:
    """Four addresses, the size of the list, its digest."""
    assert here.line["event"] == "serving"
    assert all(here.line[face].startswith("127.0.0.1:") for face in ("grpc", "http", "admin", "admin_http"))
    assert (here.line["rules"], here.line["details"]) == (3, 4)
    assert len(here.line["digest"]) == 64
    assert get(here.line["admin_http"], "/readyz")[0] == 200


@pytest.mark.parametrize("body", [own_body(), national_body()], ids=["own", "3101"])
def test_a_body_of_either_kind_is_decided(here: Served, tmp_path: Path, body: dict[str, Any]) -> None:
    """One JSON object with the keys of the design, exit 0 although it blocks."""
    code, decision, err = check(here, tmp_path, encoded(body))
    assert (code, err) == (0, "")
    assert decision["decision"] == "block"
    assert [(f["rule_id"], f["class_id"], f["lines"]) for f in decision["findings"]] == [("R67-men", "R67", ["R1"])]
    assert len(decision["decision_id"]) == 26


def test_both_kinds_of_body_and_both_faces_decide_alike(here: Served, tmp_path: Path) -> None:
    """The same content gives the same findings over gRPC as our JSON, as a 3101 body, and over HTTP."""
    ours = own_body(own_line("R1"), own_line("R2", code=WOMEN, quantity=5), level=1)
    theirs = national_body(national_order("R1"), national_order("R2", hilist_code=WOMEN, cnt=5), level="14")
    decisions = [check(here, tmp_path, encoded(body))[1] for body in (ours, theirs)]
    with urlopen(f"http://{here.line['http']}/3101", data=encoded(theirs), timeout=LONG_S) as response:
        output = json.loads(response.read())["output"]
    found = [(f["rule_id"], f["action"], f["lines"]) for f in decisions[0]["findings"]]
    assert decisions[0]["decision"] == decisions[1]["decision"] == output["decision"] == "block"
    assert len(found) == 4
    assert [(f["rule_id"], f["action"], f["lines"]) for f in decisions[1]["findings"]] == found
    assert [(f["rule_id"], f["action"], f["lines"]) for f in output["result"]] == found


def test_standard_input_is_a_body_too(here: Served) -> None:
    """``-`` reads it."""
    code, out, _ = run(
        "check", "-", "--target", here.line["grpc"], "--timeout", LONG_S, stdin=encoded(own_body(sex="男"))
    )
    assert (code, json.loads(out)["decision"]) == (0, "pass")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (encoded({"encuonter": {}}), "encuonter"),
        (encoded({"infno": "3101", "input": {}}), "input.data"),
        (encoded({"scene": ["2"], "patient": {}, "encounter": {"lines": []}}), "encounter.lines"),
    ],
    ids=["no JSON", "unknown key", "national", "no lines"],
)
def test_problems_of_a_body_are_one_json_object_and_exit_1(
    here: Served, tmp_path: Path, body: bytes, field: str
) -> None:
    """Each with its field and message."""
    code, problems, _ = check(here, tmp_path, body)
    assert code == 1
    assert [problem["field"] for problem in problems["error"]] == [field]
    assert problems["error"][0]["message"]


def test_a_body_that_cannot_be_opened_is_a_problem_of_the_input(tmp_path: Path) -> None:
    """Exit 1, naming the file."""
    code, out, _ = run("check", tmp_path / "none.json")
    assert code == 1
    assert "none.json" in json.loads(out)["error"][0]["message"]


def test_no_sidecar_is_exit_3_and_nothing_on_standard_output(tmp_path: Path) -> None:
    """With the address that was tried."""
    (tmp_path / "body.json").write_bytes(encoded(own_body()))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, out, err = run("check", tmp_path / "body.json", "--target", f"127.0.0.1:{port}", "--timeout", "2")
    assert (code, out) == (3, b"")
    assert f"`127.0.0.1:{port}`" in err


@pytest.mark.parametrize("args", [["check"], ["check", "x", "--timeout", "soon"], ["nothing"]])
def test_wrong_usage_is_exit_2(args: list[str]) -> None:
    """As in every command."""
    code, out, _ = run(*args)
    assert (code, out) == (2, b"")


def test_without_a_list_it_does_not_start_and_says_how_to_make_one() -> None:
    """Exit 1, naming the command that makes one and the shipped sample."""
    code, out, err = run("serve", *ANYWHERE)
    assert (code, out) == (1, b"")
    assert "negative-list import knowledge-points" in err
    assert str(Path("negative_list") / "lists" / "sample") in err


def test_everything_wrong_with_the_settings_is_told_at_once(tmp_path: Path) -> None:
    """File and options together, exit 1."""
    file = tmp_path / "reminder.toml"
    file.write_text('grcp = "x"\n', encoding="utf-8")
    code, _, err = run("serve", "--config", file, "--http", "nowhere")
    assert code == 1
    assert "did you mean `grpc`" in err
    assert "HOST:PORT" in err


def test_everything_wrong_with_the_list_is_told_at_once(tmp_path: Path) -> None:
    """Each problem with its place, exit 1."""
    file = tmp_path / "list.yaml"
    file.write_text("rules:\n- id: a\n  clas: R67\n- id: b\n", encoding="utf-8")
    code, out, err = run("serve", *ANYWHERE, "--list", file)
    assert (code, out) == (1, b"")
    assert len([line for line in err.splitlines() if line.startswith(f"{file}:")]) > 2


@pytest.mark.parametrize("face", ["grpc", "http", "admin", "admin-http"])
def test_a_port_in_use_is_exit_1_naming_face_and_address(tmp_path: Path, face: str) -> None:
    """And what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        others = [word for word in ANYWHERE if not word.startswith(f"--{face}=")]
        code, out, err = run("serve", *others, f"--{face}", address, "--list", write_list(tmp_path))
    assert (code, out) == (1, b"")
    assert err.startswith(f"{face.replace('-', '_')}: cannot listen on `{address}`")
    assert err.count("\n") == 1
    assert f"--{face}" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: int) -> None:
    """It says so, answers nothing more, and exits 0."""
    with served("--list", write_list(tmp_path), "--grace", "1") as sidecar:
        events = [line["event"] for line in sidecar.end(number)]
    beside = "journal process ready"  # comes whenever that process has started
    assert [event for event in events if event != beside] == ["stopping", "stopped"]


def test_after_a_kill_the_same_addresses_serve_again_at_once(tmp_path: Path) -> None:
    """Nothing is left behind that holds a port or a file."""
    addresses: tuple[str, ...] = ()
    for _ in range(2):
        with served("--list", write_list(tmp_path), *addresses) as sidecar:
            line = sidecar.line
            addresses = tuple(
                f"--{face.replace('_', '-')}={line[face]}" for face in ("grpc", "http", "admin", "admin_http")
            )
            assert check(sidecar, tmp_path, encoded(own_body()))[1]["decision"] == "block"
            sidecar.process.kill()
            sidecar.process.wait(LONG_S)


def test_a_log_nobody_reads_holds_no_check_up(tmp_path: Path) -> None:
    """More lines than a pipe holds are logged while nobody reads them."""
    body = encoded(national_body())
    with served("--list", write_list(tmp_path)) as sidecar:
        connection = http.client.HTTPConnection(sidecar.line["http"], timeout=LONG_S)
        for _ in range(600):
            connection.request("POST", "/3101", body)
            assert json.loads(connection.getresponse().read())["infcode"] == 0
        connection.close()


def test_what_one_process_was_told_is_known_to_another(tmp_path: Path) -> None:
    """To the next one of a data folder, after the first was killed; while that serves there is no second."""
    words = ("--list", remembered.write_rules(tmp_path), "--data", tmp_path / "var")
    told = {"prescription": remembered.body(encounter="M0"), "prescription_id": "RX1", "revision": 1}
    with served(*words) as one:
        request = Request(f"http://{one.line['http']}{SAVED}", data=encoded(told))
        with urlopen(request, timeout=LONG_S) as response:  # noqa: S310 - our own http address
            assert json.loads(response.read())["stored"] is True
        code, _, err = run("serve", *ANYWHERE, *words)
        assert (code, f"is served by process {one.process.pid} already" in err) == (1, True)
    with served(*words) as next_one:
        _, answer, _ = check(next_one, tmp_path, encoded(remembered.body()))
    assert [finding["rule_id"] for finding in answer["findings"]] == ["R31-weekly"]
