"""The compiled form of a list: written beside, in a process of its own, and read in steps by the one that serves.

It is a cache of this machine: made again where it is missing, damaged or another program's, never taken from outside.
A head (one line of JSON) names the list, the program that made it and the SHA-256 of the rest; the rest are parts, each
a letter, four bytes of length, and content. Rules stay the canonical JSON they were, and keys lie in shards that are
read when one of them is asked for; see :mod:`negative_list.on_demand`.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import msgspec
from msgspec import Struct

from negative_list.bind import Binder
from negative_list.compile import (
    CompiledList,
    Indexes,
    canonical_lines,
    changes_of,
    codes_of_sets,
    digest_of_lines,
    indexed,
    standing_in,
    terms_of,
)
from negative_list.errors import NegativeListError
from negative_list.on_demand import NUMBER_CODE, PIECE_ROWS, Index, Rows, Rules
from negative_list.terms import Terms, automaton, shards_of

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.on_demand import Shard
    from negative_list.rules import RuleList

__all__ = ["FORMAT", "FormError", "Loading", "form_of", "loading_of", "opened", "read"]

FORMAT = b"negative-list compiled 2\n"
"""First line of a compiled form."""

SHARD_KEYS = 64
"""Keys of an index in one shard: reading them takes the check that asks first for one some 7 microseconds."""

PART_SHARDS = 64
"""Shards in one part: taking it in takes some tens of microseconds."""

MOST_HEAD_BYTES = 4_096
"""Longest head that is read."""

MOST_PART_BYTES = 1 << 30
"""Longest part that is read: twice the longest release."""

_FRAME = struct.Struct("<cI")
_ABOUT, _SET, _LINES, _RULES, _GROUPS, _KEYS, _TERMS = b"a", b"s", b"l", b"r", b"g", b"k", b"t"


class FormError(NegativeListError):
    """The compiled form cannot be used; make it again."""


class _Head(Struct, frozen=True, kw_only=True):
    maker: str
    digest: str
    sha256: str


class _About(Struct, frozen=True, kw_only=True):
    """What a list has one of. ``overridden``: days on which others stand in for a rule, by its number."""

    details: int
    changes: tuple[int, ...]
    of_encounter: tuple[int, ...]
    overridden: dict[int, tuple[tuple[int, int], ...]]


class _Set(Struct, frozen=True, array_like=True):
    name: str
    codes: tuple[str, ...]


class _Rows(Struct, frozen=True, array_like=True):
    """What :class:`Rows` are made of."""

    starts: bytes
    text: memoryview


class _Keys(Struct, frozen=True, array_like=True):
    """Shards of an index, with the first key of each; ``length``: of prefixes, 0 for whole keys. ``size``: of keys."""

    index: str
    length: int
    size: int
    first: list[str]
    shards: list[memoryview]


_READ_ABOUT = msgspec.msgpack.Decoder(_About).decode
_READ_SET = msgspec.msgpack.Decoder(_Set).decode
_READ_KEYS = msgspec.msgpack.Decoder(_Keys).decode
_READ_ROWS = msgspec.msgpack.Decoder(_Rows).decode
_READ_TERMS = msgspec.msgpack.Decoder(list[str]).decode
_READ_HEAD = msgspec.json.Decoder(_Head).decode
_WRITE = msgspec.msgpack.Encoder().encode

T = TypeVar("T")

# -- writing


def form_of(rules: RuleList, *, digest: str = "", maker: str = "") -> bytes:
    """The compiled form of a validated list.

    Args:
        rules: a list without problems.
        digest: the list's digest where the caller already has it; else it is worked out here.
        maker: what names the program: another one makes its own.
    """
    lines = list(canonical_lines(rules))
    body = b"".join(_FRAME.pack(kind, len(content)) + content for kind, content in _parts(rules, lines))
    head = _Head(maker=maker, digest=digest or digest_of_lines(lines), sha256=hashlib.sha256(body).hexdigest())
    return FORMAT + msgspec.json.encode(head) + b"\n" + body


def _parts(rules: RuleList, lines: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    in_order = sorted(rules.rules, key=lambda rule: rule.id)
    sets, overridden = codes_of_sets(rules), standing_in(rules)
    found = indexed(in_order, range(len(in_order)), sets)
    yield (
        _ABOUT,
        _WRITE(
            _About(
                details=rules.details,
                changes=tuple(sorted(changes_of(rules))),
                of_encounter=found.of_encounter,
                overridden={n: overridden[rule.id] for n, rule in enumerate(in_order) if rule.id in overridden},
            )
        ),
    )
    yield from ((_SET, _WRITE(_Set(name, codes))) for name, codes in sorted(sets.items()))
    bare = [line.removesuffix(b"\n") for line in lines]
    yield from ((_LINES, _rows_part(piece)) for piece in _pieces(bare[: len(rules.sets)], PIECE_ROWS))
    yield from ((_RULES, _rows_part(piece)) for piece in _pieces(bare[len(rules.sets) :], PIECE_ROWS))
    yield from _index_parts(found, len(in_order))
    yield from ((_TERMS, _WRITE(shard)) for shard in shards_of(terms_of(rules)))


def _index_parts(found: Indexes[int], size: int) -> Iterator[tuple[bytes, bytes]]:
    """Groups first, as keys name them."""
    indexes = [
        *((f"by_{name}", 0, getattr(found, f"by_{name}")) for name in _INDEXES),
        *(("by_prefix", length, keys) for length, keys in sorted(found.by_prefix.items())),
    ]
    groups: dict[tuple[int, ...], int] = {}
    for numbers in chain.from_iterable(keys.values() for _, _, keys in indexes):
        if len(numbers) > 1:
            groups.setdefault(numbers, size + len(groups))
    told = [array(NUMBER_CODE, numbers).tobytes() for numbers in groups]
    yield from ((_GROUPS, _rows_part(piece)) for piece in _pieces(told, PIECE_ROWS))
    for name, length, keys in indexes:
        named = ((key, groups[numbers] if len(numbers) > 1 else numbers[0]) for key, numbers in sorted(keys.items()))
        for shards in _pieces(_pieces(named, SHARD_KEYS), PART_SHARDS):
            first, size = [shard[0][0] for shard in shards], sum(map(len, shards))
            yield _KEYS, _WRITE(_Keys(name, length, size, first, [memoryview(_WRITE(dict(each))) for each in shards]))


def _rows_part(rows: Sequence[bytes]) -> bytes:
    starts = array(NUMBER_CODE, accumulate(map(len, rows), initial=0))
    return _WRITE(_Rows(starts.tobytes(), memoryview(b"".join(rows))))


_INDEXES = ("code", "type", "name", "diagnosis", "operation")


def _pieces(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(rows)
    while piece := list(islice(rest, size)):
        yield piece


# -- reading


class Loading:
    """A compiled form on its way to a list: iterate it, and ``compiled`` is there. No step takes long.

    Args:
        digest: of the list.
        parts: of the form, checked; taken out as they are read.
    """

    def __init__(self, digest: str, parts: list[tuple[bytes, bytes]]) -> None:
        self._digest = digest
        self._parts = parts
        self._compiled: CompiledList | None = None

    @property
    def compiled(self) -> CompiledList:
        """The list; raises FormError before the last step."""
        if self._compiled is None:
            raise FormError("the list has not been loaded to its end")
        return self._compiled

    def __iter__(self) -> Iterator[None]:
        """The steps."""
        read = _Read()
        parts = self._parts
        parts.reverse()
        while parts:
            kind, content = parts.pop()
            if kind == _TERMS:
                read.automata.append((yield from automaton(_READ_TERMS(content))))
            else:
                read.take(kind, content)
            yield
        self._compiled = read.compiled(self._digest)


class _Shards:
    """The shards of one index, as far as they were read."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.shards: list[Shard] = []
        self.size = 0

    def take(self, keys: _Keys) -> None:
        """Some more."""
        self.first += keys.first
        self.shards += keys.shards
        self.size += keys.size


