"""Answering in kind: JSON in the encoding a caller writes in, so that old systems need not convert."""

from __future__ import annotations

import codecs
from email.message import Message

__all__ = ["GBK", "in_kind", "told_encoding"]

GBK = "gbk"
"""The encoding of Chinese Windows, and of its successor GB18030; "" is UTF-8."""

_NAMES = frozenset({"gbk", "gb2312", "gb18030", "cp936", "x-gbk"})
_ESCAPED = "reminder.json.escaped"
_LAST_OF_PLANE_0 = 0xFFFF


def told_encoding(content_type: str) -> str:
    """What a ``Content-Type`` says of the encoding: ``gbk``, or "" to find out.

    ``charset=utf-8`` is no evidence: libraries write it beside whatever they send.
    """
    if "charset" not in content_type.lower():
        return ""
    header = Message()
    header["content-type"] = content_type
    return GBK if (header.get_content_charset() or "") in _NAMES else ""


def in_kind(content: bytes, encoding: str) -> bytes:
    """JSON in UTF-8 as JSON in ``encoding``; what GBK has no character for is escaped, as JSON may (RFC 8259, 7)."""
    return content.decode().encode(GBK, _ESCAPED) if encoding == GBK else content


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Characters outside GBK as escapes: what is not ASCII stands in texts only, in JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_escape, error.object[error.start : error.end])), error.end


def _escape(character: str) -> str:
    code = ord(character)
    if code <= _LAST_OF_PLANE_0:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


codecs.register_error(_ESCAPED, _escaped)
