"""Which transaction a call is: by its body, else by its path or its gateway's header.

A gateway has one address for each transaction, another one for all of them (reference `national_interface.md` 1.4), so
that the number stands in the body, in the path, in a header, or in several of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.convertors import Convertor, register_url_convertor

from negative_list.readers.dialects import transaction_of_body

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHECKS", "FEEDBACK", "ONE_FOR_ALL", "PASSED", "kind_of", "number_in", "paths_of"]

CHECKS = ("3101", "3102")
"""The transactions that check: 事前 and 事中; their tables are the same (2)."""

FEEDBACK = "3103"
"""The transaction that tells what was done (4)."""

ONE_FOR_ALL = ("/", "/fsi/api/rsfComIfsService/callService")
"""The paths that take every transaction: a middle tier's, and that of the appendix's sample client (1.4)."""

PASSED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods of what is passed on to the bureau."""

_KINDS: Mapping[str, str] = {"3101": "3101", "3102": "3102", "3103": FEEDBACK, "3660": "3101", "3661": "3102"}
"""What this sidecar answers itself; 3660 and 3661 are the numbers of Hainan (2.7)."""

_NUMBER = re.compile(r"[0-9]{4,6}[A-Za-z]?")
# Other encodings than UTF-8 keep ASCII as it is: the number can be read of a body that cannot.
_IN_BYTES = re.compile(rb'"infno"\s{0,8}:\s{0,8}"?([0-9]{4,6}[A-Za-z]?)\b')
_LOOKED_AT = 16_384
_HEADER = "_api_name"


class _Number(Convertor[str]):
    """The number of a transaction as a segment of a path."""

    regex = "[0-9]{4,6}[A-Za-z]?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("transaction", _Number())


def paths_of(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Every path of the interface, in the router's form: the usual ones, then those callers' settings begin with.

    With and without a slash at the end, for a client that is told to go to the other one does not; and with two at the
    beginning, where a client puts an address that ends with one before a path that begins with one.
    """
    bare = [path.rstrip("/") for path in (*ONE_FOR_ALL, *prefixes)]
    paths = [*bare, *(f"{path}/{{infno:transaction}}" for path in bare)]
    return tuple(dict.fromkeys(each for path in paths for each in (path, f"{path}/", f"/{path}", f"/{path}/") if each))


def kind_of(number: str) -> str:
    """What a transaction is here: one of :data:`CHECKS`, :data:`FEEDBACK`, or "" for one that is somebody else's."""
    return _KINDS.get(number, "")


def number_in(raw: bytes, body: Mapping[str, object] | None, path: str, headers: Mapping[str, str]) -> str:
    """The number of a call's transaction, "" where nothing says it.

    Args:
        raw: the body as it came.
        body: the same read; ``None`` where it cannot be.
        path: the last segment of the path.
        headers: of the request. A gateway may name every call alike there (1.4), so that only a number counts.
    """
    if body is not None:
        told = transaction_of_body(body)
    else:
        found = _IN_BYTES.search(raw[:_LOOKED_AT])
        told = found[1].decode() if found else ""
    for text in (told, path, headers.get(_HEADER, "")):
        if text and (text is told or _NUMBER.fullmatch(text)):
            return text.upper()
    return ""