class _Read:
    """What was read so far."""

    def __init__(self) -> None:
        self.about: _About | None = None
        self.sets: dict[str, tuple[str, ...]] = {}
        self.rows: dict[bytes, list[Rows]] = {_LINES: [], _RULES: [], _GROUPS: []}
        self.shards: dict[tuple[str, int], _Shards] = {}
        self.automata: list[Any] = []

    def take(self, kind: bytes, content: bytes) -> None:
        """A part that needs one step."""
        if kind == _ABOUT:
            self.about = _READ_ABOUT(content)
        elif kind == _SET:
            named = _READ_SET(content)
            self.sets[named.name] = named.codes
        elif kind == _KEYS:
            keys = _READ_KEYS(content)
            self.shards.setdefault((keys.index, keys.length), _Shards()).take(keys)
        else:
            rows = _READ_ROWS(content)
            self.rows[kind].append(Rows(rows.starts, rows.text))

    def compiled(self, digest: str) -> CompiledList:
        """The list."""
        about = self.about
        if about is None:
            raise FormError("the compiled list has no beginning; delete it, and it is made again")
        binder = Binder(self.sets)
        rules = Rules(self.rows[_RULES], about.overridden, binder)
        whole = {name: self._index(f"by_{name}", 0, rules) for name in _INDEXES}
        prefixes = {length: self._index(name, length, rules) for name, length in self.shards if name == "by_prefix"}
        return CompiledList(
            rules=rules,
            by_code=whole["code"],
            by_prefix=prefixes,
            by_type=whole["type"],
            by_name=whole["name"],
            by_diagnosis=whole["diagnosis"],
            by_operation=whole["operation"],
            of_encounter=tuple(rules[number] for number in about.of_encounter),
            terms=Terms.of_automata(self.automata),
            binder=binder,
            digest=digest,
            details=about.details,
            changes=frozenset(about.changes),
            lines=partial(_lines, self.rows[_LINES], rules),
            parts=self._held(rules, binder, (*whole.values(), *prefixes.values())),
        )

    def _index(self, name: str, length: int, rules: Rules) -> Index:
        held = self.shards.get((name, length), _Shards())
        return Index(held.first, held.shards, held.size, self.rows[_GROUPS], rules)

    def _held(self, rules: Rules, binder: Binder, indexes: Iterable[Index]) -> tuple[dict[Any, Any] | list[Any], ...]:
        """All there is to let go of, a little at a time."""
        found = (index.found for index in indexes)
        first, shards = (held.first for held in self.shards.values()), (held.shards for held in self.shards.values())
        return (*found, rules.bound, *binder.held, *first, *shards, *self.rows.values(), self.automata)


