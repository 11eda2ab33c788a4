"""Old releases are taken away; nothing that stands, and nothing decisions are derived again from."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from negative_list.compile import digest_of
from reminder.journal.rederive import rederive
from reminder.releases import pruning
from reminder.releases.ledger import Step
from reminder.releases.pruning import never_decided, prune
from tests.releases.lists import NOW
from tests.releases.roads import answer, listed, rules_with, some_release, trusted, until
from tests.reminder.sidecar import NOW as NOW_HERE
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.reminder.sidecar import Running

RULES = {version: rules_with(title=f"第{version}版") for version in ("1", "2", "3", "4", "5")}
DIGESTS = {version: digest_of(rules) for version, rules in RULES.items()}


def stage(here: Running, *versions: str) -> None:
    """Stage releases, each later than the one before."""
    office = here.service.office
    assert office is not None
    for version in versions:
        assert listed(here).stage(some_release(version, RULES[version])).staged
        os.utime(office.staged(version).path, (int(version), int(version)))


def pruned(here: Running, newest: int) -> list[str]:
    """Have old releases taken away; the versions that lie here still."""
    office = here.service.office
    assert office is not None
    here.await_(prune(office, here.service, newest))
    return sorted(one.release.version for one in listed(here).status().staged)


def files_of(data: Path, version: str) -> list[str]:
    """Where files of a version's list lie."""
    found = (data / "releases").glob(f"*/{DIGESTS[version]}.*")
    return sorted(f"{path.parent.name}{path.suffix}" for path in found)


def test_what_stands_and_the_newest_are_kept_and_the_rest_is_told_as_a_step(tmp_path: Path) -> None:
    """The active one, the way back, what is scheduled, and the newest that came."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        stage(here, "1", "2", "3", "4", "5")
        listed(here).activate("1")
        listed(here).activate("2")
        listed(here).activate("3", at="2026-02-01 00:00:00")
        assert pruned(here, 2) == ["1", "2", "3", "4", "5"]
        listed(here).activate("3", at="never")
        assert pruned(here, 2) == ["1", "2", "4", "5"]
        told = listed(here).status().steps[0]
        assert (told.step, told.release.version, "3 files" in told.detail) == ("prune", "3", True)
        assert (files_of(tmp_path / "var", "3"), answer(here)[0]) == ([], "2")
        assert pruned(here, 2) == ["1", "2", "4", "5"]
        assert listed(here).rollback().active.version == "1"
        assert listed(here).rollback().active.version == ""
        until(lambda: pruned(here, 1) == ["5"])  # once the journal has what decided
        assert listed(here).stage(some_release("3", rules_with(title="另一份"))).steps[-1].result == "failed"
        assert listed(here).stage(some_release("3", RULES["3"])).staged
        assert listed(here).activate("3").active.version == "3"


def test_a_list_that_decided_goes_only_once_the_journal_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its decisions are derived again from there."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        stage(here, "1", "2")
        listed(here).activate("1")
        assert answer(here)[0] == "1"
        listed(here).rollback()
        with monkeypatch.context() as gone:
            gone.setattr(pruning, "intact", lambda _store, _digest: None)
            assert pruned(here, 1) == ["1", "2"]
        until(lambda: pruned(here, 1) == ["2"])
        journal = here.service.journal
        assert journal is not None
        day = timedelta(days=1)
        told = here.await_(journal.ask(lambda store: rederive(store, NOW_HERE - day, NOW_HERE + day), LONG_S))
        assert (told.sound, told.counts["derived"] > 0, told.counts["missing"]) == (True, True, 0)


def test_only_what_the_steps_know_never_to_have_decided_goes_without_the_journal() -> None:
    """A list of which no step is left may have."""
    compiled = Step(at=NOW, digest="d", step="compile", result="done")
    assert not never_decided("d", [])
    assert never_decided("d", [compiled])
    assert not never_decided("d", [compiled, replace(compiled, step="activate", result="failed")])
    assert not never_decided("d", [replace(compiled, step="forecast")])
