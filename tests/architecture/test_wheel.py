"""The wheel holds what the packages need at run time, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NEVER_SHIPPED = {".pyc"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def files(package: str) -> set[str]:
    """The files of a package in this tree."""
    found = (path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix not in NEVER_SHIPPED)
    return {path.relative_to(ROOT).as_posix() for path in found}


def of_packages(names: set[str]) -> set[str]:
    """The names that are not the wheel's own description."""
    return {name for name in names if ".dist-info/" not in name}


def test_the_wheel_holds_both_packages_with_their_data(wheel: set[str]) -> None:
    """Modules, type marker, tables and shipped lists are all in, and no file from elsewhere."""
    assert of_packages(wheel) == files("negative_list") | files("reminder")
    assert {"negative_list/py.typed", "reminder/py.typed", "negative_list/facts.toml"} <= wheel


def read(folder: Path, name: str) -> str:
    """The text of a file."""
    return (folder / name).read_text("utf-8")


def test_the_commands_are_those_of_the_contract() -> None:
    """The distribution gives the shell two commands."""
    text = read(ROOT, "pyproject.toml")
    assert 'negative-list = "negative_list.cli:main"' in text
    assert 'reminder = "reminder.entry:main"' in text
