"""Restore: an archive of ``reminder backup`` into an empty place, verified before it counts as done.

Into an empty data folder, and where the archive is of a PostgreSQL into an empty database. Files are unpacked beside
the folder and moved when the journal has been verified; tables are emptied again where it has not.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reminder.journal.opening import open_journal
from reminder.journal.statements import SCHEMA as JOURNAL
from reminder.office.archive import ArchiveError, Manifest, unpack
from reminder.office.backup import CHECKPOINTS, TABLES, TRUSTED, Place, staging, table_names
from reminder.office.key_files import FOLDER
from reminder.stores.opening import open_store
from reminder.stores.version import HISTORY

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore

__all__ = ["Checked", "restore"]

Checked: TypeAlias = "Callable[[JournalStore, Path, Path], Sequence[str]]"
"""Verifies a journal against its file of checkpoints and the folder of public keys; returns what is wrong."""


def restore(archive: Path, place: Place, verify: Checked) -> Manifest:
    """Put an archive into an empty data folder, and its tables into an empty database, and verify the journal.

    Nothing of it stays where that fails.

    Raises:
        ArchiveError: The archive is damaged, does not fit the place, would overwrite something, or does not verify.
        StoreError: The database cannot be written.
    """
    if place.data.exists() and any(place.data.iterdir()):
        raise ArchiveError(f"`{place.data}` is not empty; name an empty data folder")
    if place.checkpoints is not None and place.checkpoints.exists():
        raise ArchiveError(f"`{place.checkpoints}` is there already; move it away, or set another path of checkpoints")
    place.data.absolute().parent.mkdir(parents=True, exist_ok=True)
    with staging(place.data.absolute().parent, f".{place.data.name}.") as folder:
        manifest = unpack(archive, folder)
        _fits(manifest, place)
        if place.database:
            _fill(manifest, folder, place.database)
        try:
            _verified(manifest, Place(data=folder, database=place.database), verify)
            _settle(folder, place)
        except BaseException:
            if place.database:
                _unfill(place.database)
            raise
    return manifest


def _fits(manifest: Manifest, place: Place) -> None:
    """The archive is of this kind of database and of this version's tables."""
    if manifest.store != place.kind:
        raise ArchiveError(f"the archive is of {manifest.store}, the settings name {place.kind}; change `store`")
    for name, schema in (("history", HISTORY), ("journal", JOURNAL)):
        version = manifest.schemas.get(name, "")
        if version > schema.head or (place.database and version != schema.head):
            message = (
                f"the archive has schema `{version}` of the {name}, this version `{schema.head}`; "
                f"restore it with version {manifest.engine}"
            )
            raise ArchiveError(message)


def _fill(manifest: Manifest, folder: Path, database: str) -> None:
    """Make the tables, see that they are empty, and fill them."""
    from reminder.office.tables import copy_in, filled  # noqa: PLC0415 - its driver is an extra

    open_store(folder, database).close()
    open_journal(folder, database).close()
    if full := filled(database, table_names()):
        raise ArchiveError(f"the database holds rows already (`{full[0]}`); name an empty one")
    tables = {Path(part.name).stem: part.columns for part in manifest.parts if part.name.startswith(f"{TABLES}/")}
    if unknown := sorted(tables.keys() - set(table_names())):
        raise ArchiveError(f"the archive holds a table `{unknown[0]}` this version does not know; take another copy")
    copy_in(database, tables, folder / TABLES)


def _unfill(database: str) -> None:
    from reminder.office.tables import empty  # noqa: PLC0415 - as above

    empty(database, table_names())


def _verified(manifest: Manifest, place: Place, verify: Checked) -> None:
    """The journal is whole, and as long as the manifest says."""
    with contextlib.closing(open_journal(place.data, place.database)) as journal:
        short = [
            f"chain {chain} ends with {journal.head(chain).seq} instead of {seq}"
            for chain, seq, _hash in manifest.heads
            if journal.head(chain).seq < seq
        ]
        wrong = [*short, *verify(journal, place.data / CHECKPOINTS, place.data / TRUSTED)]
    if wrong:
        message = f"the journal of the archive is not whole ({wrong[0]}); take another copy"
        raise ArchiveError("\n".join([message, *wrong[1:]]))


def _settle(folder: Path, place: Place) -> None:
    """Move what was unpacked to its place."""
    try:
        shutil.rmtree(folder / TABLES, ignore_errors=True)
        _trust(folder)
        if (folder / CHECKPOINTS).exists() and place.checkpoints is not None:
            place.checkpoints.parent.mkdir(parents=True, exist_ok=True)
            if place.checkpoints.parent.absolute() != place.data.absolute():
                shutil.move(folder / CHECKPOINTS, place.checkpoints)
            else:
                (folder / CHECKPOINTS).rename(folder / place.checkpoints.name)
        if place.data.exists():
            place.data.rmdir()
        folder.rename(place.data)
    except OSError as error:
        raise ArchiveError(f"`{place.data}` cannot be written ({error.strerror}); give the rights") from error


def _trust(folder: Path) -> None:
    """Put the public keys where whoever checks the journal looks for them; a new pair is made beside them."""
    keys = folder / FOLDER
    keys.mkdir(mode=0o700, exist_ok=True)
    for public in (folder / TRUSTED).glob("*.pub"):
        public.replace(keys / public.name)
    shutil.rmtree(folder / TRUSTED, ignore_errors=True)
