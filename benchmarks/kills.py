"""Kill -9 under load: whatever a caller was answered is in the journal, once.

``python -m benchmarks.kills --kills 200 --store sqlite|postgres``. A sidecar runs as a process of its own; a client
keeps 16 calls in flight and writes each answer to a file of its own before it sends more: checks, feedback about what
they found, prescriptions saved. The process is killed at a random moment and started again on the same data; calls that
were not answered are sent again, word for word. A kill counts only where a call was in flight and another was answered
in the 20 ms before. In the end the client's file is the judge of what ``reminder journal export`` writes, and
``reminder journal verify`` has to pass after each kill.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import grpc
from msgspec import Struct

from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.reminder.bodies import WOMEN, own_body, own_line, write_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Load", "Place", "Victim", "command", "databases", "exported", "judge", "kill_under_load", "make_place"]

IN_FLIGHT = 16
RECENT_S = 0.02
"""A kill counts where an answer came at most so long before it."""

LONGEST_S = 0.4
"""How long a sidecar lives under load at most."""

START_S = 300.0
"""Longest wait for a sidecar, an answer, an end: only something that is broken takes so long, on whatever machine."""

_SERVICE = "/reminder.v1.ReminderService/"
_ROOT = Path(__file__).parents[1]


class Place(Struct, frozen=True, kw_only=True):
    """Where the sidecars of a run keep what they keep: its settings, and the client's own file."""

    folder: Path
    config: Path
    answered: Path


def make_place(folder: Path, store: str = "", **settings: str | float) -> Place:
    """Settings for a sidecar on free ports; ``store``: the URL of a database, "" for SQLite."""
    faces = dict.fromkeys(("grpc", "http", "admin", "admin_http"), "127.0.0.1:0")
    told = {"list": str(write_list(folder)), "data": str(folder / "data"), **faces, **settings}
    if store:
        told["store"] = store
    config = folder / "settings.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items()), "utf-8")
    return Place(folder=folder, config=config, answered=folder / "answered.jsonl")


def command(place: Place, *words: str) -> list[str]:
    """A ``reminder`` command with the settings of a place."""
    return [sys.executable, "-m", "reminder.cli", *words, "--config", str(place.config)]


class Victim:
    """A sidecar as a process, and where it listens. ``words``: its command, where it is another."""

    def __init__(self, place: Place, words: Sequence[str] = ()) -> None:
        self._log = place.folder / "log"
        telling = os.environ | {"PYTHONFAULTHANDLER": "1"}  # where it is when it ends of itself
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                words or command(place, "serve"), stdout=log, stderr=log, cwd=_ROOT, env=telling
            )

    async def serving(self) -> dict[str, Any]:
        """The log entry that says where it serves."""
        ends = time.monotonic() + START_S
        while time.monotonic() < ends and self.process.poll() is None:
            for line in self._log.read_text("utf-8").splitlines():
                if '"serving"' in line:
                    entry: dict[str, Any] = json.loads(line)
                    return entry
            await asyncio.sleep(0.01)
        raise RuntimeError(f"the sidecar does not serve:\n{self.said()}")

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text("utf-8")[-2000:]

    def kill(self) -> int:
        """End it as the loss of power would; with which code it ended, whatever ended it."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait(START_S)


class Load:
    """A client: what it has in flight, when it was last answered, and its own file of what it was answered."""

    def __init__(self, answered: Path) -> None:
        self.in_flight: dict[int, tuple[str, Any]] = {}
        self.unanswered: list[tuple[str, Any]] = []
        self.refused: list[str] = []
        self.last_s = 0.0
        self.answers = 0
        self.heard = asyncio.Event()
        self._file = answered.open("a", encoding="utf-8")
        self._sent = 0
        self._ended = False

    async def run(self, target: str) -> None:
        """Calls without end, so many in flight, until the other side is gone."""
        self._ended = False
        async with grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            await asyncio.gather(*(self._line(channel) for _ in range(IN_FLIGHT)))

    async def _line(self, channel: grpc.aio.Channel) -> None:
        following: list[tuple[str, Any]] = []
        while not self._ended:
            method, request = following.pop() if following else self._next()
            number = self._sent = self._sent + 1
            self.in_flight[number] = (method, request)
            try:
                response = await _call(channel, method)(request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    self.refused.append(f"{method}: {error.code().name} {error.details()}")
                    continue
                self.unanswered.append((method, request))
                self._ended = True
                return
            finally:
                del self.in_flight[number]
            self._note(method, request, response)
            following += _following(method, request, response)

    def _next(self) -> tuple[str, Any]:
        """What was not answered is sent again; else a check of somebody else."""
        return self.unanswered.pop() if self.unanswered else ("Check", _check(self._sent))

    def _note(self, method: str, request: Any, response: Any) -> None:
        self._file.write(json.dumps(_told(method, request, response)) + "\n")
        self._file.flush()
        self.last_s = time.monotonic()
        self.answers += 1
        self.heard.set()

    def close(self) -> None:
        """Close its file."""
        self._file.close()


_ANSWERS: dict[str, Any] = {
    "Check": pb.CheckResponse,
    "RecordFeedback": pb.RecordFeedbackResponse,
    "RecordSaved": pb.RecordSavedResponse,
}


def _call(channel: grpc.aio.Channel, method: str) -> Any:
    return channel.unary_unary(
        _SERVICE + method,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=_ANSWERS[method].FromString,
    )


def _check(number: int) -> pb.CheckRequest:
    """Every third body has a block, every fifth a warning, the others nothing; each is somebody else's."""
    sex = "女" if number % 3 == 0 else "男"
    line = own_line(code=WOMEN, quantity=5) if number % 5 == 0 else own_line()
    body = own_body(line, sex=sex, request_id=f"K{time.time_ns()}-{number}", institution_id="H1")
    body["patient"]["id"], body["encounter"]["id"] = f"P{number % 500}", f"M{number % 1000}"
    return request_of(body)


