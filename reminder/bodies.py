"""From the bytes of a JSON body to plain values, and the limits every face keeps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.limits import MAX_LINES

__all__ = ["MAX_BYTES", "LimitError", "check_bytes", "check_lines", "chinese", "is_national", "read_json"]

MAX_BYTES = 16 * 1024 * 1024
"""The most lines of a prescription (20,000) at some 800 bytes each, as the wordiest national bodies send them."""

# Numbers stay exact: 0.1 sent is 0.1 compared.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_BOM = b"\xef\xbb\xbf"


class LimitError(RequestError):
    """The request is over a limit; the same request will never be answered."""


def check_lines(count: int, field: str) -> None:
    """Refuse more than ``MAX_LINES``; ``field`` names the lines in the caller's words.

    Raises:
        LimitError: When there are more.
    """
    if count > MAX_LINES:
        message = (
            f"{count} 行超过 {MAX_LINES} 行的上限，请分次发送 ({count} lines, at most {MAX_LINES}; send them in parts)"
        )
        raise LimitError([FieldProblem(field=field, message=message)])


def check_bytes(count: int, field: str) -> None:
    """Refuse more than ``MAX_BYTES``.

    Raises:
        LimitError: When there are more.
    """
    if count > MAX_BYTES:
        message = f"正文超过 {MAX_BYTES} 字节，请分次发送 (over {MAX_BYTES} bytes; send it in parts)"
        raise LimitError([FieldProblem(field=field, message=message)])


def read_json(raw: bytes) -> dict[str, Any]:
    """The object that ``raw`` holds as JSON in UTF-8, with or without byte order mark.

    Raises:
        LimitError: When it is too long.
        RequestError: When it is not UTF-8, not JSON, or no object.
    """
    check_bytes(len(raw), "body")
    try:
        body = _DECODER.decode(raw.removeprefix(_BOM))
    except UnicodeDecodeError as error:
        raise _refused("正文不是 UTF-8 编码，请以 UTF-8 发送 (not UTF-8; send UTF-8)") from error
    except RecursionError as error:
        raise _refused("正文嵌套过深 (nested too deeply)") from error
    except msgspec.DecodeError as error:
        raise _refused(f"正文不是 JSON (not JSON: {str(error).lower()})") from error
    if not isinstance(body, dict):
        raise _refused("正文不是 JSON 对象 (not a JSON object)")
    return body


def chinese(problem: FieldProblem) -> str:
    """The Chinese sentence that names the field; details stay in the problem's own words."""
    return f"请求中的字段 {problem.field} 无法使用，请修改后重发：{problem.message}"


def is_national(body: dict[str, Any]) -> bool:
    """Whether a body is one of the national interface, as :func:`negative_list.readers.read_body` tells them apart."""
    return "input" in body or "infno" in body


def _refused(message: str) -> RequestError:
    return RequestError([FieldProblem(field="body", message=message)])
