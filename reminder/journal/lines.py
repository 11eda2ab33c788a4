"""The lines of the checkpoints file: what they say, how they are signed, and how a file of them is read and written.

A line is one JSON object. It is signed as it stands, without ``,"signature":"…"`` before its last brace. Each names the
line that stood before it by the SHA-256 of its bytes, and is numbered among the lines of the process that wrote it: so
a line taken out of the file is missed by the one after it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from reminder.journal.signing import SigningKey

__all__ = ["Checkpoint", "Line", "LineFile", "Place", "SealedSpan", "Signed", "digest_of", "read_line", "signed_line"]


class Place(Struct, frozen=True, kw_only=True, array_like=True):
    """How far a chain had come; ``hash`` in hex."""

    chain: str
    seq: int
    hash: str


class _Line(Struct, frozen=True, kw_only=True, tag_field="what"):
    """What every line has.

    ``run`` is a random name of the process that wrote it, ``number`` counts its lines from 1; ``previous`` is the
    digest of the line it found at the end of the file ("" where there was none); ``key`` names the signing key.
    """

    at: datetime
    run: str
    number: int
    previous: str
    key: str


class Checkpoint(_Line, frozen=True, kw_only=True, tag="checkpoint"):
    """How far every chain of the store had come at an instant (UTC); ``count`` entries were ever written to them."""

    count: int
    heads: tuple[Place, ...]


class SealedSpan(_Line, frozen=True, kw_only=True, tag="sealed"):
    """A span of a chain that is to be taken out; the fields of :class:`reminder.journal.base.Sealed`, hash in hex."""

    chain: str
    first: int
    last: int
    hash: str
    begin: datetime
    end: datetime
    kinds: dict[str, int]


Line: TypeAlias = Checkpoint | SealedSpan
"""Any line."""


class Signed(Struct, frozen=True, kw_only=True):
    """A line as it was read: what it says, the bytes that were signed, and the signature."""

    line: Line
    content: bytes
    signature: bytes


_ENCODE = msgspec.json.Encoder(order="deterministic").encode
_DECODE = msgspec.json.Decoder(Line).decode
_SIGNATURE = b',"signature":"'
_TAIL = b'"}'
_BLOCK = 64 * 1024


def signed_line(line: Line, key: SigningKey) -> bytes:
    """A line with its signature, without the end of line."""
    content = _ENCODE(line)
    return content[:-1] + _SIGNATURE + key.sign(content).hex().encode() + _TAIL


def read_line(raw: bytes) -> Signed | None:
    """What a line says, unchecked; ``None`` where it is no line, or only a part of one."""
    front, mark, rest = raw.rpartition(_SIGNATURE)
    if not mark or not rest.endswith(_TAIL):
        return None
    try:
        signature = bytes.fromhex(rest[: -len(_TAIL)].decode("ascii"))
        return Signed(line=_DECODE(front + b"}"), content=front + b"}", signature=signature)
    except (msgspec.DecodeError, ValueError):
        return None


def digest_of(raw: bytes) -> str:
    """What the next line names this one by."""
    return hashlib.sha256(raw).hexdigest()


class LineFile:
    """The file, opened anew each time: what it lies on may come and go. Every method may raise ``OSError``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number from 1 and bytes of every line; none where there is no file."""
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from ((number, raw.rstrip(b"\r\n")) for number, raw in enumerate(file, 1))

    def last_digest(self) -> str:
        """The digest of the last whole line; "" where there is none."""
        last = self.last()
        return digest_of(last) if last else ""

    def append(self, raw: bytes) -> None:
        """Write a line, on disk when this returns; a line cut off by a crash stays a line of its own."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            file.seek(0, os.SEEK_END)
            cut_off = file.tell() > 0 and self._at(file.tell() - 1) != b"\n"
            file.write((b"\n" if cut_off else b"") + raw + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _at(self, offset: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(1)

    def last(self) -> bytes:
        """The last whole line, unchecked; nothing where there is none."""
        if not self.path.exists():
            return b""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            length = _BLOCK
            while True:
                begin = max(0, size - length)
                file.seek(begin)
                # What stands before the first end of line may be only the rest of a line.
                found = file.read(size - begin).split(b"\n")[0 if begin == 0 else 1 :]
                for raw in reversed(found):
                    if read_line(raw) is not None:
                        return raw
                if begin == 0:
                    return b""
                length *= 4
