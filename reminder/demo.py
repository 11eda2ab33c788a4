"""``make demo``: a list, a sidecar, sample prescriptions with their twins, the decisions, and an end.

Everything runs on embedded defaults and free loopback ports. Where the published knowledge points lie beside the
project they are imported and answer too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.rules import ACTIONS, Action
from reminder.client import NotReachedError, check

__all__ = ["Answer", "main"]

SAMPLE = Path(str(files("negative_list") / "lists" / "sample"))
POINTS = Path("../shared/data/knowledge_points.jsonl")
"""Where the published points lie, when they are at hand."""

IMPORTED = Path("var/demo/published.jsonl")
"""Where their list is kept, so that the printed commands can be repeated."""

START_S = 60
"""Longest wait for the sidecar, and for an answer: it serves within a second, but a fresh machine may be busy yet."""


class Answer(Struct, frozen=True, kw_only=True):
    """One sample and what was answered."""

    file: Path
    sample: dict[str, str]
    decision: Action
    messages: tuple[str, ...]
    elapsed_us: int


def main() -> int:
    """Run the demo; 0 when every kind of decision was seen and every twin was milder."""
    answers = _serve_and_show(SAMPLE, "the shipped sample list")
    problems = list(_problems(answers))
    if POINTS.exists():
        _run("import", "knowledge-points", str(POINTS), "-o", str(IMPORTED))
        _serve_and_show(IMPORTED, "the published knowledge points")
    else:
        print(f"\n(the published knowledge points are not at {POINTS}; only the sample list was shown)")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _problems(answers: list[Answer]) -> Iterator[str]:
    """What the sample should show and did not."""
    seen = {answer.decision for answer in answers}
    yield from (f"no sample was answered with {action}" for action in ACTIONS if action not in seen)
    by_name = {answer.file.stem: answer for answer in answers}
    for twin in answers:
        first = by_name.get(twin.sample.get("twin_of", ""))
        if first is not None and ACTIONS.index(twin.decision) >= ACTIONS.index(first.decision):
            yield f"{twin.file.name} is answered {twin.decision}, no milder than {first.decision}"


def _run(*arguments: str) -> None:
    print(f"\n$ negative-list {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "negative_list.cli", *arguments], check=True)  # noqa: S603 (our own command)


def _serve_and_show(list_path: Path, title: str) -> list[Answer]:
    """Serve a list, check every sample against it, stop."""
    print(f"\n=== {title}: {list_path}")
    with _Sidecar(list_path) as target:
        answers = [_answer(file, target) for file in sorted((SAMPLE / "requests").glob("*.json"))]
    _show(answers, list_path)
    return answers


class _Sidecar:
    """``reminder serve`` on free ports, as a child process."""

    def __init__(self, list_path: Path) -> None:
        self._list = list_path
        self._data = TemporaryDirectory(prefix="reminder-demo-")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> str:
        ports = [f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http")]
        command = [sys.executable, "-m", "reminder.cli", "serve", "--list", str(self._list), *ports]
        command += ["--data", self._data.name]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own command)
        return self._address(self._process)

    def _address(self, process: subprocess.Popen[str]) -> str:
        """The gRPC address, from the log line that says it serves; a sidecar that never says so is stopped."""
        limit = Timer(START_S, process.kill)
        limit.start()
        try:
            for line in process.stdout or ():
                entry = json.loads(line)
                if entry.get("event") == "serving":
                    print(f"sidecar serves {entry['rules']} rules, {entry['details']} details on gRPC {entry['grpc']}")
                    return str(entry["grpc"])
        finally:
            limit.cancel()
        raise SystemExit("the sidecar did not start")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=START_S)
            print("sidecar stopped")
        self._data.cleanup()


def _answer(file: Path, target: str) -> Answer:
    raw = file.read_bytes()
    try:
        decision = check(raw, target, timeout_s=START_S)
    except (RequestError, NotReachedError) as error:
        raise SystemExit(f"{file}: {error}") from error
    sample: dict[str, Any] = json.loads(raw).get("sample", {})
    return Answer(
        file=file,
        sample=sample,
        decision=decision.decision,
        messages=tuple(finding.message for finding in decision.findings),
        elapsed_us=decision.elapsed_us,
    )


def _show(answers: list[Answer], list_path: Path) -> None:
    """Each sample beside its twin, with the command that repeats it."""
    for answer in answers:
        twin = answer.sample.get("twin_of")
        indent = "      twin, " if twin else ""
        print(f"\n{indent}{answer.file.name}: {answer.sample.get('zh', '')} ({answer.sample.get('en', '')})")
        print(f"      → {answer.decision.upper()} in {answer.elapsed_us} µs")
        print(*(f"        {message}" for message in answer.messages), sep="\n", end="\n" if answer.messages else "")
        print(f"        $ .venv/bin/negative-list match {_relative(list_path)} --request {_relative(answer.file)}")
    times = sorted(answer.elapsed_us for answer in answers)
    print(f"\n{len(answers)} prescriptions answered, median {times[len(times) // 2]} µs inside the sidecar")


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


if __name__ == "__main__":
    sys.exit(main())
