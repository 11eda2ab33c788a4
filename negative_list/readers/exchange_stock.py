"""Stock and packs: what counting, buying, selling and returning (3501 to 3506) come to.

A count says what is there, every other transaction how much it changes, so that a stock is known from a count on, for
:data:`STOCK_KNOWN`. Batches are counted one by one and belong together. One pack is sold once; a code of a split pack
(``trdn_flag``) may come again and tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

from msgspec import Struct

from negative_list.codes import normal, usable_item
from negative_list.dictionary import Fact, ImpossibleValueError, canonical, parse_value
from negative_list.readers.exchange_fees import line_of
from negative_list.readers.exchange_rows import SET, Record, Work, moment
from negative_list.readers.exchange_table import STOCK_CHANGES
from negative_list.readers.reading import Place, Row
from negative_list.readers.stored import StoreFact

__all__ = [
    "STOCK",
    "STOCK_KNOWN",
    "StockChange",
    "by_subject",
    "sales",
    "stock_after",
    "stock_changes",
    "stock_facts",
]

STOCK = "line.stock"
"""The fact a stock is known as."""

STOCK_KNOWN = timedelta(days=2)
"""From the day of a count until when it tells the stock: to the end of the day after it. Counts and sales are sent day
by day; an older count says nothing certain, for what went since may not have been told."""

_AMOUNT = Fact(name="", type="number", zh="数量")


class StockChange(Struct, frozen=True, kw_only=True):
    """How a stock changed: ``subject`` is ``institution/item``, ``counted`` tells a count from a change."""

    subject: str
    batch: str
    amount: Decimal
    at: datetime
    counted: bool
    source: str


def stock_changes(work: Work) -> Iterable[StockChange]:
    """The changes the rows of a call tell; what has no amount, time, item or known direction is noted."""
    for row, path in work.rows:
        amount, at = _amount(work, row, path), moment(work, row, work.transaction.at, path) or work.asked_at
        sign = _sign(work, row, path)
        item = _item(work, row)
        if amount is None or at is None or not item or not sign:
            work.reading.note(
                "not_read", Place(path), work.transaction.amount, "没有数量、时间、目录编码或变更类型，这一行未读"
            )
            continue
        yield StockChange(
            subject=f"{work.of(row, 'fixmedins_code')}/{item}",
            batch=work.of(row, "fixmedins_bchno") or work.of(row, "manu_lotnum"),
            amount=amount * sign,
            at=at,
            counted=work.transaction.counted,
            source=work.source,
        )


def _item(work: Work, row: Row) -> str:
    """The national code, or the hospital's own where there is none (NMLC999)."""
    code = normal(work.of(row, "med_list_codg"))
    return code if usable_item(code) else work.of(row, "fixmedins_hilist_id")


def _amount(work: Work, row: Row, path: str) -> Decimal | None:
    try:
        value = parse_value(_AMOUNT, work.of(row, work.transaction.amount))
    except ImpossibleValueError as error:
        work.reading.impossible(Place(path), work.transaction.amount, str(error))
        return None
    return value if isinstance(value, Decimal) else None


def _sign(work: Work, row: Row, path: str) -> int:
    if work.transaction.sign:
        return work.transaction.sign
    kind = work.of(row, "inv_chg_type")
    if kind not in STOCK_CHANGES:
        work.reading.impossible(Place(path), "inv_chg_type", f"没有库存变更类型 `{kind[:40]}`")
    return STOCK_CHANGES.get(kind, 0)


def stock_facts(changes: Iterable[StockChange]) -> Iterable[StoreFact]:
    """The stock of each item after each change since its last count; none for an item that was never counted."""
    for told in by_subject(changes).values():
        counts = [change for change in told if change.counted]
        if counts:
            counted_at = counts[-1].at
            # Batches counted at one moment are the whole stock of that moment; what was before it does not matter.
            since = [change for change in told if change.at >= counted_at]
            known_until = datetime.combine(counted_at.date() + STOCK_KNOWN, time())
            yield from stock_after(Decimal(0), since, known_until)


def by_subject(changes: Iterable[StockChange]) -> dict[str, list[StockChange]]:
    """Changes of each item in the order of their times, a count before what went at its moment."""
    told: dict[str, list[StockChange]] = {}
    for change in sorted(changes, key=lambda change: (change.at, not change.counted)):
        told.setdefault(change.subject, []).append(change)
    return told


def stock_after(total: Decimal, changes: Iterable[StockChange], known_until: datetime | None) -> Iterator[StoreFact]:
    """The stock at each moment something changed, begun from a stock; it is not known beyond ``known_until``."""
    for at, told in groupby(sorted(changes, key=lambda change: change.at), key=lambda change: change.at):
        of_moment = list(told)
        total += sum(change.amount for change in of_moment)
        if known_until is None or at < known_until:
            yield StoreFact(
                subject=of_moment[0].subject,
                fact=STOCK,
                value=canonical(total),
                valid_from=at,
                expires=known_until,
                source=of_moment[-1].source,
            )


def sales(work: Work) -> tuple[list[Record], list[StoreFact]]:
    """The sold lines of insured patients, and what the trace codes of the packs tell."""
    records: list[Record] = []
    facts: list[StoreFact] = []
    for row, path in work.rows:
        facts += _packs(work, row, path)
        patient, line = work.of(row, "psn_no"), line_of(work, row, path)
        if patient and line and work.transaction.sign < 0:
            names = (line.encounter_id, work.of(row, "rxno"), work.of(row, "med_list_codg"), str(line.begins))
            records.append(
                Record(
                    institution_id=work.of(row, "fixmedins_code"),
                    record_id=":".join((work.transaction.number.removesuffix("A"), *names)),
                    patient_id=patient,
                    lines=(line,),
                    source=work.source,
                )
            )
    return records, facts


def _packs(work: Work, row: Row, path: str) -> Iterable[StoreFact]:
    at = moment(work, row, work.transaction.at, path)
    if row.get("trdn_flag") in SET:
        return
    buyer = work.of(row, "mdtrt_sn")
    for code in _trace_codes(row):
        sold = work.transaction.sign < 0
        yield StoreFact(subject=code, fact="line.trace_code_sold", value=sold, valid_from=at, source=work.source)
        if buyer:
            yield StoreFact(
                subject=code, fact="line.trace_code_encounter", value=buyer, valid_from=at, source=work.source
            )


def _trace_codes(row: Row) -> list[str]:
    """The trace codes of a sale: a list of objects, one object, or the flat field of before V1.1.26 (7.1)."""
    told = row.get("drugtracinfo")
    held = told if isinstance(told, list) else [told] if isinstance(told, dict) else [row]
    codes = [str(one.get("drug_trac_codg") or "").strip() for one in held if isinstance(one, dict)]
    return list(dict.fromkeys(code for code in codes if code.strip("- ")))
