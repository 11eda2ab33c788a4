"""What a site says of its bodies, and what is wrong with a site file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from negative_list.errors import SiteError
from negative_list.readers import read_check_request, read_national
from negative_list.site import Site, Sites
from tests.builders import DRUG, HERB, body, diagnosis, line, own_body

if TYPE_CHECKING:
    from negative_list.prescription import Prescription


def written(folder: Path, text: str) -> Path:
    """Write a site file."""
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[tuple[str, str]]:
    """Return path and message of every problem of a site file."""
    with pytest.raises(SiteError) as caught:
        Sites.read(written(folder, text))
    return [(problem.path, problem.message) for problem in caught.value.problems]


def read(folder: Path, text: str, sent: dict[str, object] | None = None) -> Prescription:
    """Read a national body at the site a file describes."""
    return read_national(sent or body(), Sites.read(written(folder, text)))


def test_what_a_site_fixes_wins_over_the_body(tmp_path: Path) -> None:
    """An override holds whatever the body says, and its source says so."""
    told = read(tmp_path, '[default.overrides]\n"encounter.institution_level" = 1\n"line.paid_by" = "self"\n')
    assert told.encounter.facts["encounter.institution_level"] == 1
    assert told.encounter.sources == {"encounter.institution_level": "site"}
    assert told.encounter.lines[0].facts["line.paid_by"] == "self"
    assert told.encounter.lines[0].sources == {"line.paid_by": "site"}


def test_defaults_fill_only_what_the_body_lacks(tmp_path: Path) -> None:
    """A default stands where the request is silent, with its source."""
    text = '[default.defaults]\n"encounter.fertility" = "none"\n"encounter.institution_level" = 1\n'
    told = read(tmp_path, text)
    assert told.encounter.facts["encounter.fertility"] == "none"
    assert told.encounter.facts["encounter.institution_level"] == 3
    assert told.encounter.sources == {"encounter.fertility": "site default"}


def test_facts_follow_from_what_a_site_gives(tmp_path: Path) -> None:
    """The visit mode is derived from a fixed category, and from a defaulted one."""
    fixed = read(tmp_path, '[default.overrides]\n"encounter.med_type" = "2101"\n')
    assert fixed.encounter.facts["encounter.visit_mode"] == "inpatient"
    silent = body(encounter={"med_type": "", "med_mdtrt_type": ""})
    given = read(tmp_path, '[default.defaults]\n"encounter.med_type" = "13"\n', silent)
    assert given.encounter.facts["encounter.visit_mode"] == "emergency"


def test_a_distrusted_fact_is_unknown_unless_the_site_gives_it(tmp_path: Path) -> None:
    """What the body says of it is not believed, also where it is derived or in our own JSON."""
    text = 'default.untrusted = ["encounter.visit_mode", "patient.sex"]\ndefault.defaults."patient.sex" = "女"\n'
    sites = Sites.read(written(tmp_path, text))
    for told in (read_national(body(), sites), read_check_request(own_body(), sites)):
        assert "encounter.visit_mode" not in told.encounter.facts
        assert told.patient.facts["patient.sex"] == "女"
        assert told.patient.sources == {"patient.sex": "site default"}


def test_rival_tables_are_chosen_by_name_or_written_out(tmp_path: Path) -> None:
    """Level, visit kind, fertility and take-home drugs have rival tables in use."""
    text = """
        [default.tables]
        "encounter.institution_level" = "level"
        "encounter.visit_kind" = "pharmacy_second"
        "encounter.fertility" = { 0 = "", 1 = "pregnant" }
        "line.take_home" = "take_home"
    """
    sent = body(
        [line(drord_bhvr="1")], encounter={"med_type": "", "med_mdtrt_type": "3", "matn_stas": "1", "medins_lv": "02"}
    )
    told = read(tmp_path, text, sent)
    assert told.encounter.facts["encounter.institution_level"] == 2
    assert told.encounter.facts["encounter.visit_mode"] == "inpatient"
    assert told.encounter.facts["encounter.fertility"] == "pregnant"
    assert told.encounter.lines[0].facts["line.take_home"] is True


def test_without_a_table_take_home_is_unknown() -> None:
    """Two rival code sets use the same numbers, so nothing is guessed."""
    told = read_national(body([line(drord_bhvr="1")]), Sites())
    assert "line.take_home" not in told.encounter.lines[0].facts


def test_institutions_add_to_the_default(tmp_path: Path) -> None:
    """An institution keeps what the default says and changes what it names."""
    text = """
        [default]
        untrusted = ["encounter.med_type"]
        overrides."encounter.institution_level" = 1
        [H00000000000]
        zone = "Asia/Urumqi"
        complete_bodies = false
        untrusted = ["encounter.fertility"]
        overrides."line.paid_by" = "fund"
    """
    sites = Sites.read(written(tmp_path, text))
    own, other = sites.of("H00000000000"), sites.of("H1")
    assert own.untrusted == {"encounter.med_type", "encounter.fertility"}
    assert dict(own.overrides) == {"encounter.institution_level": 1, "line.paid_by": "fund"}
    assert (str(own.zone), own.complete_bodies) == ("Asia/Urumqi", False)
    assert (str(other.zone), other.complete_bodies) == ("Asia/Shanghai", True)
    assert read_national(body(), sites).encounter.complete is False


def test_what_is_never_sent_goes_with_every_prescription_of_the_site(tmp_path: Path) -> None:
    """Facts and records by dictionary name; an institution adds to the default; either kind of body carries them."""
    text = """
        [default]
        never_sent = ["line.days", "encounter.operations"]
        [H00000000000]
        never_sent = ["patient.weight_kg"]
    """
    sites = Sites.read(written(tmp_path, text))
    assert read_national(body(), sites).never_sent == ("encounter.operations", "line.days", "patient.weight_kg")
    own = {"institution_id": "H1", "patient": {}, "encounter": {"lines": [{"code": DRUG}]}}
    assert read_check_request(own, sites).never_sent == ("encounter.operations", "line.days")
    told = problems(tmp_path, 'default.never_sent = ["line.day"]\n')
    assert "did you mean `line.days`" in told[0][1]


def test_local_codes_are_mapped_at_the_lines_own_time(tmp_path: Path) -> None:
    """Many to many, by either code of the line, in force on the day the line begins."""
    (tmp_path / "codes.csv").write_bytes(
        f"kind,local,national,valid_from,valid_to\nitem,A1,{DRUG},2025-01-01,2025-12-31\nitem,a1,{HERB},2026-01-01,\n"
        f"item,L1,003402000390000,,\ndiagnosis,高血压1,I10.x00,,\n".encode("gb18030")
    )
    sites = Sites.read(written(tmp_path, 'default.code_files = ["codes.csv"]'))
    sent = body(
        [line(hilist_code="A1", rx_id="R1"), line(hilist_code="A1", rx_id="R2", drord_begn_date="2025-12-31 23:59:59")],
        diagnoses=[diagnosis("高血压1", "高血压")],
        encounter={"dscg_main_dise_codg": "", "dscg_main_dise_name": ""},
    )
    told = read_national(sent, sites)
    assert [each.codes for each in told.encounter.lines] == [
        ("A1", HERB, "003402000390000"),
        ("A1", DRUG, "003402000390000"),
    ]
    assert all(each.usable for each in told.encounter.lines)
    assert told.encounter.diagnoses[0].codes == ("I10.X00",)
    assert told.notes == ()


def test_a_code_table_row_holds_on_its_first_and_last_day(tmp_path: Path) -> None:
    """Both ends are days on which the row holds."""
    text = f'[[default.codes]]\nlocal = "A"\nnational = "{DRUG}"\nvalid_from = 2026-01-02\nvalid_to = "2026-01-03"\n'
    site: Site = Sites.read(written(tmp_path, text)).default
    days = [bool(site.national("item", "a", datetime(2026, 1, day, 23))) for day in (1, 2, 3, 4)]
    assert days == [False, True, True, False]


def test_every_problem_comes_back_at_once(tmp_path: Path) -> None:
    """Unknown keys, facts, words, zones, codes and dates, each with its path and what to do."""
    text = """
        [default]
        zone = "Asia/Shangai"
        untrustd = []
        untrusted = ["encounter.med_typ", "line.code"]
        complete_bodies = "yes"
        [default.overrides]
        "encounter.visit_mode" = "ward"
        "patient.sex" = "-"
        [default.tables]
        "encounter.institution_level" = "levels"
        [[default.codes]]
        local = "A"
        national = "B"
        valid_from = "2026-13-01"
        [[default.codes]]
        national = "XA11DAW036A001010104127"
        valid_from = 2026-02-01
        valid_to = 2026-01-01
    """
    told = dict(problems(tmp_path, text))
    assert set(told) == {
        "default.zone",
        "default.untrustd",
        "default.untrusted[0]",
        "default.untrusted[1]",
        "default.complete_bodies",
        "default.overrides.encounter.visit_mode",
        "default.overrides.patient.sex",
        "default.tables.encounter.institution_level",
        "default.codes[0].national",
        "default.codes[0].valid_from",
        "default.codes[1].local",
        "default.codes[1].valid_to",
    }
    assert "did you mean `untrusted`" in told["default.untrustd"]
    assert "did you mean `encounter.med_type`" in told["default.untrusted[0]"]
    assert "did you mean `level`" in told["default.tables.encounter.institution_level"]


def test_a_file_that_is_no_toml_names_the_place(tmp_path: Path) -> None:
    """Row and column of the slip, and a missing file says so."""
    with pytest.raises(SiteError, match=r"site\.toml:2:\d+: no TOML"):
        Sites.read(written(tmp_path, "[default]\nzone = \n"))
    with pytest.raises(SiteError, match="cannot be read"):
        Sites.read(tmp_path / "nothing.toml")


def test_code_files_name_row_and_column(tmp_path: Path) -> None:
    """Bad rows of a code file are named by file and row; a file without a good one is no table."""
    (tmp_path / "codes.csv").write_text("local,national\nA1,\nA2,ABC\n", encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        Sites.read(written(tmp_path, 'default.code_files = ["codes.csv", "none.csv"]'))
    told = [(Path(p.file).name, p.row, p.path) for p in caught.value.problems]
    assert told == [
        ("codes.csv", 2, "national"),
        ("codes.csv", 3, "national"),
        ("site.toml", 0, "default.code_files[1]"),
    ]


def test_a_bad_row_of_a_code_file_is_left_out_and_named(tmp_path: Path) -> None:
    """The other rows are used; a column that is not known is a problem of the whole file."""
    good = "A1,XA11DAW036A001010104127,,\n"
    rows = f"local,national,valid_from,valid_to\n{good}A2,ABC,soon,\nA3,{good.split(',')[1]},2026-05-01,2026-01-01\n"
    (tmp_path / "codes.csv").write_text(rows, encoding="utf-8")
    sites = Sites.read(written(tmp_path, 'default.code_files = ["codes.csv"]'))
    assert sites.default.national("item", "A1", None) == ("XA11DAW036A001010104127",)
    assert sites.default.national("item", "A2", None) == sites.default.national("item", "A3", None) == ()
    assert [(p.row, p.path) for p in sites.left_out] == [(3, "national"), (3, "valid_from"), (4, "valid_to")]
    assert sites.degraded == ("code table codes.csv: rows not used: 2",)
    (tmp_path / "codes.csv").write_text(rows.replace("national,", "nationel,", 1), encoding="utf-8")
    assert problems(tmp_path, 'default.code_files = ["codes.csv"]')[0][0] == "national"


def test_a_site_says_since_when_it_tells_what_it_saves(tmp_path: Path) -> None:
    """Each institution for itself, else as the default says; what is no date is a problem."""
    told = Sites.read(written(tmp_path, "[default]\n"))
    assert told.default.own_history_since is None
    text = '[default]\nown_history_since = 2026-01-01\n[H1]\nown_history_since = "2025-06-01"\n[H2]\n'
    told = Sites.read(written(tmp_path, text))
    days = [told.of(name).own_history_since for name in ("H1", "H2", "H3")]
    assert days == [datetime(2025, 6, 1), datetime(2026, 1, 1), datetime(2026, 1, 1)]
    wrong = problems(tmp_path, '[H1]\nown_history_since = "soon"\n')
    assert wrong == [("H1.own_history_since", "`soon` is no date; write it like 2026-01-31")]
