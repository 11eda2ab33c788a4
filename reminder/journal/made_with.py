"""Whether the lists, policies and code tables that entries name are there, and are what they are named by.

Explanations, evidence files and derivations rest on them. Each is named by the SHA-256 of what is kept of it
(:mod:`reminder.journal.artifacts`), and the name is part of the entry: so one that was edited is found, and one that
was taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reminder.journal.artifacts import is_intact
from reminder.journal.problems import Problem
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row

__all__ = ["MadeWith"]

_NAMING = frozenset({"decision", "started"})
_WORDS = {"list": "list", "policy": "policy", "codes": "code table"}


class _Names(Struct, frozen=True):
    """What an entry names, of all that it says."""

    list: str = ""
    policy: str = ""
    codes: str = ""


_NAMES = msgspec.json.Decoder(_Names).decode


class MadeWith:
    """What the entries of a journal name, gathered while they are read: some hundred bytes for each list and policy."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], tuple[str, int]] = {}
        self._proved: set[tuple[str, str]] = set()

    def add(self, row: Row, *, proved: bool) -> None:
        """An entry; ``proved``: a checkpoint covers it, so that what it was made with has long been kept."""
        if row.kind not in _NAMING:
            return
        try:
            names = _NAMES(row.body)
        except (msgspec.DecodeError, ValueError):  # that the entry is not what was written is told of the entry
            return
        for kind in _WORDS:
            if digest := getattr(names, kind):
                self._named.setdefault((kind, digest), (row.chain, row.seq))
                if proved:
                    self._proved.add((kind, digest))

    def problems(self, store: JournalStore) -> Iterator[Problem]:
        """What is missing or differs; one is read at a time. Raises ``StoreError`` when the store cannot be read."""
        for named in sorted(self._named):
            if named in self._proved and (wrong := _wrong(store, *named)):
                yield Problem(kind="artifact", text=f"{self._said(*named)} {wrong}")

    def notes(self, store: JournalStore) -> Iterator[str]:
        """The same of what only entries after the last checkpoint name: it may be on its way into the store."""
        for named in sorted(self._named.keys() - self._proved):
            if wrong := _wrong(store, *named):
                yield f"{self._said(*named)} {wrong}; look again after the next checkpoint"

    def _said(self, kind: str, digest: str) -> str:
        chain, seq = self._named[kind, digest]
        return f"the {_WORDS[kind]} `{digest}`, named by chain `{chain}` entry {seq} first,"


def _wrong(store: JournalStore, kind: str, digest: str) -> str:
    try:
        artifact = store.artifact(digest)
    except StoreError as error:
        if error.kind != "refused":
            raise
        return "is not what was kept"
    if artifact is None:
        return "is missing"
    return "" if artifact.kind == kind and is_intact(artifact) else "is not what was kept"
