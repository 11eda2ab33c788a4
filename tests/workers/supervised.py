"""A sidecar of two workers in processes of its own, and what a test asks and does to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

import negative_list
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.bodies import write_list
from tests.reminder.sidecar import METHOD, PATIENT
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ANYWHERE", "RETRIES", "ROOT", "Supervised", "command", "supervised", "until"]

ROOT = Path(negative_list.__file__).parent.parent
ANYWHERE = tuple(f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http"))

RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
"""What docs/workers.md advises clients to do."""


def command(*args: object) -> list[str]:
    """The shell's words for ``reminder serve``."""
    return [sys.executable, "-m", "reminder.cli", "serve", *map(str, args)]


def until(what: Callable[[], object]) -> Any:
    """What something comes to, once that is true."""
    end = time.monotonic() + LONG_S
    while not (found := what()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
    return found


class Supervised:
    """A supervisor's process, and the lines it and its workers have said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.folder = Path()
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        until(lambda: self.said("serving") or process.poll() is not None)
        assert process.poll() is None, process.stderr and process.stderr.read()
        self.serving = self.said("serving")[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of an event; a line that is not whole is an error."""
        return [line for line in map(json.loads, list(self.lines)) if line["event"] == event]

    def stop(self, number: int) -> int:
        """Send a signal; the exit code, once everything was said."""
        self.process.send_signal(number)
        self.process.wait(LONG_S)
        self.ended()
        return self.process.returncode

    def ended(self) -> None:
        """Wait until nothing more is said."""
        self._reading.join(LONG_S)

    def worker(self, number: int) -> int:
        """The process of a worker."""
        starts = [line for line in self.said("worker serves") if line["worker"] == number]
        ours = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii").split()
        return int(ours[number]) if len(starts) == 1 else int(ours[-1])

    def get(self, path: str, face: str = "http") -> str:
        """One GET."""
        with urllib.request.urlopen(f"http://{self.serving[face]}{path}", timeout=LONG_S) as response:
            text: str = response.read().decode()
            return text

    def metrics(self, query: str = "") -> dict[str, float]:
        """Every sample by name and labels."""
        lines = (line.rpartition(" ") for line in self.get(f"/metrics{query}").splitlines() if line[0] != "#")
        return {name: float(value) for name, _, value in lines}

    @contextlib.contextmanager
    def channel(self, *options: tuple[str, Any]) -> Iterator[Any]:
        """A call of Check on a connection of its own, and so on one worker."""
        own = [("grpc.use_local_subchannel_pool", 1), *options]
        with grpc.insecure_channel(self.serving["grpc"], options=own) as channel:
            yield channel.unary_unary(
                METHOD,
                request_serializer=pb.CheckRequest.SerializeToString,
                response_deserializer=pb.CheckResponse.FromString,
            )

    def asked(self, request: pb.CheckRequest, stack: contextlib.ExitStack) -> dict[int, Any]:
        """A call to each worker, found by asking something on new connections."""
        found: dict[int, Any] = {}
        while len(found) < 2:
            call = stack.enter_context(self.channel())
            ident = call(request, timeout=LONG_S).decision_id
            found.setdefault(until(partial(self.who, ident)) - 1, call)
        return found

    def who(self, decision_id: str) -> int:
        """The worker that said it decided, plus one; 0: none has said so yet."""
        return next((line["worker"] + 1 for line in self.said("checked") if line["decision_id"] == decision_id), 0)


@contextlib.contextmanager
def supervised(folder: Path, *args: object) -> Iterator[Supervised]:
    """Two workers that serve the list of :mod:`tests.reminder.bodies` from a folder, on free ports."""
    settings = folder / "settings.toml"
    settings.write_text("".join(f"{name} = {value}\n" for name, value in PATIENT.items()), "utf-8")
    if "--list" not in args:
        args = (*args, "--list", write_list(folder))
    words = command("--config", settings, *ANYWHERE, "--data", folder / "var", "--workers", 2, *args)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        both = None
        try:
            both = Supervised(process)
            yield both
        finally:
            process.kill()
            if both is not None:
                both.ended()
