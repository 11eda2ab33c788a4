"""A body of another dialect made over into the national one, node by node, with where everything stood.

What cannot be made over stays as it is: the reader of the national body then says what is wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from negative_list.readers.body import opened
from negative_list.readers.dialect_table import Alias, Node, table
from negative_list.readers.limits import MAX_LINES
from negative_list.readers.rows import check_count, is_nothing, plain

__all__ = ["Made", "Sent", "callers_key", "is_empty", "made_over"]

_MAX_WRAPPED = 3
"""Texts within texts: one client escapes ``input`` once (2.8), and a gateway between may do it again."""


class Sent(Struct, frozen=True):
    """One object as it was sent: the caller's path to it, the object, and the node it was read as."""

    path: str
    row: Mapping[str, object]
    node: Node


class Made(Struct, frozen=True, kw_only=True):
    """A body made over: its dialects and deviations in the order they were met, and what was sent by national path."""

    body: Mapping[str, object]
    dialects: tuple[str, ...]
    points: tuple[str, ...]
    sent: Mapping[str, Sent]


class _Row(Struct, frozen=True):
    """One object on its way: in national names, where it stands nationally and where the caller had it."""

    node: Node
    new: dict[str, Any]
    national: str
    callers: str


class _Names(Struct, frozen=True):
    """What the keys of an object become: at once, or where its values have to be looked at, the likeliest first."""

    own: Mapping[str, str]
    rival: list[tuple[str, Alias]]


_Found: TypeAlias = "tuple[object, str]"  # a value of a set, and the caller's path to it
_Strays: TypeAlias = "dict[str, list[_Found]]"


def is_empty(value: object) -> bool:
    """Tell whether nothing stands there: a placeholder, or a set or object without anything in it."""
    if isinstance(value, str):
        return not value.strip("- ")
    return value is None or (isinstance(value, (list, dict)) and not value)


def made_over(body: Mapping[str, object]) -> Made:
    """Return the body in national names and nesting.

    Raises ``RequestError`` where a text that should hold a node is no JSON, ``LimitError`` where a set has too many.
    """
    work = _Work()
    row = work.row("envelope", body, "", "")
    work.fill(row, {})
    return Made(body=row.new, dialects=tuple(work.dialects), points=tuple(work.points), sent=work.sent)


