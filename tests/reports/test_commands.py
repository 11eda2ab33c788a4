"""``reminder report`` over a journal: every subject in every format, what is not counted, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from reminder.cli import app
from reminder.compliance.records import OUTCOMES
from reminder.reports import counting
from reminder.reports.asking import GROUPS, LISTS
from reminder.reports.bureau import COLUMNS
from reminder.reports.words import columns
from tests.reports.hospital import Hospital, finding_id, month, written_to

if TYPE_CHECKING:
    from typer.testing import Result

JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of a hospital."""
    folder = tmp_path_factory.mktemp("hospital")
    written_to(folder, month()).close()
    return folder


def run(data: Path, *words: str) -> Result:
    """The command, with its journal."""
    return CliRunner().invoke(app, ["report", *words, "--data", str(data)])


def told(data: Path, *words: str) -> Any:
    """What the command writes as JSON."""
    done = run(data, *words, *JANUARY, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("by", [*GROUPS, *LISTS])
def test_every_subject_says_the_same_in_every_format(data: Path, tmp_path: Path, by: str) -> None:
    """JSON, CSV and XLSX hold the same number of rows and columns; the page and the table have the title."""
    found = told(data, "--by", by)
    rows = [*found["rows"], *([found["totals"]] if found["totals"] else [])]
    for as_format in ("csv", "xlsx", "html", "table"):
        done = run(data, "--by", by, *JANUARY, "--format", as_format, "--out", str(tmp_path / as_format))
        assert (done.exit_code, done.stdout) == (0, "")
    lines = list(csv.reader(io.StringIO((tmp_path / "csv").read_text("utf-8-sig"))))
    table = lines[: lines.index([])]
    sheet = load_workbook(io.BytesIO((tmp_path / "xlsx").read_bytes())).worksheets[0]
    assert {len(line) for line in table} == {sheet.max_column} == {len(found["columns"])}
    assert len(table) == sheet.max_row == len(rows) + 1
    assert [cell.value for cell in sheet[1]] == table[0] == [column["heading"] for column in found["columns"]]
    counts = [place for place, column in enumerate(found["columns"]) if column["kind"] == "count"]
    names = [column["name"] for column in found["columns"]]
    for row, line, cells in zip(rows, table[1:], sheet.iter_rows(min_row=2, values_only=True), strict=True):
        values = [row[names[place]] for place in counts]
        assert [int(line[place]) if line[place] else None for place in counts] == values
        assert [cells[place] for place in counts] == values
    for name in ("html", "table"):
        assert found["title"] in (tmp_path / name).read_text("utf-8")


def test_a_report_says_its_period_its_evidence_and_its_formula(data: Path) -> None:
    """Days as people say them; the formula with its name, its date and its parts."""
    about = told(data, "--by", "rule", "--formula", "bureau", "--until", "2026-02-10")["about"]
    assert about["period"] == {"from": "2026-01-01", "to": "2026-02-01"}
    assert about["until"] == "2026-02-10"
    assert (about["formula"]["name"], about["formula"]["from"]) == ("bureau", "2022-11-15")
    text = run(data, "--by", "rule", *JANUARY).stdout
    assert "统计期间：2026-01-01 至 2026-01-31，共 31 天" in text
    assert "结果依据截至：2026-03-03" in text
    assert "依从率公式：ours，2022-11-15 起施行：按提醒计" in text


def test_the_total_is_the_sum_of_its_groups_and_rates_are_of_sums(data: Path) -> None:
    """Counts add up, by rule as by doctor; a rate is parts over wholes."""
    for by in ("rule", "doctor", "day"):
        found = told(data, "--by", by)
        for name in ("reminders", *OUTCOMES, "findings", "warned_yuan", "rate_of"):
            assert round(sum(row[name] for row in found["rows"]), 2) == found["totals"][name], name
    total = told(data, "--by", "rule", "--formula", "ours")["totals"]
    kept = sum(total[name] for name in ("changed", "withdrawn", "self_paid", "justified"))
    assert total["rate"] == round(100 * kept / total["rate_of"], 1)


def test_a_rule_has_no_prescriptions_of_its_own(data: Path) -> None:
    """What was asked is counted by doctor, not by rule."""
    assert "prescriptions" not in told(data, "--by", "rule")["rows"][0]
    doctors = told(data, "--by", "doctor")
    assert sum(row["prescriptions"] for row in doctors["rows"]) == doctors["totals"]["prescriptions"] == 60


def test_what_was_not_counted_is_said(tmp_path: Path) -> None:
    """Lost answers, feedback about nothing, outcomes nobody knows."""
    told_ = Hospital()
    told_.check(0, "e1", "R-sex")
    told_.feedback(1, "e1", 77, "changed")
    told_.lost(2, 12)
    written_to(tmp_path, told_.drafts).close()
    assert told(tmp_path, "--by", "rule")["not_counted"] == {"unobserved": 1, "lost": 12, "unjoined": 1}
    text = run(tmp_path, "--by", "rule", *JANUARY).stdout
    assert "结果无从得知：1 条，占提醒的 100.0%" in text
    assert "日志缺失的应答：12" in text


def test_one_institution_is_counted_alone(tmp_path: Path) -> None:
    """The others are as if they were not there."""
    told_ = Hospital()
    told_.check(0, "e1", "R-sex", institution="H1")
    told_.check(1, "e2", "R-sex", "R-dup", institution="H2")
    written_to(tmp_path, told_.drafts).close()
    found = told(tmp_path, "--by", "institution", "--institution", "H2")
    assert [(row["institution"], row["reminders"]) for row in found["rows"]] == [("H2", 2)]
    assert found["about"]["only"] == "H2"


def test_top_rules_have_their_cumulative_share(data: Path) -> None:
    """The most findings first; the last share is all."""
    rows = told(data, "--by", "top")["rows"]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["findings"] for row in rows] == sorted((row["findings"] for row in rows), reverse=True)
    assert rows[-1]["up_to"] == 100.0


