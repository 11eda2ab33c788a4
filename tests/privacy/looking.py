"""Looking for a text in everything a folder holds: as it stands there, packed, and in each way it may be written."""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["cells", "contents", "found_in", "ways"]


@cache
def ways(text: str) -> tuple[bytes, ...]:
    """A text as bytes: encodings, hex digits, base64 at each of its three places, escapes of JSON and of a URL."""
    plain = {text.encode(), text.encode("gbk"), text.encode("utf-16-le"), text.encode("utf-16-be")}
    packed = {way for one in plain for way in (one.hex().encode(), one.hex().upper().encode(), *_base64(one))}
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) > 127 else c for c in text)
    written = {escaped.encode(), escaped.upper().encode(), urllib.parse.quote(text).encode()}
    return tuple(sorted(plain | packed | written))


def _base64(data: bytes) -> Iterator[bytes]:
    """What is sure to stand in the base64 of anything that holds the data."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        # The first and the last characters also carry bits of the neighbours.
        first, last = (0, 2, 3)[before], len(whole) - 4 if (before + len(data)) % 3 else len(whole)
        yield whole[first:last]


def found_in(data: bytes, wanted: Mapping[str, Iterable[str]]) -> set[str]:
    """Which of the wanted things stand in some bytes, in any way."""
    return {name for name, texts in wanted.items() if any(way in data for text in texts for way in ways(text))}


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder as it is, and every cell of every SQLite database, unpacked."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(file.relative_to(folder))
        yield name, file.read_bytes()
        if file.suffix == ".sqlite":
            yield from ((f"{name}:{place}", value) for place, value in cells(file))


def cells(file: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of a database by its table and column, packed ones unpacked."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name of the database itself
            columns = [column[0] for column in rows.description]
            for row in rows:
                yield from ((f"{table}.{name}", unpacked(value)) for name, value in zip(columns, row, strict=True))


def unpacked(value: Any) -> bytes:
    """A value as bytes; what zlib packed, as it was."""
    if not isinstance(value, bytes):
        return str(value).encode()
    with contextlib.suppress(zlib.error):
        return zlib.decompress(value)
    return value