def _following(method: str, request: Any, response: Any) -> list[tuple[str, Any]]:
    """What a caller tells after a check: what was done about each finding, and, of every third, what was saved."""
    if method != "Check":
        return []
    ident = request.request_id
    told: list[tuple[str, Any]] = []
    if response.findings:
        items = [pb.FindingFeedback(finding_id=one.finding_id, done=pb.DONE_CHANGED) for one in response.findings]
        feedback = pb.RecordFeedbackRequest(request_id=f"F{ident}", institution_id="H1", doctor_id="D1", items=items)
        told.append(("RecordFeedback", feedback))
    if int(ident.rpartition("-")[2]) % 3 == 1:
        saved = pb.RecordSavedRequest(prescription=request, prescription_id=f"S{ident}", revision=1)
        told.append(("RecordSaved", saved))
    return told


def _told(method: str, request: Any, response: Any) -> dict[str, Any]:
    """A line of the client's file."""
    if method == "Check":
        receipt = response.receipt if response.HasField("receipt") else None
        told = {"request_id": request.request_id, "decision_id": response.decision_id, "receipt": receipt}
        return {"kind": "decision", **told, "journaled": response.journaled}
    if method == "RecordFeedback":
        findings = [one.finding_id for one in response.items]
        return {"kind": "feedback", "findings": findings, "journaled": response.journaled}
    return {"kind": "saved", "prescription_id": request.prescription_id, "journaled": response.journaled}


# --- the run ----------------------------------------------------------------------------------------------------------


async def kill_under_load(place: Place, kills: int, seed: int = 1) -> dict[str, Any]:
    """Kill and start again until so many kills counted; the figures of the run and what the judge found."""
    rng, load = Random(seed), Load(place.answered)
    counted = tried = 0
    failed: list[str] = []
    checking: asyncio.Task[str] | None = None
    while counted < kills and tried < 3 * kills + 10:
        tried += 1
        counted += await _round(place, load, rng)
        if checking is not None and (fault := await checking):
            failed.append(fault)
        checking = asyncio.create_task(_verified(place))
    if checking is not None and (fault := await checking):
        failed.append(fault)
    load.close()
    figures = {"tried": tried, "counted": counted, "answers": load.answers, "verify_failed": failed}
    figures |= {"refused": len(load.refused), "refused_first": load.refused[:3]}
    return figures | judge(_lines(place.answered), exported(place))


