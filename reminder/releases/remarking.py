"""Carrying over what was confirmed when a version of the program marks rules otherwise. Done by the process beside.

A mark is a digest of what a rule does; another canonical form of rules gives every rule another mark, and every block
of a hospital would warn until somebody confirmed it again. The marks of the form before lie beside the staged lists:
a rule whose old mark was confirmed is confirmed under its new one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reminder.releases import confirming
from reminder.releases.confirming import FORM_ID, Marked, marks_of

if TYPE_CHECKING:
    from negative_list.rules import RuleList
    from reminder.releases.confirming import Confirmed
    from reminder.releases.folder import Folder

__all__ = ["carry_over"]

_LINE = msgspec.json.Decoder(tuple[str, str])


def carry_over(confirmed: Confirmed, folder: Folder, rules_of: Callable[[str], RuleList | None]) -> int:
    """Confirm under the marks of this version what was confirmed under those of one before; returns how many rules.

    Args:
        confirmed: what was confirmed, ever; told its new form, so that this is done once.
        folder: of releases, with the marks of the lists that lie in it.
        rules_of: a list by its digest, ``None`` where it is damaged.

    Raises:
        OSError: something cannot be read or written.
    """
    if confirmed.form() >= confirming.MARKS_FORM:
        return 0
    known = confirmed.read()
    found: set[Marked] = set()
    for path in sorted(folder.staged.glob("*.marks")):
        was = {rule_id for rule_id, mark in _marks_in(path) if mark in known.get(rule_id, ())}
        rules = rules_of(path.stem) if was else None
        found |= {one for one in marks_of(rules) if one[0] in was} if rules is not None else set()
    confirmed.add([*sorted(found), (FORM_ID, str(confirming.MARKS_FORM))])
    return len({rule_id for rule_id, _ in found})


def _marks_in(path: Path) -> Iterator[Marked]:
    """The marks of a file, in whatever form; its first line is their digest."""
    for line in path.read_bytes().splitlines()[1:]:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield _LINE.decode(line)
