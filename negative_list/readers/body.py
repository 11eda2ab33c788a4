"""From the bytes of a JSON body to plain values, within the limit every face keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.twice import with_keys_told

__all__ = ["ENCODINGS", "MAX_BYTES", "check_bytes", "encoding_of", "opened", "parse_body"]

MAX_BYTES = 16 * 1024 * 1024
"""The most lines of a prescription (20,000) at some 800 bytes each, as the wordiest national bodies send them."""

ENCODINGS: Mapping[str, str] = {"utf-8": "UTF-8", "gbk": "GBK"}
"""What a body may be told to be, and how it is called. ``gbk`` is read as GB18030, which holds all of it."""

# Numbers stay exact: 0.1 sent is 0.1 compared.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_BOM = b"\xef\xbb\xbf"
_CHINESE_IN_UTF8 = re.compile(rb"[\xe0-\xff]")
_WRITTEN = re.compile("[\u00a0-\u00ff\u0370-\u03ff]")  # signs as ± · ×, and Greek letters
_WHOLE_FOR_EACH_BROKEN = 10  # Chinese of one encoding read as the other is broken in every second character
_HALF = re.compile(  # half of a pair: a character there is none of
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_LONGEST_INTEGER = 4_000
_SURE_DIGITS = 40
_FAR = 999_999
_CODECS = {"utf-8": "utf-8", "gbk": "gb18030"}


def check_bytes(count: int, field: str) -> None:
    """Refuse a body or message of more than ``MAX_BYTES``; ``field`` names it in the caller's words.

    Raises:
        LimitError: there are more.
    """
    if count > MAX_BYTES:
        message = f"正文超过 {MAX_BYTES} 字节 (over {MAX_BYTES:,} bytes); 请分次发送 (send it in parts)"
        raise LimitError([FieldProblem(field=field, message=message)])


def encoding_of(raw: bytes) -> str:
    """Which of :data:`ENCODINGS` a body is in, for who answers in kind: GBK is what is not UTF-8."""
    if _is_utf8(raw):
        return "gbk" if _reads_as_gbk(raw) else "utf-8"
    return "gbk" if _mended(raw, "utf-8") is None else "utf-8"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _reads_as_gbk(raw: bytes) -> bool:
    """Whether bytes that may be UTF-8 are GBK all the same: they would be letters nobody writes here, and no Chinese.

    One Chinese character of GBK in seven is a letter of two bytes in UTF-8 (药 is ҩ), so that a body with one or two
    can be both; Chinese in UTF-8 has bytes from E0 on.
    """
    if raw.isascii() or _CHINESE_IN_UTF8.search(raw):
        return False
    told = {letter for letter in raw.decode("utf-8", "ignore") if not letter.isascii()}
    return bool(told) and not any(_WRITTEN.match(letter) for letter in told)


def parse_body(raw: bytes, encoding: str = "") -> dict[str, Any]:
    """The object that ``raw`` holds as JSON, with or without byte order mark.

    Args:
        raw: the bytes.
        encoding: one of :data:`ENCODINGS`; "": UTF-8, and GBK where it is none. A character that was cut off in the
            middle, as systems do that count bytes, is U+FFFD, if nearly all others are whole.

    Raises:
        LimitError: it is longer than ``MAX_BYTES``.
        RequestError: it is in no such encoding, not JSON, or no object.
    """
    check_bytes(len(raw), "body")
    raw = raw.rstrip(b"\0")  # programs send it that count their buffer to its end
    told = encoding if not raw.startswith(_BOM) else "utf-8"
    if told == "gbk" or (not told and _reads_as_gbk(raw)):
        text = _text(raw, "gbk")
        return _object(text, _decoded(text, "body"))
    raw = raw.removeprefix(_BOM)
    try:
        return _object(raw, _decoded(raw, "body"))
    except (UnicodeDecodeError, RequestError):
        if _is_utf8(raw):
            raise
    # GBK where it was not told to be UTF-8: a byte of GBK may look like an escape of JSON
    text = _text(raw, told or encoding_of(raw))
    return _object(text, _decoded(text, "body"))


def _object(data: bytes | str, body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise _refused("正文不是 JSON 对象 (not a JSON object); 请用花括号 (put it in braces)")
    return with_keys_told(data, body)


def opened(text: str, field: str) -> object:
    """What a text inside a body holds as JSON; ``field`` names it in the caller's words.

    Raises:
        RequestError: it is not JSON.
    """
    return _decoded(text, field)


def _decoded(data: bytes | str, field: str) -> object:
    try:
        try:
            return _DECODER.decode(data)
        except (msgspec.DecodeError, InvalidOperation) as error:
            return _loosely(data, error)
    except RecursionError as error:
        raise _refused("正文嵌套过深 (nested too deeply); 请减少层次 (use fewer levels)", field) from error
    except msgspec.DecodeError as error:
        raise _refused(
            f"正文不是 JSON (not JSON: {str(error).lower()}); 请改正后重发 (mend it and send it again)", field
        ) from error


def _loosely(data: bytes | str, error: Exception) -> object:
    """What other parsers read all the same: a line break or another sign of control within a text, and any number.

    Raises:
        msgspec.DecodeError: it is not JSON for all that.
    """
    text = (data if isinstance(data, str) else data.decode("utf-8")).rstrip("\0")
    if isinstance(error, msgspec.DecodeError) and _HALF.search(text):
        raise error
    try:
        return json.loads(text, strict=False, parse_float=_number, parse_int=_integer, parse_constant=_no_constant)
    except ValueError as other:
        raise error if isinstance(error, msgspec.DecodeError) else msgspec.DecodeError(str(other)) from None


def _number(digits: str) -> Decimal:
    """A number; for an exponent that none can have, one that is as much too great or too small for everything."""
    try:
        return Decimal(digits)
    except InvalidOperation:
        begins, _, exponent = digits.lower().partition("e")
        return Decimal(f"{begins[:_SURE_DIGITS]}e{exponent[:1].strip('0123456789')}{_FAR}")


def _integer(digits: str) -> int | Decimal:
    """An integer; of one that has more places than anything can, the first ones and how many there are."""
    if len(digits) <= _LONGEST_INTEGER:
        return int(digits)
    return Decimal(f"{digits[:_SURE_DIGITS]}e{len(digits) - _SURE_DIGITS}")


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(_CODECS[encoding])
    except UnicodeDecodeError as error:
        mended = _mended(raw, encoding)
        if mended is None:
            raise _not_in(encoding, error) from error
        return mended


def _mended(raw: bytes, encoding: str) -> str | None:
    """The text with U+FFFD for what is no character, where that is a small part of all that is not ASCII."""
    text = raw.decode(_CODECS[encoding], "replace")
    others = len(text) - len(text.encode("ascii", "ignore"))
    return text if text.count("\ufffd") * _WHOLE_FOR_EACH_BROKEN <= others else None


def _not_in(encoding: str, error: UnicodeDecodeError) -> RequestError:
    name = ENCODINGS[encoding]
    return _refused(
        f"正文不是 {name} 编码 (not {name}, byte {error.start}); 请以 UTF-8 或 GBK 发送 (send UTF-8 or GBK)"
    )


def _refused(message: str, field: str = "body") -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])
