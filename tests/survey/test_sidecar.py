"""A sidecar counts what it is sent, a few bodies a second, into its data folder; the command makes the page of it."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from negative_list.compile import compile
from negative_list.parse import read_parsed
from negative_list.policy import shipped
from negative_list.readers import read_national
from negative_list.site import Sites
from reminder.cli import app
from reminder.config import Config
from reminder.journal.again import answer_of, decided_again
from reminder.run import open_survey
from reminder.stores.keys import Keys
from reminder.survey.keeping import FOLDER, KEPT_DAYS, days_in, merged, read_day, write_day
from reminder.survey.watching import EVERY_NS, Watching
from tests.journal.recorded import decisions_in
from tests.reminder.bodies import write_list
from tests.reminder.sidecar import post, running
from tests.reminder.test_serve import served
from tests.survey.sent import HOSPITAL, LIST, NAMES, encoded, sent

if TYPE_CHECKING:
    from reminder.survey.tally import Tally

SECRET = b"k" * 32
DAY = "2026-01-01"


def run(*args: object) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error of one command."""
    done = CliRunner().invoke(app, list(map(str, args)))
    return done.exit_code, done.stdout_bytes, done.stderr


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.ns, self.day = 0, DAY

    def watching(self, folder: Path, worker: int = 0, every_ns: int = EVERY_NS) -> Watching:
        """What one worker counts."""
        return Watching(
            folder,
            secret=SECRET,
            tick_ns=lambda: self.ns,
            today=lambda: self.day,
            worker=worker,
            every_ns=every_ns,
        )


def read(watching: Watching, number: int = 1) -> None:
    """One body is read."""
    told = sent(number)
    watching.read(told, read_national(told, Sites()), Sites(), own=False)


def kept(folder: Path) -> dict[str, Tally]:
    """What is in the folder."""
    return merged(days_in(folder))[0]


def test_so_many_bodies_a_second_are_counted_and_the_rest_only_numbered(tmp_path: Path) -> None:
    """The answer of a body that is passed over has waited for a look at the clock."""
    clock = Clock()
    watching = clock.watching(tmp_path)
    for _ in range(3):
        read(watching)
    clock.ns += EVERY_NS
    read(watching)
    watching.write()
    tally = kept(tmp_path)[HOSPITAL]
    assert (tally.bodies, tally.passed, watching.degraded) == (2, 2, ())


def test_counts_of_workers_days_and_starts_add_up(tmp_path: Path) -> None:
    """Two workers, a start in the middle of a day, a new day."""
    clock = Clock()
    for watching in (clock.watching(tmp_path, worker, every_ns=0) for worker in (0, 1)):
        read(watching)
        watching.write()
        watching.write()
    watching = clock.watching(tmp_path, 0, every_ns=0)
    read(watching)
    watching.write()
    clock.day = "2026-01-02"
    read(watching)
    watching.write()  # still the day it was counted on
    read(watching)
    watching.write()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-01-01.0.json",
        "2026-01-01.1.json",
        "2026-01-02.0.json",
    ]
    tallies, days = merged(days_in(tmp_path))
    assert (tallies[HOSPITAL].bodies, days) == (5, ["2026-01-01", "2026-01-02"])
    assert merged(days_in(tmp_path, end="2026-01-02"))[0][HOSPITAL].bodies == 4
    assert merged(days_in(tmp_path, begin="2026-01-02"))[0][HOSPITAL].bodies == 1


def test_old_days_are_dropped_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    """Counts are no evidence: what cannot be read is left behind."""
    write_day(tmp_path, "2025-01-01", 0, b"{}")
    (tmp_path / f"{DAY}.0.json").write_bytes(b"{half")
    clock = Clock()
    watching = clock.watching(tmp_path)
    read(watching)
    watching.write()
    assert [path.name for path in tmp_path.iterdir()] == [f"{DAY}.0.json"]
    day = read_day(tmp_path / f"{DAY}.0.json")
    assert day is not None
    assert (day.institutions[HOSPITAL].bodies, KEPT_DAYS) == (1, 62)


def test_counting_never_hurts_an_answer(tmp_path: Path) -> None:
    """A fault of ours and a folder that cannot be written are said, and nothing is raised."""
    clock = Clock()
    watching = clock.watching(tmp_path / "gone")
    watching.read(None, read_national(sent(1), Sites()), Sites(), own=False)
    (tmp_path / "gone").write_text("a file", "utf-8")
    clock.ns += EVERY_NS
    read(watching)
    watching.write()
    faults, unwritten = watching.degraded
    assert "could not be counted: 1" in faults
    assert "cannot be written" in unwritten


