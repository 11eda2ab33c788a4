"""From the bytes of a JSON body to plain values, within the limit every face keeps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from negative_list.errors import FieldProblem, LimitError, RequestError

__all__ = ["MAX_BYTES", "check_bytes", "parse_body"]

MAX_BYTES = 16 * 1024 * 1024
"""The most lines of a prescription (20,000) at some 800 bytes each, as the wordiest national bodies send them."""

# Numbers stay exact: 0.1 sent is 0.1 compared.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_BOM = b"\xef\xbb\xbf"


def check_bytes(count: int, field: str) -> None:
    """Refuse a body or message of more than ``MAX_BYTES``; ``field`` names it in the caller's words.

    Raises:
        LimitError: there are more.
    """
    if count > MAX_BYTES:
        message = f"正文超过 {MAX_BYTES} 字节 (over {MAX_BYTES:,} bytes); 请分次发送 (send it in parts)"
        raise LimitError([FieldProblem(field=field, message=message)])


def parse_body(raw: bytes) -> dict[str, Any]:
    """The object that ``raw`` holds as JSON in UTF-8, with or without byte order mark.

    Raises:
        LimitError: it is longer than ``MAX_BYTES``.
        RequestError: it is not UTF-8, not JSON, or no object.
    """
    check_bytes(len(raw), "body")
    try:
        body = _DECODER.decode(raw.removeprefix(_BOM))
    except UnicodeDecodeError as error:
        raise _refused("正文不是 UTF-8 编码 (not UTF-8); 请以 UTF-8 发送 (send UTF-8)") from error
    except RecursionError as error:
        raise _refused("正文嵌套过深 (nested too deeply); 请减少层次 (use fewer levels)") from error
    except msgspec.DecodeError as error:
        raise _refused(
            f"正文不是 JSON (not JSON: {str(error).lower()}); 请改正后重发 (mend it and send it again)"
        ) from error
    if not isinstance(body, dict):
        raise _refused("正文不是 JSON 对象 (not a JSON object); 请用花括号 (put it in braces)")
    return body


def _refused(message: str) -> RequestError:
    return RequestError([FieldProblem(field="body", message=message)])
