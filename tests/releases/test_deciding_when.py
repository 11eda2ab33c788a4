"""When a release becomes active: at a time that was given, from a watched folder only when somebody says so."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from reminder.releases import watching
from reminder.releases.due import FIRST_PAUSE, PATIENCE
from reminder.releases.folder import Folder
from reminder.releases.intake import Brought
from reminder.releases.readying import Readying
from reminder.releases.trust import RoadError
from reminder.releases.watching import MOST_WHOLE_BYTES, PATIENCE_S, Watch
from reminder.v1 import reminder_pb2 as pb
from tests.releases.roads import answer, listed, logged, rules_with, some_release, trusted, until
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reminder.releases.intake import Staging
    from reminder.releases.standing import Standing
    from tests.reminder.sidecar import Running


def test_what_is_scheduled_waits_for_its_time_and_can_be_taken_back(tmp_path: Path) -> None:
    """The status says when, who and why; the clock of these tests stands at 2026-01-01 09:00."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        lists.stage(some_release("2026.1"))
        done = lists.activate("2026.1", at="2026-02-01 00:00:00", who="王办", why="新版")
        assert (done.scheduled.at, done.scheduled.who, done.active.version) == ("2026-01-31 16:00:00", "王办", "")
        status = lists.status()
        assert (status.scheduled.release.version, "2026-01-31 16:00:00" in status.why_not_active) == ("2026.1", True)
        assert not lists.activate("2026.1", at="never").HasField("scheduled")
        assert not lists.status().HasField("scheduled")
        for at in ("2025-12-01 00:00:00", "tomorrow"):
            code, _ = lists.refusal("Activate", pb.ActivateRequest(version="2026.1", at=at))
            assert code == grpc.StatusCode.INVALID_ARGUMENT


def test_what_was_due_while_the_sidecar_stood_still_becomes_active_when_it_starts(tmp_path: Path) -> None:
    """And what is due twice does so once."""
    trust = (trusted(tmp_path),)
    with running(tmp_path, trust=trust) as here:
        listed(here).stage(some_release("2026.1"))
        listed(here).activate("2026.1", at="2026-02-01 00:00:00", who="王办")
    standing = tmp_path / "var" / "releases" / "standing.json"
    standing.write_text(standing.read_text("utf-8").replace("2026-01-31T16:00:00Z", "2025-12-31T16:00:00Z"), "utf-8")
    with running(tmp_path, trust=trust) as here:
        until(lambda: [step.who for step in listed(here).status().steps if step.step == "activate"] == ["王办"])
        status = listed(here).status()
        assert (status.HasField("scheduled"), status.active.version, answer(here)[0]) == (False, "2026.1", "2026.1")


def test_a_release_in_the_watched_folder_is_staged_and_a_bad_one_told_once(tmp_path: Path) -> None:
    """Nothing of the folder becomes active by itself."""
    watched = tmp_path / "watched"
    watched.mkdir()
    with running(tmp_path, trust=(trusted(tmp_path),), watch=watched) as here:
        (watched / "notes.txt").write_text("not a release", "utf-8")
        (watched / "1.release").write_bytes(some_release("2026.1", rules_with(title="新")))
        until(lambda: listed(here).status().latest_seen.version == "2026.1")
        (watched / "2.release").write_bytes(b"something else")
        until(lambda: "verify" in listed(here).status().why_not_active)
        (watched / "3.release").write_bytes(some_release("2026.3", rules_with(title="三")))
        until(lambda: listed(here).status().latest_seen.version == "2026.3")
        failed = [line for line in logged(here, "release") if line["result"] == "failed"]
        assert [line["reason"] for line in failed] == ["not-a-release"]
        assert answer(here)[0] == ""
    assert Watch(watched, tmp_path / "var" / "releases" / "watched.json").ready(0.0) == []


