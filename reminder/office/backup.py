"""Backup of what a sidecar keeps: journal, history, facts, releases, spool, checkpoints, and its keys if wanted.

A backup is made while sidecars run. Each database is copied as of one moment, and the order of the copies keeps what
refers from missing what it refers to: first what stands of releases (the files it names are copied after it), the
checkpoints (every head they name is in the journal copied later), the spool before the history (what moves from one to
the other is in one of them, or in both, which does no harm), then the journal, the keys last (no entry stands under a
secret that is not there). Whatever was answered with a receipt before the backup began is in it. The files of a
PostgreSQL are of one moment altogether.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.journal.statements import SCHEMA as JOURNAL
from reminder.office.archive import ArchiveError, Manifest, Part, pack, part_of
from reminder.office.key_files import FOLDER, secrets_in
from reminder.releases.folder import Folder
from reminder.stores.base import StoreError
from reminder.stores.opening import STORE_FILE
from reminder.stores.version import HISTORY, Schema, is_current

if TYPE_CHECKING:
    from reminder.office.archive import StoreKind

__all__ = ["CHECKPOINTS", "SPOOL_FILE", "TABLES", "TRUSTED", "Place", "back_up", "staging", "table_names"]

SPOOL_FILE = "spool.sqlite"
"""The file of writes that wait, in the data folder."""

CHECKPOINTS = "checkpoints"
"""The name of the file of checkpoints in an archive."""

TABLES = "tables"
"""The folder of the tables of a PostgreSQL in an archive."""

TRUSTED = "trusted"
"""The folder of public keys in an archive: they check its checkpoints, also where it has no other keys."""

_BUSY_S = 10
_BLOCK = 64 * 1024
_OWN_FILES = ("points.toml",)


class Place(Struct, frozen=True, kw_only=True):
    """Where a sidecar keeps what it keeps: data folder, database ("": files in it), and file of checkpoints."""

    data: Path
    database: str = ""
    checkpoints: Path | None = None

    @property
    def kind(self) -> StoreKind:
        """Which database."""
        return "postgresql" if self.database else "sqlite"


def back_up(place: Place, target: Path, *, with_keys: bool, engine: str, now: datetime) -> Manifest:
    """Copy everything into an archive at ``target`` and say what is in it.

    Raises:
        ArchiveError: It cannot be written, or there is nothing to copy.
        StoreError: A database cannot be read.
        KeysError: A secret cannot be read.
    """
    if target.exists():
        raise ArchiveError(f"`{target}` is there already; name another file")
    if not place.database and not (place.data / JOURNAL_FILE).exists():
        raise ArchiveError(f"`{place.data}` holds no journal; name the data folder of the sidecar by --data")
    with staging(target.parent, f".{target.name}.") as folder:
        heads = _heads(place)
        parts = [*_copied(place, folder), *_keys(place.data, folder, with_keys=with_keys)]
        manifest = Manifest(
            made_at=now,
            engine=engine,
            store=place.kind,
            schemas={"history": HISTORY.head, "journal": JOURNAL.head},
            heads=heads,
            secrets=tuple(file.mark for file in secrets_in(place.data)),
            with_keys=with_keys,
            parts=tuple(parts),
        )
        pack(folder, manifest, target)
    return manifest


@contextlib.contextmanager
def staging(folder: Path, prefix: str) -> Iterator[Path]:
    """A folder for this user only, gone afterwards."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    except OSError as error:
        raise ArchiveError(f"`{folder}` cannot be written ({error.strerror}); see to its rights and space") from error
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _copied(place: Place, folder: Path) -> Iterator[Part]:
    """The parts, in the order the module says."""
    yield from _releases(place.data, folder)
    if place.checkpoints is not None and place.checkpoints.exists():
        yield _file(place.checkpoints, folder, CHECKPOINTS)
    for name in _OWN_FILES:
        if (place.data / name).exists():
            yield _file(place.data / name, folder, name)
    if (place.data / SPOOL_FILE).exists():
        yield _database(place.data, folder, SPOOL_FILE)
    if place.database:
        yield from _tables(place.database, folder)
        return
    for name, schema in ((STORE_FILE, HISTORY), (JOURNAL_FILE, JOURNAL)):
        if (place.data / name).exists():
            yield _database(place.data, folder, name, schema)


