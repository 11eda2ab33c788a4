"""The evidence for an appeal is one file, which somebody without this program can check."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from reminder.journal.engine import engine
from reminder.journal.opening import open_journal
from reminder.stores.keys import Keys
from tests.office.decided import ENCOUNTER, PATIENT, write_decision
from tests.office.test_commands import run

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from reminder.journal.base import Row


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two decisions, the second one covered by a checkpoint."""
    folder = tmp_path / "var"
    journal = open_journal(folder)
    keys = Keys.open(folder / "keys")
    for number in (1, 2):
        write_decision(journal, keys, number=number, engine=engine())
    journal.close()
    assert run(folder, "points", "add", "D1", "--points", "1", "--on", "2026-03-01").exit_code == 0
    return folder


def second(data: Path) -> Row:
    """The entry of the second decision."""
    journal = open_journal(data)
    row = next(iter(journal.chain("a", 2, 2)))
    journal.close()
    return row


def exported(data: Path, name: str) -> Path:
    """The evidence of the second decision's finding."""
    row = second(data)
    out = data.parent / name
    finding = json.loads(run(data, "explain", row.decision_id, "--format", "json").stdout)["found"][0]["found"][
        "finding_id"
    ]
    assert run(data, "explain", finding, "--export", str(out)).exit_code == 0
    return out


def test_the_hash_can_be_worked_out_from_the_file_alone(data: Path) -> None:
    """As the file says: previous hash, arrays, brief, body."""
    told: dict[str, Any] = json.loads(exported(data, "evidence.json").read_text("utf-8"))
    hashed = told["hashed"]
    parts = (bytes.fromhex(hashed["previous"]), hashed["arrays"].encode(), base64.b64decode(hashed["brief_base64"]))
    digest = hashlib.sha256(b"".join((*parts, hashed["body"].encode()))).hexdigest()
    assert digest == told["hash"] == second(data).hash.hex()
    assert told["receipt"] == digest[:16]
    assert json.loads(hashed["body"]) == told["entry"]


def test_the_checkpoint_is_signed_and_covers_the_entry(data: Path) -> None:
    """Its signature holds under the public key in the file, and its head of the chain is at or after the entry."""
    told: dict[str, Any] = json.loads(exported(data, "evidence.json").read_text("utf-8"))
    line = told["checkpoint"]["line"]
    content, _, rest = line.rpartition(',"signature":"')
    (pem,) = told["public_keys"].values()
    key: Any = load_pem_public_key(pem.encode())
    key.verify(bytes.fromhex(rest.removesuffix('"}')), content.encode() + b"}")
    heads = {chain: seq for chain, seq, _ in json.loads(line)["heads"]}
    assert heads[told["chain"]] >= told["seq"]


def test_it_holds_the_rule_and_its_basis(data: Path) -> None:
    """And each condition with its facts."""
    told: dict[str, Any] = json.loads(exported(data, "evidence.json").read_text("utf-8"))
    (rule,) = told["rules"]
    assert rule["basis"]["document"] == "医保支付资格管理经办规程"
    (found,) = told["findings"]
    assert found["walked"][0]["parts"][-1]["holds"] is True
    assert told["how_to_verify"][0]["zh"].startswith("哈希")


@pytest.mark.parametrize("name", ["evidence.json", "evidence.html"])
def test_it_names_nobody(data: Path, name: str) -> None:
    """No id of the patient or the encounter stands in it."""
    text = exported(data, name).read_text("utf-8")
    assert second(data).receipt in text
    assert PATIENT not in text
    assert ENCOUNTER not in text


def test_the_page_loads_nothing(data: Path) -> None:
    """One file in the reader's language, without scripts and links."""
    text = exported(data, "evidence.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in text
    assert "[成立]" in text
    assert [word for word in ("<script", "src=", "href=", "http:", "https:") if word in text] == []


def test_a_first_entry_follows_nothing(data: Path) -> None:
    """Before the first entry of a chain stand 32 zero bytes."""
    journal = open_journal(data)
    first = next(iter(journal.chain("a", 1, 1)))
    journal.close()
    out = data.parent / "first.json"
    run(data, "explain", first.decision_id, "--export", str(out))
    assert json.loads(out.read_text("utf-8"))["hashed"]["previous"] == "00" * 32
