"""The pages on CDS Hooks say what is: settings, keys, endpoints, and their examples are read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from negative_list.readers.fhir.elements import FACT_URL
from reminder.cds.prefetch import PREFETCH, SERVICES
from reminder.cds.settings import _READERS, INDICATORS, PROFILES
from reminder.config import load_config
from tests.docs.pages import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "docs" / name for name in ("cds-hooks.md", "cds-hooks.zh-CN.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_is_on_the_page(page: Path) -> None:
    """Each in the table, and no other."""
    table = page.read_text("utf-8").rpartition("|---|---|---|")[2]
    named = {
        name for row in table.splitlines() if row.startswith("|") for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == set(_READERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_page_names_is_there(page: Path) -> None:
    """Services, prefetch keys, profiles and indicators."""
    text = page.read_text("utf-8")
    words = {*SERVICES, *PREFETCH, *PROFILES, *INDICATORS}
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_are_read(page: Path, tmp_path: Path) -> None:
    """The settings load, and the extension carries a fact."""
    (settings,) = (block.text for block in blocks(page, "toml"))
    (tmp_path / "ehr-keys.json").write_text('{"keys": []}', encoding="utf-8")
    file = tmp_path / "reminder.toml"
    file.write_text(settings, encoding="utf-8")
    assert load_config(file, {}).cds.issuers[0].iss == "https://ehr.hospital.example"
    (extension,) = (json.loads(block.text) for block in blocks(page, "json"))
    assert extension["url"] == f"{FACT_URL}line.unit_price_fen"