class _Work:
    def __init__(self) -> None:
        self.nodes = table().nodes
        self.dialects: dict[str, None] = {}
        self.points: dict[str, None] = {}
        self.sent: dict[str, Sent] = {}
        self._names: dict[tuple[str, tuple[str, ...]], _Names] = {}

    def row(self, name: str, sent: Mapping[str, object], national: str, callers: str) -> _Row:
        """Take one object, its fields under their national names."""
        node = self.nodes[name]
        self.sent[national] = Sent(callers, sent, node)
        if node.aliases.keys().isdisjoint(sent):
            return _Row(node, dict(sent), national, callers)
        names = self._names_of(node, tuple(sent))
        new = {names.own.get(key, key): value for key, value in sent.items()}
        for key, alias in names.rival:
            self._renamed(node, new, key, alias)
        return _Row(node, new, national, callers)

    def _names_of(self, node: Node, keys: tuple[str, ...]) -> _Names:
        """How the keys of an object are renamed, worked out once for all that have the same."""
        names = self._names.get((node.name, keys))
        if names is None:
            names = self._names[node.name, keys] = _names(node, keys)
            self.dialects |= dict.fromkeys(node.aliases[key].dialect for key in names.own)
        return names

    def _renamed(self, node: Node, new: dict[str, Any], key: str, alias: Alias) -> None:
        wrong = alias.national in node.children and not _is_structure(new[key])
        if not wrong and is_empty(new.get(alias.national)):
            new[alias.national] = new.pop(key)
            self.dialects[alias.dialect] = None

    def fill(self, at: _Row, strays: _Strays) -> None:
        """Make over what stands in a row; ``strays`` are rows that stood further out and belong somewhere in it."""
        if at.node.strays and not any(self._is_bare(child, at) for child in at.node.children.values()):
            strays = strays | self._moved(at)
        for child in at.node.children.values():
            rows = self._single(at, child) if child.single else self._set(at, child, strays)
            for row, theirs in _shared(self.nodes, at, rows, strays):
                self.fill(row, theirs)
        if not at.node.foreign.isdisjoint(at.new):
            for key in at.node.foreign & at.new.keys():
                del at.new[key]

    def _moved(self, at: _Row) -> _Strays:
        """Take the sets out of a row that belong further in."""
        moved: _Strays = {}
        for key, name in at.node.strays.items():
            if key in at.new and _is_structure(at.new[key]):
                callers = _path(at.callers, key)
                value = self._opened(at.new.pop(key), callers)
                found = list(_values(value, callers))
                if any(_is_row(one) for one, _ in found):
                    moved.setdefault(name, []).extend(found)
                    self.points["flat"] = None
        return moved

    def _single(self, at: _Row, child: Node) -> list[_Row]:
        """Take the one object under a key; where nothing is there, the object around it may be it (``bare``)."""
        if child.key not in at.new and not child.children:
            return []
        callers = self._said(at, child.key)
        value = self._opened(at.new.get(child.key), callers)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            value, callers = value[0], f"{callers}[0]"
        elif self._is_bare(child, at):
            value, callers = self.sent[at.national].row, at.callers
            self.points["bare"] = None
        if not isinstance(value, dict):
            return []
        row = self.row(child.name, value, _path(at.national, child.key), callers)
        at.new[child.key] = row.new
        return [row]

    def _set(self, at: _Row, child: Node, strays: _Strays) -> list[_Row]:
        """Take the rows of a set, where it stands or from further out."""
        callers = self._said(at, child.key)
        value = self._opened(at.new.get(child.key), callers)
        if _holds_nothing(value):
            found = strays.pop(child.name, None) or self._out_of_place(at, child)
            return self._placed(at, child, found) if found else []
        if not isinstance(value, (dict, list)):
            return []
        found = list(_values(value, callers))
        if child.name == "encounter":
            found = self._without_misplaced(found, strays)
        return self._placed(at, child, found, single=isinstance(value, dict))

    def _placed(self, at: _Row, child: Node, found: list[_Found], *, single: bool = False) -> list[_Row]:
        path = _path(at.national, child.key)
        rows: list[_Row] = []
        values: list[object] = []
        for number, (value, callers) in enumerate(found):
            at_path = path if single else f"{path}[{number}]"
            if isinstance(value, dict):
                rows.append(self.row(child.name, value, at_path, callers))
                values.append(rows[-1].new)
            else:
                self.sent[at_path] = Sent(callers, {}, child)
                values.append(value)
        at.new[child.key] = values[0] if single and values else values
        return rows

    def _out_of_place(self, at: _Row, child: Node) -> list[_Found]:
        """Find rows of a node that stand in this row under another node's key."""
        value = at.new.get(child.misplaced) if child.misplaced else None
        found = list(_values(value, self._said(at, child.misplaced))) if _is_structure(value) else []
        if not found or not all(_has_signs(child, row) for row, _ in found):
            return []
        self.points["misplaced"] = None
        return found

    def _without_misplaced(self, found: list[_Found], strays: _Strays) -> list[_Found]:
        """Sort operations out of the encounters they were put among."""
        operation = self.nodes["operation"]
        wrong = [one for one in found if _has_signs(operation, one[0])]
        if not wrong:
            return found
        strays.setdefault("operation", []).extend(wrong)
        self.points["misplaced"] = None
        return [one for one in found if not _has_signs(operation, one[0])]

    def _opened(self, value: object, callers: str) -> object:
        """Parse a node that was sent as a text (2.8 input: S15); raises ``RequestError`` where it is no JSON."""
        for _ in range(_MAX_WRAPPED):
            if not (isinstance(value, str) and _is_structure(value)):
                break
            self.points["text"] = None
            value = opened(value, callers)
        return value

    def _is_bare(self, child: Node, around: _Row) -> bool:
        """Tell whether a node was left out and the object around it holds what belongs in it."""
        if not child.single or not is_nothing(around.new.get(child.key)):
            return False
        called = (key for key, alias in child.aliases.items() if alias.national in child.children)
        row = self.sent[around.national].row
        return any(_is_structure(row.get(key)) for key in (*child.children, *called, *child.strays))

    def _said(self, at: _Row, key: str) -> str:
        return _path(at.callers, callers_key(self.sent[at.national], key))