async def _round(place: Place, load: Load, rng: Random) -> bool:
    """One life of a sidecar; whether its end counts.

    Raises:
        RuntimeError: It ended of itself, or answers nobody.
    """
    victim = Victim(place)
    try:
        target = (await victim.serving())["grpc"]
        work = asyncio.create_task(load.run(target))
        try:
            await _heard(load, work)
            await asyncio.sleep(rng.uniform(0.02, LONGEST_S))
            await _heard(load, work)  # right after an answer, however slow the machine is: at a moment that counts
            await asyncio.sleep(rng.uniform(0, RECENT_S / 2))
            counts = bool(load.in_flight) and time.monotonic() - load.last_s <= RECENT_S
        finally:
            code = victim.kill()
            await work
    finally:
        victim.kill()
    if code != -signal.SIGKILL:
        raise RuntimeError(f"the sidecar ended of itself, with {code}:\n{victim.said()}")
    return counts


async def _heard(load: Load, work: asyncio.Task[None]) -> None:
    """Wait for the next answer, at most until the load ends or for very long."""
    load.heard.clear()
    heard = asyncio.create_task(load.heard.wait())
    done, _ = await asyncio.wait((heard, work), timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
    heard.cancel()
    if not done:
        raise RuntimeError(f"no answer for {START_S:.0f} s, with {len(load.in_flight)} calls in flight")


async def _verified(place: Place) -> str:
    """What ``verify`` complains of, while the next sidecar starts and writes."""
    process = await asyncio.create_subprocess_exec(
        *command(place, "journal", "verify"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=_ROOT
    )
    said, _ = await process.communicate()
    return "" if process.returncode == 0 else said.decode()[-2000:]


def exported(place: Place) -> list[dict[str, Any]]:
    """What ``reminder journal export`` writes, line by line."""
    file = place.folder / "export.jsonl"
    with file.open("wb") as out:
        subprocess.run(command(place, "journal", "export"), stdout=out, cwd=_ROOT, check=True)
    return list(_lines(file))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# --- the judge --------------------------------------------------------------------------------------------------------


def judge(answered: Iterable[dict[str, Any]], exported: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What callers were answered against what the journal holds; nothing lost, nothing doubled, where all is well."""
    found, asked = _journal(exported)
    seen: Counter[str] = Counter()
    kept: Counter[tuple[str, ...]] = Counter()
    for one in answered:
        seen[one["kind"]] += 1
        if one["journaled"]:
            kept.update(_names(one))
    return {
        "answered": dict(seen),
        "kept": sum(kept.values()),
        "lost": [list(name) for name in kept if not found[name]],
        "doubled": [list(name) for name in kept if name[0] == "decision" and found[name] > 1],
        "asked_twice": [name for name, times in asked.items() if times > 1],
        "in_journal": sum(found.values()),
    }


def _names(one: dict[str, Any]) -> list[tuple[str, ...]]:
    """What an answer that was promised to be kept is looked for by."""
    if one["kind"] == "decision":
        return [("decision", one["decision_id"], one["receipt"] or "")]
    if one["kind"] == "feedback":
        return [("feedback", finding) for finding in one["findings"]]
    return [("saved", one["prescription_id"])]


def _journal(exported: Iterable[dict[str, Any]]) -> tuple[Counter[tuple[str, ...]], Counter[str]]:
    """How often the journal has each name, and how many decisions it has of each request."""
    found: Counter[tuple[str, ...]] = Counter()
    asked: Counter[str] = Counter()
    for line in exported:
        entry = line.get("entry", line)
        if entry["kind"] == "decision":
            found["decision", entry["decision_id"], line["hash"][:16]] += 1
            asked[entry["request_id"]] += 1
        elif entry["kind"] == "feedback":
            found["feedback", entry["finding_id"]] += 1
        elif entry["kind"] == "saved":
            found["saved", entry["prescription_id"]] += 1
    return found, asked


# --- the command ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def databases(store: str) -> Iterator[str]:
    """The URL of a new database of a PostgreSQL of our own; "" for SQLite."""
    if store == "sqlite":
        yield ""
        return
    from tests.stores.server import Server, binaries  # noqa: PLC0415 - SQLite needs no server

    found = binaries()
    if found is None:
        raise SystemExit("PostgreSQL is not installed (tools/postgres.sh installs it)")
    server = Server(found)
    try:
        server.start()
        yield from server.database()
    finally:
        server.remove()


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, databases(given.store) as store:
        figures = asyncio.run(kill_under_load(make_place(Path(folder), store), given.kills, given.seed))
    print(json.dumps({"store": given.store} | figures, ensure_ascii=False, indent=1))
    raise SystemExit(any(figures[fault] for fault in ("lost", "doubled", "verify_failed", "refused")))


if __name__ == "__main__":
    main()
