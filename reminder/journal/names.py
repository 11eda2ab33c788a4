"""Which artifacts entries name, so that what is named is not taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminder.journal.base import Row

__all__ = ["AHEAD", "Names", "digests"]

AHEAD = 4096
"""A digest is written down as named by every entry up to the next multiple of this."""

_MADE_WITH = (b'"list":"', b'"policy":"', b'"codes":"')
_KEYS = (*_MADE_WITH, b'"digest":"', b'"before":"')
_LONG = b'"prescription":{'  # of a decision: keys are sorted, and all that names a digest stands before it
_MOST_LETTERS = 128
_NAMING = frozenset({"decision", "policy", "list", "started"})


class Names:
    """What is written down already of one chain: up to which number each digest counts as named."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def news(self, rows: Sequence[Row]) -> list[tuple[str, int]]:
        """What has to be written down for some entries: digests, and up to which number each is named."""
        told: dict[str, int] = {}
        for row in rows:
            for digest in digests(row):
                if self._until.get(digest, 0) < row.seq:
                    self._until[digest] = told[digest] = (row.seq // AHEAD + 1) * AHEAD
        return list(told.items())


def digests(row: Row) -> list[str]:
    """The digests an entry names: those under the names entries have them by, wherever in its body.

    A digest too many keeps an artifact longer than it had to be, and nothing else.
    """
    if row.kind not in _NAMING:
        return []
    end = row.body.find(_LONG)
    return (end > 0 and _named(row.body[:end], _MADE_WITH)) or _named(row.body, _KEYS)


def _named(body: bytes, keys: Sequence[bytes]) -> list[str]:
    found = []
    for key in keys:
        begin = body.find(key)
        while begin >= 0:
            begin += len(key)
            end = body.find(b'"', begin, begin + _MOST_LETTERS)
            if end > begin:
                found.append(body[begin:end].decode("utf-8", "replace"))
            begin = body.find(key, begin)
    return found
