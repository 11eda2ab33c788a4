"""Stories of the field: what a file of ``tests/cases/field/`` says, and how it is told to the library and a sidecar.

A story has a ``title`` and a ``story`` in two languages; ``rules``, shipped ones by id or written out; what other
systems ``told`` before; the ``request`` as a HIS sends it (a 3101 body or our own JSON); the findings it ``expect``s,
all of them; and ``turns``, each with one changed field and what becomes of the findings. ``told`` is a list of feeds:
who told, ``how``, and ``rows``:

- ``facts``: rows of a CSV file of ``reminder facts import``; ``calls``, ``history``: those of a JSON Lines file
- ``put_facts``, ``put_history``: entries of the streams of FactService
- ``saved``: RecordSaved, with ``prescription``, ``prescription_id`` and ``revision``
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from msgspec import UNSET, Struct, UnsetType, field

import negative_list
from negative_list.compile import canonical_lines
from negative_list.parse import read_list
from negative_list.rules import Action, Addressee, RuleList

__all__ = ["FIELD", "SHIPPED", "Expected", "Feed", "Story", "Turn", "shipped_rules", "stories", "turned", "write_list"]

FIELD = Path(__file__).parent / "field"
"""Where the stories are, one file each."""

SHIPPED = Path(negative_list.__file__).parent / "lists" / "classes"
"""The shipped list of every class."""

Row = dict[str, Any]

_STEP = re.compile(r"facts\.(?P<fact>[a-z_]+\.[a-z0-9_]+)|(?P<name>\w+)|\[(?P<place>\d+)\]")


class _Record(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Words(_Record, frozen=True, kw_only=True):
    """A text in both languages."""

    zh: str
    en: str


class Feed(_Record, frozen=True, kw_only=True):
    """What one other system told: who, by which way in, and its rows."""

    who: str
    how: Literal["facts", "calls", "history", "put_facts", "put_history", "saved"]
    rows: tuple[Row, ...]


class Expected(_Record, frozen=True, kw_only=True):
    """A finding: what of it has to be as said.

    ``says``: parts of its message; ``facts``: what it rests on; ``sources``: who told it.
    """

    rule: str
    class_id: str = field(name="class")
    action: Action
    addressee: Addressee
    lines: tuple[str, ...] = ()
    involved: tuple[str, ...] = ()
    amount_fen: int | None = None
    says: tuple[str, ...]
    facts: dict[str, Any] = {}
    sources: dict[str, str] = {}


class Turn(_Record, frozen=True, kw_only=True):
    """One field changed (without ``to``: taken out), the fact that carries, and what then becomes of the findings.

    ``silent``: the rules are silent for certain; ``undecided``: they cannot be evaluated for want of it; ``found``:
    they hold, as ``expect`` says where it says so, else as in the story. ``rules``: which it is about, left out: all.
    """

    why: str
    fact: str
    change: str
    to: Any | UnsetType = UNSET
    then: Literal["silent", "undecided", "found"]
    rules: tuple[str, ...] = ()
    expect: tuple[Expected, ...] | UnsetType = UNSET


class Story(_Record, frozen=True, kw_only=True):
    """One story, as the module says. ``policy`` is the hospital's, TOML; empty: the shipped one."""

    title: Words
    story: Words
    rules: tuple[str | Row, ...]
    policy: str = ""
    told: tuple[Feed, ...] = ()
    request: Row
    expect: tuple[Expected, ...]
    turns: tuple[Turn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of its rules."""
        return tuple(rule if isinstance(rule, str) else str(rule["id"]) for rule in self.rules)

    @property
    def is_national(self) -> bool:
        """Whether the HIS sends a body of transaction 3101."""
        return "infno" in self.request


@cache
def stories() -> dict[str, Story]:
    """Every story by the name of its file."""
    read = ((path, yaml.safe_load(path.read_text("utf-8"))) for path in sorted(FIELD.glob("*.yaml")))
    return {path.stem: msgspec.convert(told, Story) for path, told in read}


@cache
def shipped_rules() -> RuleList:
    """The shipped rules of all classes."""
    return read_list(SHIPPED)


def write_list(story: Story, folder: Path) -> Path:
    """The list of a story as a folder: the shipped rules it names, without their own cases, and its own."""
    written = [rule for rule in story.rules if isinstance(rule, dict)]
    named = tuple(msgspec.structs.replace(r, cases=()) for r in shipped_rules().rules if r.id in story.rules)
    assert len(named) + len(written) == len(story.rules), f"a rule of {story.names} is not shipped"
    made = folder / "list"
    made.mkdir()
    lines = canonical_lines(RuleList(rules=named, sets=shipped_rules().sets))
    (made / "shipped.jsonl").write_bytes(b"".join(lines))
    (made / "story.yaml").write_text(yaml.safe_dump({"rules": written}, allow_unicode=True), encoding="utf-8")
    return made


def turned(story: Story, turn: Turn) -> Story:
    """The story with the turn's field changed; raises ``LookupError`` where there is no such field."""
    told: Row = {"told": [copy.deepcopy(list(feed.rows)) for feed in story.told]}
    told["request"] = copy.deepcopy(story.request)
    *steps, last = _steps(turn.change)
    holder: Any = told
    for step in steps:
        holder = holder[step]
    if turn.to is UNSET:
        del holder[last]
    else:
        holder[last]  # a field that is there; to give one more would be no change of it
        holder[last] = turn.to
    feeds = zip(story.told, told["told"], strict=True)
    told["told"] = tuple(msgspec.structs.replace(feed, rows=tuple(rows)) for feed, rows in feeds)
    return msgspec.structs.replace(story, **told)


def _steps(path: str) -> Iterator[str | int]:
    """The steps of ``told[0][1].value`` or ``request.encounter.facts.encounter.rescue``; a fact's name is one step."""
    while path:
        found = _STEP.match(path)
        assert found is not None, path
        if found["fact"]:
            yield from ("facts", found["fact"])
        else:
            yield int(found["place"]) if found["place"] else found["name"]
        path = path[found.end() :].removeprefix(".")