def callers_key(sent: Sent, key: str, dialects: Iterable[str] = ()) -> str:
    """Return what the caller called a field of a row; one it did not send as its ``dialects`` would call it."""
    if not is_empty(sent.row.get(key)):
        return key
    names = list(sent.node.names(key))
    used = [name for name, _ in names if not is_empty(sent.row.get(name))]
    there = [name for name in (key, *(name for name, _ in names)) if name in sent.row]
    likely = [name for name, alias in names if alias.dialect in dialects]
    return next(iter([*used, *there, *likely]), key)


def _names(node: Node, keys: tuple[str, ...]) -> _Names:
    met = sorted(((key, node.aliases[key]) for key in keys if key in node.aliases), key=lambda pair: pair[1].rank)
    told = Counter(alias.national for _, alias in met)
    rival = [
        (key, alias)
        for key, alias in met
        if told[alias.national] > 1 or alias.national in keys or alias.national in node.children
    ]
    doubtful = {key for key, _ in rival}
    return _Names({key: alias.national for key, alias in met if key not in doubtful}, rival)


def _is_structure(value: object) -> bool:
    """Tell whether an object or a set stands there, perhaps as a text."""
    if isinstance(value, str):
        return value.lstrip()[:1] in {"{", "[", '"'} and bool(value.strip())
    return isinstance(value, (dict, list)) and bool(value)


def _holds_nothing(value: object) -> bool:
    """Tell whether a set is none: a placeholder, or a list of nothing else."""
    return is_nothing(value) or (isinstance(value, list) and not any(map(_is_row, value)))


def _is_row(value: object) -> bool:
    """Tell whether something stands in a list of rows; an object is one, though it be empty."""
    return isinstance(value, dict) or not is_nothing(value)


def _has_signs(node: Node, value: object) -> bool:
    """Tell whether a row is of the node: it has fields only that has, and no visit's."""
    return isinstance(value, dict) and not node.signs.isdisjoint(value) and is_empty(value.get("mdtrt_id"))


def _values(value: object, callers: str) -> Iterator[_Found]:
    if isinstance(value, list):
        check_count(len(value), MAX_LINES, callers)
        yield from ((one, f"{callers}[{number}]") for number, one in enumerate(value))
    else:
        yield value, callers


def _shared(nodes: Mapping[str, Node], at: _Row, rows: list[_Row], strays: _Strays) -> Iterator[tuple[_Row, _Strays]]:
    """Give each row the strays that are its own: those that name it, the current one also all that name none."""
    shares: list[_Strays] = [{} for _ in rows]
    for name, found in strays.items() if rows else ():
        owner = nodes[name].owner
        ids = {plain(row.new.get(owner)): n for n, row in enumerate(rows)}
        current = _current(at, rows)
        for one in found:
            named = plain(one[0].get(owner)) if isinstance(one[0], dict) else ""
            shares[ids.get(named, current)].setdefault(name, []).append(one)
    return zip(rows, shares, strict=True)


def _current(at: _Row, rows: list[_Row]) -> int:
    """Which of a patient's encounters is the current one, as the reader chooses it; of any other rows the first."""
    if rows[0].node.name != "encounter":
        return 0
    wanted = plain(at.new.get("curr_mdtrt_id"))
    named = [n for n, row in enumerate(rows) if wanted and plain(row.new.get("mdtrt_id")) == wanted]
    return (named or range(len(rows)))[-1]


def _path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
