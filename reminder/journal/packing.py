"""A body as it is kept, and back.

Compressed (zlib, the fastest level), which takes three quarters of a body and some 50 us. Where many answers wait for
one commit, time counts more than space: then it is kept as it is. So is what is short.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

__all__ = ["BURST", "packed", "text_of", "unpacked"]

BURST = range(4, 100)
"""How many bodies written together make a burst. More are not waited for one by one: a backlog, or a copy."""

_LEVEL = 1
_SHORT = 512
_OPEN = b"{"  # no zlib stream begins with it


def packed(bodies: Sequence[bytes]) -> list[bytes]:
    """Bodies of one group as they are kept."""
    burst = len(bodies) in BURST
    return [
        body if body[:1] == _OPEN and (burst or len(body) < _SHORT) else zlib.compress(body, _LEVEL) for body in bodies
    ]


def unpacked(content: bytes) -> bytes:
    """The body again. Raises ``zlib.error``, or ``TypeError`` when that is no bytes at all."""
    return content if content[:1] == _OPEN else zlib.decompress(content)


def text_of(content: bytes) -> bytes:
    """The text of what was kept packed or, before lists were, as it is; what is neither stays what it is.

    Whoever reads it looks whether it is what it is named by.
    """
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(content)
    except zlib.error:
        return content
    return text if stream.eof and not stream.unused_data else content
