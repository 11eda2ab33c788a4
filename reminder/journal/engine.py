"""Which program decided: its version, and a digest of the code and the tables that decide."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import negative_list

__all__ = ["DISTRIBUTION", "engine"]

DISTRIBUTION = "prescription-reminder"
"""The name the program is installed under."""

_DIGITS = 16
_DECIDE_NOTHING = frozenset({"cli.py", "demo.py", "generate.py", "shell.py", "stats.py", "indicators.py", "cases.py"})


@cache
def engine() -> str:
    """Version and digest, as ``0.1.0+1a2b3c4d5e6f7081``: two that are equal decide alike. Takes some milliseconds."""
    folder = Path(negative_list.__file__).parent
    digest = hashlib.sha256()
    for path in sorted((*folder.glob("*.py"), *folder.glob("*.toml"), *folder.glob("readers/*.py"))):
        if path.name not in _DECIDE_NOTHING:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{_version()}+{digest.hexdigest()[:_DIGITS]}"


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0"
