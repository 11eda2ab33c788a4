"""Stock and packs: what counting, buying, selling and returning (3501 to 3506) come to.

A count says what is there, every other transaction how much it changes, so that a stock is known from its first count
on. Batches are counted one by one and belong together. One pack is sold once; a code of a split pack (``trdn_flag``)
may come again and tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from negative_list.codes import normal, usable_item
from negative_list.dictionary import Fact, ImpossibleValueError, canonical, parse_value
from negative_list.readers.exchange_fees import line_of
from negative_list.readers.exchange_rows import SET, Record, Work, moment
from negative_list.readers.exchange_table import STOCK_CHANGES
from negative_list.readers.reading import Place, Row
from negative_list.readers.stored import StoreFact

__all__ = ["StockChange", "sales", "stock_changes", "stock_facts"]

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
    """The stock of each item after its last change; none for an item that was never counted."""
    by_subject: dict[str, list[StockChange]] = {}
    for change in sorted(changes, key=lambda change: (change.at, not change.counted)):
        by_subject.setdefault(change.subject, []).append(change)
    for subject, told in by_subject.items():
        total = _total(told)
        if total is not None:
            last = told[-1]
            yield StoreFact(
                subject=subject, fact="line.stock", value=canonical(total), valid_from=last.at, source=last.source
            )


def _total(told: list[StockChange]) -> Decimal | None:
    """Batches counted at one moment are the whole stock of that moment; changes before a first count do not matter."""
    total, counted_at = None, None
    for change in told:
        if change.counted:
            total = change.amount + (total if counted_at == change.at and total is not None else 0)
            counted_at = change.at
        elif total is not None:
            total += change.amount
    return total


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
