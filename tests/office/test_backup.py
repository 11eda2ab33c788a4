"""A backup holds what there was when it began, and is put back whole or not at all."""

from __future__ import annotations

import io
import stat
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from negative_list.prescription import Encounter, Line
from negative_list.readers.stored import StoreFact
from reminder.journal.base import Head
from reminder.journal.chain import follows
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.office.archive import ArchiveError, unpack
from reminder.office.backup import CHECKPOINTS, Place, back_up
from reminder.office.key_files import mark_of, rotate
from reminder.office.restore import restore
from reminder.stores.base import HistoryRecord, Wanted
from reminder.stores.keys import Keys
from reminder.stores.opening import open_store
from reminder.stores.spool import Spool
from tests.journal.records import drafts, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reminder.journal.base import JournalStore
    from reminder.office.archive import Manifest

NOW = datetime(2026, 1, 5, 2, tzinfo=UTC)
CIVIL = datetime(2026, 1, 5, 10)
FACT = StoreFact(subject="D1", fact="line.doctor_points", value=3, valid_from=CIVIL)
RECORD = HistoryRecord(
    institution_id="H1",
    record_id="R1",
    patient_key="p1",
    encounter=Encounter(id="v1"),
    lines=(Line(id="L1", encounter_id="v1", begins=CIVIL, codes=("C1",)),),
)


def whole(journal: JournalStore, _checkpoints: Path, _public: Path) -> Sequence[str]:
    """What is wrong with a journal: entries that do not follow each other."""
    wrong = []
    for head in journal.heads():
        last = Head(chain=head.chain)
        for row in journal.chain(head.chain):
            wrong += [f"{row.chain} {row.seq}"] if follows(row, last) else []
            last = Head(chain=row.chain, seq=row.seq, hash=row.hash)
    return wrong


def kept(tmp_path: Path, database: str = "", entries: int = 20) -> Place:
    """A data folder in which something of everything is kept."""
    data = tmp_path / "var"
    place = Place(data=data, database=database, checkpoints=tmp_path / "second" / "checkpoints.jsonl")
    Keys.open(data / "keys")
    Spool(data / "spool.sqlite").close()
    store = open_store(data, database)
    store.put_facts([FACT], at=NOW)
    store.put_history([RECORD], at=NOW)
    store.close()
    journal = open_journal(data, database)
    written(journal, drafts(entries))
    journal.close()
    (data / "points.toml").write_text("[rules]\ntalk_at = 5\n", "utf-8")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "checkpoints.jsonl").write_text('{"first": 1}\n{"half of a li', "utf-8")
    return place


def backed_up(place: Place, target: Path, *, with_keys: bool = False) -> Manifest:
    """A backup, made now."""
    return back_up(place, target, with_keys=with_keys, engine="1.0", now=NOW)


def elsewhere(tmp_path: Path, database: str = "") -> Place:
    """An empty place."""
    return Place(data=tmp_path / "new" / "var", database=database, checkpoints=tmp_path / "new" / "second.jsonl")


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
def test_what_was_kept_is_there_again(tmp_path: Path, databases: Callable[[], str], name: str) -> None:
    """Entries, facts, history, checkpoints as far as their lines are whole, and the office's own rules."""
    place, other = kept(tmp_path, databases()), elsewhere(tmp_path, databases())
    backed_up(place, tmp_path / name)
    restore(tmp_path / name, other, whole)
    before, after = open_journal(place.data, place.database), open_journal(other.data, other.database)
    assert list(after.chain("a")) == list(before.chain("a"))
    store = open_store(other.data, other.database)
    told = store.read(
        Wanted(patient_key="p1", encounter_key="", institution_id="H1", at=CIVIL.replace(hour=12), subjects=("D1",))
    )
    for opened in (before, after, store):
        opened.close()
    assert [fact.value for fact in told.facts] == [3]
    assert told.history is not None
    assert [line.id for line in told.history.lines] == ["L1"]
    assert other.checkpoints is not None
    assert other.checkpoints.read_text("utf-8") == '{"first": 1}\n'
    assert (other.data / "points.toml").exists()
    assert not (other.data / CHECKPOINTS).exists()


def test_what_was_there_when_it_began_is_in_it_while_somebody_writes(
    tmp_path: Path, databases: Callable[[], str]
) -> None:
    """A writer goes on throughout; every chain in the archive is whole and reaches as far as before, or further."""
    place, other = kept(tmp_path, databases()), elsewhere(tmp_path, databases())
    stop, begun = threading.Event(), threading.Event()

    def write() -> None:
        journal = open_journal(place.data, place.database)
        try:
            while not stop.is_set():
                written(journal, drafts(5), chain="busy")
                begun.set()
        finally:
            journal.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(60)
        journal = open_journal(place.data, place.database)
        before = {head.chain: head.seq for head in journal.heads()}
        journal.close()
        backed_up(place, tmp_path / "backup.tar")
    finally:
        stop.set()
        writer.join(60)
    restore(tmp_path / "backup.tar", other, whole)
    after = open_journal(other.data, other.database)
    reached = {head.chain: head.seq for head in after.heads()}
    after.close()
    assert before.keys() == {"a", "busy"}
    assert all(reached[chain] >= seq for chain, seq in before.items())


