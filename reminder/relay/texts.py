"""Bodies of 3103 in the caller's own words and encoding: which findings one answers, and the part meant for the bureau.

The dialect does not matter: an answer is an object in a list that holds the id of a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from negative_list.readers.body import encoding_of, parse_body

__all__ = ["only", "words_of"]

_GBK = "gb18030"  # holds GBK, as every client that says GBK writes it
_DIGEST = 16
_ID = "warnrsltid"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def words_of(body: bytes, ids: Collection[str]) -> dict[str, bytes]:
    """What a 3103 says of each of some findings, as a digest of all its answers to that one.

    The same said in other letters is the same: a number for its text, nothing for an empty field, another dialect.
    """
    said: dict[str, bytes] = {}
    for answer, id_ in _answers(_whole(body), frozenset(ids)):
        text = said.get(id_, b"") + msgspec.json.encode(_meant(answer), order="deterministic")
        said[id_] = hashlib.sha256(text).digest()[:_DIGEST]
    return said


def _meant(answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer says, whatever its letters; the id apart, which is known."""
    told = {_plain(key): value if isinstance(value, dict | list) else _scalar(value) for key, value in answer.items()}
    return {key: value for key, value in told.items() if value and key != _ID}


def _scalar(value: object) -> str:
    text = "" if value is None else str(value).strip()
    return text if text.strip("-") else ""


def only(body: bytes, ids: Collection[str]) -> bytes:
    """The 3103 with the answers about these findings alone, in its encoding; as it came where it has no others.

    Raises:
        RequestError: it is no JSON object.
    """
    wanted = frozenset(ids)
    told = parse_body(body)
    kept = _kept(told, wanted)
    if kept == told:
        return body
    written = _ENCODER.encode(kept)
    return written if encoding_of(body) == "utf-8" else written.decode().encode(_GBK)


def _whole(body: bytes) -> Any:
    """The body with what is packed into texts unpacked (2.8: `input` as a text)."""
    return _walked(parse_body(body), lambda _list: _list, pack=False)


def _kept(told: dict[str, Any], wanted: frozenset[str]) -> Any:
    """The body with, of every list of answers, those wanted."""
    return _walked(told, lambda rows: [row for row in rows if _wants(row, wanted)], pack=True)


def _wants(row: object, wanted: frozenset[str]) -> bool:
    """Whether a row stays: an answer that is wanted, or no answer at all."""
    return not _is_answer(row) or _id_of(row, wanted) != ""


def _answers(told: object, ids: frozenset[str]) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(told, list):
        for row in told:
            id_ = _id_of(row, ids) if _is_answer(row) else ""
            if id_:
                yield row, id_
            else:
                yield from _answers(row, ids)
    elif isinstance(told, dict):
        id_ = _id_of(told, ids) if _is_answer(told) else ""
        if id_:
            yield told, id_
        for value in told.values():
            yield from _answers(value, ids)


def _is_answer(row: object) -> bool:
    """Table 144: an answer names its finding, `warn_rslt_id` in whatever case."""
    return isinstance(row, dict) and any(_plain(key) == _ID for key in row)


def _id_of(row: Any, ids: frozenset[str]) -> str:
    """Which of some findings an answer is about, "" for none of them; an id may be a number, or stand among blanks."""
    told = (str(value).strip() for key, value in row.items() if _plain(key) == _ID)
    return next((id_ for id_ in told if id_ in ids), "")


def _plain(key: str) -> str:
    return key.replace("_", "").lower()


def _walked(told: Any, rows: Callable[[list[Any]], list[Any]], *, pack: bool) -> Any:
    """A copy with every list changed; JSON packed into a text is unpacked for that, and packed again where wanted."""
    if isinstance(told, list):
        return [_walked(one, rows, pack=pack) for one in rows(told)]
    if isinstance(told, dict):
        return {key: _walked(value, rows, pack=pack) for key, value in told.items()}
    if isinstance(told, str) and told.lstrip()[:1] in {"{", "["}:
        return _unpacked(told, rows, pack=pack)
    return told


def _unpacked(text: str, rows: Callable[[list[Any]], list[Any]], *, pack: bool) -> Any:
    try:
        inner = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    changed = _walked(inner, rows, pack=pack)
    if not pack:
        return changed
    return text if changed == inner else _ENCODER.encode(changed).decode()