def test_a_rule_everybody_goes_on_with_is_proposed_for_demotion(tmp_path: Path) -> None:
    """Fifty reminders, all gone on with; the figures stand beside."""
    told_ = Hospital()
    for n in range(60):
        number = told_.check(n, f"e{n}", "R-dup", doctor=f"D{n % 2}")
        told_.feedback(
            n + 0.5, f"e{n}", number, "overridden", reason_code="other", reason_text="无", junk="says_nothing"
        )
    written_to(tmp_path, told_.drafts).close()
    (row,) = told(tmp_path, "--by", "demotion")["rows"]
    assert (row["rule"], row["known"], row["kept"], row["kept_share"]) == ("R-dup", 60, 60, 100.0)
    flags = told(tmp_path, "--by", "flags")["rows"]
    assert [(row["flag"], row["subject"], row["flag_share"]) for row in flags] == [
        ("junk", "D0", 100.0),
        ("junk", "D1", 100.0),
    ]
    (reason,) = told(tmp_path, "--by", "reasons")["rows"]
    assert (reason["reason"], reason["count"], reason["reason_share"]) == ("other", 60, 100.0)


def test_the_export_of_a_bureau_has_its_columns_and_what_was_done(tmp_path: Path) -> None:
    """Way 2 by feedback, way 1 by what was saved, nothing where nobody knows; texts are those that were shown."""
    told_ = Hospital()
    first = told_.check(0, "e1", "R-sex", action="block", message="【拦截】男性不能用")
    told_.feedback(1, "e1", first, "changed", reason_code="", reason_text="已换药")
    told_.check(2, "e2", "R-dup", unknown=True)
    told_.saved(3, "e2", 1, 2)
    told_.check(4, "e3", "R-dup")
    written_to(tmp_path, told_.drafts).close()
    found = told(tmp_path, "--by", "bureau")
    assert [column["name"] for column in found["columns"]] == list(COLUMNS)
    one, two, three = found["rows"]
    assert {name: one[name] for name in COLUMNS[:20]} == {
        "warn_rslt_id": finding_id(1),
        "trig_scen": "2",
        "med_type": "11",
        "reqt_time": "2026-01-05 09:00:00",
        "rsp_time": "2026-01-05 09:00:00",
        "ana_dura": 1.25,
        "vola_flag": 1,
        "rule_id": "R-sex",
        "rule_code": "GZ10000301004000",
        "rule_name": "药品区分性别使用",
        "rule_sev_deg": "1",
        "rule_warn_lv": "block",
        "warn_cont": "【拦截】男性不能用",
        "medfee_sumamt": 53.0,
        "vola_amt": 25.6,
        "warn_dspo_way": "2",
        "warn_dspo_way_dscr": "已换药",
        "dspo_way_src": "feedback",
        "crte_time": "2026-01-05 09:00:00",
        "updt_time": "2026-01-05 09:01:00",
    }
    assert (two["vola_flag"], two["warn_dspo_way"], two["dspo_way_src"]) == (0, "1", "outcome")
    assert (three["warn_dspo_way"], three["dspo_way_src"]) == ("", "")


