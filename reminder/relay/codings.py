"""Replies a bureau or its gateway compressed: what passes keeps its coding, what is read here is taken out of it.

RFC 9110, 8.4: the codings stand in the order they were applied. ``deflate`` is zlib's format, which some servers write
without its header.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reminder.relay.records import Header, Passed

__all__ = ["MOST_BYTES", "plain_body", "uncompressed"]

MOST_BYTES = 64 * 1024 * 1024
"""What a reply may be once it is taken out of its coding; a longer one is not read."""

_ACCEPT = b"accept-encoding"
_CODED = b"content-encoding"
_GZIP = 16 + zlib.MAX_WBITS
_FORMS = {
    b"gzip": (_GZIP,),
    b"x-gzip": (_GZIP,),
    b"deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


def uncompressed(headers: Iterable[Header]) -> tuple[Header, ...]:
    """The headers of a call whose reply is read here: what its caller's client could take out is no matter."""
    return (*((name, value) for name, value in headers if name.lower() != _ACCEPT), (_ACCEPT, b"identity"))


def plain_body(passed: Passed) -> bytes:
    """A reply's body without its codings; as it came where there is none, or none we know, or it is broken."""
    told = b",".join(value for name, value in passed.headers if name.lower() == _CODED).split(b",")
    body: bytes | None = passed.body
    for coding in reversed([one for name in told if (one := name.strip().lower()) not in (b"", b"identity")]):
        body = _out_of(coding, body) if body is not None else None
    return passed.body if body is None else body


def _out_of(coding: bytes, body: bytes) -> bytes | None:
    for form in _FORMS.get(coding, ()):
        reader = zlib.decompressobj(form)
        try:
            told = reader.decompress(body, MOST_BYTES)
        except zlib.error:
            continue
        return told if reader.eof else None
    return None
