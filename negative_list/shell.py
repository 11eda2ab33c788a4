"""How a command ends with problems, and how it writes a file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import typer

from negative_list.errors import Problem

__all__ = ["fail", "tell", "write_beside"]


def tell(problems: Sequence[Problem]) -> None:
    """Print problems to standard error, one a line, and how many there are."""
    for problem in problems:
        typer.echo(str(problem), err=True)
    typer.echo(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}", err=True)


def fail(problems: Sequence[Problem]) -> NoReturn:
    """End the command with exit code 1 and these problems."""
    tell(problems)
    raise typer.Exit(1)


def write_beside(path: Path, data: bytes, replace: Callable[[Path, Path], object] = Path.replace) -> None:
    """Write a file beside its place and move it there, so that nobody ever reads half of it."""
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        message = f"cannot be written ({error.strerror}); check the folder and its rights"
        fail([Problem(file=str(path), message=message)])
