"""Two workers and one bureau: whoever kept an answer, it is delivered once, also when a worker is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from pathlib import Path

import pytest

from reminder.workers.system import CAN_SHARE
from tests.relay.bureau import bureau
from tests.relay.test_one_address import answered
from tests.reminder.sidecar import PATIENT
from tests.stores.desks import LONG_S
from tests.workers.supervised import Supervised, supervised, until

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason="processes share ports on Linux only")


def settings(folder: Path, url: str) -> Path:
    """The settings of a sidecar with a bureau."""
    file = folder / "relay.toml"
    lines = [f"{name} = {value}" for name, value in PATIENT.items()]
    lines += ["[upstream]", f'url = "{url}"', 'modes = {3101 = "both"}', "wait_ms = 60_000"]
    file.write_text("\n".join(lines), "utf-8")
    return file


def feed_back(here: Supervised, id_: str) -> None:
    """One 3103 on a connection of its own, said again until a worker answers."""
    body = {"infno": "3103", "msgid": id_, "input": {"data": {"warns": [{"warn_rslt_id": id_, "dspo_way": "2"}]}}}
    request = urllib.request.Request(f"http://{here.serving['http']}/3103", json.dumps(body).encode())

    def told() -> bool:
        try:
            with urllib.request.urlopen(request, timeout=LONG_S) as reply:  # noqa: S310 - ours
                return bool(json.loads(reply.read())["infcode"] == 0)
        except OSError:  # the worker that had it was killed
            return False

    until(told)


def test_every_answer_arrives_once_although_the_worker_that_delivers_is_killed(tmp_path: Path) -> None:
    """Its place is taken, and the one who takes it goes on where it ended."""
    ids = [f"B-{number}" for number in range(30)]
    with bureau() as ours, supervised(tmp_path, "--config", settings(tmp_path, ours.url)) as here:
        until(lambda: len(here.said("worker serves")) == 2)
        for number, id_ in enumerate(ids):
            feed_back(here, id_)
            if number == 15:
                os.kill(here.worker(0), signal.SIGKILL)
        ours.wait(lambda calls: answered(calls).keys() >= set(ids))
        assert {id_: len(bodies) for id_, bodies in answered(ours.arrived).items()} == dict.fromkeys(ids, 1)
        assert len(ours.arrived) <= len(ids) + 1  # the one under way when the worker was killed
        until(lambda: here.metrics().get("reminder_relay_waiting") == 0)
