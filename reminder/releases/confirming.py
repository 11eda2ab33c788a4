"""Which rules the office has confirmed, ever: a rule by the digest of what it says, so that a changed one is new.

The file only grows, a line ``["rule id","mark"]`` for each rule confirmed. What was confirmed once stays so: a list
that is taken back to finds its rules as the office knew them. The same lines of a staged list are kept beside it, so
that becoming active needs nobody to read the list: two files are compared line by line, in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import msgspec

from reminder.releases.folder import write_whole

if TYPE_CHECKING:
    from negative_list.rules import Rule, RuleList

__all__ = [
    "FORM_ID",
    "MARKS_FORM",
    "Confirmed",
    "Marked",
    "MarksError",
    "mark_of",
    "marks_of",
    "not_confirmed",
    "unconfirmed",
    "write_marks",
]

Marked: TypeAlias = tuple[str, str]
"""A rule's id and its mark."""

MARKS_FORM = 1
"""Counts up with every change that gives an unchanged rule another mark (:mod:`reminder.releases.remarking`)."""

FORM_ID = "#form"
"""In place of a rule's id where a line says the form of the marks; a file without one has the first."""

_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_LINE = msgspec.json.Decoder(tuple[str, str])
_DIGITS = 16
_PIECE_BYTES = 1 << 16  # some 1,600 lines, compared in 0.2 ms
_REST_S = 0.0005
_SILENT: dict[str, Any] = {"title": "", "cases": (), "origin": "", "version": 1, "points": ()}


class MarksError(Exception):
    """The marks of a list are missing or damaged; they are made again from the list."""


class Confirmed:
    """The file of what was confirmed.

    Args:
        path: the file; while it is not there nothing was ever confirmed, for no release ever followed another list.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def begun(self) -> bool:
        """Whether there is anything to compare with."""
        return self._path.exists()

    def begin(self, marked: Iterable[Marked]) -> None:
        """Begin with the rules of the first list of a data folder, all of which count as confirmed. Raises OSError."""
        write_whole(self._path, _lines([(FORM_ID, str(MARKS_FORM)), *marked]))

    def add(self, marked: Iterable[Marked]) -> None:
        """Confirm rules; on disk afterwards. Raises ``OSError``."""
        with self._path.open("ab") as file:
            # Each time on a line of its own, whatever a process that was killed left of its last one.
            file.write(b"\n" + _lines(marked))
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> set[bytes]:
        """What was confirmed, as it is written. Raises ``OSError``."""
        known: set[bytes] = set()
        with self._path.open("rb") as file:
            for piece in _pieces(file):
                known.update(piece.replace(b"\r\n", b"\n").split(b"\n"))  # a folder may come from Windows
        return known

    def damaged(self) -> int:
        """How many of its lines cannot be read. Raises ``OSError``."""
        whole = self._path.read_bytes().splitlines() if self.begun else []
        return sum(1 for line in whole if line and not (line.startswith(b'["') and line.endswith(b'"]')))

    def read(self) -> dict[str, set[str]]:
        """The marks confirmed of each rule id. Raises ``OSError``."""
        return {rule_id: marks for rule_id, marks in self._read().items() if rule_id != FORM_ID}

    def form(self) -> int:
        """The newest form of its marks. Raises ``OSError``."""
        return max((int(one) for one in self._read().get(FORM_ID, ()) if one.isdecimal()), default=1)

    def _read(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in self._path.read_bytes().splitlines() if self.begun else ():
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                rule_id, mark = _LINE.decode(line)
                found.setdefault(rule_id, set()).add(mark)
        return found


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines, some thousand at a time; whoever serves gets the interpreter after each."""
    while piece := file.read(_PIECE_BYTES):
        yield piece + file.readline()
        time.sleep(_REST_S)


def _lines(marked: Iterable[Marked]) -> bytes:
    return b"".join(msgspec.json.encode(one) + b"\n" for one in marked)


def mark_of(rule: Rule, sets: Mapping[str, tuple[str, ...]]) -> str:
    """What a rule does and says to people, as 16 hexadecimal digits, with the codes of the sets it names.

    Left out is what does neither: title, cases, whose rule it is (building a release fills that in), its version and
    the knowledge points it was made from.

    Args:
        rule: the rule.
        sets: codes of the list's sets, by id.
    """
    said = _ENCODER.encode(msgspec.structs.replace(rule, **_SILENT))
    digest = hashlib.sha256(said)
    for name in sorted(set(_sets_in(msgspec.json.decode(said)))) if b'"sets":' in said else ():
        digest.update(_ENCODER.encode(sorted(sets.get(name, ()))))
    return digest.hexdigest()[:_DIGITS]


def _sets_in(said: Any) -> Iterator[str]:
    """Ids of the sets that are named anywhere in a rule."""
    if isinstance(said, list):
        for inner in said:
            yield from _sets_in(inner)
    elif isinstance(said, dict):
        for key, inner in said.items():
            if key == "sets":
                yield from inner
            else:
                yield from _sets_in(inner)


def marks_of(rules: RuleList) -> Iterator[Marked]:
    """Each rule of a list with its mark."""
    sets = {named.id: named.codes for named in rules.sets}
    return ((rule.id, mark_of(rule, sets)) for rule in rules.rules)


def unconfirmed(marked: Iterable[Marked], confirmed: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Ids of the rules that are new, or changed against everything that was confirmed of them."""
    return tuple(rule_id for rule_id, mark in marked if mark not in confirmed.get(rule_id, ()))


def write_marks(path: Path, rules: RuleList) -> None:
    """Keep the marks of a list beside it, after a line with the digest of them all. Raises ``OSError``."""
    lines = _lines(marks_of(rules))
    digest = _digest()
    digest.update(lines)
    write_whole(path, digest.hexdigest().encode() + b"\n" + lines)


def _digest() -> hashlib._Hash:
    """Of marks of this form: those of another are made again."""
    return hashlib.sha256(b"" if MARKS_FORM == 1 else str(MARKS_FORM).encode())


def not_confirmed(path: Path, confirmed: Confirmed) -> tuple[str, ...]:
    """Ids of the rules that are new, or changed against everything that was confirmed of them.

    Args:
        path: the marks of the list.
        confirmed: what was confirmed.

    Raises:
        MarksError: the marks are missing or damaged; a rule left out would count as confirmed.
        OSError: what was confirmed cannot be read.
    """
    known, digest, news = confirmed.lines(), _digest(), list[bytes]()
    try:
        with path.open("rb") as file:
            named = file.readline().strip().decode()
            for piece in _pieces(file):
                digest.update(piece)
                news += [line for line in piece.split(b"\n") if line and line not in known]
    except (OSError, UnicodeDecodeError) as error:
        raise MarksError(str(error)) from error
    if digest.hexdigest() != named:
        raise MarksError("damaged")
    return tuple(_LINE.decode(line)[0] for line in news)