def _lines(sets: Sequence[Rows], rules: Rules) -> Iterator[bytes]:
    yield from (bytes(line) + b"\n" for line in chain.from_iterable(sets))
    yield from rules.lines()


def opened(path: Path, *, digest: str = "", maker: str = "") -> Loading:
    """Read a compiled form and check it whole; may take some tenths of a second, mostly without the interpreter.

    Args:
        path: where it is.
        digest: of the list it must be of; "": of any.
        maker: the program it must have been made by.

    Raises:
        FormError: It is missing, damaged, of another list or another program's.
    """
    try:
        with path.open("rb") as file:
            return loading_of(file, digest=digest, maker=maker)
    except OSError as error:
        raise FormError(f"the compiled list `{path.name}` cannot be read ({error.strerror})") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise FormError(f"the compiled list `{path.name}` is damaged ({error})") from None


def read(path: Path, *, digest: str = "", maker: str = "") -> CompiledList:
    """Read a compiled form to its end at once; raises as :func:`opened`."""
    loading = opened(path, digest=digest, maker=maker)
    for _ in loading:
        pass
    return loading.compiled


def loading_of(file: BinaryIO, *, digest: str = "", maker: str = "") -> Loading:
    """A form out of a binary file object, checked; raises ValueError where it cannot be used."""
    if file.readline(MOST_HEAD_BYTES) != FORMAT:
        raise ValueError("it does not begin as one")
    head = _READ_HEAD(file.readline(MOST_HEAD_BYTES))
    if head.maker != maker:
        raise ValueError("another version of the program made it")
    if digest and head.digest != digest:
        raise ValueError("it is of another list")
    found, parts = hashlib.sha256(), list(_read_parts(file))
    for start, content in parts:
        found.update(start)
        found.update(content)
    if found.hexdigest() != head.sha256:
        raise ValueError("it was changed after it was written")
    return Loading(head.digest, [(start[:1], content) for start, content in parts])


def _read_parts(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The parts with what stands before each."""
    while start := file.read(_FRAME.size):
        length = _FRAME.unpack(start)[1] if len(start) == _FRAME.size else MOST_PART_BYTES
        if length >= MOST_PART_BYTES:
            raise ValueError("a part has no length")
        yield start, file.read(length)
