"""The archive of a backup: one tar, its manifest first, each part with its digest; nothing else in it is trusted.

A member is taken only where the manifest names it, under a name of ours, as a plain file, with the size and digest the
manifest says: an archive made by somebody else writes nowhere but into the folder it is unpacked to.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, TypeAlias

import msgspec
from msgspec import Struct

__all__ = ["FORMAT", "MANIFEST", "ArchiveError", "Manifest", "Part", "StoreKind", "pack", "part_of", "unpack"]

FORMAT = 1
"""The form of the archive; a reader knows every form up to its own."""

MANIFEST = "manifest.json"
"""The first member: what the archive holds."""

StoreKind: TypeAlias = Literal["sqlite", "postgresql"]
"""Which database the archive was made of, and can be put back into."""

_NAME = re.compile(r"(?:[a-z]+/){0,2}[A-Za-z0-9_][A-Za-z0-9_.-]*")
_CHUNK = 1 << 20
_MOST_MANIFEST_BYTES = 1 << 20
_PRIVATE = 0o600


class ArchiveError(Exception):
    """An archive cannot be written or read; the message says why and what to do."""


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of an archive. ``columns``: of a table, in the order its rows have them."""

    name: str
    size: int
    sha256: str
    columns: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, kw_only=True):
    """What an archive holds.

    ``engine``: version of the program; ``schemas``: version of each database's tables; ``heads``: how far each chain of
    the journal had come (chain, number, hash), at least; ``secrets``: marks of the secrets it was made under, the
    newest first; ``with_keys``: they are in it.
    """

    format: int = FORMAT
    made_at: datetime
    engine: str
    store: StoreKind
    schemas: Mapping[str, str]
    heads: tuple[tuple[str, int, str], ...]
    secrets: tuple[str, ...]
    with_keys: bool
    parts: tuple[Part, ...]


def part_of(folder: Path, name: str, columns: Sequence[str] = ()) -> Part:
    """The part a file of a folder makes."""
    digest, size = hashlib.sha256(), 0
    with (folder / name).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Part(name=name, size=size, sha256=digest.hexdigest(), columns=tuple(columns))


def pack(folder: Path, manifest: Manifest, target: Path) -> None:
    """Write the parts of a folder as an archive: beside its place, on disk, then moved there; for its owner only.

    Raises:
        ArchiveError: When it is there already, or cannot be written.
    """
    if target.exists():
        raise ArchiveError(f"`{target}` is there already; name another file")
    beside = target.with_name(f".{target.name}.part")
    try:
        _remove(beside)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as file:
            _write(file, folder, manifest, gzipped=target.name.endswith((".gz", ".tgz")))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        raise ArchiveError(
            f"`{target}` cannot be written ({error.strerror}); see to the folder and its space"
        ) from error
    finally:
        _remove(beside)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _write(file: IO[bytes], folder: Path, manifest: Manifest, *, gzipped: bool) -> None:
    at = int(manifest.made_at.timestamp())
    with tarfile.open(fileobj=file, mode="w:gz" if gzipped else "w") as tar:
        text = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        tar.addfile(_info(MANIFEST, len(text), at), io.BytesIO(text))
        for part in manifest.parts:
            with (folder / part.name).open("rb") as content:
                tar.addfile(_info(part.name, part.size, at), content)


def _info(name: str, size: int, at: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, at, _PRIVATE
    return info


def unpack(archive: Path, folder: Path) -> Manifest:
    """Put the parts of an archive into an empty folder, each held against the manifest.

    Raises:
        ArchiveError: When it is no archive of ours, damaged, or of a later version.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            manifest = _manifest(tar, archive)
            wanted = {part.name: part for part in manifest.parts}
            for member in (member for member in tar if member.name != MANIFEST):
                part = wanted.pop(member.name, None)
                if part is None or not member.isfile() or member.size != part.size:
                    message = f"`{archive}` holds `{member.name}`, which its manifest does not; take another copy"
                    raise ArchiveError(message)
                _take(tar, member, part, folder)
    except OSError as error:
        raise ArchiveError(f"`{archive}` cannot be read ({error.strerror or error}); take another copy") from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ArchiveError(f"`{archive}` is no whole archive ({error}); take another copy") from error
    if wanted:
        raise ArchiveError(f"`{archive}` lacks `{min(wanted)}`; take another copy")
    return manifest


def _manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == MANIFEST and first.isfile() else None
    if content is None:
        raise ArchiveError(f"`{archive}` is no archive of `reminder backup`; name one")
    text = content.read(_MOST_MANIFEST_BYTES)
    form = msgspec.json.decode(text).get("format", 0)
    if form > FORMAT:
        raise ArchiveError(f"`{archive}` was made by a later version; restore it with that one")
    manifest = msgspec.json.decode(text, type=Manifest)
    for part in manifest.parts:
        if not _NAME.fullmatch(part.name):
            raise ArchiveError(f"`{archive}` names a part `{part.name}`, which is no name of ours; take another copy")
    return manifest


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, part: Part, folder: Path) -> None:
    """One part as a file of its own."""
    content, path, digest = tar.extractfile(member), folder / part.name, hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as file:
        while content is not None and (chunk := content.read(_CHUNK)):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != part.sha256:
        raise ArchiveError(f"`{part.name}` is not what the manifest says it is; take another copy of the archive")
