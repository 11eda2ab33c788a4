"""May a release be taken in, may it become active? Pure: what is known is told, nothing is looked up.

The rules of what is guarded, all of which hold at any time:

1. A release that is taken in is signed by a key that is trusted here (:func:`negative_list.release.signing.verify`).
2. One version has one content: a version that is known here is refused with another digest, whoever signed it. Known is
   what passed every step once; what failed may be mended and brought again under its version.
3. Bringing an older version is no error, nor is bringing one again; both change nothing of what is active.
4. What is older than the active version becomes active only where that is asked for by name (``--allow-older``): a
   release somebody held back must not come as news.
5. Only what passed every step becomes active.

Versions are the same whose keys are (:func:`negative_list.release.manifest.version_key`): 2026.1 and 2026.01.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from negative_list.release.manifest import version_key

if TYPE_CHECKING:
    from negative_list.release.manifest import Manifest

__all__ = ["Kind", "Known", "RoadError", "is_known", "is_older", "known_of", "may_activate", "may_stage", "missing"]

Known: TypeAlias = Mapping[tuple[int, ...], str]
"""Digests of the versions that passed every step once, by the version's key."""

Kind: TypeAlias = Literal["unknown", "refused", "wrong"]
"""A version nobody staged; what the road forbids; what was asked cannot be understood."""


class RoadError(Exception):
    """What was asked is not done. ``reason``: a word for it, for metrics; the message says why and what helps."""

    def __init__(self, kind: Kind, reason: str, message: str) -> None:
        self.kind = kind
        self.reason = reason
        super().__init__(message)


def known_of(pairs: Iterable[tuple[str, str]]) -> Known:
    """What is known, from versions and their digests; of a version that comes twice the first one counts."""
    known: dict[tuple[int, ...], str] = {}
    for version, digest in pairs:
        if version:
            known.setdefault(version_key(version), digest)
    return known


def may_stage(manifest: Manifest, known: Known) -> None:
    """Whether a release whose signature holds may be taken in.

    Raises:
        RoadError: its version is known with another content.
    """
    there = known.get(version_key(manifest.version))
    if there is not None and there != manifest.digest:
        raise RoadError(
            "refused",
            "same-version",
            f"版本 `{manifest.version}` 此前已收到，内容不同 (version `{manifest.version}` is known here with another "
            f"content, digest {there[:16]}); 请核对来源，并以新版本号重新发布 (see where it came from, and have it "
            "issued under a new version)",
        )


def is_known(manifest: Manifest, known: Known) -> bool:
    """Whether exactly this release was taken in before."""
    return known.get(version_key(manifest.version)) == manifest.digest


def is_older(version: str, active: str) -> bool:
    """Whether a version is older than the active one; nothing is older than a list without version."""
    return bool(active) and bool(version) and version_key(version) < version_key(active)


def missing(manifest: Manifest, known: Known) -> str:
    """The version a release was made to follow, where it was never seen here: one was withheld or lost; else ""."""
    return manifest.replaces if manifest.replaces and version_key(manifest.replaces) not in known else ""


def may_activate(version: str, active: str, *, allow_older: bool) -> None:
    """Whether a staged version may become active over the active one.

    Raises:
        RoadError: it is older, and nobody said that this is meant.
    """
    if is_older(version, active) and not allow_older:
        raise RoadError(
            "refused",
            "older",
            f"版本 `{version}` 早于正在使用的 `{active}` (version `{version}` is older than the active `{active}`); "
            "确需使用请加 --allow-older (give --allow-older if that is meant)",
        )
