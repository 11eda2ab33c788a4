"""The key the journal's checkpoints are signed with: Ed25519, beside the keys of patients, in files of its own.

``journal-0001.pem`` is the private key (PKCS 8), ``journal-0001.pub`` the public one, which who checks should keep
elsewhere. A newer pair by name signs from then on; older public keys still tell what they signed. Loaded when first
used, for the library takes 30 ms.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["KEY_DIGITS", "SigningError", "SigningKey", "TrustedKeys", "key_id", "open_signing_key", "public_files"]

KEY_DIGITS = 16
"""Hex digits a key is named by in what it signed."""

_PRIVATE = "journal-*.pem"
_PUBLIC = "journal-*.pub"
_FIRST = "journal-0001"
_DIGITS = 4
_SECRET_MODE = 0o600
_PUBLIC_MODE = 0o644


class SigningError(Exception):
    """A key cannot be read, made or used; the message says what to do."""


class SigningKey:
    """Signs. ``id`` names it."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.id = key_id(private.public_key())
        self._private = private

    def __repr__(self) -> str:
        """Its name, and nothing of it."""
        return f"SigningKey({self.id})"

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._private.sign(content)


class TrustedKeys:
    """The public keys of files (PEM), by what they are named in what they signed.

    Raises:
        SigningError: When a file holds no such key.
    """

    def __init__(self, files: list[Path]) -> None:
        self._keys = {key_id(key): key for key in map(_read_public, files)}

    def signed(self, key: str, signature: bytes, content: bytes) -> bool | None:
        """Whether a key signed it; ``None``: the key is not among these."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as said above

        public = self._keys.get(key)
        if public is None:
            return None
        try:
            public.verify(signature, content)
        except InvalidSignature:
            return False
        return True


def key_id(public: Ed25519PublicKey) -> str:
    """What a key is named by: the beginning of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:KEY_DIGITS]


def public_files(folder: Path) -> list[Path]:
    """The public keys in a folder, the newest last; none are made."""
    return sorted(folder.glob(_PUBLIC))


def open_signing_key(folder: Path) -> SigningKey:
    """The newest private key of a folder; the first one is made.

    Raises:
        SigningError: When a file cannot be read or written, or is no such key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (sorted(folder.glob(_PRIVATE)) or _made(folder))[-1]
        private = load_pem_private_key(file.read_bytes(), None)
        if not isinstance(private, Ed25519PrivateKey):
            raise SigningError(f"`{file}` is no Ed25519 key; put back the right file")
        _publish(file.with_suffix(".pub"), private.public_key())
    except OSError as error:
        raise SigningError(
            f"the signing key in `{folder}` cannot be used ({error.strerror}); give the rights"
        ) from error
    except (ValueError, TypeError) as error:
        raise SigningError(f"the signing key in `{folder}` is no key; put back the right file") from error
    return SigningKey(private)


def _read_public(file: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        public = load_pem_public_key(file.read_bytes())
    except OSError as error:
        raise SigningError(f"`{file}` cannot be read ({error.strerror}); name the public key's file") from error
    except (ValueError, TypeError) as error:
        raise SigningError(f"`{file}` is no public key; name a file like `{_FIRST}.pub`") from error
    if not isinstance(public, Ed25519PublicKey):
        raise SigningError(f"`{file}` is no Ed25519 key; name a file like `{_FIRST}.pub`")
    return public


def _made(folder: Path) -> list[Path]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _put(folder / f"{_next(folder)}.pem", content, _SECRET_MODE)
    return sorted(folder.glob(_PRIVATE))


def _next(folder: Path) -> str:
    """The name after every public key's: older ones, of which the private key is gone, still tell what they signed."""
    taken = [int(file.stem[-_DIGITS:]) for file in public_files(folder) if file.stem[-_DIGITS:].isdecimal()]
    return f"{_FIRST[:-_DIGITS]}{max(taken, default=0) + 1:0{_DIGITS}}"


def _publish(file: Path, public: Ed25519PublicKey) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    if not file.exists():
        _put(file, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), _PUBLIC_MODE)


def _put(file: Path, content: bytes, mode: int) -> None:
    """Written beside and linked into place, so that of several workers one wins for all."""
    beside = file.with_name(f".{secrets.token_hex(8)}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, file)
    finally:
        beside.unlink()
