"""The settings of CDS Hooks: read from a file, and every wrong value told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from negative_list.readers.fhir.hooks import Naming
from reminder.cds.prefetch import PREFETCH
from reminder.cds.settings import CRD, PROFILES, Cds, Issuer
from reminder.config import ConfigError, load_config

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, text: str) -> Cds:
    """The settings of a file."""
    file = folder / "reminder.toml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, {}).cds


def test_without_settings_everything_is_asked_for_and_nobody_for_a_token(tmp_path: Path) -> None:
    """The defaults."""
    assert (read(tmp_path, "") == Cds(), Cds().issuers, Cds().prefetch) == (True, (), tuple(PREFETCH))


def test_every_setting_is_read(tmp_path: Path) -> None:
    """Files beside the file of settings."""
    (tmp_path / "ehr.json").write_text('{"keys": []}', encoding="utf-8")
    cds = read(
        tmp_path,
        """
        [cds]
        profile = "crd"
        indicators = {block = "critical"}
        source_label = "示例医保局"
        source_url = "https://payer.example/"
        source_icon = "https://payer.example/icon.png"
        institution = "H43010000001"
        patient_system = "urn:his:patient"
        encounter_system = "urn:his:visit"
        institution_system = "urn:nhsa"
        prefetch = ["patient", "encounter"]
        base_url = "https://reminder.example/"

        [[cds.issuers]]
        iss = "https://ehr.example"
        keys = "ehr.json"
        jku = "https://ehr.example/keys"
        """,
    )
    assert cds == Cds(
        profile=CRD,
        indicators={**PROFILES[CRD], "block": "critical"},
        source_label="示例医保局",
        source_url="https://payer.example",
        source_icon="https://payer.example/icon.png",
        institution="H43010000001",
        naming=Naming(patient="urn:his:patient", encounter="urn:his:visit", institution="urn:nhsa"),
        prefetch=("patient", "encounter"),
        base_url="https://reminder.example",
        issuers=(Issuer(iss="https://ehr.example", keys=tmp_path / "ehr.json", jku=("https://ehr.example/keys",)),),
    )


def test_nothing_need_be_asked_for(tmp_path: Path) -> None:
    """An empty list."""
    assert read(tmp_path, "[cds]\nprefetch = []").prefetch == ()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('[cds]\nprofil = "crd"', ["cds.profil"]),
        ('[cds]\nprofile = "strict"\nsource_url = "payer.example"', ["cds.profile", "cds.source_url"]),
        ('[cds]\nindicators = {block = "hard-stop", info = "info"}', ["cds.indicators.block", "cds.indicators.info"]),
        ('[cds]\nprefetch = ["patients"]', ["cds.prefetch"]),
        ('[cds]\nbase_url = "https://x.example"\n[[cds.issuers]]\niss = "a"', ["cds.issuers[1]"]),
        (
            '[cds]\nbase_url = "https://x.example"\n[[cds.issuers]]\niss = "a"\nkeys = "gone.json"',
            ["cds.issuers[1].keys"],
        ),
        ("cds = 7", ["cds"]),
    ],
)
def test_every_wrong_value_is_told_with_its_place(tmp_path: Path, text: str, places: list[str]) -> None:
    """All at once."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert [problem.path for problem in caught.value.problems] == places


def test_tokens_need_the_url_they_are_for(tmp_path: Path) -> None:
    """Else a token for any service would do."""
    (tmp_path / "ehr.json").write_text('{"keys": []}', encoding="utf-8")
    with pytest.raises(ConfigError, match="base_url"):
        read(tmp_path, '[[cds.issuers]]\niss = "a"\nkeys = "ehr.json"')
