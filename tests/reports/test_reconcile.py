"""A bureau's count against ours: what either side lacks, other dispositions, files of every form, wrong cells."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import xlwt
from openpyxl import Workbook
from typer.testing import CliRunner

from reminder.cli import app
from tests.reports.hospital import Hospital, finding_id, written_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")
DECEMBER = ("--from", "2025-12-01", "--to", "2026-01-01")

Cells: TypeAlias = Sequence[Sequence[object]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three findings: gone back to change by feedback, gone on with as saved, and one nobody knows of."""
    told = Hospital()
    told.check(0, "e1", "R-sex")
    told.feedback(1, "e1", 1, "changed")
    told.check(2, "e2", "R-dup")
    told.saved(3, "e2", 1, 2)
    told.check(4, "e3", "R-days")
    written_to(tmp_path / "var", told.drafts).close()
    return tmp_path / "var"


def run(data: Path, bureau: Path, *words: str, period: tuple[str, ...] = JANUARY) -> Result:
    """The command."""
    return CliRunner().invoke(app, ["report", "reconcile", str(bureau), *period, "--data", str(data), *words])


def told(data: Path, bureau: Path, *words: str, period: tuple[str, ...] = JANUARY) -> Any:
    """What it writes as JSON."""
    done = run(data, bureau, "--format", "json", *words, period=period)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def xlsx(path: Path, rows: Cells) -> None:
    """A workbook with a title above the header, as bureaus send them."""
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["智能监管事前提醒明细"])
    for row in rows:
        sheet.append(list(row))
    book.save(path)


def xls(path: Path, rows: Cells) -> None:
    """The same of an old program."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("明细")
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            sheet.write(number, place, value)
    book.save(str(path))


def text(path: Path, rows: Cells) -> None:
    """The same as CSV in GB18030."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path.write_bytes(out.getvalue().encode("gb18030"))


HEADER = ("序号", "违规标识", "规则名称", "处理方式")


@pytest.mark.parametrize(("ending", "write"), [("xlsx", xlsx), ("xls", xls), ("csv", text)])
def test_every_kind_of_difference_is_listed(
    data: Path, tmp_path: Path, ending: str, write: Callable[[Path, Cells], None]
) -> None:
    """The same, another way, missing there, missing here; a finding named twice counts once."""
    bureau = tmp_path / f"bureau.{ending}"
    rows = [HEADER, (1, finding_id(1), "x", 2), (2, finding_id(2), "x", "返回修改医嘱"), (3, "ZZZ-1", "x", "")]
    write(bureau, [*rows, (4, finding_id(1), "x", "2")])
    found = told(data, bureau)
    assert [(row["finding_id"], row["difference"]) for row in found["rows"]] == [
        (finding_id(2), "way"),
        (finding_id(3), "not_theirs"),
        ("ZZZ-1", "not_ours"),
    ]
    assert (found["rows"][0]["their_way"], found["rows"][0]["our_way"]) == ("2", "1")
    assert found["rows"][2]["place"].startswith(str(bureau))
    counts = {
        "ours": 3,
        "theirs": 3,
        "same": 1,
        "way": 1,
        "not_theirs": 1,
        "not_ours": 1,
        "other_period": 0,
        "again": 1,
    }
    assert found["not_counted"] == {f"rec_{name}": count for name, count in counts.items()}


def test_what_the_journal_has_in_another_period_is_told_apart(data: Path, tmp_path: Path) -> None:
    """A bureau cuts its months elsewhere: that is no loss of ours."""
    bureau = tmp_path / "b.csv"
    text(bureau, [("warn_rslt_id", "x"), (finding_id(1), "")])
    assert [row["difference"] for row in told(data, bureau, period=DECEMBER)["rows"]] == ["other_period"]


def test_a_file_without_dispositions_is_joined_all_the_same(data: Path, tmp_path: Path) -> None:
    """What it does not tell cannot differ."""
    bureau = tmp_path / "b.csv"
    text(bureau, [("JR_ID", "规则名称"), *((finding_id(n), "x") for n in (1, 2, 3))])
    assert told(data, bureau)["rows"] == []


