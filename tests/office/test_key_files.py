"""What there is of keys, and a new one beside the old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reminder.office.key_files import live_keys, mark_of, rotate, secrets_in
from reminder.stores.keys import Keys, KeysError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_without_secrets_gets_none(tmp_path: Path) -> None:
    """Looking for a patient in a wrong folder makes no secret there, nor does changing one."""
    assert secrets_in(tmp_path) == ()
    for asked in (live_keys, rotate):
        with pytest.raises(KeysError, match="no secret"):
            asked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_named_and_nothing_of_it_told(tmp_path: Path) -> None:
    """Its mark tells it apart; the secret stands nowhere in what is told."""
    Keys.open(tmp_path / "keys")
    secret = (tmp_path / "keys" / "0001.key").read_bytes()
    (told,) = secrets_in(tmp_path)
    assert (told.name, told.mark, told.writes) == ("0001.key", mark_of(secret), True)
    assert secret.hex()[:8] not in repr(told)


def test_a_new_secret_writes_and_the_old_ones_still_find(tmp_path: Path) -> None:
    """The patient has a new key, and the one of before among those that are looked for."""
    before = Keys.open(tmp_path / "keys").patient("psn", "P1")
    made = rotate(tmp_path)
    after = live_keys(tmp_path)
    assert [(file.name, file.writes) for file in secrets_in(tmp_path)] == [("0002.key", True), ("0001.key", False)]
    assert made == secrets_in(tmp_path)[0]
    assert after.patient("psn", "P1") != before
    assert after.patient_before("psn", "P1") == (before,)
    assert [path for path in (tmp_path / "keys").iterdir() if path.suffix != ".key"] == []
