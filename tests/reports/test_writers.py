"""Every format says the same of a report, and no text of one does harm in any."""

from __future__ import annotations

import json
import time
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from reminder.reports import sheets
from reminder.reports.table import Column
from reminder.reports.texts import harmless
from reminder.reports.writing import FORMATS, Format, written
from tests.reports.reports import COLUMNS, ROWS, TOTALS, from_csv, from_json, from_xlsx, report, texts

HOSTILE = (
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1+2",
    "@SUM(A1)",
    "＝1+1",
    "\t=1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></t></is></c>",
    "药" * 200,
    "a\x00b\x1bc\ufffe",
    "一\n二",
)
"""Texts somebody may have typed into a rule or an item's name."""


class Page(HTMLParser):
    """The rows of the tables of a page, its elements and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        """It ends."""
        if tag in {"th", "td"} and self._cell is not None:
            self.rows[-1].append("".join(self._cell))
            self._cell = None

    def handle_data(self, data: str) -> None:
        """The text between."""
        if self._cell is not None:
            self._cell.append(data)


def page(**changed: Any) -> Page:
    """The page of a report."""
    return Page(written(report(**changed), "html").decode())


def test_csv_has_headings_rows_and_totals_and_begins_with_a_mark() -> None:
    """Spreadsheets know UTF-8 by its mark; the total's first cell says what it is."""
    assert written(report(), "csv").startswith(b"\xef\xbb\xbf")
    total = ["合计", *texts(TOTALS)[1:]]
    assert from_csv(report()) == [[c.zh for c in COLUMNS], texts(ROWS[0]), texts(ROWS[1]), total]


def test_csv_tells_below_an_empty_line_what_was_counted_and_what_was_not() -> None:
    """The period and what is missing travel with the file."""
    lines = written(report(), "csv").decode("utf-8-sig").splitlines()
    assert lines[lines.index("") + 1 :] == ["说明,一月", "未计入,3 条"]


def test_json_has_the_same_numbers_as_the_texts() -> None:
    """Yuan with two decimals, percent and numbers with one, codes as codes."""
    told = from_json(report())
    values = ["R1", 1234, 1234.56, 33.3, 12.3, "2026-01-02 03:04:05", "2026-01-02", True, "block"]
    assert list(told["rows"][0].values()) == values
    assert told["totals"]["warned"] == 1234.56
    assert told["about"] == {"about": {"from": "2026-01-01"}}
    assert told["not_counted"] == {"not_counted": 3}
    assert [column["kind"] for column in told["columns"]] == [column.kind for column in COLUMNS]


def test_the_page_has_the_cells_of_the_table_with_thousands_apart() -> None:
    """Header cells name columns and rows; the total stands in the foot."""
    found = page()
    first = [cell.replace(",", "") for cell in found.rows[1]]
    assert found.rows[0] == [c.zh for c in COLUMNS]
    assert first == texts(ROWS[0])
    assert found.rows[1][2] == "1,234.56"
    assert found.rows[3][0] == "合计"
    scopes = [attrs.get("scope") for tag, attrs in found.tags if tag == "th"]
    assert scopes == ["col"] * len(COLUMNS) + ["row"] * 3


def test_the_table_for_the_eye_has_the_same_cells() -> None:
    """Title, what was counted, columns, totals, what was not counted."""
    text = written(report(), "table").decode()
    assert [
        word
        for row in (*ROWS, TOTALS)
        for word in texts(row)
        if word and word.replace(",", "") not in text.replace(",", "")
    ] == []
    assert text.splitlines()[:2] == ["病区清单", "说明：一月"]
    assert text.endswith("\n未计入：3 条\n")


def test_a_workbook_holds_numbers_days_and_times_in_their_formats() -> None:
    """A spreadsheet can go on counting with what it is given."""
    book = from_xlsx(report())
    sheet = book.worksheets[0]
    assert sheet.title == "病区清单"
    assert [cell.value for cell in sheet[1]] == [c.zh for c in COLUMNS]
    assert [cell.number_format for cell in sheet[2]] == [sheets.FORMATS[c.kind] for c in COLUMNS]
    assert [cell.value for cell in sheet[2]] == [
        "R1", 1234, 1234.56, 0.333, 12.3, datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2), "是", "拦截",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[3]] == ["R2", 0, None, None, None, None, None, "否", "警告"]


def test_a_workbook_has_a_frozen_header_a_total_and_a_sheet_that_explains() -> None:
    """What the reader needs is there when the first rows have scrolled away."""
    book = from_xlsx(report())
    sheet, about = book.worksheets
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.dimensions) == ("B2", "A1:I3", "A1:I4")
    assert [sheet["A4"].value, sheet["A4"].font.bold, sheet["C4"].value] == ["合计", True, 1234.56]
    assert sheet.column_dimensions["F"].width == 21
    told = {row[0].value: row[1].value for row in about.iter_rows()}
    assert (told["说明"], told["未计入"], told["提醒数"]) == ("一月", "3 条", "显示过的提醒")


