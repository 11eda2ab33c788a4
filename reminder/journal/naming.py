"""Names of chains: the data folder's own random id, then who writes."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from reminder.stores.base import StoreError

__all__ = ["CHAIN_FILE", "OFFICE", "chain_name", "folder_id", "is_office", "other_chain"]

CHAIN_FILE = "chain"
"""The file of the data folder that holds its id: the same after every restart, another one in every folder."""

OFFICE = "office"
"""Who writes the chain of commands: appeals and points, which are kept whatever their age."""

_ID = re.compile(r"[0-9a-f]{12}")
_ID_BYTES = 6  # two of a thousand data folders on one database share an id with a chance of 2e-9
_OTHER_BYTES = 3


def chain_name(data: Path, writer: int | str = 0) -> str:
    """The chain of a worker by its number, or of a command by a word.

    Raises:
        StoreError: When the id of the data folder cannot be read or made.
    """
    return f"{folder_id(data)}-{writer}"


def is_office(chain: str) -> bool:
    """Whether a chain is that of commands, be it one they had to go on in."""
    return chain.split("-")[1:2] == [OFFICE]


def other_chain(chain: str) -> str:
    """Another chain for who finds the own one taken."""
    return f"{chain}-{secrets.token_hex(_OTHER_BYTES)}"


def folder_id(data: Path) -> str:
    """The id of a data folder, made once: written beside and linked into place, so that of several makers one wins.

    Raises:
        StoreError: When it cannot be read or made.
    """
    path = data / CHAIN_FILE
    try:
        data.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        _make(path)
        return _read(path)
    except OSError as error:
        raise StoreError("read-only", f"`{path}` cannot be made ({error.strerror}); give the rights") from error


def _read(path: Path) -> str:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not _ID.fullmatch(text):
        raise StoreError("refused", f"`{path}` does not hold the id of the data folder; delete it and start again")
    return text


def _make(path: Path) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(secrets.token_hex(_ID_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
