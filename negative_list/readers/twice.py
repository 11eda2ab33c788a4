"""A key that stands twice in an object: the last one counts, as in every parser; where they differ, a note says so.

The parser keeps no trace of the others, so they are counted: a body holds one colon for each of its keys, besides those
within texts, and what was read of it, written again, holds as many, unless a key came twice. Only then is it read once
more, to find which.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list.prescription import Note, Prescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LONGEST", "SaidTwice", "noted", "notes_of", "with_keys_told"]

_ENCODER = msgspec.json.Encoder()
LONGEST = 1024 * 1024
"""Bytes of a body that is looked through; in a longer one a thread that counts would keep others waiting."""

_MOST_NAMED = 10
_LONGEST_PATH = 200
_NAME, _NO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}"), "?"
_SOMEWHERE = "body"
_MESSAGE = "同一个键写了两次且内容不同，以后一个为准"


class SaidTwice(dict[str, Any]):
    """A body in which keys came twice; ``fields`` names those whose values differ, by their paths."""

    fields: tuple[str, ...] = ()


class _Pairs(list[Any]):
    """An object as its keys and values in their order."""


def with_keys_told(data: bytes | str, body: dict[str, Any]) -> dict[str, Any]:
    """The object ``body`` that was read of ``data`` (JSON); a :class:`SaidTwice` where keys of it came twice."""
    if len(data) > LONGEST:
        return body
    try:
        written = _ENCODER.encode(body)
    except (OverflowError, RecursionError):  # an integer of any length, a depth that just could be read
        return body
    colons = data.count(b":") if isinstance(data, bytes) else data.count(":")
    if colons <= written.count(b":"):
        return body
    told = SaidTwice(body)
    told.fields = _fields(data)
    return told


def noted(prescription: Prescription, body: Mapping[str, Any]) -> Prescription:
    """The prescription of a body with a note for each key that came twice and said different things."""
    notes = notes_of(body)
    return msgspec.structs.replace(prescription, notes=(*prescription.notes, *notes)) if notes else prescription


def notes_of(body: Mapping[str, Any]) -> tuple[Note, ...]:
    """A note for each key of a body that came twice and said different things."""
    if not isinstance(body, SaidTwice):
        return ()
    return tuple(Note(code="conflict", field=field, message=_MESSAGE) for field in body.fields)


def _fields(data: bytes | str) -> tuple[str, ...]:
    """The paths of keys that came with different values, the first of them."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        pairs = json.loads(text.rstrip("\0"), strict=False, object_pairs_hook=_Pairs, parse_float=str, parse_int=str)
        found = _differing(pairs, "")
        return tuple(field[:_LONGEST_PATH] for _, field in zip(range(_MOST_NAMED), found, strict=False))
    except (ValueError, RecursionError):
        return (_SOMEWHERE,)


def _differing(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        last = dict(value)
        if len(last) < len(value):
            yield from (_join(path, key) for key in dict.fromkeys(key for key, told in value if told != last[key]))
        for key, inner in last.items():
            yield from _differing(inner, _join(path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _differing(inner, f"{path}[{place}]")


def _join(path: str, key: str) -> str:
    """A path goes into the answer and the journal: what is no name of a field, which may be anybody's, stays out."""
    name = key if _NAME.fullmatch(key) else _NO_NAME
    return f"{path}.{name}" if path else name
