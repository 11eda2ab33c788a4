"""One core behind every face: the same prescription gets the same findings by gRPC, JSON, 3101 and CDS Hooks."""

from __future__ import annotations

import json
import urllib.request
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.wire_client import decision_of, request_of
from tests.cds.bodies import SIGN
from tests.faces.neutral import DIALECTS, LIST, draw_own, hook_of, national_of
from tests.reminder.sidecar import Running, ask, post, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERIAL = count(1)
Told = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with the list of every face."""
    folder = tmp_path_factory.mktemp("faces")
    list_ = folder / "faces.yaml"
    list_.write_text(LIST, encoding="utf-8")
    with running(folder, list=list_) as here:
        yield here


def by_grpc(here: Running, own: dict[str, Any]) -> tuple[Told, set[str]]:
    """Findings, and the rules that could not be decided."""
    decision = decision_of(ask(here, request_of(own | {"request_id": f"G{next(_SERIAL)}"})))
    told: Told = [
        (f.rule_id, f.action, f.unknown, *map(tuple, (f.lines, f.involved)), f.amount_fen or 0, f.message)
        for f in decision.findings
    ]
    return told, {each.rule_id for each in decision.not_evaluated}


def by_json(here: Running, own: dict[str, Any]) -> tuple[Told, set[str]]:
    """The same of JSON."""
    body = json.dumps(own | {"request_id": f"J{next(_SERIAL)}"}, ensure_ascii=False).encode()
    status, answer = post(here, body, "/reminder.v1.ReminderService/Check")
    assert status == 200
    told: Told = [
        (
            f["rule_id"],
            f["action"],
            f["unknown"],
            tuple(f["lines"]),
            tuple(f["involved"]),
            f["amount_fen"] or 0,
            f["message"],
        )
        for f in answer["findings"]
    ]
    return told, {each["rule_id"] for each in answer["not_evaluated"]}


def by_3101(here: Running, own: dict[str, Any], dialect: str, encoding: str = "utf-8") -> tuple[Told, set[str]]:
    """The same of 3101 in a dialect; its message is cut at 500 characters."""
    body = DIALECTS[dialect](national_of(own))
    raw = json.dumps(body, ensure_ascii=False).encode(encoding)
    kind = "application/json" if encoding == "utf-8" else "text/plain;charset=GBK"
    request = urllib.request.Request(f"http://{here.at('http')}/", data=raw, headers={"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=LONG_S) as reply:  # noqa: S310 - our own address
        answer = json.loads(reply.read().decode(encoding))  # answered in kind
    assert (answer["infcode"], answer["err_msg"]) == (0, "")
    output = answer["output"]
    told: Told = [
        (
            f["rule_id"],
            f["action"],
            f["unknown"],
            tuple(f["lines"]),
            tuple(f["involved"]),
            round(f["vola_amt"] * 100),
            f["vola_cont"],
        )
        for f in output["result"]
    ]
    return told, {each["rule_id"] for each in output["not_evaluated"]}


def by_hook(here: Running, own: dict[str, Any]) -> tuple[Told, set[str]]:
    """The same of order-sign: what its cards are about."""
    status, answer = post(here, json.dumps(hook_of(own), ensure_ascii=False).encode(), SIGN)
    assert status == 200
    found = [next(iter(card["extension"].values())) for card in answer["cards"]]
    told: Told = [
        (
            f["rule_id"],
            f["action"],
            f["unknown"],
            tuple(f["lines"]),
            tuple(f.get("involved", ())),
            f.get("amount_fen", 0),
        )
        for f in found
    ]
    decided = next(iter(answer["extension"].values()))
    return told, {each["rule_id"] for each in decided.get("not_evaluated", ())}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_finds_what_our_own_json_finds(here: Running, dialect: str) -> None:
    """Some prescriptions in each dialect; among them findings of every action, questions and undecided rules."""
    random = Random(7)
    actions = set()
    for _ in range(16):
        own = draw_own(random)
        told, undecided = by_grpc(here, own)
        assert by_3101(here, own, dialect) == (told, undecided)
        actions |= {(action, unknown) for _, action, unknown, *_ in told}
    assert {("block", False), ("warn", False), ("remind", False), ("remind", True)} <= actions


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32), dialect=st.sampled_from(sorted(DIALECTS)), encoding=st.sampled_from(["utf-8", "gbk"])
)
def test_every_face_finds_the_same(here: Running, seed: int, dialect: str, encoding: str) -> None:
    """Drawn prescriptions and dialects."""
    own = draw_own(Random(seed))
    told, undecided = by_grpc(here, own)
    assert by_json(here, own) == (told, undecided)
    assert by_3101(here, own, dialect, encoding) == (told, undecided)
    assert by_hook(here, own) == ([each[:-1] for each in told], undecided)