def test_the_board_is_by_hour(data: Path) -> None:
    """Visits, prescriptions, fees, reminders, the rate, drugs, doctors; a line of every hour there was work."""
    found = told(data, "--by", "board")
    assert [row["hour"] for row in found["rows"]] == ["2026-01-05 09", "2026-01-06 09", "2026-01-07 09"]
    assert (found["rows"][0]["visits"], found["rows"][0]["doctors"], found["rows"][0]["drug_share"]) == (20, 3, 100.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "rules", *JANUARY), "did you mean `rule`"),
        (("--by", "rule", "--from", "2026-13-01", "--to", "2026-02-01"), "`2026-13-01` 不是日期"),
        (("--by", "rule", "--from", "2026-01-01"), "缺少日期"),
        (("--by", "rule", "--from", "2026-01-01", "--to", "9999-12-31"), "`9999-12-31` 不在 1900 至 2999 年"),
        (("--by", "rule", "--from", "0001-01-01", "--to", "2026-01-01"), "`0001-01-01` 不在 1900 至 2999 年"),
        (("--by", "rule", "--from", "2026-02-01", "--to", "2026-01-01"), "统计期间为空"),
        (("--by", "rule", *JANUARY, "--until", "2026-01-15"), "证据截止日早于期间结束"),
        (("--by", "rule", *JANUARY, "--format", "pdf"), "没有 `pdf`"),
        (("--by", "rule", *JANUARY, "--formula", "mine"), "no formula `mine`"),
        ((), "没有 ``"),
    ],
)
def test_a_word_that_is_none_is_a_mistake_of_usage(data: Path, words: tuple[str, ...], said: str) -> None:
    """Exit 2, and what is wrong is named."""
    done = run(data, *words)
    assert done.exit_code == 2
    assert re.sub(r"[\s│╭╮╰╯─]+", "", said) in re.sub(r"[\s│╭╮╰╯─]+", "", done.stderr)


@pytest.mark.parametrize("by", ["rule", "ward"])
def test_a_workbook_without_what_makes_it_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Exit 1, and what to install; no journal is looked for."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = run(tmp_path / "none", "--by", by, *JANUARY, "--format", "xlsx")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "pip install '.[sheets]'" in done.stderr
    assert "journal" not in done.stderr


def test_a_folder_without_journal_is_a_problem(tmp_path: Path) -> None:
    """Exit 1; no journal is made by looking for one."""
    done = run(tmp_path, "--by", "rule", *JANUARY)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no journal in" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ones_own_formula_counts_by_its_own_parts(data: Path, tmp_path: Path) -> None:
    """A formula of the configuration is used and printed like the shipped ones; a wrong one is named."""
    own = tmp_path / "formulas.toml"
    own.write_text(
        '[[formula]]\nname = "city"\nvalid_from = 2026-01-01\nunit = "reminders"\n'
        'numerator = ["changed"]\ndenominator = ["changed", "ignored"]\n',
        "utf-8",
    )
    settings = tmp_path / "config.toml"
    settings.write_text('formulas = "formulas.toml"\n', "utf-8")
    found = told(data, "--by", "rule", "--formula", "city", "--config", str(settings))
    assert found["totals"]["rate_of"] == found["totals"]["changed"] + found["totals"]["ignored"]
    own.write_text("[[formula]]\n", "utf-8")
    assert run(data, "--by", "rule", *JANUARY, "--config", str(settings)).exit_code == 2


def test_progress_is_told_where_it_is_asked_for(data: Path) -> None:
    """How many entries were read, of how many; standard output holds the report alone."""
    quiet, loud = (run(data, "--by", "rule", *JANUARY, *more) for more in ((), ("--progress",)))
    assert quiet.stderr == ""
    assert re.search(r"(\d+) / \1 \(100 %\)", loud.stderr)
    assert quiet.stdout == loud.stdout


@pytest.mark.parametrize("by", ["doctor", "day"])
def test_two_processes_count_what_one_does(data: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """Of a large period another process counts every second encounter; nobody sees that on the report."""
    alone = run(data, "--by", by, *JANUARY, "--format", "html")
    monkeypatch.setattr(counting, "MANY", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert run(data, "--by", by, *JANUARY, "--format", "html").stdout == alone.stdout


def test_what_came_before_and_what_comes_after_belongs_to_other_periods(data: Path) -> None:
    """Days are those of the site: the fifth of January begins at midnight in Shanghai."""
    done = run(data, "--by", "day", "--from", "2026-01-06", "--to", "2026-01-07", "--format", "json")
    assert [row["day"] for row in json.loads(done.stdout)["rows"]] == ["2026-01-06"]


def test_every_column_is_explained_in_both_languages() -> None:
    """Whoever reads a report finds what its columns mean."""
    named = [
        name for name in columns_of_journal() if not all((columns((name,))[0].means_zh, columns((name,))[0].means_en))
    ]
    assert named == []


def columns_of_journal() -> set[str]:
    """Every column of the reports from the journal."""
    from reminder.reports import grouped, listed  # noqa: PLC0415 - only the names

    found = {column.name for by in grouped.BY for column in grouped.group_columns(by)}
    return found | {*listed.TOP, *listed.DEMOTION, *listed.FLAGS, *listed.REASONS, *listed.REMINDER, *COLUMNS} - {
        "institution_id"
    }
