"""How the commands of the sidecar end when nobody reads on."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

import typer

__all__ = ["read_no_more"]


def read_no_more() -> NoReturn:
    """End the command in peace, when whoever read what it prints has had enough (``| head``)."""
    # What is still held back would be written at the end, and fail again: https://docs.python.org/3/library/signal.html
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(0)
