"""The office's way into the journal: open what is there, read entries, and write its own in a chain of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reminder.ids import decision_of
from reminder.journal.base import Draft
from reminder.journal.coding import decode, encode
from reminder.journal.entries import Decided
from reminder.journal.naming import OFFICE, chain_name, is_office
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.journal.writer import append_in_turn

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Kind, Row
    from reminder.journal.entries import Appeal, Entry, PointsEvent

__all__ = ["OfficeError", "decision", "entry_of", "office_chains", "opened", "write"]


class OfficeError(Exception):
    """What was asked for is not there, or cannot be done; the message says what to do."""


@contextlib.contextmanager
def opened(data: Path, database: str = "", *, make: bool = False) -> Iterator[JournalStore]:
    """The journal of a data folder or of a database, for as long as the block lasts.

    ``make``: one that is missing is made, for somebody is about to write into it.

    Raises:
        OfficeError: There is none.
        StoreError: It cannot be read.
    """
    if not (make or database) and not (data / JOURNAL_FILE).exists():
        raise OfficeError(f"`{data}` holds no journal; name the data folder of the sidecar by --data")
    with contextlib.closing(open_journal(data, database)) as journal:
        yield journal


def office_chains(journal: JournalStore) -> list[str]:
    """The chains commands of the office have written, of every data folder that shares the journal."""
    return [head.chain for head in journal.heads() if is_office(head.chain)]


def entry_of(row: Row) -> Entry:
    """What an entry says.

    Raises:
        OfficeError: It cannot be read.
    """
    try:
        return decode(row.body)
    except (msgspec.DecodeError, ValueError, LookupError) as error:
        message = f"entry {row.seq} of chain `{row.chain}` cannot be read ({error}); run `reminder journal verify`"
        raise OfficeError(message) from error


def decision(journal: JournalStore, ident: str) -> tuple[Row, Decided]:
    """The entry of a decision, by its own id or that of one of its findings.

    Raises:
        OfficeError: There is none, or it cannot be read.
    """
    row = journal.decision(ident) or journal.decision(decision_of(ident) or ident)
    entry = entry_of(row) if row is not None else None
    if row is None or not isinstance(entry, Decided):
        message = f"no decision `{ident}` in the journal; see that the id is whole, and that --data names its sidecar's"
        raise OfficeError(message)
    return row, entry


def write(journal: JournalStore, data: Path, kind: Kind, entries: Sequence[Appeal | PointsEvent]) -> list[Row]:
    """Write entries of one kind at the end of the office's chain, on disk when this returns.

    Raises:
        StoreError: They cannot be written.
    """
    drafts = [
        Draft(
            kind=kind,
            at=entry.at,
            decision_id=getattr(entry, "decision_id", ""),
            institution_id=entry.institution_id,
            body=encode(entry),
        )
        for entry in entries
    ]
    return append_in_turn(journal, chain_name(data, OFFICE), drafts) if drafts else []
