"""What the bureau replied to 3101 and 3102, and what a caller hears when it replied nothing.

Sections are those of the fact sheet `national_interface.md`: 1.2 the envelope, 3.1 the result, 3.3 how replies differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.readers.body import parse_body
from reminder.relay.codings import plain_body
from reminder.relay.records import BureauSaid, Passed

if TYPE_CHECKING:
    from reminder.relay.bureau import BureauError

__all__ = ["ORIGIN", "Taken", "failed", "ids_of", "said_of", "taken_of"]

ORIGIN = "bureau"
"""What ``origin`` says of a finding of the bureau."""

_OK = 200
_RIGHT = (0, "0")
_AT_THE_GATE = (401, 403, 407)
_NOT_SENT, _NOT_ANSWERED = 502, 504
_KIND = (b"content-type", b"application/json; charset=utf-8")
_MAY_BE_DONE = "；交易可能已被受理，请查询或冲正后再重发 (it may have been done: ask or reverse it first)"
_NOT_DONE = "；交易未送达，可以重发 (it was not sent and may be sent again)"
_TEXT = 200


def said_of(passed: Passed) -> BureauSaid:
    """The findings in a reply to 3101 or 3102; or why there are none to be read."""
    if passed.status != _OK:
        return BureauSaid(why=f"医保接口以状态 {passed.status} 答复 (it answered with status {passed.status})")
    try:
        reply = parse_body(plain_body(passed))
    except RequestError:
        return BureauSaid(why="医保接口的答复不是 JSON (its reply is not JSON)")
    if reply.get("infcode") not in _RIGHT:
        return BureauSaid(why=f"医保接口拒绝：{str(reply.get('err_msg') or '')[:_TEXT]} (it refused)")
    rows = _rows(reply.get("output"))
    if rows is None:
        return BureauSaid(why="医保接口的答复无法读出结果 (no result can be read in its reply)")
    return BureauSaid(rows=[{**row, **_amount(row.get("vola_amt")), "origin": ORIGIN} for row in rows])


def _amount(told: object) -> dict[str, Decimal]:
    """An amount that is written as a text, as a number: some clients read nothing else (3.3)."""
    try:
        amount = Decimal(told.strip()) if isinstance(told, str) else None
    except InvalidOperation:
        amount = None
    return {"vola_amt": amount} if amount is not None and amount.is_finite() else {}


def _rows(output: object) -> list[Mapping[str, Any]] | None:
    """The findings: a list, one object, or nothing; ``None`` where the output is a text, as enciphered ones are."""
    if isinstance(output, str):
        try:
            output = parse_body(output.encode()) if output.strip() else None
        except RequestError:
            return None
    told = output.get("result") if isinstance(output, dict) else output
    rows = told if isinstance(told, list) else [told] if told else []
    return [row for row in rows if isinstance(row, dict) and row] if all(isinstance(r, dict) for r in rows) else None


def ids_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids a caller may answer (3.1 jr_id; camelCase where the dialect has it so)."""
    return [str(id_) for row in rows if (id_ := row.get("jr_id") or row.get("jrId"))]


class Taken(Struct, frozen=True):
    """Whether the bureau took a 3103; ``why`` not, and whether that was its gateway, which let nothing in (1.4)."""

    taken: bool
    why: str = ""
    at_the_gate: bool = False


def taken_of(passed: Passed) -> Taken:
    """What a reply to 3103 means."""
    try:
        reply = parse_body(plain_body(passed))
    except RequestError:
        reply = {}
    if passed.status == _OK and reply.get("infcode") in _RIGHT:
        return Taken(taken=True)
    told = str(reply.get("err_msg") or reply.get("message") or "")[:_TEXT]
    kept_out = passed.status in _AT_THE_GATE or ("infcode" not in reply and reply.get("code") in _AT_THE_GATE)
    return Taken(taken=False, why=told or f"status {passed.status}", at_the_gate=kept_out)


def failed(error: BureauError) -> Passed:
    """What a caller hears whose call got no reply: a line that broke, as without us, but with words.

    Escaped to ASCII, so that it reads alike in UTF-8 and GBK.
    """
    message = error.why + (_MAY_BE_DONE if error.sent else _NOT_DONE)
    body = json.dumps({"infcode": -1, "err_msg": message[:_TEXT], "output": None}).encode()
    length = (b"content-length", b"%d" % len(body))
    status = _NOT_ANSWERED if error.sent else _NOT_SENT
    return Passed(status=status, headers=(_KIND, length), body=body, why=message)
