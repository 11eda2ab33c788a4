"""Keys stand for ids: the same for the same id, telling nothing of it, made with a secret that is made once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reminder.stores.keys import KEY_DIGITS, SECRET_BYTES, Keys, KeysError


def test_a_key_depends_on_secret_kind_system_and_id(tmp_path: Path) -> None:
    """No two of these that differ give the same key, and none holds the id."""
    one, other = Keys((b"a" * SECRET_BYTES,)), Keys((b"b" * SECRET_BYTES,))
    keys = [
        one.patient("insurance", "123456"),
        other.patient("insurance", "123456"),
        one.patient("identity card", "123456"),
        one.patient("insurance", "123457"),
        one.patient("insurance1", "23456"),
        one.encounter("insurance", "123456"),
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {KEY_DIGITS}
    assert not [key for key in keys if "123456" in key]
    assert one.patient("insurance", "123456") == keys[0]


def test_the_secret_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    """Workers that start together use the same secret, and nothing half-made is left."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Keys.open(tmp_path / "keys").patient("s", "1"), range(16)))
    assert len(set(made)) == 1
    (file,) = (tmp_path / "keys").iterdir()
    assert (file.name, len(file.read_bytes())) == ("0001.key", SECRET_BYTES)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_newer_secret_writes_and_the_older_ones_are_still_known(tmp_path: Path) -> None:
    """A check asks under the new key and under the older ones."""
    before = Keys.open(tmp_path)
    (tmp_path / "0002.key").write_bytes(b"n" * SECRET_BYTES)
    after = Keys.open(tmp_path)
    newest = after.patient("s", "1")
    assert newest != before.patient("s", "1")
    assert after.patient_before("s", "1") == (before.patient("s", "1"),)
    assert after.encounter_before("H1", "1") == (before.encounter("H1", "1"),)
    assert before.patient_before("s", "1") == ()


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """What is logged of keys is how many there are."""
    assert repr(Keys((b"secret" * 8,))) == "Keys(1 live)"


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    """Half a secret would give keys that fit nothing."""
    (tmp_path / "0001.key").write_bytes(b"short")
    with pytest.raises(KeysError, match="fewer than 32 bytes"):
        Keys.open(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The message names the folder and the way out."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeysError, match=r"secrets in `.*keys` cannot be used .*give the rights"):
        Keys.open(tmp_path / "file" / "keys")
