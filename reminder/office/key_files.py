"""The files of keys in a data folder: what there is, a new one beside the old ones, and nothing of what they hold.

``keys/NNNN.key`` are the secrets under which patients and encounters stand in the stores and the journal, the newest
last. A file's *mark* tells it apart: eight hex digits of the SHA-256 of what it holds, from which nothing of a random
secret can be learnt.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from reminder.stores.keys import SECRET_BYTES, Keys, KeysError

__all__ = ["FOLDER", "KeyFile", "live_keys", "mark_of", "rotate", "secrets_in"]

FOLDER = "keys"
"""The folder of the secrets in the data folder."""

_SUFFIX = ".key"
_DIGITS = 4
_MARK_DIGITS = 8
_PRIVATE = 0o600


class KeyFile(Struct, frozen=True, kw_only=True):
    """A secret of patients' and encounters' keys. ``writes``: new keys are made with it, the others only find again."""

    name: str
    mark: str
    made_at: datetime
    writes: bool


def mark_of(secret: bytes) -> str:
    """What a secret is told apart by."""
    return hashlib.sha256(secret).hexdigest()[:_MARK_DIGITS]


def secrets_in(data: Path) -> tuple[KeyFile, ...]:
    """The secrets of a data folder, the newest first; none is made where there is none.

    Raises:
        KeysError: When one cannot be read.
    """
    files = _files(data)
    try:
        told = [(path, mark_of(path.read_bytes()), path.stat().st_mtime) for path in files]
    except OSError as error:
        raise KeysError(
            f"the secrets in `{data / FOLDER}` cannot be read ({error.strerror}); give the rights"
        ) from error
    return tuple(
        KeyFile(name=path.name, mark=mark, made_at=datetime.fromtimestamp(made, UTC), writes=path == files[0])
        for path, mark, made in told
    )


def live_keys(data: Path) -> Keys:
    """The secrets of a data folder to find somebody by; unlike :meth:`Keys.open` it makes none.

    Raises:
        KeysError: When there is none, or one cannot be read.
    """
    if not _files(data):
        raise KeysError(f"`{data / FOLDER}` holds no secret; name the data folder of the sidecar by --data")
    return Keys.open(data / FOLDER)


def rotate(data: Path) -> KeyFile:
    """Put a new secret beside the old ones, which go on finding what stands under them.

    Raises:
        KeysError: When there is none yet, or it cannot be written.
    """
    files = _files(data)
    if not files:
        raise KeysError(f"`{data / FOLDER}` holds no secret to change; the sidecar makes the first one when it starts")
    path = files[0].with_name(f"{int(files[0].stem) + 1:0{_DIGITS}d}{_SUFFIX}")
    try:
        _write_new(path, secrets.token_bytes(SECRET_BYTES))
    except OSError as error:
        raise KeysError(f"`{path}` cannot be written ({error.strerror}); give the rights") from error
    return secrets_in(data)[0]


def _files(data: Path) -> list[Path]:
    """The files of secrets, the newest first; names are numbers."""
    return sorted((path for path in (data / FOLDER).glob("*" + _SUFFIX) if path.stem.isdecimal()), reverse=True)


def _write_new(path: Path, content: bytes) -> None:
    """A file that nobody else made meanwhile: written beside, on disk, then linked into place."""
    beside = path.with_name(f".{secrets.token_hex(8)}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