def test_keys_are_in_it_only_where_wanted(tmp_path: Path) -> None:
    """Without them the archive says by their marks which it was made under; with them they are put back."""
    place = kept(tmp_path)
    rotate(place.data)
    marks = tuple(mark_of((place.data / "keys" / f"000{n}.key").read_bytes()) for n in (2, 1))
    bare, full = backed_up(place, tmp_path / "a.tar"), backed_up(place, tmp_path / "b.tar", with_keys=True)
    assert (bare.secrets, bare.with_keys, full.with_keys) == (marks, False, True)
    assert [part.name for part in bare.parts if part.name.startswith("keys")] == []
    other = elsewhere(tmp_path)
    restore(tmp_path / "b.tar", other, whole)
    for name in ("0001.key", "0002.key"):
        assert (other.data / "keys" / name).read_bytes() == (place.data / "keys" / name).read_bytes()


def test_an_archive_is_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else may read it, and nothing is left beside it."""
    backed_up(kept(tmp_path), tmp_path / "out" / "backup.tar")
    assert stat.S_IMODE((tmp_path / "out" / "backup.tar").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["backup.tar"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Neither an archive, nor a data folder with something in it, nor a file of checkpoints."""
    place = kept(tmp_path)
    backed_up(place, tmp_path / "backup.tar")
    with pytest.raises(ArchiveError, match="there already"):
        backed_up(place, tmp_path / "backup.tar")
    with pytest.raises(ArchiveError, match="not empty"):
        restore(tmp_path / "backup.tar", place, whole)
    with pytest.raises(ArchiveError, match="there already"):
        restore(tmp_path / "backup.tar", Place(data=tmp_path / "new", checkpoints=place.checkpoints), whole)


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
def test_a_database_with_rows_is_left_alone(tmp_path: Path, databases: Callable[[], str]) -> None:
    """It says so, and its rows are as before."""
    database = databases()
    place = kept(tmp_path, database)
    backed_up(place, tmp_path / "backup.tar")
    with pytest.raises(ArchiveError, match="holds rows already"):
        restore(tmp_path / "backup.tar", elsewhere(tmp_path, database), whole)
    journal = open_journal(place.data, database)
    assert journal.head("a").seq == 20
    journal.close()


def test_what_does_not_verify_is_not_put_back(tmp_path: Path, databases: Callable[[], str]) -> None:
    """No data folder is there afterwards, and a database is as empty as before."""
    place, other = kept(tmp_path, databases()), elsewhere(tmp_path, databases())
    backed_up(place, tmp_path / "backup.tar")
    with pytest.raises(ArchiveError, match="edited at 3"):
        restore(tmp_path / "backup.tar", other, lambda *_: ["edited at 3"])
    assert not other.data.exists()
    if other.database:
        journal = open_journal(other.data, other.database)
        assert journal.heads() == []
        journal.close()


def test_an_archive_of_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    """Files go into a data folder, tables into a PostgreSQL."""
    backed_up(kept(tmp_path), tmp_path / "backup.tar")
    with pytest.raises(ArchiveError, match="is of sqlite"):
        restore(tmp_path / "backup.tar", elsewhere(tmp_path, "postgresql://nobody@127.0.0.1:1/none"), whole)


def test_a_folder_without_journal_has_nothing_to_copy(tmp_path: Path) -> None:
    """A wrong folder is told of, and nothing is made in it."""
    (tmp_path / "wrong").mkdir()
    with pytest.raises(ArchiveError, match="holds no journal"):
        backed_up(Place(data=tmp_path / "wrong"), tmp_path / "backup.tar")
    assert list((tmp_path / "wrong").iterdir()) == []


def changed(source: Path, target: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """The archive with its members changed, or left out."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            if (made := change(member.name, content.read())) is not None:
                info = tarfile.TarInfo(made[0])
                info.size = len(made[1])
                new.addfile(info, io.BytesIO(made[1]))
    return target


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda name, data: (name, data[:-1] + b"!" if name == JOURNAL_FILE else data),
            "not what the manifest",
        ),
        (lambda name, data: None if name == JOURNAL_FILE else (name, data), "lacks"),
        (lambda name, data: ("../escaped" if name == JOURNAL_FILE else name, data), "does not"),
        (lambda name, data: (name, data.replace(b'"journal.sqlite"', b'"../escaped"')), "no name of ours"),
        (lambda name, data: (name, data.replace(b'"format": 1', b'"format": 9')), "later version"),
        (lambda name, data: None if name == "manifest.json" else (name, data), "no archive of"),
    ],
)
def test_a_damaged_archive_is_refused(
    tmp_path: Path, change: Callable[[str, bytes], tuple[str, bytes] | None], why: str
) -> None:
    """Whatever is not as the manifest says ends it, and nothing is written outside the folder."""
    backed_up(kept(tmp_path), tmp_path / "backup.tar")
    wrong = changed(tmp_path / "backup.tar", tmp_path / "wrong.tar", change)
    (tmp_path / "into").mkdir()
    with pytest.raises(ArchiveError, match=why):
        unpack(wrong, tmp_path / "into")
    assert not (tmp_path / "escaped").exists()


def test_half_an_archive_is_refused(tmp_path: Path) -> None:
    """A copy that broke off is no archive."""
    backed_up(kept(tmp_path), tmp_path / "backup.tar.gz")
    half = tmp_path / "half.tar.gz"
    half.write_bytes((tmp_path / "backup.tar.gz").read_bytes()[:2000])
    (tmp_path / "into").mkdir()
    with pytest.raises(ArchiveError, match="take another copy"):
        unpack(half, tmp_path / "into")
