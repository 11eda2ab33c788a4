"""Who signed a release: Ed25519 over the magic line and the manifest, which names the list by its digest.

The library ``cryptography`` is loaded when a key is first used; a list can be kept without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.errors import NegativeListError
from negative_list.release.container import Release, ReleaseError, Signature

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "KEY_DIGITS",
    "KeyFileError",
    "PrivateKey",
    "PublicKey",
    "generate_key",
    "load_private",
    "load_public",
    "private_pem",
    "public_pem",
    "sign",
    "verify",
]

KEY_DIGITS = 16
"""Hex digits a key is named by: 64 bits, more than keys anybody trusts at once need to be told apart."""


class KeyFileError(NegativeListError):
    """A key cannot be read or used; the message says what to do."""


class PublicKey(Struct, frozen=True):
    """What signatures are checked with. ``raw`` is 32 bytes."""

    raw: bytes

    @property
    def id(self) -> str:
        """What a signature names it by."""
        return hashlib.sha256(self.raw).hexdigest()[:KEY_DIGITS]


class PrivateKey(Struct, frozen=True, eq=False):
    """What releases are signed with. ``raw`` is 32 bytes, and secret."""

    raw: bytes

    def __repr__(self) -> str:
        """Nothing of it."""
        return "PrivateKey()"

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signs."""
        return PublicKey(_ed25519().Ed25519PrivateKey.from_private_bytes(self.raw).public_key().public_bytes_raw())


def generate_key() -> PrivateKey:
    """A new key, drawn from the system's randomness."""
    return PrivateKey(_ed25519().Ed25519PrivateKey.generate().private_bytes_raw())


def sign(head: bytes, key: PrivateKey) -> Signature:
    """A signature of the first two lines of a release."""
    private = _ed25519().Ed25519PrivateKey.from_private_bytes(key.raw)
    return Signature(key=key.public.id, ed25519=private.sign(head))


def verify(release: Release, trusted: Sequence[PublicKey]) -> PublicKey:
    """The first trusted key that signed a release, all of whose trusted signatures hold.

    Raises:
        ReleaseError: ``unsigned``, ``wrong-key`` (no signature by a trusted key), ``altered`` (one that does not hold,
            or a list that is not the one the manifest names).
        KeyFileError: ``cryptography`` is not installed.
    """
    if not release.signatures:
        raise ReleaseError("unsigned", "nobody signed it; sign it with negative-list build --key")
    known = {key.id: key for key in trusted}
    counting = [(known[s.key], s) for s in release.signatures if s.key in known]
    if not counting:
        raise ReleaseError("wrong-key", _wrong_key(release, known))
    if not all(_holds(key, signature, release.head) for key, signature in counting):
        raise ReleaseError("altered", f"the signature of key {counting[0][0].id} does not hold; get the release again")
    if hashlib.sha256(release.content).hexdigest() != release.manifest.digest:
        raise ReleaseError("altered", "the list is not the one its manifest names (digest); get the release again")
    return counting[0][0]


def _wrong_key(release: Release, known: dict[str, PublicKey]) -> str:
    signers = ", ".join(signature.key for signature in release.signatures)
    return f"signed by {signers}, trusted is {', '.join(known) or 'no key'}; ask the issuer which key is theirs"


def _holds(key: PublicKey, signature: Signature, head: bytes) -> bool:
    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(key.raw).verify(signature.ed25519, head)
    except _loaded("exceptions").InvalidSignature:
        return False
    return True


# -- files of keys


def load_public(path: Path) -> PublicKey:
    """The public key of a file (PEM).

    Raises:
        KeyFileError: it cannot be read, or is none; or ``cryptography`` is not installed.
    """
    ed25519, forms = _ed25519(), _forms()
    try:
        found = forms.load_pem_public_key(_data(path))
    except (ValueError, TypeError, _loaded("exceptions").UnsupportedAlgorithm):
        found = None
    if not isinstance(found, ed25519.Ed25519PublicKey):
        raise KeyFileError(f"`{path}` is no public Ed25519 key; name the file ending in .pub that keygen wrote")
    return PublicKey(found.public_bytes_raw())


def load_private(path: Path) -> PrivateKey:
    """The private key of a file (PKCS 8, PEM).

    Raises:
        KeyFileError: it cannot be read, or is none; or ``cryptography`` is not installed.
    """
    ed25519, forms = _ed25519(), _forms()
    try:
        found = forms.load_pem_private_key(_data(path), None)
    except (ValueError, TypeError, _loaded("exceptions").UnsupportedAlgorithm):
        found = None
    if not isinstance(found, ed25519.Ed25519PrivateKey):
        raise KeyFileError(f"`{path}` is no private Ed25519 key without passphrase; name the file that keygen wrote")
    return PrivateKey(found.private_bytes_raw())


def private_pem(key: PrivateKey) -> bytes:
    """A private key as its file holds it: PKCS 8, PEM."""
    forms = _forms()
    private = _ed25519().Ed25519PrivateKey.from_private_bytes(key.raw)
    pem: bytes = private.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    return pem


def public_pem(key: PublicKey) -> bytes:
    """A public key as its file holds it, PEM."""
    forms = _forms()
    public = _ed25519().Ed25519PublicKey.from_public_bytes(key.raw)
    pem: bytes = public.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    return pem


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"`{path}` cannot be read ({error.strerror}); check the name and the rights") from None


# -- the library, loaded late


def _loaded(name: str) -> Any:
    try:
        return import_module(f"cryptography.{name}")
    except ImportError:
        raise KeyFileError("signatures need the package cryptography; install prescription-reminder[sign]") from None


def _ed25519() -> Any:
    return _loaded("hazmat.primitives.asymmetric.ed25519")


def _forms() -> Any:
    return _loaded("hazmat.primitives.serialization")
