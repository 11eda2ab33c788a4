"""What a finding was based on, as one file for an appeal: JSON for programs, or a page for people.

It holds the entry exactly as it was hashed, with what the hash is taken over; its place in the chain and the checkpoint
that covers it; the rules with their basis; and how somebody else can check all that. Patients and encounters stand in
it under their keys, texts are masked as they are in the journal: no name and no id.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reminder.journal.base import NO_HASH
from reminder.journal.chain import instant_text
from reminder.journal.coding import canonical_json
from reminder.office.layout import laid_out

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.office.explained import Explained
    from reminder.office.proof import Covering
    from reminder.office.words import Language

__all__ = ["FORM", "HOW_TO_VERIFY", "as_json", "as_page", "evidence"]

FORM = 1
"""The form of the file."""

HOW_TO_VERIFY: tuple[tuple[str, str], ...] = tuple(
    (" ".join(zh.split("\n")), " ".join(en.split("\n")))
    for zh, en in (
        (
            """哈希：对 hashed.previous（十六进制还原为32字节）、hashed.arrays、hashed.brief_base64（还原）、hashed.body
依次拼接，求 SHA-256，应等于 hash；其前16位即回执。""",
            """The hash: SHA-256 over hashed.previous (32 bytes from hex), hashed.arrays, hashed.brief_base64 (decoded)
and hashed.body, one after the other, equals hash; its first 16 digits are the receipt.""",
        ),
        (
            """检查点：checkpoint.line 去掉 signature 字段即被签名内容（Ed25519，公钥见 public_keys）；其中本链的序号
不小于本条序号，说明当时本条已在日志中，此后的改动会被 `reminder journal verify` 发现。""",
            """The checkpoint: checkpoint.line without its field signature is what was signed (Ed25519, public_keys).
Its head of this chain is at or after this entry: by then the entry stood in the journal, and what was changed since is
found by `reminder journal verify`.""",
        ),
        (
            """规则：rules 取自日志中按摘要保存的清单，摘要见条目的 list 字段。""",
            """The rules are those of the list kept in the journal under the digest the entry names as list.""",
        ),
    )
)
"""How somebody else checks the file, step by step, in Chinese and in English."""


def evidence(
    journal: JournalStore,
    told: Explained,
    covering: Covering | None,
    public_keys: Sequence[Path],
    *,
    finding_id: str = "",
    now: datetime,
) -> dict[str, Any]:
    """Everything, as plain data; ``finding_id``: of this finding alone, though the entry is always whole.

    Raises:
        StoreError: The journal cannot be read.
        OSError: A public key cannot be read.
    """
    row = next(iter(journal.chain(told.placed.chain, told.placed.seq, told.placed.seq)))
    found = [one for one in told.found if finding_id in {"", one.found.finding_id}]
    words = [word for word in told.words if finding_id in {"", word.told.finding_id}]
    return {
        "form": FORM,
        "exported_at": now,
        "decision_id": told.decision_id,
        "chain": row.chain,
        "seq": row.seq,
        "hash": row.hash.hex(),
        "receipt": row.receipt,
        "hashed": _hashed(journal, row),
        "entry": msgspec.Raw(row.body),
        "findings": found,
        "rules": [one.rule for one in found if one.rule is not None],
        "list_kept": told.list_kept,
        "engine_same": told.engine_same,
        "since": words,
        "checkpoint": covering,
        "public_keys": {path.name: path.read_text("ascii") for path in public_keys},
        "how_to_verify": [{"zh": zh, "en": en} for zh, en in HOW_TO_VERIFY],
    }


def _hashed(journal: JournalStore, row: Row) -> dict[str, Any]:
    """What the hash of an entry is taken over (:mod:`reminder.journal.chain`)."""
    before = next(iter(journal.chain(row.chain, row.seq - 1, row.seq - 1)), None) if row.seq > 1 else None
    previous = NO_HASH.hex() if row.seq == 1 else before.hash.hex() if before is not None else None
    texts = (row.decision_id, row.institution_id, row.patient_key, row.encounter_key, row.asked)
    arrays = ((row.chain, row.seq), (row.kind, instant_text(row.at), *texts, len(row.brief)))
    return {
        "previous": previous,
        "arrays": b"".join(map(msgspec.json.encode, arrays)).decode(),
        "brief_base64": base64.b64encode(row.brief).decode(),
        "body": row.body.decode("utf-8", "replace"),
    }


def as_json(told: dict[str, Any]) -> bytes:
    """The file for programs."""
    return msgspec.json.format(canonical_json(told), indent=2) + b"\n"


_PAGE = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<title>{title}</title>
<style>body{{font:14px/1.6 sans-serif;margin:2em;max-width:70em;overflow-wrap:anywhere}}\
pre{{white-space:pre-wrap;font:13px/1.5 monospace;\
background:#f6f6f6;padding:1em}}details pre{{max-height:40em;overflow:auto}}</style>
<h1>{title}</h1>
<pre>{text}</pre>
<h2>{verify}</h2>
<ol>{steps}</ol>
<details><summary>{data}</summary><pre>{json}</pre></details>
</html>
"""
_TITLES = {"zh": ("申诉材料", "如何核验", "完整数据"), "en": ("Evidence", "How to verify", "All data")}


def as_page(told: dict[str, Any], explained: Explained, covering: Covering | None, language: Language) -> bytes:
    """The page for people, in one file that loads nothing."""
    title, verify, data = _TITLES[language]
    steps = "".join(f"<li>{html.escape(pair[language == 'en'])}</li>" for pair in HOW_TO_VERIFY)
    return _PAGE.format(
        lang="zh-CN" if language == "zh" else "en",
        title=f"{title} {html.escape(explained.decision_id)}",
        text=html.escape(laid_out(explained, covering, language)),
        verify=verify,
        steps=steps,
        data=data,
        json=html.escape(as_json(told).decode()),
    ).encode()
