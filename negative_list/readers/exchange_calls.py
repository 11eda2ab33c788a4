"""One call of the national interface taken apart: its request, its reply, its transaction and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from negative_list.readers.dialects import transaction_of_body
from negative_list.readers.exchange_rows import Work, moment
from negative_list.readers.exchange_table import TRANSACTIONS, Transaction
from negative_list.readers.rows import refused, rows
from negative_list.readers.wording import EXPECTED_OBJECT

if TYPE_CHECKING:
    from negative_list.readers.reading import Reading, Row

__all__ = ["sides", "transaction_of", "work_of"]


def sides(told: object) -> tuple[Row, Row | None]:
    """Return the request and the reply of a call; raises ``RequestError`` where one is no object."""
    if not isinstance(told, dict):
        raise refused("body", EXPECTED_OBJECT)
    if "request" in told:
        request, reply = told["request"], told.get("reply")
    else:
        request, reply = told, told if "output" in told else None
    for name, side in (("request", request), ("reply", reply)):
        if side is not None and not isinstance(side, dict):
            raise refused(name, EXPECTED_OBJECT)
    return _unpacked(request or {}, "input"), reply and _unpacked(reply, "output")


def _unpacked(call: Row, name: str) -> Row:
    """The call with the JSON that one client sends as a text in place of an object (2.8)."""
    text = call.get(name)
    if not isinstance(text, str):
        return call
    try:
        return {**call, name: msgspec.json.decode(text)}
    except msgspec.DecodeError:
        return call


def transaction_of(request: Row) -> Transaction:
    """Return the table's row for a request; raises ``RequestError`` naming the transactions that are read."""
    number = transaction_of_body(request)
    if number not in TRANSACTIONS:
        known = "、".join(sorted(TRANSACTIONS))
        raise refused(
            "infno", f"没有交易 `{number[:10]}` 的读法 (not a transaction that is read); 可读 (read are) {known}"
        )
    return TRANSACTIONS[number]


def work_of(transaction: Transaction, request: Row, reply: Row | None, reading: Reading) -> Work:
    """Return the call with its rows found; raises ``RequestError`` where the side that holds them is no object."""
    side = request.get("input") if transaction.side == "input" else (reply or {}).get("output")
    if not isinstance(side, (dict, list)):
        raise refused(transaction.side, f"{EXPECTED_OBJECT}; {transaction.number} {transaction.zh}")
    above = dict(_above(request))
    output = (reply or {}).get("output")
    work = Work(transaction=transaction, reading=reading, rows=(), above=above, output=output, asked_at=None)
    asked_at = moment(work, {}, "inf_time", "") or reading.at
    reading.at = asked_at
    return msgspec.structs.replace(work, rows=tuple(_rows(transaction, side)), asked_at=asked_at)


def _above(request: Row) -> Iterator[tuple[str, object]]:
    """The fields of the envelope and of the request's objects, which rows need not repeat; the inner ones count."""
    told = request.get("input")
    inner = told if isinstance(told, dict) else {}
    for level in (request, inner, *(value for value in inner.values() if isinstance(value, dict))):
        for key, value in level.items():
            if isinstance(value, (str, int)):
                yield key, value
                yield _camel(key), value


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _rows(transaction: Transaction, side: dict[str, object] | list[object]) -> list[tuple[Row, str]]:
    if isinstance(side, list):
        return rows(side, transaction.side)
    for node in transaction.nodes:
        if node and node in side:
            return rows(side[node], f"{transaction.side}.{node}")
    whole = not transaction.nodes or "" in transaction.nodes
    return [(side, transaction.side)] if whole and side else []