def test_a_sheet_that_is_full_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is lost where a workbook's sheet ends."""
    monkeypatch.setattr(sheets, "MAX_ROWS", 2)
    rows = [(f"R{n}", *ROWS[0][1:]) for n in range(5)]
    book = from_xlsx(report(rows))
    found = [[row[0].value for row in sheet.iter_rows(min_row=2)] for sheet in book.worksheets[:-1]]
    assert found == [["R0", "R1"], ["R2", "R3"], ["R4", "合计"]]
    assert [sheet.title for sheet in book.worksheets] == ["病区清单", "病区清单 2", "病区清单 3", "说明"]


@pytest.mark.parametrize("as_format", FORMATS)
def test_the_same_report_is_the_same_bytes(as_format: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a file tells when it was written."""
    first = written(report(), as_format)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    assert written(report(), as_format) == first


def test_a_workbook_does_not_say_when_it_was_written() -> None:
    """Made and changed at an instant that is always the same."""
    properties = from_xlsx(report()).properties
    assert properties.created == properties.modified == datetime(2020, 1, 1)


@pytest.mark.parametrize("as_format", FORMATS)
def test_english_is_a_switch(as_format: Format) -> None:
    """Headings, titles and words are English; numbers stay."""
    if as_format == "xlsx":
        sheet = from_xlsx(report(), english=True).worksheets[0]
        assert [cell.value for cell in sheet[1]] == [c.en for c in COLUMNS]
    else:
        text = written(report(), as_format, english=True).decode()
        assert "warned (yuan)" in text
        assert "规则" not in text


@pytest.mark.parametrize("as_format", FORMATS)
def test_a_report_of_nothing_is_readable(as_format: Format) -> None:
    """Headings, and that there is nothing."""
    made = report([], totals=lambda: (), charts=())
    if as_format == "xlsx":
        assert from_xlsx(made).worksheets[0].max_row == 1
    else:
        assert written(made, as_format)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_no_formula_in_csv(text: str) -> None:
    """Whatever it begins with, a spreadsheet shows it."""
    cell = from_csv(report([(text, *ROWS[0][1:])]))[1][0]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "＝"))
    assert "\x00" not in cell


def test_a_number_below_zero_stays_a_number_in_csv() -> None:
    """Only texts are made harmless."""
    assert from_csv(report([("R1", -1, -100, *ROWS[0][3:])]))[1][1:3] == ["-1", "-1.00"]
    assert harmless("-1") == "'-1"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_a_text_in_a_workbook(text: str) -> None:
    """It is no formula, and no mark-up breaks the file; control characters are blanks."""
    cell = from_xlsx(report([(text, *ROWS[0][1:])])).worksheets[0]["A2"]
    assert cell.data_type == "s"
    assert cell.value.replace(" ", "") == "".join(c for c in text if c.isprintable() and c != " ")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_a_text_on_a_page(text: str) -> None:
    """It makes no element, in the table or in a chart."""
    usual = [tag for tag, _ in page().tags]
    found = page(rows=[(text, *ROWS[0][1:]), ROWS[1]])
    assert [tag for tag, _ in found.tags] == usual
    assert found.rows[1][0].split() == "".join(c if c.isprintable() else " " for c in text).split()


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    """One file: no script, no link, no image; the policy forbids what is not there."""
    tags = page().tags
    assert {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in tags} == set()
    assert [key for _, attrs in tags for key in attrs if key.startswith(("on", "href", "src"))] == []
    assert "default-src 'none'" in written(report(), "html").decode()


def test_a_page_says_how_many_rows_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The totals are over all of them."""
    monkeypatch.setattr("reminder.reports.page.MAX_ROWS", 1)
    text = written(report(), "html").decode()
    assert "前 1 行，另有 1 行未列出" in text
    assert "R2" not in text
    assert "合计" in text


def test_a_wide_report_is_written_in_parts_that_repeat_what_a_row_is_about() -> None:
    """Each part has the key columns; sheets have all columns side by side."""
    wide = (*COLUMNS[:2], Column(name="late", zh="迟到", en="late", kind="count", panel="indicator"))
    rows = [("R1", 1, 2)]
    changed: dict[str, Any] = {"columns": wide, "totals": lambda: ("", 1, 2)}
    assert [row for row in page(rows=rows, **changed).rows if row[0] == "R1"] == [["R1", "1"], ["R1", "2"]]
    assert "\n机构指标\n规则  迟到\nR1       2\n" in written(report(rows, **changed), "table").decode()
    assert [len(row) for row in from_csv(report(rows, **changed))] == [3, 3, 3]


def test_lines_of_json_are_objects_of_their_own() -> None:
    """A program may read a report of a million rows line by line."""
    lines = written(report(), "json").decode().splitlines()
    assert json.loads(lines[1].rstrip(","))["rule_id"] == "R1"
