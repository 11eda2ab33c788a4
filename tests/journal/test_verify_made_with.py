"""Lists, policies and code tables are what they are named by, or ``verify`` names them; on both databases."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reminder.journal.artifacts import intact
from reminder.journal.base import Artifact
from reminder.journal.entries import Started
from tests.journal.records import T0, written
from tests.journal.tampering import Place, Raw, drafted, report_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reminder.journal.base import ArtifactKind, Draft
    from reminder.journal.store import SqlJournal

CONTENTS: dict[ArtifactKind, bytes] = {
    "list": b'{"id":"r1"}\n',
    "policy": b'{"classes":{}}',
    "codes": b'{"default":[]}',
}
DIGESTS: dict[str, str] = {kind: hashlib.sha256(content).hexdigest() for kind, content in CONTENTS.items()}
EDITS = {
    "removed": "DELETE FROM artifact WHERE kind = ?",
    "edited": "UPDATE artifact SET content = content || content WHERE kind = ?",
    "of another kind": "UPDATE artifact SET kind = 'other' WHERE kind = ?",
    "of another time": "UPDATE artifact SET first_at = 'yesterday' WHERE kind = ?",
}


def started(**names: str) -> Draft:
    """An entry that names what decisions are made with."""
    digests: dict[str, Any] = {**DIGESTS, **names}
    return drafted(Started(engine="test", at=T0, institution_id="H1", **digests))


@pytest.fixture
def place(journal: SqlJournal, tmp_path: Path) -> Place:
    """Of a journal whose list, policy and code table are named by an entry that a checkpoint covers."""
    for kind, content in CONTENTS.items():
        journal.keep(Artifact(digest=DIGESTS[kind], kind=kind, content=content, first_at=T0))
    written(journal, [started(), started()])
    made = Place(tmp_path)
    made.checkpointer().make(journal)
    return made


def told(journal: SqlJournal, place: Place) -> Sequence[str]:
    """What is wrong, in words."""
    return [str(problem) for problem in report_on(journal, place).problems]


def test_what_is_there_as_it_was_kept_is_sound(journal: SqlJournal, place: Place) -> None:
    """Each is hashed, and found to be what it is named by."""
    report = report_on(journal, place)
    assert (report.sound, report.notes) == (True, ())


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("edit", EDITS)
def test_one_that_is_missing_or_differs_is_named(
    journal: SqlJournal, place: Place, raw: Raw, kind: ArtifactKind, edit: str
) -> None:
    """With the entry that names it first; nothing rests on it any more."""
    raw(EDITS[edit], kind)
    word = "code table" if kind == "codes" else kind
    what = "is missing" if edit == "removed" else "is not what was kept"
    assert told(journal, place) == [f"the {word} `{DIGESTS[kind]}`, named by chain `a` entry 1 first, {what}"]
    assert (intact(journal, DIGESTS[kind]) is None) == (edit != "of another kind")


def test_one_that_only_entries_after_the_last_checkpoint_name_is_a_note(journal: SqlJournal, place: Place) -> None:
    """It is kept beside the entries, and may be on its way."""
    written(journal, [started(list="b" * 64)])
    report = report_on(journal, place)
    assert report.sound
    assert report.notes == (
        f"the list `{'b' * 64}`, named by chain `a` entry 3 first, is missing; look again after the next checkpoint",
    )
    place.checkpointer().make(journal)
    assert not report_on(journal, place).sound


def test_a_content_of_another_type_is_not_what_was_kept(
    journal: SqlJournal, place: Place, raw: Raw, tmp_path: Path
) -> None:
    """SQLite would keep it."""
    if (tmp_path / "journal.sqlite").exists():
        raw("UPDATE artifact SET content = CAST(X'c328' AS TEXT) WHERE kind = 'list'")
        (problem,) = told(journal, place)
        assert problem.endswith("is not what was kept")
    assert intact(journal, DIGESTS["policy"]) is not None
