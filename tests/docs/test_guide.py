"""The guide describes what there is: settings, fields of the answer, metrics, what a site may say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from negative_list.decision import Decision, FactSeen, Finding, NotEvaluated, Suggestion
from negative_list.output import FINDING_KEYS
from negative_list.policy import Ceiling, Setting, parse_policy
from negative_list.prescription import Note
from negative_list.readers.body import MAX_BYTES
from negative_list.readers.limits import MAX_LINES, MAX_NOTES, MAX_TEXT_BYTES
from negative_list.rules import Reason
from negative_list.site import Site, Sites
from reminder.config import LOG_LEVELS, Config
from reminder.metrics import Metrics
from tests.docs.pages import ROOT, blocks, inline_codes, sections

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "guide.md"


def described(title: str) -> set[str]:
    """What a section names in backticks."""
    return set(inline_codes(sections(PAGE)[title]))


def first_cells(title: str) -> set[str]:
    """What the first column of a section's tables names."""
    cells = re.findall(r"^\| (`.+?) \|", sections(PAGE)[title], re.MULTILINE)
    return {code for cell in cells for code in inline_codes(cell)}


def test_every_setting_is_described() -> None:
    """The table of settings is the configuration, no more and no less."""
    assert first_cells("Settings") == {field.name for field in msgspec.structs.fields(Config)}
    assert set(LOG_LEVELS) <= described("Settings")


@pytest.mark.parametrize(
    "record", [Decision, Finding, NotEvaluated, FactSeen, Suggestion, Note, Reason], ids=lambda r: r.__name__
)
def test_every_field_of_the_answer_is_described(record: type[msgspec.Struct]) -> None:
    """Each field of the JSON is named in the section on the answer."""
    assert set(record.__struct_encode_fields__) <= described("The answer")


def test_no_other_field_is_described() -> None:
    """The tables of the answer name the fields of the JSON of a decision and of a finding."""
    fields = {*Decision.__struct_encode_fields__, *FINDING_KEYS}
    assert first_cells("The answer") == fields


def test_everything_a_site_may_say_is_described() -> None:
    """Each part of a site's configuration is in its table."""
    assert {field.name for field in msgspec.structs.fields(Site)} <= first_cells("What a site may say")


def test_every_key_of_a_policy_is_described() -> None:
    """Rows and ceilings are in the section on policy, and its example is one."""
    keys = {*Setting.__struct_encode_fields__, *Ceiling.__struct_encode_fields__}
    (example,) = (block for block in blocks(PAGE, "toml") if "[[set]]" in block.text)
    assert keys <= described("Policy")
    assert parse_policy(example.text, "example.toml").digest


def test_the_example_of_a_site_is_one(tmp_path: Path) -> None:
    """The site configuration of the guide can be read."""
    (example,) = (block for block in blocks(PAGE, "toml") if "[[default.codes]]" in block.text)
    path = tmp_path / "site.toml"
    path.write_text(example.text, "utf-8")
    assert Sites.read(path) is not None


def test_every_metric_is_described() -> None:
    """The table of metrics names those the sidecar has."""
    metrics = Metrics()
    metrics.relay.watch(lambda: (0, 0, False))  # told only where there is a bureau
    names = {family.name for family in metrics.collect()}
    of_several = {"reminder_workers", "reminder_worker_starts"}  # told by reminder.workers.together alone
    assert first_cells("Health, metrics, log") == names | of_several


def test_the_limits_are_those_of_the_sidecar() -> None:
    """The numbers in the guide are the sidecar's."""
    text = sections(PAGE)["Limits"]
    assert f"{MAX_LINES:,} lines" in text
    assert f"{MAX_BYTES // 1024 // 1024} MiB a request" in text
    assert f"{MAX_TEXT_BYTES // 1024} KiB a text" in text
    assert f"{MAX_NOTES} notes" in text
