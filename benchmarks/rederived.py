"""Decisions over three releases of a list, derived again from the journal: nothing differs; a changed bound is seen.

``python -m benchmarks.rederived --decisions 100000``. A sidecar serves one release after the other on the same data, as
a process of its own, and is asked over gRPC: prescriptions of patients it knows from before, with rules it cannot
decide, rules in shadow, and blocks that were left by their exit. Then ``reminder journal rederive`` derives every
decision again. In the end one bound of the first release is changed on purpose: exactly the decisions differ for which
the plain matcher of the tests, a loop anyone can check, finds another answer.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import grpc
import msgspec
from msgspec.structs import replace

from benchmarks.kills import Place, Victim, command, make_place
from benchmarks.workload import bodies_of
from negative_list import conditions as c
from negative_list.compile import CompiledList, canonical_lines, compile
from negative_list.generate import generate
from negative_list.policy import read_policy
from negative_list.rules import Basis, Rule, RuleList, Text, Trigger
from reminder.journal.again import answer_of, decided_again, fuller_again, prescription_of
from reminder.journal.coding import decode
from reminder.journal.entries import Decided
from reminder.journal.opening import open_journal
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.plain import Outcome, match_plainly

__all__ = ["derived", "planted", "releases"]

DETAILS = 3_000
IN_FLIGHT = 16
OF_ONE = 30
"""Decisions of one patient: their history grows with each that is saved, and reading it with them."""

BOUND, WEEKLY = "XA01BOUND0A001010100001", "002503020020000"
"""Codes of an item with a bound on its quantity, and of one that may be done once a week."""

POLICY = """
[default]
definite = "block"
suspicious = "remind"
[[set]]
class = "R08"
action = "pass"
why = "shadow"
"""
"""Everything may block, so that there are exits; one class is evaluated and not shown."""

_SERVICE = "/reminder.v1.ReminderService/"
_ROOT = Path(__file__).parents[1]


def releases() -> list[RuleList]:
    """Three releases: rules added, taken away, and a bound moved up and down again."""
    first = generate(DETAILS, 1)
    return [
        RuleList(rules=(*first.rules, bound(3), _weekly(1)), sets=first.sets),
        RuleList(rules=(*first.rules[50:], bound(5), _weekly(1)), sets=first.sets),
        RuleList(rules=(*first.rules[:-50], bound(3), _weekly(2)), sets=first.sets),
    ]


def bound(above: int) -> Rule:
    """At most so many pieces a day."""
    lines = c.Lines(items=c.Items(codes=(BOUND,)), window=c.Window(unit="day"))
    return _rule("Q-bound", BOUND, c.Sum(lines=lines, above=Decimal(above)), "warn")


def _weekly(above: int) -> Rule:
    window = c.Window(unit="days", length=7, ends="open", side="before", whose="patient")
    lines = c.Lines(items=c.Items(codes=(WEEKLY,)), window=window)
    return _rule("Q-weekly", WEEKLY, c.Count(lines=lines, above=Decimal(above)), "block")


def _rule(ident: str, code: str, violation: c.Condition, action: Any) -> Rule:
    return Rule(
        id=ident,
        class_id="R31",
        title="限制",
        trigger=Trigger(codes=(code,)),
        violation=violation,
        action=action,
        message=Text(zh="超过限制"),
        basis=Basis(document="规定"),
    )


# --- the run ----------------------------------------------------------------------------------------------------------


async def derived(folder: Path, decisions: int) -> dict[str, Any]:
    """Decide so many prescriptions over three releases and derive them again: the figures, and where it all is."""
    (folder / "policy.toml").write_text(POLICY, "utf-8")
    lists, begun = releases(), time.monotonic()
    place = make_place(folder)
    for number, rules in enumerate(lists):
        file = folder / f"release-{number}.jsonl"
        file.write_bytes(b"".join(canonical_lines(rules)))
        settings: dict[str, Any] = {"list": str(file), "policy": str(folder / "policy.toml")}
        place = make_place(folder, "", **settings, store_deadline_ms=10_000, commit_budget_ms=10_000)
        async with _serving(place) as channel:
            asked = bodies_of(compile(lists[0]), number)
            await _asked(channel, itertools.islice(asked, decisions // 3 + 1), Random(number), decisions // OF_ONE)
    made_s = time.monotonic() - begun
    begun = time.monotonic()
    said = subprocess.run(command(place, "journal", "rederive"), capture_output=True, text=True, cwd=_ROOT, check=False)  # noqa: ASYNC221
    figures = {"made_s": round(made_s), "rederive_s": round(time.monotonic() - begun), "exit": said.returncode}
    return figures | {"said": said.stdout.strip()[-2000:], "complaints": said.stderr.strip()[-2000:]} | _mix(folder)


@asynccontextmanager
async def _serving(place: Place) -> AsyncIterator[grpc.aio.Channel]:
    victim = Victim(place)
    try:
        target = (await victim.serving())["grpc"]
        async with grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            yield channel
    finally:
        victim.process.terminate()
        victim.process.wait(60)


async def _asked(channel: grpc.aio.Channel, bodies: Iterator[dict[str, Any]], rng: Random, patients: int) -> None:
    """So many in flight, of so many patients; some are saved, some blocks left by their exit and asked again."""

    async def run() -> None:
        for body in bodies:
            await _one(channel, _changed(body, rng, max(1, patients)), rng)

    await asyncio.gather(*(run() for _ in range(IN_FLIGHT)))


def _changed(body: dict[str, Any], rng: Random, patients: int) -> dict[str, Any]:
    """The body of one of few patients, whose days go by, with the items of our own rules among its lines."""
    day = f"2026-05-{rng.randrange(1, 29):02d} 09:30:00"
    body["time"], body["patient"]["id"] = day, f"P{rng.randrange(patients)}"
    body["encounter"]["admitted_at"] = day
    lines = body["encounter"]["lines"]
    for line in lines:
        line["begins"] = day
    for code, quantity, share in ((BOUND, rng.randrange(1, 9), 0.3), (WEEKLY, 1, 0.3)):
        if rng.random() < share:
            lines.append({**lines[0], "id": code, "code": code, "quantity": quantity})
    return body


async def _one(channel: grpc.aio.Channel, body: dict[str, Any], rng: Random) -> None:
    request = request_of(msgspec.to_builtins(body))
    answer = await _call(channel, "Check", request, pb.CheckResponse)
    share = rng.random()
    blocks = [one for one in answer.findings if one.action == pb.ACTION_BLOCK]
    if blocks and share < 0.2:  # noqa: PLR2004 - a fifth
        left = pb.FindingFeedback(finding_id=blocks[0].finding_id, done=pb.DONE_EXITED, reason_code="emergency")
        told = pb.RecordFeedbackRequest(institution_id=request.institution_id, doctor_id="D1", items=[left])
        await _call(channel, "RecordFeedback", told, pb.RecordFeedbackResponse)
        request.request_id += "again"
        await _call(channel, "Check", request, pb.CheckResponse)
    if share > 0.7:  # noqa: PLR2004 - three of ten
        saved = pb.RecordSavedRequest(prescription=request, prescription_id=request.request_id, revision=1)
        await _call(channel, "RecordSaved", saved, pb.RecordSavedResponse)


async def _call(channel: grpc.aio.Channel, method: str, request: Any, kind: Any) -> Any:
    ask: Any = channel.unary_unary(
        _SERVICE + method,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=kind.FromString,
    )
    return await ask(request)


def _mix(folder: Path) -> dict[str, int]:
    """How many of the decisions had what makes deriving hard."""
    entries = list(_decided(folder))
    return {
        "decisions": len(entries),
        "lists": len({entry.list for entry in entries}),
        "with_history": sum(entry.history is not None for entry in entries),
        "with_undecided": sum(bool(entry.answer.not_evaluated) for entry in entries),
        "with_shadow": sum(any(not found.shown for found in entry.found) for entry in entries),
        "with_exits": sum(any(found.exited for found in entry.found) for entry in entries),
        "not_derivable": sum(bool(entry.derivable) for entry in entries),
    }


def _decided(folder: Path) -> Iterator[Decided]:
    journal = open_journal(folder / "data")
    for head in journal.heads():
        for row in journal.chain(head.chain):
            if row.kind == "decision":
                entry = decode(row.body)
                if isinstance(entry, Decided):
                    yield entry
    journal.close()


# --- a planted change -------------------------------------------------------------------------------------------------


def planted(folder: Path) -> dict[str, int]:
    """Change the bound of the first release: which decisions differ when derived, and which the plain matcher names."""
    first = releases()[0]
    changed = replace(first, rules=tuple(bound(4) if rule.id == "Q-bound" else rule for rule in first.rules))
    compiled, digest = compile(changed), compile(first).digest
    entries = [entry for entry in _decided(folder) if entry.list == digest and not entry.derivable]
    differing = {entry.decision_id for entry in entries if _differs(entry, compiled, folder)}
    named = {entry.decision_id for entry in entries if _plainly(entry, 3) != _plainly(entry, 4)}
    return {
        "of_the_release": len(entries),
        "differ": len(differing),
        "named_by_plain": len(named),
        "only_differ": len(differing - named),
        "only_named": len(named - differing),
    }


def _differs(entry: Decided, compiled: CompiledList, folder: Path) -> bool:
    policy = read_policy(folder / "policy.toml")
    return answer_of(decided_again(entry, compiled, policy)) != answer_of(entry.answer)


def _plainly(entry: Decided, above: int) -> Outcome:
    """What the plain matcher says of the one rule whose bound is changed."""
    prescription = prescription_of(entry)
    fuller = fuller_again(entry, prescription)
    asked, history = (fuller.prescription, fuller.history) if fuller else (prescription, None)
    return match_plainly(RuleList(rules=(bound(above),)), asked, entry.decided_at, history)


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(derived(Path(folder), given.decisions))
        print(json.dumps(figures | {"planted": planted(Path(folder))}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
