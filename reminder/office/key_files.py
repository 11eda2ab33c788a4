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

from reminder.journal.signing import key_id
from reminder.stores.keys import SECRET_BYTES, Keys, KeysError

__all__ = ["FOLDER", "KeyFile", "live_keys", "mark_of", "rotate", "secrets_in", "signing_key_in"]

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


def signing_key_in(public: Path) -> tuple[str, datetime]:
    """What a signing key is named by in what it signed, and since when it is there, from its public file.

    Raises:
        KeysError: The file cannot be read, or is no such key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - takes 30 ms
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - as above

    try:
        key = load_pem_public_key(public.read_bytes())
        made = datetime.fromtimestamp(public.stat().st_mtime, UTC)
    except (OSError, ValueError) as error:
        raise KeysError(f"`{public}` cannot be read ({error}); put back the right file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError(f"`{public}` is no Ed25519 key; put back the right file")
    return key_id(key), made
