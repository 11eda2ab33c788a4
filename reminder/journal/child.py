"""The process that appends to the journal beside the sidecar: hashes, compression, SQL and syncs happen here.

Python lets one thread run at a time: what a thread of the sidecar spends on an entry is taken from its checks. Standard
input tells first where the journal is, then one group of entries after the other; standard output answers each once it
is on disk. All are MessagePack, each after four bytes of length. The process ends with its input. A group whose sender
has gone is not written: nobody was answered.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from reminder.journal.base import Draft, Head
from reminder.journal.chain import rows_of
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.stores.base import StoreError

__all__ = ["LENGTH", "Answer", "Group", "Where", "answered", "main", "serve"]

LENGTH = struct.Struct("<I")
"""What stands before each message: its length in bytes."""


class Where(Struct, frozen=True, kw_only=True):
    """The journal: the data folder, and the URL of the database ("" for a file in the folder)."""

    data: str
    database: str = ""


class Group(Struct, frozen=True, kw_only=True):
    """Entries to append after ``before``; ``serial`` tells groups apart."""

    serial: int
    before: Head
    drafts: list[Draft]


class Answer(Struct, frozen=True, kw_only=True):
    """What came of a group: the hashes of its entries, or why it was not written. ``serial`` 0: the journal is open."""

    serial: int
    hashes: list[bytes] = []
    failed: str = ""


def main() -> None:
    """Append what standard input tells, to its end."""
    for name in ("SIGINT", "SIGTERM"):  # told to a whole group of processes: the sidecar says when this one ends
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else is to be said there
    serve(sys.stdin.buffer, sink, _gone)


def serve(source: BinaryIO, sink: BinaryIO, gone: Callable[[], bool]) -> None:
    """Open the journal, where there is one, and append each group; ``gone``: nobody waits for the answer any more.

    Raises:
        StoreError: the journal cannot be opened.
        msgspec.MsgspecError: what was told is no message.
    """
    told = _read(source)
    if told is None:
        return
    where = msgspec.msgpack.decode(told, type=Where)
    if not where.database and not (Path(where.data) / JOURNAL_FILE).exists():
        return  # the folder was moved away, say: it is the sidecar that makes a journal
    decode = msgspec.msgpack.Decoder(Group).decode
    with closing(open_journal(Path(where.data), where.database)) as journal:
        _send(sink, Answer(serial=0))
        while (told := _read(source)) is not None and not gone():
            _send(sink, answered(journal.append, decode(told)))


def answered(append: Callable[..., None], group: Group) -> Answer:
    """Append one group, and say what came of it."""
    rows, _ = rows_of(group.before, group.drafts)
    try:
        append(rows)
    except StoreError as error:
        return Answer(serial=group.serial, failed=f"{error.kind}: {error}")
    return Answer(serial=group.serial, hashes=[row.hash for row in rows])


def _gone() -> bool:
    """Whether the other end of standard input is closed, though something is left to read (not known on Windows)."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sys.stdin.fileno(), 0)  # that it was closed is always told
    return bool(poll.poll(0))


def _read(source: BinaryIO) -> bytes | None:
    """The next message; ``None`` at the end, also where that comes in the middle of one."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    told = source.read(length)
    return told if len(told) == length else None


def _send(sink: BinaryIO, answer: Answer) -> None:
    content = msgspec.msgpack.encode(answer)
    sink.write(LENGTH.pack(len(content)) + content)


if __name__ == "__main__":
    main()
