"""Checking raw data against the records of a list, all problems at once.

The records themselves are the schema: this module walks their types. It runs only where the fast decoder refused a
row, so that the good row costs nothing and the bad one is told everything that is wrong with it.
"""

from __future__ import annotations

import copy
import re
import types
import typing
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from negative_list import conditions
from negative_list.errors import nearest

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["KINDS", "problems_of", "without"]

KINDS: dict[str, type[Struct]] = {
    str(member.__struct_config__.tag): member for member in typing.get_args(conditions.Condition)
}
"""Every condition kind with its record."""


def problems_of(raw: object, record: type[Struct], path: str = "") -> Iterator[tuple[str, str]]:
    """Everything that keeps raw data from being the record: pairs of path and message."""
    if not isinstance(raw, dict):
        yield path, f"expected a mapping with the keys of a {_words(record)}, got {_shown(raw)}"
        return
    wanted = _fields(record)
    for key in raw:
        if key not in wanted and key != record.__struct_config__.tag_field:
            yield _join(path, key), f"unknown key `{key}`{nearest(str(key), wanted)}"
    for key, (kind, required) in wanted.items():
        if key in raw:
            yield from _value_problems(raw[key], kind, _join(path, key))
        elif required:
            yield path, f"missing key `{key}`"


def without(raw: object, paths: Iterable[str]) -> object:
    """A copy of raw data with the values at the paths left out, so that the rest of a bad row can be looked at too."""
    left = copy.deepcopy(raw)
    for path in paths:
        *steps, last = _STEP.findall(path) or [""]
        holder: Any = left
        for step in steps:
            holder = _below(holder, step)
        if isinstance(holder, dict):
            holder.pop(last, None)
    return left


_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


def _below(holder: Any, step: str) -> Any:
    if step.startswith("["):
        place = int(step[1:-1])
        return holder[place] if isinstance(holder, list) and place < len(holder) else None
    return holder.get(step) if isinstance(holder, dict) else None


@cache
def _fields(record: type[Struct]) -> dict[str, tuple[Any, bool]]:
    """Key in files → (type, required)."""
    hints = typing.get_type_hints(record)
    return {f.encode_name: (hints[f.name], f.required) for f in msgspec.structs.fields(record)}


def _value_problems(value: object, kind: Any, path: str) -> Iterator[tuple[str, str]]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        yield from _union_problems(value, args, path)
    elif isinstance(kind, type) and issubclass(kind, Struct):
        yield from problems_of(value, kind, path)
    elif origin is tuple and isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _value_problems(item, args[0], f"{path}[{place}]")
    else:
        yield from _plain_problems(value, kind, path)


def _union_problems(value: object, args: tuple[Any, ...], path: str) -> Iterator[tuple[str, str]]:
    if value is None and type(None) in args:
        return
    wanted = [arg for arg in args if arg is not type(None)]
    if wanted[0] in KINDS.values():
        yield from _condition_problems(value, path)
    elif len(wanted) == 1:
        yield from _value_problems(value, wanted[0], path)
    elif records := [arg for arg in wanted if isinstance(arg, type) and issubclass(arg, Struct)]:
        # A limit is a number, or a record of how it is worked out.
        plain = next(arg for arg in wanted if arg not in records)
        yield from _value_problems(value, records[0] if isinstance(value, dict) else plain, path)
    else:
        yield from _plain_problems(value, typing.Union[tuple(wanted)], path)  # noqa: UP007 (made at run time)


def _condition_problems(value: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield path, f"expected a condition (a mapping with `kind`), got {_shown(value)}"
        return
    kind = value.get("kind")
    if kind is None:
        yield path, "missing key `kind`; a condition says which kind it is"
    elif not isinstance(kind, str) or kind not in KINDS:
        yield _join(path, "kind"), f"unknown condition kind `{kind}`{nearest(str(kind), KINDS)}"
    else:
        yield from problems_of(value, KINDS[kind], path)


def _plain_problems(value: object, kind: Any, path: str) -> Iterator[tuple[str, str]]:
    if typing.get_origin(kind) is typing.Literal:
        allowed = typing.get_args(kind)
        if value not in allowed:
            yield (
                path,
                f"`{value}` is not one of {', '.join(map(str, allowed))}{nearest(str(value), map(str, allowed))}",
            )
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield path, f"{str(error).partition(' - at')[0].lower()}, got {_shown(value)}"


_SHOWN = 40
"""Characters of a user's value that a message repeats, so that it stays one line."""


def _shown(value: object) -> str:
    text = str(value)
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}`"


def _words(record: type[Struct]) -> str:
    return record.__name__.lower()


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