def _releases(data: Path, folder: Path) -> Iterator[Part]:
    """What stands, then what it names. Compiled forms are made again where they are missing."""
    releases = Folder(data)
    small = (releases.standing, releases.confirmed, releases.steps)
    for path in (*small, *sorted(releases.staged.glob("*.*")), *sorted(releases.forecasts.glob("*.json"))):
        if path.is_file() and not path.name.endswith(".part"):
            name = path.relative_to(data).as_posix()
            (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            yield _file(path, folder, name)


def _file(source: Path, folder: Path, name: str) -> Part:
    """A plain file, as it is now; of checkpoints, which are appended to, up to the last whole line."""
    shutil.copyfile(source, folder / name)
    if name == CHECKPOINTS:
        _cut(folder / name)
    return part_of(folder, name)


def _cut(path: Path) -> None:
    """Leave out what follows the last end of line."""
    with path.open("r+b") as file:
        end = size = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                size = begin + found + 1
                break
            end = begin
        file.truncate(size if end else 0)


def _database(data: Path, folder: Path, name: str, schema: Schema | None = None) -> Part:
    """A SQLite file as of one moment; who writes it meanwhile does not wait."""
    with (
        _told(data / name),
        contextlib.closing(sqlite3.connect(data / name, timeout=10, isolation_level=None)) as source,
    ):
        if schema is not None:
            ((version,),) = source.execute(schema.read_version).fetchall()
            _of_this_version(str(version), schema)
        with contextlib.closing(sqlite3.connect(folder / name)) as copy:
            source.execute("BEGIN")  # a copy in steps would begin again with each write
            source.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
            source.backup(copy)
    return part_of(folder, name)


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)


def _of_this_version(version: str, schema: Schema) -> None:
    if not is_current(version, schema):
        raise StoreError("refused", f"the tables have schema `{version}`; start this version once, which renews them")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError("gone", f"`{path}` cannot be copied ({error}); see to the file and the space") from error


def _tables(database: str, folder: Path) -> Iterator[Part]:
    """The tables of a PostgreSQL, all as of one moment."""
    from reminder.office.tables import copy_out  # noqa: PLC0415 - its driver is an extra

    (folder / TABLES).mkdir()
    for table, columns in copy_out(database, table_names(), folder / TABLES).items():
        yield part_of(folder, f"{TABLES}/{table}.copy", columns)


def table_names() -> tuple[str, ...]:
    """Every table of ours, by name."""
    from reminder.journal.schema import METADATA as JOURNAL_TABLES  # noqa: PLC0415 - loads SQLAlchemy
    from reminder.stores.schema import METADATA as STORE_TABLES  # noqa: PLC0415 - loads SQLAlchemy

    return (*sorted(STORE_TABLES.tables), *sorted(JOURNAL_TABLES.tables))


def _heads(place: Place) -> tuple[tuple[str, int, str], ...]:
    """How far the chains have come before anything is copied: the copy reaches as far, or further."""
    with contextlib.closing(open_journal(place.data, place.database)) as journal:
        return tuple((head.chain, head.seq, head.hash.hex()) for head in journal.heads())


def _keys(data: Path, folder: Path, *, with_keys: bool) -> Iterator[Part]:
    """Every file of the folder of keys where they are wanted; what checks the signed checkpoints always."""
    names = {TRUSTED: "*.pub", **({FOLDER: "[!.]*"} if with_keys else {})}
    for name, pattern in names.items():
        (folder / name).mkdir(mode=0o700)
        for path in sorted(path for path in (data / FOLDER).glob(pattern) if path.is_file()):
            shutil.copyfile(path, folder / name / path.name)
            yield part_of(folder, f"{name}/{path.name}")
