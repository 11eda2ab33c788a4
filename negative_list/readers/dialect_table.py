"""The table of dialects (``dialects.toml``): how clients call each node and field of the national interface."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from negative_list.dictionary import load

__all__ = ["NATIONAL", "Alias", "Node", "Table", "table"]

NATIONAL = "national"
"""The dialect of a body whose names are all the interface's own."""


class Alias(Struct, frozen=True):
    """A client's name: the national one it stands for, the dialect it belongs to, and its place in the table."""

    national: str
    dialect: str
    rank: int


class Node(Struct, frozen=True, kw_only=True):
    """One kind of object in a body.

    Attributes:
        path: the keys from the envelope down to it.
        table: its fields, by the dictionary's `national` paths.
        aliases: what clients call its fields and inner nodes.
        children: the nodes directly in it, by key.
        strays: names of nodes deeper in, which may stand here too, and which node each is.
        foreign: keys a national body does not have in this node.
    """

    name: str
    path: tuple[str, ...]
    table: str
    single: bool
    owner: str
    misplaced: str
    signs: frozenset[str]
    aliases: Mapping[str, Alias]
    children: Mapping[str, Node]
    strays: Mapping[str, str]
    foreign: frozenset[str]

    @property
    def key(self) -> str:
        """Its key in the node around it."""
        return self.path[-1] if self.path else ""

    def names(self, national: str) -> Iterator[tuple[str, Alias]]:
        """What clients call a field, the likeliest first."""
        found = ((name, alias) for name, alias in self.aliases.items() if alias.national == national)
        return iter(sorted(found, key=lambda pair: pair[1].rank))


class Table(Struct, frozen=True, kw_only=True):
    """Nodes by name, and transactions: ``transactions`` by number, ``mistaken`` where the body's shape has to agree."""

    nodes: Mapping[str, Node]
    transactions: Mapping[str, str]
    mistaken: Mapping[str, str]


@cache
def table() -> Table:
    """Return the table, read once."""
    text = (resources.files("negative_list.readers") / "dialects.toml").read_text(encoding="utf-8")
    file = msgspec.convert(tomllib.loads(text), _File)
    aliases = _aliases(file)
    return Table(
        nodes=dict(_all(_node("envelope", file, aliases))), transactions=file.transactions, mistaken=file.mistaken
    )


# -- the file


class _NodeRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    within: str = msgspec.field(default="", name="in")
    key: str = ""
    table: str = ""
    also: tuple[str, ...] = ()
    single: bool = False
    owner: str = ""
    misplaced: str = ""
    signs: frozenset[str] = frozenset()


class _Dialect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    source: str
    names: dict[str, dict[str, list[str]]] = {}
    writing: str = ""


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    nodes: dict[str, _NodeRow]
    dialects: tuple[_Dialect, ...]
    transactions: dict[str, str]
    mistaken: dict[str, str]


_Aliases = dict[str, dict[str, Alias]]


def _aliases(file: _File) -> _Aliases:
    """By node, the clients' names; a name stands for the first it is given for."""
    own = {name: _own_names(name, file) for name in file.nodes}
    told: _Aliases = {name: {} for name in file.nodes}
    for dialect in file.dialects:
        for node, aliases in told.items():
            sent = {key: alias.national for key, alias in aliases.items()}
            for national, name in (*_named(dialect, node), *_written(dialect, own[node], sent)):
                if name not in own[node]:
                    aliases.setdefault(name, Alias(national, dialect.name, len(aliases)))
    return told


def _named(dialect: _Dialect, node: str) -> Iterator[tuple[str, str]]:
    for national, names in dialect.names.get(node, {}).items():
        yield from ((national, name) for name in names)


def _written(dialect: _Dialect, own: dict[str, None], sent: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if dialect.writing == "camel":
        yield from ((name, _camel(name)) for name in own)
        yield from ((national, _camel(name)) for name, national in sent.items())


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def _national_paths() -> tuple[str, ...]:
    return tuple(path for fact in load().values() for path in fact.national)


def _own_names(name: str, file: _File) -> dict[str, None]:
    """The national names of a node's fields and of the nodes in it, in order."""
    row = file.nodes[name]
    stem = row.table + "."
    paths = (path for path in _national_paths() if row.table and path.startswith(stem))
    fields = (path.removeprefix(stem) for path in paths)
    inner = (child.key for child in file.nodes.values() if child.within == name)
    return dict.fromkeys([*(field for field in fields if "." not in field), *row.also, *inner])


def _node(name: str, file: _File, aliases: _Aliases) -> Node:
    row = file.nodes[name]
    strays = dict(_strays(name, file, aliases))
    misplaced = [(one.misplaced, one.signs) for one in file.nodes.values() if one.misplaced and one.within == name]
    foreign = {*aliases[name], *strays, *(key for key, signs in misplaced for key in (key, *signs))}
    return Node(
        name=name,
        path=_path(name, file),
        table=row.table,
        single=row.single,
        owner=row.owner,
        misplaced=row.misplaced,
        signs=row.signs,
        aliases=aliases[name],
        children={one.key: _node(child, file, aliases) for child, one in file.nodes.items() if one.within == name},
        strays=strays,
        foreign=frozenset(foreign - _own_names(name, file).keys()),
    )


def _all(node: Node) -> Iterator[tuple[str, Node]]:
    yield node.name, node
    for child in node.children.values():
        yield from _all(child)


def _path(name: str, file: _File) -> tuple[str, ...]:
    row = file.nodes[name]
    return (*_path(row.within, file), row.key) if row.within else ()


def _strays(name: str, file: _File, aliases: _Aliases) -> Iterator[tuple[str, str]]:
    """What the nodes deeper in than the next are called, where this node may hold them."""
    known = _own_names(name, file).keys() | aliases[name].keys()
    for child, row in file.nodes.items():
        above = row.within
        if row.single or above == name or name not in _around(child, file):
            continue
        called = [row.key, *(key for key, alias in aliases[above].items() if alias.national == row.key)]
        yield from ((key, child) for key in called if key not in known)


def _around(name: str, file: _File) -> Iterator[str]:
    while name := file.nodes[name].within:
        yield name
