"""What a bundle holds, by name and version: those the tests ran with, for the machine that is to run them.

pip judges the conditions of requirements (`; sys_platform == 'win32'`) by the machine it runs on, also where it fetches
for another; so what only Windows needs would be missing. Here they are judged for the target.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING
from zipfile import ZipFile

from msgspec import Struct
from packaging.markers import default_environment
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.tags import Tag

__all__ = ["PLATFORMS", "Platform", "Target", "pins", "unmet"]

_OLDEST_GLIBC, _GLIBC_2014 = 5, 17
_LEGACY = ("manylinux2014", "manylinux2010", "manylinux1")


class Platform(Struct, frozen=True, kw_only=True):
    """A kind of machine: the platform tags of wheels it takes, best first, and what conditions call it."""

    tags: tuple[str, ...]
    marks: dict[str, str]

    @property
    def windows(self) -> bool:
        """Whether it is one of Windows."""
        return self.marks["os_name"] == "nt"


def _glibc_tags(machine: str) -> tuple[str, ...]:
    """PEP 600: every glibc up to 2.17, by number and by the three names they had before."""
    numbered = [f"manylinux_2_{n}" for n in range(_GLIBC_2014, _OLDEST_GLIBC - 1, -1)]
    return tuple(f"{name}_{machine}" for name in (*numbered, *_LEGACY))


def _linux(machine: str) -> Platform:
    marks = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine}
    return Platform(tags=_glibc_tags(machine), marks=marks)


PLATFORMS: Mapping[str, Platform] = {
    "win_amd64": Platform(
        tags=("win_amd64",),
        marks={"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
    ),
    "manylinux2014_x86_64": _linux("x86_64"),
    "manylinux2014_aarch64": _linux("aarch64"),
}
"""The machines a bundle can be made for."""


class Target(Struct, frozen=True, kw_only=True):
    """Machine and Python a bundle is for; ``python``: (3, 11)."""

    name: str
    python: tuple[int, int]

    @property
    def platform(self) -> Platform:
        """The machine."""
        return PLATFORMS[self.name]

    @property
    def dotted(self) -> str:
        """The version of Python as pip writes it: 3.11."""
        return ".".join(map(str, self.python))

    def environment(self) -> dict[str, str]:
        """What conditions of requirements are judged by."""
        told = {"python_version": self.dotted, "python_full_version": f"{self.dotted}.0"}
        here = {name: str(value) for name, value in default_environment().items()}
        return here | self.platform.marks | told | {"platform_release": "", "platform_version": ""}

    def tags(self) -> frozenset[Tag]:
        """The tags of wheels it takes."""
        platforms = self.platform.tags
        pure = compatible_tags(self.python, f"cp{self.python[0]}{self.python[1]}", platforms)
        return frozenset((*cpython_tags(self.python, platforms=platforms), *pure))


def pins(own: Path, extras: Iterable[str], target: Target) -> dict[str, str]:
    """Everything the wheel ``own`` with its extras needs on the target but itself: requirement by name.

    What is installed here is asked for in that very version; what only the target needs, as whoever needs it says.
    """
    name, _, _, _ = parse_wheel_filename(own.name)
    wanted: dict[str, str] = {}
    for asked in _reached(_closed(name, _requires(own), extras, target), target):
        name = canonicalize_name(asked.name)
        version = _installed(asked.name)
        wanted[name] = f"{name}=={version}" if version else f"{name}{asked.specifier}"
    return dict(sorted(wanted.items()))


def _closed(own: str, texts: Iterable[str], extras: Iterable[str], target: Target) -> list[Requirement]:
    """What a package asks for that holds on the target; extras of its own that it asks for are looked into."""
    asked = _holding(texts, extras, target)
    inner = {extra for one in asked if canonicalize_name(one.name) == own for extra in one.extras}
    if inner - set(extras):
        return _closed(own, texts, {*extras, *inner}, target)
    return [one for one in asked if canonicalize_name(one.name) != own]


def _reached(waiting: list[Requirement], target: Target) -> Iterator[Requirement]:
    """Every requirement that holds on the target, from these on."""
    seen = set[str]()
    while waiting:
        asked = waiting.pop()
        if str(asked) in seen:
            continue
        seen.add(str(asked))
        yield asked
        texts = (metadata.requires(asked.name) or ()) if _installed(asked.name) else ()
        waiting += _holding(texts, asked.extras, target)


def _holding(texts: Iterable[str], extras: Iterable[str], target: Target) -> list[Requirement]:
    """Those whose condition holds on the target, with any of the extras or without."""
    environment, chosen = target.environment(), ("", *extras)
    every = [Requirement(text) for text in texts]
    return [r for r in every if r.marker is None or any(r.marker.evaluate(environment | {"extra": e}) for e in chosen)]


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def unmet(wheels: Sequence[Path], root: str, target: Target) -> list[str]:
    """What a folder of wheels lacks so that ``root`` runs on the target, told by the wheels alone; empty: nothing."""
    there = {canonicalize_name(parse_wheel_filename(w.name)[0]): w for w in wheels}
    tags = target.tags()
    wrong = [f"{w.name} does not run there" for w in wheels if not parse_wheel_filename(w.name)[3] & tags]
    waiting, seen = [Requirement(root)], set[str]()
    while waiting:
        asked = waiting.pop()
        wheel = there.get(canonicalize_name(asked.name))
        if str(asked) in seen:
            continue
        seen.add(str(asked))
        if wheel is None or not asked.specifier.contains(parse_wheel_filename(wheel.name)[1], prereleases=True):
            wrong.append(f"{asked} is not there")
        else:
            waiting += _holding(_requires(wheel), asked.extras, target)
    return sorted(wrong)


def _requires(wheel: Path) -> list[str]:
    """What a wheel says it needs."""
    with ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        told = Metadata.from_email(archive.read(name), validate=False)
    return [str(requirement) for requirement in told.requires_dist or ()]
