"""The wire contract is watched: a change that breaks callers makes `make check` fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

BUF = Path(sys.executable).parent / "buf"
LANDED = ROOT / "proto" / "landed.binpb"


def breaking(folder: Path) -> subprocess.CompletedProcess[str]:
    """Compare the contract in a folder with the landed one, by the rules of this project."""
    command = [str(BUF), "breaking", "--against", str(LANDED)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A copy of the contract to change."""
    if not BUF.exists():
        pytest.skip("buf is not installed in this environment (extra `check`)")
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    return tmp_path


def change(folder: Path, pattern: str, replacement: str) -> None:
    """Replace the first match in the contract's files."""
    for path in sorted((folder / "proto").rglob("*.proto")):
        old = path.read_text("utf-8")
        new = re.sub(pattern, replacement, old, count=1, flags=re.MULTILINE)
        if new != old:
            path.write_text(new, "utf-8")
            return
    pytest.fail(f"nothing in the contract matches {pattern}")


def test_the_contract_as_it_stands_breaks_nobody(contract: Path) -> None:
    """Against the landed contract there is nothing to complain about."""
    done = breaking(contract)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"^(\s+string \w+) = 1;", r"\1_renamed = 1;"),
        (r"^\s+string (\w+) = 1;", r"  int64 \1 = 1;"),
        (r"^\s+rpc Check\(.*$", ""),
    ],
    ids=["a field renamed", "a field of another type", "a method removed"],
)
def test_a_change_that_breaks_callers_is_refused(contract: Path, pattern: str, replacement: str) -> None:
    """Renaming or retyping a field, or removing a method, is reported with its place."""
    change(contract, pattern, replacement)
    done = breaking(contract)
    assert done.returncode != 0
    assert ".proto:" in done.stdout


def test_an_addition_is_allowed(contract: Path) -> None:
    """A new field breaks nobody."""
    change(contract, r"^message CheckRequest \{", "message CheckRequest {\n  string newly_added = 999;")
    assert breaking(contract).returncode == 0