def test_a_sidecar_counts_and_the_command_makes_the_page(tmp_path: Path) -> None:
    """Over HTTP, then stopped: the page names the field, and neither it nor the counts hold a patient."""
    (tmp_path / "rules.yaml").write_text(LIST, "utf-8")
    data, page, site = tmp_path / "var", tmp_path / "page.html", tmp_path / "site.toml"
    with running(tmp_path, list=tmp_path / "rules.yaml") as here:
        here.service.survey = Clock().watching(data / FOLDER)
        for told in (sent(1), {"infno": "3101", "input": {"data": {}}}):
            post(here, encoded(told))
        here.service.survey.write()
    (counts,) = (data / FOLDER).iterdir()
    options = ("--data", data, "--list", tmp_path / "rules.yaml", "--least", 1)
    code, _, err = run("survey", *options, "--out", page, "--site-out", site)
    assert (code, err) == (0, "")
    assert "fsi_encounter_dtos.medins_lv" in page.read_text("utf-8")
    assert Sites.read(site).of(HOSPITAL).never_sent == {"encounter.institution_level", "patient.weight_kg"}
    code, out, _ = run("survey", *options, "--format", "json")
    (found,) = json.loads(out)
    assert (code, found["bodies"], found["refused"]) == (0, 1, {"input.data.patient_dtos": 1})
    assert found["undecided"] == [["E01-weight", "patient.weight_kg", 1]]
    for text in (counts.read_text("utf-8"), page.read_text("utf-8"), out.decode()):
        assert not any(private in text for private in (*NAMES, "3307000001", "ZY8800001", "1951-"))


def test_a_process_writes_its_counts_when_it_stops(tmp_path: Path) -> None:
    """It begins to count some moments after it serves: what comes before is answered all the same."""
    data = tmp_path / "data"
    for _ in range(10):
        with served("--list", write_list(tmp_path), "--data", data) as here:
            for _ in range(5):
                with urlopen(f"http://{here.line['http']}/3101", data=encoded(sent(1)), timeout=60) as response:
                    assert json.loads(response.read())["infcode"] == 0
                time.sleep(EVERY_NS / 1e9)
            here.end(signal.SIGTERM)
        if (data / FOLDER).exists():
            break
    assert kept(data / FOLDER)[HOSPITAL].bodies >= 1


def test_the_survey_can_be_switched_off(tmp_path: Path) -> None:
    """Then nothing is counted."""
    keys = Keys((SECRET,))
    off, on = (open_survey(Config(data=tmp_path, survey=word), keys, lambda: DAY) for word in ("off", "on"))
    assert off is None
    assert on is not None
    read(on)
    on.write()
    assert kept(tmp_path / FOLDER)[HOSPITAL].bodies == 1


def test_a_decision_at_such_a_site_is_derived_again(tmp_path: Path) -> None:
    """The entry holds what nobody tells there: the same answer comes out, with no question."""
    file, site = tmp_path / "site.toml", tmp_path / "list"
    file.write_text('[default]\nnever_sent = ["encounter.institution_level", "patient.weight_kg"]\n', "utf-8")
    site.mkdir()
    (site / "list.yaml").write_text(LIST, "utf-8")
    with running(tmp_path, list=site, site=file) as here:
        status, told = post(here, encoded(sent(1)))
        assert (status, told["infcode"], told["output"]["result"]) == (200, 0, [])
    reasons = {row["rule_id"]: row["reason"] for row in told["output"]["not_evaluated"]}
    assert reasons == {"E01-weight": "never_sent", "R12-level": "never_sent"}
    (entry,) = decisions_in(tmp_path / "var")
    assert entry.prescription.never_sent == ("encounter.institution_level", "patient.weight_kg")
    compiled = compile(read_parsed(site).rules)
    assert answer_of(decided_again(entry, compiled, shipped())) == answer_of(entry.answer)


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        ((), 2, "give either BODIES or --data DIR"),
        (("x.json", "--data", "y"), 2, "give either BODIES or --data DIR"),
        (("--data", "y", "--from", "soon"), 2, "`soon` is no day"),
        (("nothing-there.json",), 1, "cannot be read"),
        (("--data", "nothing-there"), 1, "nothing was counted"),
    ],
)
def test_what_cannot_be_surveyed_is_said(args: tuple[str, ...], code: int, text: str) -> None:
    """Usage ends with 2, what cannot be read with 1."""
    ended, out, err = run("survey", *args)
    assert (ended, out) == (code, b"")
    assert text in " ".join(err.split()).replace("│ ", "")


def test_files_are_bodies_one_by_one_or_on_lines_in_any_encoding(tmp_path: Path) -> None:
    """A folder with one body in GBK over several lines, and one with a body on each line."""
    folder = tmp_path / "bodies"
    folder.mkdir()
    (folder / "one.json").write_bytes(json.dumps(sent(1), ensure_ascii=False, indent=1).encode("gb18030"))
    lines = [encoded(sent(n)) for n in (2, 3)] + [encoded({"infno": "2204", "input": {}}), b"{half"]
    (folder / "more.jsonl").write_bytes(b"\r\n".join(lines))
    code, out, err = run("survey", folder, "--format", "json", "--institution", HOSPITAL)
    (told,) = json.loads(out)
    assert (code, err, told["bodies"], told["listed"]) == (0, "", 3, 0)
    assert told["sources"][0]["encodings"] == {"gbk": 1, "utf-8": 2}
    assert told["refused"] == {"infno.2204": 1, "body": 1}