def test_a_file_is_taken_when_nobody_writes_to_it_any_more(tmp_path: Path) -> None:
    """Half a copy that stalls is waited for; a file that changes after it was taken is looked at again."""
    content, file = some_release("2026.1"), tmp_path / "a.release"
    seen = Watch(tmp_path, tmp_path / "watched.json")
    file.write_bytes(content[:500])
    assert seen.ready(0.0) == seen.ready(1.0) == []  # stable, but not whole
    file.write_bytes(content)
    os.utime(file, ns=(1, 1))
    assert seen.ready(2.0) == []  # seen the first time as it is
    assert seen.ready(3.0) == [file]
    assert seen.take(file, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content
    assert seen.ready(4.0) == []
    assert Watch(tmp_path, tmp_path / "watched.json").ready(5.0) == []
    file.write_bytes(content[:700])
    os.utime(file, ns=(2, 2))
    assert seen.ready(6.0) == seen.ready(5.0 + PATIENCE_S) == []
    assert seen.ready(6.0 + PATIENCE_S) == [file]  # it never came whole: taken for what it is


def test_no_file_keeps_the_others_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one whose name is no text, nor a huge one, which is never copied, nor one that cannot be read."""
    watched, copied, copy = tmp_path / "watched", list[str](), watching.copy_seen
    watched.mkdir()

    def copy_some(path: Path, into: Path, size: int) -> None:
        copied.append(os.fsencode(path.name).decode("utf-8", "replace"))
        if path.name == "0.release":
            raise PermissionError(13, "Permission denied")
        copy(path, into, size)

    monkeypatch.setattr(watching, "copy_seen", copy_some)
    for at, name in enumerate((b"0.release", b"bad\xff\xfe.release", b"huge.release", b"n" * 240 + b".release")):
        place = watched / os.fsdecode(name)
        with place.open("wb") as file:
            file.write(b"something else")
            file.truncate(MOST_WHOLE_BYTES + 1 if name.startswith(b"huge") else None)
        os.utime(place, ns=(at, at))
    (watched / "z.release").write_bytes(some_release("2026.9", rules_with(title="新")))
    with running(tmp_path, trust=(trusted(tmp_path),), watch=watched) as here:
        until(lambda: listed(here).status().latest_seen.version == "2026.9")
        assert [text for text in here.service.degraded if "0.release` cannot be taken in (Permission denied)" in text]
        failed = [line["reason"] for line in logged(here, "release") if line["result"] == "failed"]
        assert failed == ["not-a-release", "too-large", "not-a-release"]
        until(lambda: [line["file"] for line in logged(here, "not watched")] == ["0.release"])
    assert (len(copied), copied.count("huge.release"), copied.count("0.release")) == (4, 0, 1)
    assert not list(Folder(tmp_path / "var").incoming.iterdir())


def test_nobody_waits_behind_a_release_that_is_being_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making one active and taking one back go on meanwhile; the next one that is brought waits."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        listed(here).stage(some_release("2026.1"))
        begun = threading.Event()

        async def tried_for_ever(*_given: object) -> Staging:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError("never")

        monkeypatch.setattr("reminder.releases.office.take_in", tried_for_ever)
        office = here.service.office
        assert office is not None
        staging = asyncio.run_coroutine_threadsafe(
            office.to_the_end(office.stage(Brought(path=tmp_path / "none"))), here.loop
        )
        assert begun.wait(LONG_S)
        assert listed(here).activate("2026.1").active.version == "2026.1"
        assert listed(here).rollback().active.version == ""
        assert not staging.done()


def test_a_copy_never_takes_the_last_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions have to be written down meanwhile; the file is tried again later."""
    file, into = tmp_path / "a.release", tmp_path / "copy"
    file.write_bytes(some_release("2026.1"))
    seen = Watch(tmp_path, tmp_path / "watched.json")
    assert (seen.ready(0.0), seen.ready(1.0)) == ([], [file])
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage._replace(free=file.stat().st_size))
    with pytest.raises(OSError, match="No space left"):
        seen.take(file, into)
    seen.later(file, 1.0, "No space left")
    assert (into.exists(), seen.ready(2.0), seen.ready(1.0 + PATIENCE_S)) == (False, [], [file])


