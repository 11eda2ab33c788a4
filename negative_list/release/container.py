"""The file of a release: four parts, read so that nothing is taken for what it is not.

::

    reminder-release 1                          the magic line
    {"built_at":...,"version":"2026.11.2"}      the manifest, canonical JSON on one line
    [{"ed25519":...,"key":...}]                 the signatures of the two lines above
    {"set":...}                                 the flat list, canonical JSON Lines, to the end of the file

Reading checks the form, and that the list is the one the manifest names. Whether the manifest itself can be believed
is asked by :func:`negative_list.release.signing.verify`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from negative_list.errors import NegativeListError
from negative_list.release.manifest import FORMAT, Manifest, version_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

__all__ = [
    "MOST_BYTES",
    "MOST_MANIFEST_BYTES",
    "MOST_SIGNATURES",
    "REASONS",
    "SUFFIX",
    "Reason",
    "Release",
    "ReleaseError",
    "Signature",
    "head_of",
    "is_release",
    "read_manifest",
    "read_release",
    "read_stream",
    "release_bytes",
    "signature_line",
]

SUFFIX = ".release"
"""Ending of the files of releases."""

MOST_BYTES = 512 * 1024 * 1024
"""Bytes of a release: a city's list of 400,000 details takes some 40 MB, and reading it takes some times its size."""

MOST_MANIFEST_BYTES = 32 * 1024 * 1024
"""Bytes of a manifest: it names every rule a later layer replaced, at worst 400,000 ids of 64 characters."""

MOST_SIGNATURES = 16
"""Signatures of a release: while an issuer changes keys there are two."""

_MOST_SIGNATURE_BYTES = 4096
"""Bytes of the line of signatures: one takes 130."""

# Files are called by it: nothing else may get into a path.
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAGIC = FORMAT.encode() + b"\n"
_ENCODER = msgspec.json.Encoder(order="sorted")

Reason: TypeAlias = Literal["truncated", "altered", "unsigned", "wrong-key", "not-a-release", "too-large"]
"""Why a file is refused: its end is missing, it is not what was signed, nobody signed it, nobody trusted signed it, it
is something else, it is over a limit."""
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Every word of :data:`Reason`."""


class ReleaseError(NegativeListError):
    """A file is refused as a release; ``reason`` in one word, ``message`` for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason: Reason = reason
        self.message = message
        super().__init__(message)


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature of the first two lines. ``key``: first 16 hex digits of the SHA-256 of the raw public key."""

    key: str
    ed25519: bytes


class Release(Struct, frozen=True, kw_only=True):
    """A release as its file says. ``head`` is what was signed, ``content`` the flat list as canonical JSON Lines."""

    manifest: Manifest
    signatures: tuple[Signature, ...]
    head: bytes
    content: bytes


def read_release(path: Path) -> Release:
    """Read a file.

    Raises:
        ReleaseError: it is no whole release.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return read_stream(file)


def read_stream(file: BinaryIO) -> Release:
    """Read a release from where a file stands to its end.

    Raises:
        ReleaseError: it is no whole release.
    """
    head, manifest = _read_head(file)
    line = _line(file, _MOST_SIGNATURE_BYTES, "the line of signatures")
    release = Release(manifest=manifest, signatures=_signatures(line), head=head, content=_content(file, manifest))
    if hashlib.sha256(release.content).hexdigest() != manifest.digest:
        raise ReleaseError("altered", "the list is not the one its manifest names (digest); get the release again")
    return release


def is_release(path: Path) -> bool:
    """Whether a file is meant to be a release: it is called so, or begins like one."""
    if path.suffix == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC) - 2) == _MAGIC[:-2]
    except OSError:
        return False


def read_manifest(path: Path) -> Manifest:
    """What a file says it is. Nothing of it is checked: good for showing what was brought, for nothing else.

    Raises:
        ReleaseError: it does not begin as a release.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _read_head(file)[1]


def _read_head(file: BinaryIO) -> tuple[bytes, Manifest]:
    magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        raise _no_release(magic)
    line = _line(file, MOST_MANIFEST_BYTES, "the manifest")
    return magic + line, _manifest(line)


def _no_release(magic: bytes) -> ReleaseError:
    if _MAGIC.startswith(magic):
        return ReleaseError("truncated", "the file ends in its first line; get the release again")
    if magic.startswith(_MAGIC[:-2]):
        return ReleaseError("not-a-release", f"not of the form `{FORMAT}`; update the program that reads it")
    return ReleaseError("not-a-release", f"does not begin with `{FORMAT}`; make it with negative-list build")


def _line(file: BinaryIO, most: int, what: str) -> bytes:
    """One line with its end."""
    line = file.readline(most + 1)
    if line.endswith(b"\n") and len(line) <= most:
        return line
    if len(line) > most:
        raise ReleaseError("too-large", f"{what} is over {most} bytes; get the release again")
    raise ReleaseError("truncated", f"the file ends in {what}; get the release again")


def _manifest(line: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(line, type=Manifest, strict=True)
        version_key(manifest.version)
    except (ValueError, RecursionError) as error:
        raise ReleaseError("altered", f"the manifest cannot be read ({error}); get the release again") from None
    if manifest.built_at.tzinfo is None or manifest.size_bytes < 0 or not _DIGEST.fullmatch(manifest.digest):
        raise ReleaseError("altered", "the manifest says what none of ours says; get the release again")
    return manifest


def _signatures(line: bytes) -> tuple[Signature, ...]:
    try:
        found = msgspec.json.decode(line, type=tuple[Signature, ...])
    except (ValueError, RecursionError):
        found = None
    # Written in one way only, so that no bit of the line is without meaning.
    if found is None or signature_line(found) != line:
        raise ReleaseError("altered", "the line of signatures cannot be read; get the release again")
    if len(found) > MOST_SIGNATURES:
        raise ReleaseError("too-large", f"more than {MOST_SIGNATURES} signatures; sign it with fewer keys")
    return found


def _content(file: BinaryIO, manifest: Manifest) -> bytes:
    if manifest.size_bytes > MOST_BYTES:
        raise ReleaseError("too-large", f"the list is over {MOST_BYTES} bytes; split it, or take what nobody uses out")
    content = file.read(manifest.size_bytes + 1)
    if len(content) < manifest.size_bytes:
        message = f"{len(content)} of {manifest.size_bytes} bytes of the list are there; get the release again"
        raise ReleaseError("truncated", message)
    if len(content) > manifest.size_bytes:
        raise ReleaseError("altered", "more follows after the end of the list; get the release again")
    return content


def head_of(manifest: Manifest) -> bytes:
    """The magic line and the manifest's: what is signed."""
    return _MAGIC + _ENCODER.encode(manifest) + b"\n"


def signature_line(signatures: Iterable[Signature]) -> bytes:
    """The line of signatures, in the one way it is written."""
    rows = [{"key": s.key, "ed25519": base64.b64encode(s.ed25519).decode()} for s in signatures]
    return _ENCODER.encode(rows) + b"\n"


def release_bytes(release: Release) -> bytes:
    """The file of a release, byte for byte as it was read."""
    return b"".join((release.head, signature_line(release.signatures), release.content))
