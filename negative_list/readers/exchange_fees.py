"""Fee lines of the platform (2204, 2301, 5204, 5205) as lines of history.

Fees have numbers of their own (``feedetl_sn``) that no prescription knows, so that only visit, item and day tell that a
fee is a line saved before: what one call tells of these is one line, with quantities and amounts added up. A refund is
a fee with a quantity below zero; it takes away from the fee it names (``init_feedetl_sn``), else from one of the same
visit, item and day.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec
from msgspec import Struct

from negative_list.prescription import Line
from negative_list.readers import build
from negative_list.readers.exchange_rows import Record, Work, gathered, record_of
from negative_list.readers.reading import Gathered, Place, Row
from negative_list.readers.rows import plain

__all__ = ["line_of", "line_records"]

_ADDED = ("line.quantity", "line.amount_fen", "line.ownpay_fen", "line.selfpay_fen")
_MONEY = ("cnt", "det_item_fee_sumamt", "fulamt_ownpay_amt", "preselfpay_amt")


class _Fee(Struct, frozen=True):
    """A row with its path, and the line it is."""

    row: Row
    path: str
    line: Line


def line_records(work: Work) -> Iterable[Record]:
    """The lines of one visit as one record where the visit was asked for, else one record a line.

    An answer over all institutions (5205) names no visits: only lines of other institutions are taken from it.
    """
    own, visit = plain(work.above.get("fixmedins_code")), plain(work.above.get("mdtrt_id"))
    fees: list[_Fee] = []
    refunds: list[_Fee] = []
    for row, path in work.rows:
        if not work.of(row, "mdtrt_id") and work.of(row, "fixmedins_code") == own:
            work.reading.note("not_read", Place(path), "mdtrt_id", "没有就诊ID；本机构的用药另有来源，不计入")
        elif line := line_of(work, _upright(row), path):
            (refunds if _is_refund(row) else fees).append(_Fee(row, path, line))
    lines = _by_day(_less_refunds(work, fees, refunds))
    if visit and work.transaction.side == "output":
        yield record_of(work, {}, f"{work.transaction.number}:{visit}", None, tuple(fee.line for fee in lines))
    else:
        for fee in lines:
            record_id = f"{work.transaction.number}:{fee.line.id.lstrip('#')}"
            yield record_of(work, fee.row, record_id, None, (fee.line,))


def line_of(work: Work, row: Row, path: str) -> Line | None:
    """Return the line of a row, ``None`` (with a note) where it has no time, or neither code nor name."""
    read = gathered(work, row, path)
    # before the # stands the caller's id of the line, here none: see the module
    id_ = f"#{plain(read.get('line.id')) or path}"
    if lacks := _lacks(read):
        field = next(key for key, name in work.transaction.fields.items() if name == lacks)
        work.reading.note("not_read", Place(path), field, "没有时间，或既无编码也无名称，这一行未读")
        return None
    if "line.name" not in read and "line.hospital_name" in read:
        read["line.name"] = read["line.hospital_name"]
    if institution := work.of(row, "fixmedins_code"):
        read["line.institution_id"] = institution
    visit = work.of(row, "mdtrt_id") or work.of(row, "mdtrt_sn") or institution  # institutions are no copies of others
    return build.line(work.reading, visit, read, Place(path, id_), current=False)


def _lacks(read: Gathered) -> str:
    """What a line cannot do without and was not told."""
    if "line.begins" not in read:
        return "line.begins"
    return "" if read.get("line.code") or read.get("line.name") else "line.code"


# -- refunds


def _is_refund(row: Row) -> bool:
    return str(row.get("cnt", "")).strip().startswith("-")


def _upright(row: Row) -> Row:
    """A refund with its amounts as those of a fee, so that they are read alike."""
    if not _is_refund(row):
        return row
    return {**row, **{key: str(row[key]).strip().lstrip("-") for key in _MONEY if row.get(key) is not None}}


def _less_refunds(work: Work, fees: list[_Fee], refunds: list[_Fee]) -> list[_Fee]:
    """The fees with what was refunded taken away; a refund of a fee that is not there is noted."""
    left = dict(enumerate(fees))
    for refund in refunds:
        place = next((n for n, fee in left.items() if _is_of(refund, fee)), None)
        if place is None:
            work.reading.note("not_read", Place(refund.path), "cnt", "退费明细找不到原明细，不冲减")
            continue
        line = _combined(left[place].line, refund.line, -1)
        left[place] = msgspec.structs.replace(left[place], line=line)
        if line.facts.get("line.quantity", 1) <= 0:  # type: ignore[operator]
            del left[place]
    return list(left.values())


def _is_of(refund: _Fee, fee: _Fee) -> bool:
    named = plain(refund.row.get("init_feedetl_sn"))
    return named == plain(fee.row.get("feedetl_sn")) if named else _key(refund.line) == _key(fee.line)


# -- days


def _key(line: Line) -> tuple[object, ...]:
    day = line.begins.date() if line.begins else None
    return line.encounter_id, line.codes[:1] or line.name, day


def _by_day(fees: list[_Fee]) -> list[_Fee]:
    alike: dict[tuple[object, ...], _Fee] = {}
    for fee in fees:
        key = (*_key(fee.line), fee.line.facts.get("line.paid_by"))
        same = alike.get(key)
        alike[key] = fee if same is None else msgspec.structs.replace(same, line=_combined(same.line, fee.line, 1))
    # of what the fund and what the patient pays the fund's part counts where the two are taken for copies
    return sorted(alike.values(), key=lambda fee: fee.line.facts.get("line.paid_by") == "self")


def _combined(line: Line, other: Line, sign: int) -> Line:
    """One line for both; an amount that either lacks is unknown."""
    facts = dict(line.facts)
    for name in _ADDED:
        value, added = facts.pop(name, None), other.facts.get(name)
        if isinstance(value, (int, Decimal)) and isinstance(added, (int, Decimal)):
            facts[name] = value + sign * added
    return msgspec.structs.replace(line, facts=facts)
