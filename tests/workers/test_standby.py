"""What a worker that is started now begins with follows what stands, without a thread or an event loop."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from negative_list.compile import digest_of
from negative_list.policy import Setting
from reminder import standby
from reminder.releases.standing import Row
from reminder.standby import Standby
from tests.releases.lists import FIRST, NOW, SECOND, Following, chosen

if TYPE_CHECKING:
    from pathlib import Path

DOWN = Row(setting=Setting(action="warn", why="太多", at_most=True), at=NOW)


def looked(one: Standby) -> tuple[str | None, str]:
    """What it comes to: the release and the digest of the list."""
    one.look()
    while one.busy:
        one.look()
    return one.active.release, one.active.compiled.digest


@pytest.fixture
def office(tmp_path: Path) -> Following:
    """Writes what stands."""
    return Following(tmp_path)


def test_a_new_list_is_what_the_next_worker_begins_with(
    office: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A little at a time; and a policy that was set meanwhile."""
    monkeypatch.setattr(standby, "STEP_S", 0.0)
    one = Standby(office.service.active, tmp_path)
    assert looked(one) == ("1", digest_of(FIRST))
    office.stand(coming=chosen("2", SECOND))
    assert looked(one) == ("1", digest_of(FIRST))
    office.stand(active=chosen("2", SECOND), coming=None)
    one.look()
    assert one.busy
    assert looked(one) == ("2", digest_of(SECOND))
    office.stand(rows=(DOWN,))
    before = one.active.policy
    assert looked(one) == ("2", digest_of(SECOND))
    assert one.active.policy != before


def test_a_list_that_cannot_be_had_changes_nothing(office: Following, tmp_path: Path) -> None:
    """The worker that is started then looks for itself."""
    one = Standby(office.service.active, tmp_path)
    looked(one)
    office.folder.compiled_file(digest_of(SECOND)).write_bytes(b"damaged")
    office.stand(active=chosen("2", SECOND))
    assert looked(one) == ("1", digest_of(FIRST))
    office.folder.standing.write_bytes(b"{")
    assert looked(one) == ("1", digest_of(FIRST))


def test_the_supervisor_knows_no_grpc_and_has_one_thread() -> None:
    """None of both survives a fork."""
    asked = "import sys, threading, reminder.supervisor; print('grpc' in sys.modules, threading.active_count())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "1"]