def test_what_nobody_told_anybody_is_no_difference(data: Path, tmp_path: Path) -> None:
    """Without feedback a bureau has no way, and ours is only what was seen; with feedback it should have one."""
    bureau = tmp_path / "b.csv"
    text(bureau, [("违规标识", "处理方式"), *((finding_id(n), "") for n in (1, 2, 3))])
    assert [(row["finding_id"], row["our_way"]) for row in told(data, bureau)["rows"]] == [(finding_id(1), "2")]


def test_a_heading_of_its_own_is_named_by_an_option(data: Path, tmp_path: Path) -> None:
    """Without it the file is refused, and the message says how to go on."""
    bureau = tmp_path / "b.csv"
    text(bureau, [("号码", "处理方式"), *((finding_id(n), n % 2 + 1) for n in (1, 2, 3))])
    refused = run(data, bureau)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "没有违规标识列" in refused.stderr
    assert "--column" in refused.stderr
    assert told(data, bureau, "--column", "号码")["not_counted"]["rec_theirs"] == 3


def test_a_cell_that_is_no_disposition_is_named_with_its_place(data: Path, tmp_path: Path) -> None:
    """File, sheet, row and column, all at once; nothing is written."""
    bureau = tmp_path / "b.xlsx"
    xlsx(bureau, [HEADER, (1, finding_id(1), "x", 7), (2, finding_id(2), "x", "?")])
    done = run(data, bureau)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{bureau}[Sheet]:3:4: `7` 不是处理方式" in done.stderr
    assert f"{bureau}[Sheet]:4:4: `?` 不是处理方式" in done.stderr


def test_our_own_export_is_the_same_as_we_are(data: Path, tmp_path: Path) -> None:
    """What a bureau would hold if it had kept what we told: nothing differs."""
    bureau = tmp_path / "ours.xlsx"
    words = ["report", "--by", "bureau", *JANUARY, "--data", str(data), "--format", "xlsx", "--out", str(bureau)]
    assert CliRunner().invoke(app, words).exit_code == 0
    found = told(data, bureau)
    assert (found["rows"], found["not_counted"]["rec_same"]) == ([], 3)


def test_a_file_that_is_none_is_refused(data: Path, tmp_path: Path) -> None:
    """It is named; exit 1."""
    done = run(data, tmp_path / "nothing.xlsx")
    assert done.exit_code == 1
    assert "nothing.xlsx" in done.stderr


def test_a_file_that_only_is_called_a_workbook_is_said_to_be_none(data: Path, tmp_path: Path) -> None:
    """Not that it has no column."""
    bureau = tmp_path / "b7.xlsx"
    bureau.write_bytes(b"junk, junk\n1, 2\n")
    done = run(data, bureau)
    assert done.exit_code == 1
    assert "不是工作簿" in done.stderr
    assert "没有违规标识列" not in done.stderr


def test_of_two_columns_of_ids_that_differ_none_is_taken_in_silence(data: Path, tmp_path: Path) -> None:
    """The first row that differs is named; with a heading named there is no question."""
    bureau = tmp_path / "b.csv"
    text(bureau, [("jr_id", "违规标识"), ("", finding_id(1)), (finding_id(1), finding_id(2))])
    done = run(data, bureau)
    assert done.exit_code == 1
    assert f"{bureau}:3:2: 两列违规标识不同" in done.stderr
    assert run(data, bureau, "--column", "违规标识").exit_code == 0


def test_hostile_ids_are_harmless(data: Path, tmp_path: Path) -> None:
    """A bureau's file is a stranger's text."""
    bureau = tmp_path / "b.csv"
    text(bureau, [("jr_id", "处理方式"), ("=1+1", "1"), ("<b>", "2")])
    done = run(data, bureau, "--format", "csv")
    assert "'=1+1,本院没有" in done.stdout
    assert "&lt;b&gt;" in run(data, bureau, "--format", "html").stdout
