"""A stock is carried on from file to file."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from reminder.config import Config
from reminder.imports import import_files
from reminder.stores.base import Wanted
from reminder.stores.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

HERE, ITEM = "H1", "XB05BAF501B002010100001"


class Stock:
    """The files of a pharmacy, imported one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def told(self, call: dict[str, Any]) -> None:
        """One call in a file of its own."""
        file = self.folder / "call.json"
        file.write_text(json.dumps(call | {"fixmedins_code": HERE, "inf_time": "2026-11-09 20:00:00"}))
        assert import_files([file], Config(data=self.folder), HERE, print) == []

    def counted(self, amount: int, at: str = "2026-11-09 07:00:00") -> None:
        """3501."""
        self.told({"infno": "3501", "input": {"invinfo": [{"med_list_codg": ITEM, "inv_cnt": amount, "invdate": at}]}})

    def sold(self, *at: str, amount: int = 1) -> None:
        """3505A, a row each time."""
        rows = [{"med_list_codg": ITEM, "sel_retn_cnt": amount, "sel_retn_time": moment} for moment in at]
        self.told({"infno": "3505A", "input": {"selinfoDetail": rows}})

    def at(self, hour: int, day: int = 9) -> object:
        """What is known of the stock."""
        known: dict[str, Any] = {"patient_key": "", "encounter_key": "", "institution_id": HERE, "history": False}
        wanted = Wanted(**known, at=datetime(2026, 11, day, hour), subjects=(f"{HERE}/{ITEM}",))
        store = open_store(self.folder)
        try:
            return next((fact.value for fact in store.read(wanted).facts), None)
        finally:
            store.close()


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    """Five counted at seven in the morning."""
    told = Stock(tmp_path)
    told.counted(5)
    return told


def test_a_sale_told_later_lowers_the_stock(stock: Stock) -> None:
    """From its moment on; a second file goes on from there."""
    stock.sold("2026-11-09 09:00:00", "2026-11-09 11:00:00")
    stock.sold("2026-11-09 13:00:00", amount=2)
    assert [stock.at(hour) for hour in (8, 10, 12, 14)] == [5, 4, 3, 1]


def test_a_file_imported_again_lowers_it_once(stock: Stock) -> None:
    """Also where it holds more than before."""
    for times in (["2026-11-09 09:00:00"], ["2026-11-09 09:00:00", "2026-11-09 11:00:00"]) * 2:
        stock.sold(*times)
    assert [stock.at(hour) for hour in (10, 12)] == [4, 3]


def test_a_sale_that_comes_late_leaves_the_stock_unknown(stock: Stock) -> None:
    """Sales after it were taken from a stock without it; the next count is certain again."""
    stock.sold("2026-11-09 11:00:00")
    stock.sold("2026-11-09 09:00:00")
    assert [stock.at(hour) for hour in (8, 10, 12)] == [5, None, None]
    stock.counted(3, "2026-11-09 13:00:00")
    assert stock.at(14) == Decimal(3)


def test_a_sale_before_a_later_count_is_in_it(stock: Stock) -> None:
    """The count saw what was left."""
    stock.counted(3, "2026-11-10 07:00:00")
    stock.sold("2026-11-09 09:00:00")
    assert stock.at(8, 10) == Decimal(3)


def test_a_stock_is_not_known_longer_for_its_sales(stock: Stock) -> None:
    """To the end of the day after the count."""
    stock.sold("2026-11-10 09:00:00", "2026-11-11 09:00:00")
    assert [stock.at(10, day) for day in (10, 11)] == [4, None]


def test_a_sale_of_what_was_never_counted_tells_no_stock(tmp_path: Path) -> None:
    """It says how much went, not how much there was."""
    told = Stock(tmp_path)
    told.sold("2026-11-09 09:00:00")
    assert told.at(10) is None
