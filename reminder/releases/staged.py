"""The releases that passed every step and wait in the data folder, by their version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.errors import nearest
from negative_list.release.container import ReleaseError, read_manifest
from negative_list.release.manifest import Manifest, version_key
from reminder.releases.trust import RoadError

if TYPE_CHECKING:
    from reminder.releases.folder import Folder

__all__ = ["Shelf", "Staged", "place_for"]


class Staged(Struct, frozen=True, kw_only=True):
    """A release that passed every step, and where it lies."""

    manifest: Manifest
    path: Path

    @property
    def version(self) -> str:
        """Its version."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """The digest of its list."""
        return self.manifest.digest

    @property
    def name(self) -> str:
        """The name of its list."""
        return self.manifest.name


class Shelf:
    """What is staged. A release never changes, so that each is looked at once.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._seen: dict[tuple[str, int], Staged] = {}

    def all(self) -> tuple[Staged, ...]:
        """Every one, the newest version first. One whose head is damaged is left out: nothing can name it."""
        staged = [one for path in self._folder.staged.glob("*.release") if (one := self._of(path)) is not None]
        return tuple(sorted(staged, key=lambda one: version_key(one.version), reverse=True))

    def _of(self, path: Path) -> Staged | None:
        try:
            mark = path.name, path.stat().st_mtime_ns
        except OSError:
            return None
        if mark not in self._seen and (found := _looked_at(path)) is not None:
            self._seen[mark] = found
        return self._seen.get(mark)

    def of(self, version: str) -> Staged:
        """The one of a version.

        Raises:
            RoadError: ``unknown``: none is; ``wrong``: it is no version.
        """
        try:
            key = version_key(version)
        except ValueError as error:
            raise RoadError("wrong", "no-version", f"`{version}` 不是版本号 ({error})") from error
        staged = self.all()
        found = next((one for one in staged if version_key(one.version) == key), None)
        if found is None:
            hint = nearest(version, [one.version for one in staged])
            raise RoadError(
                "unknown",
                "unknown-version",
                f"没有暂存版本 `{version}` (version `{version}` is not staged{hint}); 请先 reminder lists stage "
                "(bring it by reminder lists stage)",
            )
        return found


def _looked_at(path: Path) -> Staged | None:
    try:
        manifest = read_manifest(path)
    except (ReleaseError, OSError):
        return None
    return Staged(manifest=manifest, path=path) if path.name.startswith(manifest.digest) else None


def place_for(folder: Folder, manifest: Manifest) -> Path:
    """Where a release lies, or is to: by the digest of its list, and by its version where another one has the same."""
    first = folder.staged_file(manifest.digest)
    lying = _looked_at(first)
    key = version_key(manifest.version)
    if lying is None or version_key(lying.version) == key:
        return first
    return first.with_name(f"{manifest.digest}.{'.'.join(map(str, key))}.release")
