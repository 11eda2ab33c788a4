"""Commands of the documentation, run as a reader would, and what a shortened example shows of their answers."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run", "shown_in"]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line of a page in a folder."""
    program = line.split(maxsplit=1)[0].replace("-", "_")
    command = [sys.executable, "-m", f"{program}.cli", *shlex.split(line)[1:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def shown_in(shown: Any, real: Any) -> bool:
    """Whether everything a shortened example shows is in the real thing."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return all(key in real and shown_in(value, real[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(shown_in, shown, real))
    return bool(shown == real)
