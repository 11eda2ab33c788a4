"""Which signed checkpoint first covers an entry: proof, in a second place, that it stood in its chain by then."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from reminder.journal.lines import Checkpoint, LineFile, read_line

__all__ = ["Covering", "covering"]


class Covering(Struct, frozen=True, kw_only=True):
    """A checkpoint: when, how far the entry's chain had come, which key signed, its place and text in the file."""

    at: datetime
    seq: int
    hash: str
    key: str
    number: int
    line: str


def covering(path: Path, chain: str, seq: int) -> Covering | None:
    """The first checkpoint of a file that covers an entry; ``None`` where none does, or there is no file.

    The signature is not looked at here: ``reminder journal verify`` does that.

    Raises:
        OSError: The file cannot be read.
    """
    for number, raw in LineFile(path).lines():
        signed = read_line(raw)
        if signed is None or not isinstance(signed.line, Checkpoint):
            continue
        for head in signed.line.heads:
            if head.chain == chain and head.seq >= seq:
                told = {"at": signed.line.at, "seq": head.seq, "hash": head.hash, "key": signed.line.key}
                return Covering(**told, number=number, line=raw.decode("utf-8", "replace"))  # type: ignore[arg-type]
    return None
