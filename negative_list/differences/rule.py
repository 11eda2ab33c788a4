"""What changed in one rule: both records are walked side by side, defaults filled in."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.conditions import Age, Fact, Window
from negative_list.differences.records import Change
from negative_list.rules import Reason, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Codes: TypeAlias = Mapping[str, tuple[str, ...]]

__all__ = ["changes_of", "importance_of"]

_IDENTITY = frozenset({"id", "version"})
"""What tells a rule, and counts its changes: no change by itself where it is not the only one."""


class _Walk(Struct, frozen=True, kw_only=True):
    """Where two records stand: their path, the words on the way, and the codes of the named sets of either list."""

    path: str
    where: tuple[str, ...]
    sets: tuple[Codes, Codes]

    def to(self, key: str, *words: str) -> _Walk:
        path = f"{self.path}.{key}" if self.path else key
        return msgspec.structs.replace(self, path=path, where=(*self.where, *(words or (key,))))

    def at(self, place: int) -> _Walk:
        return msgspec.structs.replace(self, path=f"{self.path}[{place}]")

    def told(self, **given: Any) -> Change:
        return Change(path=self.path, where=self.where, **given)


def changes_of(before: Rule, after: Rule, sets: tuple[Codes, Codes]) -> tuple[Change, ...]:
    """Everything that changed in a rule, what matters most first.

    Args:
        before: the rule as it was.
        after: the rule as it is, of the same id.
        sets: codes by the id of the set, of the list before and of the list after.
    """
    start = _Walk(path="", where=(), sets=sets)
    found = [
        change
        for name, key in _keys(Rule)
        for change in _field(getattr(before, name), getattr(after, name), start, key)
    ]
    told = [change for change in found if change.path not in _IDENTITY] or found
    return tuple(sorted(told, key=lambda change: (_rank(change), change.path)))


@cache
def _keys(record: type[Struct]) -> tuple[tuple[str, str], ...]:
    """The fields of a record and their keys in files."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(record))


def _field(before: Any, after: Any, walk: _Walk, key: str) -> Iterator[Change]:
    """What changed in a field of a record; of cases only how many there are is told."""
    if before == after:
        return
    inside = walk.to(key)
    if inside.path == "cases":
        yield inside.told(kind="value", before=len(before), after=len(after))
        return
    yield from _differing(before, after, inside)


def _differing(before: Any, after: Any, walk: _Walk) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, tuple) and isinstance(after, tuple):
        yield from _sequences(before, after, walk)
    elif isinstance(before, Struct) and _alike(before, after):
        yield from _records(before, after, walk)
    else:
        yield walk.told(kind="value", before=before, after=after)


def _records(before: Any, after: Any, walk: _Walk) -> Iterator[Change]:
    inside = msgspec.structs.replace(walk, where=(*walk.where, *_words(after)))
    kind: type[Struct] = type(after)
    keys = _keys(kind)
    by_set = {("codes", "codes"), ("sets", "sets")} <= set(keys)
    if by_set:
        yield from _coded(before, after, inside)
    for name, key in keys:
        if not (by_set and name in {"codes", "sets"}):
            yield from _field(getattr(before, name), getattr(after, name), inside, key)


def _words(record: Any) -> tuple[str, ...]:
    """What a record on the way is called: the kind of a condition, its fact, the unit its numbers are in."""
    if isinstance(record, Fact):
        return (record.fact,)
    if isinstance(record, Age):
        return (f"age.{record.unit}",)
    if isinstance(record, Window):
        return (f"={record.unit}",)
    tag = record.__struct_config__.tag
    return (str(tag),) if tag else ()


def _alike(before: Any, after: Any) -> bool:
    """Whether two records are the same thing with something changed, not one in the place of another."""
    if type(before) is not type(after):
        return False
    return _name(before) == _name(after)


def _name(record: Any) -> str:
    if isinstance(record, Fact):
        return record.fact
    return record.code if isinstance(record, Reason) else ""


def _coded(before: Any, after: Any, walk: _Walk) -> Iterator[Change]:
    """Codes, those of named sets among them: what counts is which codes are meant, not how they are written."""
    if (before.codes, before.sets) == (after.codes, after.sets):
        return
    was, is_ = (
        dict.fromkeys((*record.codes, *(code for name in record.sets for code in codes.get(name, ()))))
        for record, codes in zip((before, after), walk.sets, strict=True)
    )
    added = tuple(code for code in is_ if code not in was)
    removed = tuple(code for code in was if code not in is_)
    kind = "items" if added or removed else "writing"
    yield walk.to("codes").told(kind=kind, added=added, removed=removed)


def _sequences(before: tuple[Any, ...], after: tuple[Any, ...], walk: _Walk) -> Iterator[Change]:
    if any(isinstance(part, Struct) for part in (*before, *after)):
        yield from _parts(before, after, walk)
        return
    was, is_ = Counter(before), Counter(after)
    added, removed = tuple((is_ - was).elements()), tuple((was - is_).elements())
    yield walk.told(kind="items" if added or removed else "writing", added=added, removed=removed)


def _parts(before: tuple[Any, ...], after: tuple[Any, ...], walk: _Walk) -> Iterator[Change]:
    """Parts that are alike are compared, in their order; the others were added or removed."""
    old, new = list(before), []
    for place, part in enumerate(after):
        if part in old:
            old.remove(part)
        else:
            new.append((place, part))
    if not old and not new:
        yield walk.told(kind="writing")
    added = []
    for place, part in new:
        match = next((other for other in old if _alike(other, part)), None)
        if match is None:
            added.append(part)
        else:
            old.remove(match)
            yield from _differing(match, part, walk.at(place))
    if added or old:
        yield walk.told(kind="parts", added=tuple(added), removed=tuple(old))


# what matters how much

_RANKS: tuple[frozenset[str], ...] = (
    frozenset({"action", "grades"}),
    frozenset({"result", "class", "trigger", "violation", "scope"}),
    frozenset({"valid_from", "valid_to", "overrides", "fund_only"}),
    frozenset({"on_unknown", "addressee", "per", "amount", "amount_share"}),
    frozenset({"message", "title", "basis", "reasons", "suggestions"}),
)
"""Fields by how much a change of them matters: what is asked of people, whom it meets, when, how, in which words."""

_ORDERED = frozenset({"grades", "weights"})
"""Parts of which the first that fits counts: their order is no matter of writing."""

_BLOCKS, _FREES = -2, -1
_WRITING = len(_RANKS) + 1


def _rank(change: Change) -> int:
    if change.kind == "writing" and change.where[-1] not in _ORDERED:
        return _WRITING
    if change.path == "action":
        return {"block": _BLOCKS}.get(change.after, _FREES if change.before == "block" else 0)
    return next((rank for rank, fields in enumerate(_RANKS) if change.where[0] in fields), len(_RANKS))


def importance_of(changes: tuple[Change, ...]) -> int:
    """How much a rule's change matters, 0 most: it blocks now, it blocks no longer, then by what changed."""
    return _rank(changes[0]) - _BLOCKS if changes else _WRITING - _BLOCKS
