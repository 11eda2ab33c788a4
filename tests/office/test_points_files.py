"""Files of points events, as an office or a bureau makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import openpyxl
import pytest

from negative_list.errors import DataError
from reminder.office.points_files import read_events

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.journal.entries import PointsEvent

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CSV = "医师代码,记分,认定日期,事由,认定机构\nD1,3,2026-03-01,串换项目,市医保局\nD2,9,2026/04/02,伪造病历,市医保局\n"


def read(path: Path) -> list[PointsEvent]:
    """The events of a file."""
    return read_events(path, NOW, "test")


def test_a_csv_in_chinese_is_read(tmp_path: Path) -> None:
    """GB18030 and UTF-8, days with slashes or dashes."""
    for encoding in ("gb18030", "utf-8-sig"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(CSV.encode(encoding))
        events = read(path)
        assert [(e.doctor_id, e.points, e.decided_on, e.by) for e in events] == [
            ("D1", 3, "2026-03-01", "市医保局"),
            ("D2", 9, "2026-04-02", "市医保局"),
        ]


@pytest.mark.parametrize("text", ["2026/2/3", "2026-2-3", "2026.02.03", "2026/02/03 00:00:00", "2026/2/3 0:00"])
def test_a_day_as_spreadsheets_save_it_is_read(tmp_path: Path, text: str) -> None:
    """With or without zeros and a clock."""
    path = tmp_path / "events.csv"
    path.write_text(CSV.replace("2026-03-01", text), "utf-8")
    assert read(path)[0].decided_on == "2026-02-03"


def test_a_wrong_heading_is_told_once_at_its_line(tmp_path: Path) -> None:
    """And not at each row below it."""
    path = tmp_path / "events.csv"
    path.write_text(CSV.replace("认定机构", "认定的"), "utf-8")
    with pytest.raises(DataError) as error:
        read(path)
    assert [(problem.row, problem.path) for problem in error.value.problems] == [(1, "认定的")]


def test_a_sheet_says_the_same_as_a_csv(tmp_path: Path) -> None:
    """Days and numbers as a spreadsheet holds them."""
    (tmp_path / "a.csv").write_text(CSV, "utf-8")
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["医师代码", "记分", "认定日期", "事由", "认定机构"])
    book.active.append(["D1", 3, datetime(2026, 3, 1), "串换项目", "市医保局"])
    book.active.append(["D2", 9.0, "2026-04-02", "伪造病历", "市医保局"])
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx") == read(tmp_path / "a.csv")


def test_json_lines_are_read(tmp_path: Path) -> None:
    """With our own names; an id that is told is kept."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"event_id":"E9","doctor_id":"D1","points":9,"decided_on":"2026-03-01","until":"2026-04-30"}\n')
    assert [(e.event_id, e.until) for e in read(path)] == [("E9", "2026-04-30")]


def test_a_file_read_again_names_the_same_events(tmp_path: Path) -> None:
    """Events without an id are known by what they say."""
    (tmp_path / "a.csv").write_text(CSV, "utf-8")
    assert [e.event_id for e in read(tmp_path / "a.csv")] == [e.event_id for e in read(tmp_path / "a.csv")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("D1,,2026-03-01,,", "points: missing"),
        (",3,2026-03-01,,", "doctor_id: missing"),
        ("D1,drei,2026-03-01,,", "no whole number"),
        ("D1,13,2026-03-01,,", "more than an event may give"),
        ("D1,3,someday,,", "no day"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(tmp_path: Path, row: str, why: str) -> None:
    """File, row, column, and what to do."""
    path = tmp_path / "a.csv"
    path.write_text(f"doctor_id,points,decided_on,why,by\n{row}\n", "utf-8")
    with pytest.raises(DataError, match=why) as caught:
        read(path)
    assert caught.value.problems[0].row == 2


def test_a_column_nobody_knows_is_refused(tmp_path: Path) -> None:
    """Nothing told is passed over."""
    path = tmp_path / "a.csv"
    path.write_text("doctor_id,point,decided_on\nD1,3,2026-03-01\n", "utf-8")
    with pytest.raises(DataError, match=r"point: no such column"):
        read(path)


def test_a_suspension_does_not_end_before_it_begins(tmp_path: Path) -> None:
    """The last day is on or after the decision."""
    path = tmp_path / "a.csv"
    path.write_text("doctor_id,points,decided_on,until\nD1,9,2026-03-01,2026-02-01\n", "utf-8")
    with pytest.raises(DataError, match="before the decision"):
        read(path)
