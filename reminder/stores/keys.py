"""Keys of patients and encounters: what stands in the stores and the journal in place of their ids.

A key is HMAC-SHA256 over the id system and the id, cut to 32 hex digits (128 bits: two of a billion patients share one
with a chance of 1e-21). The secret never leaves its folder, and nothing here writes it or an id to a log. A secret is
changed by putting a newer file beside the old one: what is written goes under the newest, reading knows them all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from functools import lru_cache, partial
from pathlib import Path

__all__ = ["KEY_DIGITS", "SECRET_BYTES", "Keys", "KeysError"]

KEY_DIGITS = 32
"""Hex digits of a key."""

SECRET_BYTES = 32
"""Length of a secret: that of the hash, as RFC 2104, section 3, advises."""

_REMEMBERED = 16_384
"""Keys remembered, some 4 MB: patients and encounters of a day, each of which is checked again and again. A key takes
2 to 5 us, and a check asks for two and its history for two more."""

_SUFFIX = ".key"
_FIRST = "0001" + _SUFFIX
_PRIVATE = 0o600
_BLOCK, _INNER, _OUTER = 64, 0x36, 0x5C  # of HMAC over SHA-256


class KeysError(Exception):
    """The secrets cannot be read or made; the message says what to do."""


class Keys:
    """The live secrets, newest first. Two of them are never told apart by what a key looks like."""

    def __init__(self, newest_first: tuple[bytes, ...]) -> None:
        if not newest_first or any(len(secret) < SECRET_BYTES for secret in newest_first):
            raise KeysError(f"a secret has fewer than {SECRET_BYTES} bytes; take a whole one")
        self._secrets = tuple(map(_Secret, newest_first))
        self._newest = lru_cache(_REMEMBERED)(partial(_key, self._secrets[0]))

    def __repr__(self) -> str:
        """How many secrets there are, and nothing of them."""
        return f"Keys({len(self._secrets)} live)"

    @classmethod
    def open(cls, folder: Path) -> Keys:
        """The secrets in ``folder``, by name the newest last (``0001.key``, ``0002.key``); the first one is made.

        Raises:
            KeysError: When a file cannot be read or written, or is no whole secret.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            files = _files(folder) or _made(folder)
            return cls(tuple(file.read_bytes() for file in reversed(files)))
        except OSError as error:
            raise KeysError(f"the secrets in `{folder}` cannot be used ({error.strerror}); give the rights") from error

    def patient(self, id_system: str, patient_id: str) -> str:
        """The key a patient is written under; ``id_system`` says whose numbers these are."""
        return self._newest("patient", id_system, patient_id)

    def encounter(self, institution_id: str, encounter_id: str) -> str:
        """The key an encounter is written under; its number is that of the institution."""
        return self._newest("encounter", institution_id, encounter_id)

    def patient_before(self, id_system: str, patient_id: str) -> tuple[str, ...]:
        """The keys the patient was written under with older secrets, for ``Wanted``; none where there is but one."""
        return self._older("patient", id_system, patient_id)

    def encounter_before(self, institution_id: str, encounter_id: str) -> tuple[str, ...]:
        """The same for an encounter."""
        return self._older("encounter", institution_id, encounter_id)

    def _older(self, *named: str) -> tuple[str, ...]:
        return tuple(_key(secret, *named) for secret in self._secrets[1:])


class _Secret:
    """A secret ready to make keys with: HMAC-SHA256 by its definition (RFC 2104, section 2).

    ``hmac.digest`` lets go of the interpreter, and a busy one takes a millisecond to come back.
    """

    def __init__(self, secret: bytes) -> None:
        block = (hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ _INNER for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ _OUTER for byte in block))

    def digest(self, text: bytes) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()


def _key(secret: _Secret, *named: str) -> str:
    """One key: lengths before the parts, so that no two namings read the same."""
    text = b""
    for word in named:
        part = word.encode("utf-8", "surrogatepass")
        text += len(part).to_bytes(4) + part
    return secret.digest(text)[:KEY_DIGITS]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*" + _SUFFIX))


def _made(folder: Path) -> list[Path]:
    """Make the first secret: written beside and linked into place, so that of several workers one wins for all."""
    beside = folder / f".{secrets.token_hex(8)}.new"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, folder / _FIRST)
    finally:
        beside.unlink()
    return _files(folder)
