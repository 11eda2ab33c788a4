"""A sidecar killed under load, again and again: whatever a caller was answered is in the journal, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.kills import databases, judge, kill_under_load, make_place
from tests.stores.server import binaries

KILLS = 20
"""In each database; ``python -m benchmarks.kills`` goes on for as long as one likes."""


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database nobody else uses: its URL, "" for SQLite."""
    if request.param == "postgres" and binaries() is None:
        pytest.skip("PostgreSQL is not installed (tools/postgres.sh installs it)")
    with databases(request.param) as dsn:
        yield dsn


@pytest.mark.slow
def test_what_was_answered_survives_kills(store: str, tmp_path: Path) -> None:
    """Each receipt of the client's file stands in the journal once, and the journal verifies after each kill."""
    figures = asyncio.run(kill_under_load(make_place(tmp_path, store, commit_budget_ms=10_000), KILLS, seed=3))
    assert figures["counted"] == KILLS, figures
    assert figures["kept"] > KILLS
    assert (figures["lost"], figures["doubled"], figures["asked_twice"]) == ([], [], [])
    assert figures["refused"] == 0, figures["refused_first"]
    assert figures["verify_failed"] == []


def decision(ident: str, receipt: str = "00" * 8, *, journaled: bool = True) -> dict[str, object]:
    """A line of the client's file."""
    known = {"request_id": f"Q{ident}", "decision_id": ident, "receipt": receipt}
    return {"kind": "decision", **known, "journaled": journaled}


def entry(ident: str, hash_: str = "00" * 32) -> dict[str, object]:
    """A line of an export."""
    return {"hash": hash_, "entry": {"kind": "decision", "decision_id": ident, "request_id": f"Q{ident}"}}


def test_the_judge_sees_what_is_missing_and_what_stands_twice() -> None:
    """An answer without entry, one with two, one with another receipt; not one that was never promised."""
    answered = [decision("A"), decision("B"), decision("C", "11" * 8), decision("D", journaled=False)]
    figures = judge(answered, [entry("B"), entry("B"), entry("C")])
    assert figures["lost"] == [["decision", "A", "00" * 8], ["decision", "C", "11" * 8]]
    assert figures["doubled"] == [["decision", "B", "00" * 8]]
    assert figures["asked_twice"] == ["QB"]
