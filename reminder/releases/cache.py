"""The compiled form of lists in the data folder, under the program that made it: another version makes its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list import compiled_form
from negative_list.compiled_form import FormError, Loading
from reminder.journal.engine import engine
from reminder.releases.folder import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.compile import CompiledList
    from negative_list.rules import RuleList

__all__ = ["is_whole", "load_compiled", "opened_compiled", "write_compiled"]


def write_compiled(rules: RuleList, path: Path, digest: str = "") -> None:
    """Write the compiled form of a validated list; takes seconds for a large one, so in a process beside.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(path, compiled_form.form_of(rules, digest=digest, maker=engine()))


def opened_compiled(path: Path, digest: str) -> Loading:
    """A compiled form, checked whole; blocks, mostly without the interpreter.

    Raises:
        FormError: it is missing, damaged, of another list, or another version of the program made it.
    """
    return compiled_form.opened(path, digest=digest, maker=engine())


def load_compiled(path: Path, digest: str) -> CompiledList:
    """The list at once, for whoever serves nobody yet; raises as :func:`opened_compiled`."""
    return compiled_form.read(path, digest=digest, maker=engine())


def is_whole(path: Path, digest: str) -> bool:
    """Whether the compiled form of a list is there and can be used."""
    try:
        opened_compiled(path, digest)
    except FormError:
        return False
    return True
