"""What a sidecar starts with, offline, whatever of its data folder is damaged."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from reminder.office.backup import Place, back_up
from reminder.office.restore import restore
from reminder.releases.folder import Folder
from reminder.run import StartError
from tests.releases.roads import answer, listed, rules_with, some_release, trusted, until
from tests.reminder.sidecar import NOW, get, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reminder.sidecar import Running


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which 2026.2 is active and 2026.1 was before; one check by each is in the journal."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "first.release").write_bytes(some_release("2026.1"))
    begin: dict[str, Any] = {"list": None, "release": folder / "first.release", "trust": (trusted(folder),)}
    with running(folder, **begin) as here:
        assert answer(here)[0] == "2026.1"
        listed(here).stage(some_release("2026.2", rules_with(title="新")))
        listed(here).activate("2026.2")
        assert answer(here)[0] == "2026.2"
        digest = listed(here).status().active.digest
        here.await_(kept(here, digest))
    return folder / "var"


async def kept(here: Running, digest: str) -> None:
    """Wait until the journal holds a list."""
    journal = here.service.journal
    assert journal is not None
    while await journal.ask(lambda store: store.artifact(digest), 60.0) is None:
        pass


@pytest.fixture
def data(two: Path, tmp_path: Path) -> Path:
    """A copy of it for a test to break."""
    return shutil.copytree(two, tmp_path / "var")


def files(data: Path, version: str) -> tuple[Path, Path]:
    """The compiled form and the staged file of a version."""
    standing = Folder(data).read_standing()
    assert standing.active is not None
    chosen = next(one for one in (standing.active, *standing.before) if one.version == version)
    return Folder(data).compiled_file(chosen.digest), Folder(data).staged_file(chosen.digest)


def damage(path: Path) -> None:
    """Turn some bytes over in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def lose_journal(data: Path) -> None:
    """Take the journal away, with what is signed of it."""
    for path in (*data.glob("journal.sqlite*"), *data.glob("checkpoints*")):
        path.unlink()


def test_a_damaged_or_missing_compiled_form_is_made_again_from_the_staged_file(data: Path) -> None:
    """It is a cache; the release starts without its list, its key or a network."""
    compiled, _ = files(data, "2026.2")
    damage(compiled)
    with running(data.parent, data=data, list=None) as here:
        assert answer(here)[0] == "2026.2"
        assert here.service.degraded == ()
    compiled.unlink()
    with running(data.parent, data=data, list=None) as here:
        assert answer(here)[0] == "2026.2"


def test_where_the_staged_file_is_damaged_too_the_journal_has_the_list(data: Path) -> None:
    """What decisions were made with is kept there."""
    for path in files(data, "2026.2"):
        damage(path)
    with running(data.parent, data=data, list=None) as here:
        assert answer(here)[0] == "2026.2"


def test_where_nothing_of_the_newest_is_whole_the_one_before_starts_and_it_is_said(data: Path) -> None:
    """In the answers, in health, in the status; until somebody acts."""
    for path in files(data, "2026.2"):
        damage(path)
    lose_journal(data)
    with running(data.parent, data=data, list=None, trust=(trusted(data.parent),)) as here:
        assert answer(here)[0] == "2026.1"
        assert "is damaged" in get(here.at("http"), "/readyz")[1]["degraded"][0]
        status = listed(here).status()
        assert (status.active.version, status.steps[0].step, status.steps[0].who) == ("2026.1", "rollback", "start")
        # Brought again it is mended, and can be made active again.
        assert listed(here).stage(some_release("2026.2", rules_with(title="新"))).steps[-1].step == "compile"
        listed(here).activate("2026.2")
        assert answer(here)[0] == "2026.2"
        assert here.service.degraded == ()


def test_a_damaged_standing_is_made_again_from_its_copy(data: Path) -> None:
    """With the office's rows; whoever runs the service is told."""
    standing = Folder(data).standing
    for content in (standing.read_bytes()[:100], None):
        standing.unlink()
        if content is not None:
            standing.write_bytes(content)
        with running(data.parent, data=data, list=None) as here:
            assert answer(here)[0] == "2026.2"
            assert any("made again from its copy" in text for text in here.service.active.warnings)


def test_where_nothing_at_all_is_whole_the_sidecar_does_not_start_and_says_what_is_damaged(data: Path) -> None:
    """Rather than with no rules, or with another list nobody chose."""
    for version in ("2026.1", "2026.2"):
        for path in files(data, version):
            damage(path)
    for path in data.glob("journal.sqlite*"):
        path.unlink()
    with (
        pytest.raises(StartError, match=r"2026\.2 is damaged[^$]*2026\.1 is damaged"),
        running(data.parent, data=data, list=None),
    ):
        pass


def test_a_backup_holds_what_stands_and_starts_elsewhere(data: Path, tmp_path: Path) -> None:
    """The release that was active, what was before it, and its steps."""
    back_up(Place(data=data), tmp_path / "b.tar", with_keys=True, engine="1", now=NOW)
    restore(tmp_path / "b.tar", Place(data=tmp_path / "new"), lambda *_: ())
    with running(tmp_path, data=tmp_path / "new", list=None) as here:
        assert answer(here)[0] == "2026.2"
        status = listed(here).status()
        assert (status.before.version, status.steps[0].step) == ("2026.1", "activate")


def test_the_active_release_wins_over_the_list_and_the_release_that_are_given(data: Path) -> None:
    """The release is staged; a start makes nothing active."""
    (data.parent / "third.release").write_bytes(some_release("2026.3", rules_with(title="三")))
    given: dict[str, Any] = {"release": data.parent / "third.release", "trust": (trusted(data.parent),)}
    with running(data.parent, data=data, **given) as here:
        assert answer(here)[0] == "2026.2"
        until(lambda: listed(here).status().latest_seen.version == "2026.3")
        assert [one.release.version for one in listed(here).status().staged] == ["2026.3", "2026.2", "2026.1"]
        assert answer(here)[0] == "2026.2"
        assert any(line["event"] == "list not used" for line in here.logged())


def test_a_folder_does_not_begin_with_a_release_that_fails_a_step(tmp_path: Path) -> None:
    """The reason is what the command ends with."""
    (tmp_path / "bad.release").write_bytes(some_release("2026.1")[:-9])
    begin: dict[str, Any] = {"list": None, "release": tmp_path / "bad.release", "trust": (trusted(tmp_path),)}
    with pytest.raises(StartError, match="refused: 文件不完整"), running(tmp_path, **begin):
        pass


def test_without_a_list_or_a_release_nothing_starts(tmp_path: Path) -> None:
    """The way out is named."""
    with pytest.raises(StartError, match="--list LIST"), running(tmp_path, list=None):
        pass
