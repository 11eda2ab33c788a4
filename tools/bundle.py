"""`make bundle PLATFORM=...`: one archive that installs the sidecar where there is no network.

In it: wheels of everything, the sample list, install scripts, service files, the documentation, the wire contract, and
the SHA-256 of every file. Made twice of the same sources and wheels it is the same, byte for byte.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from packaging.utils import parse_wheel_filename

from tools.bundle_pins import PLATFORMS, Target, pins, unmet

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EXTRAS", "PROJECT", "SUMS", "BundleError", "built", "fetch", "main", "make", "packed"]

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "prescription-reminder"
EXTRAS = ("serve", "sheets")
"""What is installed: the sidecar, and lists as sheets."""

SUMS = "SHA256SUMS"
"""The file of checksums, in the form of ``sha256sum``."""

_SDIST_ONLY = ("opencc-python-reimplemented",)  # pure Python that is published as sources alone: built here
_BESIDE = {"list": "negative_list/lists/sample", "docs": "docs", "proto": "proto/reminder"}
_MADE = 315_532_800, (1980, 1, 1, 0, 0, 0)  # the oldest time a zip archive can tell: files of a bundle have no history


class BundleError(Exception):
    """No bundle can be made; the text says why."""


def main() -> int:
    """Make the bundle the arguments ask for; print where it is."""
    asked = _arguments()
    target = Target(name=asked.platform, python=asked.python)
    try:
        archive = make(target, Path(asked.out))
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{archive} ({archive.stat().st_size / 1e6:.0f} MB)")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__)
    parser.add_argument("platform", choices=PLATFORMS, metavar=f"PLATFORM={'|'.join(PLATFORMS)}")
    parser.add_argument("--python", type=_version, default=sys.version_info[:2], help="3.11: the Python it is for")
    parser.add_argument("--out", default=str(ROOT / "dist"))
    return parser.parse_args()


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def make(target: Target, out: Path) -> Path:
    """Write the bundle for a target into the folder ``out``; its path.

    Raises:
        BundleError: When a wheel cannot be had, or does not run there.
    """
    with TemporaryDirectory() as scratch:
        wheels = Path(scratch) / "wheels"
        own = built(wheels)
        fetch(target, own, wheels)
        if lacking := unmet(sorted(wheels.iterdir()), f"{PROJECT}[{','.join(EXTRAS)}]", target):
            raise BundleError("\n".join(["the bundle is not whole:", *lacking]))
        return packed(wheels, own, target, out)


def built(folder: Path) -> Path:
    """The wheel of the project as it stands, in a folder."""
    _run("hatchling", "build", "--target", "wheel", "--directory", str(folder))
    (wheel,) = folder.glob(f"{PROJECT.replace('-', '_')}-*.whl")
    return wheel


def fetch(target: Target, own: Path, folder: Path, only: frozenset[str] | None = None) -> None:
    """Download the wheels of all that the project's wheel needs on the target, and pip; ``only``: these names of them.

    Raises:
        BundleError: When one cannot be had.
    """
    wanted = pins(own, EXTRAS, target) | {"pip": "pip"}
    chosen = {name: asked for name, asked in wanted.items() if only is None or name in only}
    for name in _SDIST_ONLY:
        if asked := chosen.pop(name, ""):
            _build(asked, folder)
    platforms = [f"--platform={tag}" for tag in target.platform.tags]
    for_target = ["--only-binary=:all:", f"--python-version={target.dotted}", "--implementation=cp", *platforms]
    _pip("download", "--no-deps", *for_target, "--dest", str(folder), *chosen.values())


def _build(source: str, folder: Path) -> None:
    """A wheel of published sources, which must be for every machine."""
    before = set(folder.iterdir())
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), source)
    for wheel in set(folder.iterdir()) - before:
        if not wheel.name.endswith("-none-any.whl"):
            raise BundleError(f"`{wheel.name}` would run on this kind of machine only")


def _pip(*arguments: str) -> None:
    _run("pip", "-qq", "--disable-pip-version-check", *arguments)


def _run(module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=ROOT)
    if done.returncode:
        raise BundleError(done.stderr.strip())


def _name(own: Path, target: Target) -> str:
    _, version, _, _ = parse_wheel_filename(own.name)
    return f"{PROJECT}-{version}-{target.name}-py{target.python[0]}{target.python[1]}"


def packed(wheels: Path, own: Path, target: Target, out: Path) -> Path:
    """Put everything beside the wheels and write the archive into the folder ``out``; its path."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / _name(own, target)
        _lay(folder, wheels, target)
        out.mkdir(parents=True, exist_ok=True)
        return _archive(folder, out, target)


def _lay(folder: Path, wheels: Path, target: Target) -> None:
    """Put everything into the bundle's folder, the checksums last."""
    shutil.copytree(wheels, folder / "wheels")
    for name, source in _BESIDE.items():
        shutil.copytree(ROOT / source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.binpb"))
    for file in (ROOT / "tools" / "bundled").iterdir():
        if file.suffix in ((".sh", ".service") if target.platform.windows else (".bat", ".xml")):
            continue
        # The shell of Windows wants its own ends of lines.
        ends = "\r\n" if file.suffix == ".bat" else "\n"
        (folder / file.name).write_text(file.read_text("utf-8"), encoding="utf-8", newline=ends)
    for_what = f"{target.dotted} {target.name}\n"
    (folder / "FOR").write_text(for_what, encoding="utf-8", newline="\n")
    (folder / "requirements.txt").write_text("".join(_required(folder / "wheels")), encoding="utf-8", newline="\n")
    sums = "".join(f"{_digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in _files(folder))
    (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")


def _required(wheels: Path) -> Iterator[str]:
    """Each wheel in pip's words, with its hash."""
    for wheel in sorted(wheels.iterdir()):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        yield f"{name}=={version} --hash=sha256:{_digest(wheel)}\n"


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _archive(folder: Path, out: Path, target: Target) -> Path:
    """The archive, written beside and moved into place."""
    archive = out / f"{folder.name}{'.zip' if target.platform.windows else '.tar.gz'}"
    draft = archive.with_name(archive.name + ".part")
    (_zip if target.platform.windows else _tar)(folder, draft)
    return draft.replace(archive)


def _zip(folder: Path, draft: Path) -> None:
    with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
        for file in _files(folder):
            entry = ZipInfo(file.relative_to(folder.parent).as_posix(), _MADE[1])
            archive.writestr(entry, file.read_bytes(), ZIP_DEFLATED)


def _tar(folder: Path, draft: Path) -> None:
    with (
        draft.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=_MADE[0]) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for file in _files(folder):
            entry = archive.gettarinfo(file, file.relative_to(folder.parent).as_posix())
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = _MADE[0], 0, 0, "", ""
            entry.mode = 0o755 if file.suffix == ".sh" else 0o644
            with file.open("rb") as content:
                archive.addfile(entry, content)


if __name__ == "__main__":
    raise SystemExit(main())