def test_a_schedule_that_failed_for_want_of_space_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is active, status and health say why it is not and when it is tried next."""
    full = [True]
    write = Folder.write_standing

    def write_if(folder: Folder, standing: Standing) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        write(folder, standing)

    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        listed(here).stage(some_release("2026.1"))
        listed(here).activate("2026.1", at="2026-02-01 00:00:00")
        now = a_clock(here, monkeypatch)
        monkeypatch.setattr(Folder, "write_standing", write_if)
        now[0] = due_at(here)
        until(lambda: any("tried again at 2026-01-31 16:00:05 UTC" in text for text in here.service.degraded))
        status = listed(here).status()
        assert ("No space left" in status.why_not_active, status.scheduled.release.version) == (True, "2026.1")
        assert [(step.step, step.result) for step in status.steps][:2] == [("schedule", "done"), ("activate", "failed")]
        now[0] += FIRST_PAUSE
        until(lambda: any("tried again at 2026-01-31 16:00:15 UTC" in text for text in here.service.degraded))
        full[0] = False
        now[0] += 2 * FIRST_PAUSE
        until(lambda: listed(here).status().active.version == "2026.1")
        until(lambda: not listed(here).status().HasField("scheduled"))
        assert (here.service.degraded, listed(here).status().why_not_active) == ((), "")
        until(lambda: failures(here) == ["unwritable"] * 2)


def test_what_is_not_mended_in_a_day_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said once, and the next one comes when it is due."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        for version in ("2026.1", "2026.2"):
            listed(here).stage(some_release(version, rules_with(title=f"第{version}版")))
        listed(here).activate("2026.1", at="2026-02-01 00:00:00")
        now = a_clock(here, monkeypatch)
        monkeypatch.setattr(Readying, "ready", damaged)
        now[0] = due_at(here)
        until(lambda: bool(here.service.degraded))
        now[0] += PATIENCE
        until(lambda: not listed(here).status().HasField("scheduled"))
        status = listed(here).status()
        assert ("tried 2 times and given up" in status.steps[0].detail, here.service.degraded) == (True, ())
        monkeypatch.undo()
        listed(here).activate("2026.2", at="2026-02-03 00:00:00")
        at = due_at(here)
        monkeypatch.setattr(here.service, "now", lambda: at)
        until(lambda: listed(here).status().active.version == "2026.2")


def test_what_cannot_mend_itself_is_told_once_and_ends_the_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older release without ``--allow-older``, and one that is staged no more."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        for version in ("2026.1", "2026.2"):
            listed(here).stage(some_release(version, rules_with(title=f"第{version}版")))
        listed(here).activate("2026.1", at="2026-02-01 00:00:00")
        listed(here).activate("2026.2")
        now = a_clock(here, monkeypatch)
        now[0] = due_at(here)
        until(lambda: not listed(here).status().HasField("scheduled"))
        listed(here).stage(some_release("2026.3", rules_with(title="第三版")))
        now[0] -= PATIENCE
        listed(here).activate("2026.3", at="2026-02-01 00:00:00")
        office = here.service.office
        assert office is not None
        office.staged("2026.3").path.unlink()
        now[0] = due_at(here)
        until(lambda: not listed(here).status().HasField("scheduled"))
        until(lambda: failures(here) == ["older", "unknown-version"])
        assert here.service.degraded == ()


def failures(here: Running) -> list[str]:
    """Why steps failed, as the log says."""
    return [line["reason"] for line in logged(here, "release") if line["result"] == "failed"]


async def damaged(*_: object) -> None:
    """Nothing can be made ready."""
    raise RoadError("refused", "damaged", "the file is damaged")


def a_clock(here: Running, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The clock of the service, to be set."""
    now = [here.service.now()]
    monkeypatch.setattr(here.service, "now", lambda: now[0])
    return now


def due_at(here: Running) -> datetime:
    """When what is scheduled is due."""
    office = here.service.office
    scheduled = office.standing().scheduled if office is not None else None
    assert scheduled is not None
    return scheduled.at
