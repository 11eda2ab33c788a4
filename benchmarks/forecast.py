"""A forecast over journaled decisions: how long it takes, and whether `negative-list match` counts the same.

``python -m benchmarks.forecast --decisions 100000 --folder DIR``: makes a journal in DIR (once; two processes, a chain
each) of patients who come again, with history, store facts and rules nobody can decide; forecasts the second list of
:func:`lists` over it as the sidecar's process does; exports the decisions as bodies (``reminder journal export
--bodies``), has ``negative-list match`` judge them by both lists as of the day, and counts its answers by a loop of its
own. ``--no-match`` leaves that out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.workload import bodies_of
from negative_list import conditions as c
from negative_list.compile import canonical_lines, compile
from negative_list.decide import Fuller, begin, decide_whole
from negative_list.generate import generate
from negative_list.policy import read_policy
from negative_list.prescription import History, Line
from negative_list.readers import read_body
from negative_list.readers.stored import StoreFact, supplement
from negative_list.rules import Basis, Rule, RuleList, Text, Trigger
from negative_list.site import Sites
from reminder.forecast.inforce import as_of
from reminder.forecast.making import forecast
from reminder.forecast.ordered import Listed, Order
from reminder.ids import decision_id
from reminder.journal.artifacts import list_artifact
from reminder.journal.chain import rows_of
from reminder.journal.drafts import Digests, Made, decided_draft
from reminder.journal.engine import engine
from reminder.journal.opening import open_journal
from reminder.stores.keys import Keys
from reminder.under_keys import under_keys

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.policy import Policy
    from negative_list.prescription import Prescription
    from reminder.forecast.record import Forecast
    from reminder.journal.base import Draft

__all__ = ["DAY", "compared", "counted", "lists", "make_journal", "matched", "order_of"]

DETAILS = 20_000
DAYS = 28
FIRST = datetime(2026, 4, 30, 16, 0, tzinfo=UTC)
"""Midnight of 1 May in Shanghai."""

DAY = date(2026, 6, 1)
"""The planned activation: some rules begin that day."""

BOUND, WEEKLY, WEIGHED = "XA01BOUND0A001010100001", "002503020020000", "XA01WEIGH0A001010100001"
"""Codes of an item with a bound on its quantity, one that may be done once a week, one for which a weight counts."""

POLICY = '[default]\ndefinite = "block"\nsuspicious = "remind"\n'
_KEYS = Keys((b"f" * 32,))
_GROUP = 500
_ROOT = Path(__file__).parents[1]


def lists(details: int = DETAILS) -> tuple[RuleList, RuleList]:
    """The active list and the coming one: rules added, taken away, begun, ended, bounds moved, a fact newly needed."""
    first, day = generate(details, 1), DAY
    own = (_bound(3), _weekly(1), _rule("Q-ends", BOUND, _above(0), "remind", valid_to=date(2026, 5, 31)))
    new = (_bound(5), _weekly(2), _weighed(), _rule("Q-begins", BOUND, _above(1), "block", valid_from=day))
    worded = tuple(msgspec.structs.replace(rule, title=f"{rule.title}（新）") for rule in first.rules[:20])
    changed = tuple(msgspec.structs.replace(rule, action="warn") for rule in first.rules[20:80])
    return (
        RuleList(rules=(*first.rules, *own), sets=first.sets),
        RuleList(rules=(*worded, *changed, *first.rules[160:], *new), sets=first.sets),
    )


def _above(above: int) -> c.Condition:
    return c.Sum(lines=c.Lines(items=c.Items(codes=(BOUND,)), window=c.Window(unit="day")), above=Decimal(above))


def _bound(above: int) -> Rule:
    return _rule("Q-bound", BOUND, _above(above), "warn", amount="excess")


def _weekly(above: int) -> Rule:
    window = c.Window(unit="days", length=7, ends="open", side="before", whose="patient")
    lines = c.Lines(items=c.Items(codes=(WEEKLY,)), window=window)
    return _rule("Q-weekly", WEEKLY, c.Count(lines=lines, above=Decimal(above)), "block")


def _weighed() -> Rule:
    return _rule("Q-weighed", WEIGHED, c.Fact(fact="patient.weight_kg", above=Decimal(80)), "block")


def _rule(ident: str, code: str, violation: c.Condition, action: Any, **given: Any) -> Rule:
    return Rule(
        id=ident,
        class_id="R31",
        title="限制",
        trigger=Trigger(codes=(code,)),
        violation=violation,
        action=action,
        message=Text(zh="超过限制"),
        basis=Basis(document="规定"),
        **given,
    )


# --- the journal ------------------------------------------------------------------------------------------------------


def make_journal(data: Path, active: RuleList, decisions: int, workers: int = 1) -> None:
    """Decide so many prescriptions over four weeks by a list and write them down; the list is kept beside them."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "policy.toml").write_text(POLICY, "utf-8")
    store = open_journal(data)
    store.keep(list_artifact(compile(active), FIRST))
    store.close()
    shares = [(data, active, decisions // workers, worker) for worker in range(workers)]
    if workers == 1:
        _write(shares[0])
        return
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_write, shares))


def _write(share: tuple[Path, RuleList, int, int]) -> None:
    data, active, decisions, worker = share
    store, deciding = open_journal(data), _Deciding(compile(active), read_policy(data / "policy.toml"), worker)
    drafts = itertools.islice(deciding.drafts(decisions), decisions)
    while group := list(itertools.islice(drafts, _GROUP)):
        rows, _ = rows_of(store.head(f"forecast-{worker}"), group)
        store.append(rows)
    store.close()


class _Deciding:
    """Decisions as a sidecar makes them: what a list needs is read, and nothing else."""

    def __init__(self, compiled: CompiledList, policy: Policy, worker: int) -> None:
        self._compiled, self._policy, self._rng, self._worker = compiled, policy, Random(worker), worker
        self._past: dict[str, list[Line]] = {}

    def drafts(self, decisions: int) -> Iterator[Draft]:
        step = timedelta(days=DAYS) / decisions
        for number, body in enumerate(bodies_of(self._compiled, self._worker)):
            yield self._draft(body, FIRST + step * number, number)

    def _draft(self, body: dict[str, Any], now: datetime, number: int) -> Draft:
        at = (now + timedelta(hours=8)).replace(tzinfo=None, microsecond=0)
        keyed = under_keys(_KEYS, read_body(self._changed(body, at, number), Sites(), at))
        told = self._read(keyed.prescription, at)
        whole = decide_whole(
            self._compiled,
            keyed.prescription,
            at,
            self._policy,
            fuller=told[0],
            decision_id=decision_id(int(now.timestamp() * 1000), self._rng.getrandbits(80)),
        )
        self._remember(keyed.prescription)
        made = Made(
            keyed=keyed,
            now=now,
            at=at,
            zone="Asia/Shanghai",
            whole=whole,
            digests=Digests(engine=engine(), list=self._compiled.digest, policy=self._policy.digest),
            read=told[0] is not None,
            facts=told[1],
            history=told[0].history if told[0] is not None else None,
        )
        return decided_draft(made, _KEYS, self._compiled, self._policy)[0]

    def _changed(self, body: dict[str, Any], at: datetime, number: int) -> dict[str, Any]:
        """The body of one of few patients on its day, with the items of our own rules and a doctor."""
        rng, text = self._rng, str(at)
        encounter = body["encounter"]
        patient = f"P{self._worker}-{rng.randrange(max(10, number // 5 + 1))}"
        body["time"], body["patient"]["id"], body["request_id"] = text, patient, f"B{self._worker}-{number}"
        encounter |= {"id": f"M{self._worker}-{number // 3}", "admitted_at": text[:10], "doctor_id": f"D{number % 400}"}
        lines = encounter["lines"]
        for line in lines:
            line["begins"] = text
        for code, quantity, share in ((BOUND, rng.randrange(1, 9), 0.3), (WEEKLY, 1, 0.3), (WEIGHED, 1, 0.05)):
            if rng.random() < share:
                lines.append({**lines[0], "id": code, "code": code, "quantity": quantity})
        return body

    def _read(self, body: Prescription, at: datetime) -> tuple[Fuller | None, tuple[StoreFact, ...]]:
        needs = begin(self._compiled, body, at).needs
        if not needs:
            return None, ()
        facts: tuple[StoreFact, ...] = ()
        if needs - {"history"} or self._rng.random() < 0.02:  # noqa: PLR2004 - one of fifty
            weight = Decimal(self._rng.randrange(50, 110))
            facts = (StoreFact(subject=body.patient.id, fact="patient.weight_kg", value=weight, source="nursing"),)
        history = None
        if "history" in needs:
            past = tuple(self._past.get(body.patient.id, ()))
            since = datetime(2026, 1, 1) if self._rng.random() < 0.8 else None  # noqa: PLR2004 - of four fifths
            history = History(lines=past, since=since, unique=True)
        by_subject = {body.patient.id: facts} if facts else {}
        return Fuller(prescription=supplement(body, by_subject, at), history=history), facts

    def _remember(self, body: Prescription) -> None:
        """What was given is history from then on; of one patient the last thirty lines."""
        past = self._past.setdefault(body.patient.id, [])
        past += [msgspec.structs.replace(line, current=False) for line in body.encounter.lines]
        del past[:-30]


# --- forecast and match -----------------------------------------------------------------------------------------------


def order_of(data: Path, active: RuleList, coming: Path, decisions: int) -> Order:
    """What the sidecar would tell the process of a forecast."""
    digest = compile(active).digest
    return Order(
        active=Listed(kind="journal", place=digest, digest=digest, version="1"),
        coming=Listed(kind="list", place=str(coming), digest="b" * 64, version="2"),
        policy=read_policy(data / "policy.toml"),
        data=str(data),
        at=datetime(DAY.year, DAY.month, DAY.day),
        begin=date(2026, 5, 1),
        end=DAY,
        within_s=600.0 + decisions / 100,
        now=datetime(2026, 5, 31, tzinfo=UTC),
    )


def matched(rules: Path, folder: Path, policy: Path) -> Iterator[dict[str, Any]]:
    """What `negative-list match` answers to every exported body."""
    given = [f"--{name}={folder / file}" for name, file in _FILES.items() if (folder / file).stat().st_size]
    command = [sys.executable, "-m", "negative_list.cli", "match", str(rules), *given, f"--policy={policy}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            yield json.loads(line)


_FILES = {"requests": "bodies.jsonl", "history": "history.jsonl", "facts": "facts.jsonl", "site": "site.toml"}


def counted(before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]], fresh: set[str]) -> dict[str, Any]:
    """What two runs of match come to: decisions by action, and of each rule where it is found by one run or both.

    ``fresh``: rules the coming list judges otherwise; where those are not evaluated they are not replayable.
    """
    actions: dict[str, Counter[str]] = {"before": Counter(), "after": Counter()}
    rules: dict[str, Counter[str]] = {}
    for old, new in zip(before, after, strict=True):
        actions["before"][old["decision"]] += 1
        actions["after"][new["decision"]] += 1
        was, is_ = _found(old), _found(new)
        opened = {one["rule_id"] for one in new["not_evaluated"]} & fresh - is_.keys()
        for rule in was.keys() | is_.keys() | opened:
            rules.setdefault(rule, Counter()).update(_became(was.get(rule), is_.get(rule), opened=rule in opened))
    return {"actions": {side: dict(told) for side, told in actions.items()}, "rules": rules}


def _found(answer: dict[str, Any]) -> dict[str, int]:
    """The certain findings of an answer by rule, as the strongest action's place."""
    found: dict[str, int] = {}
    for one in answer["findings"]:
        if not one["unknown"]:
            action = ("pass", "remind", "warn", "block").index(one["action"])
            found[one["rule_id"]] = max(found.get(one["rule_id"], 0), action)
    return found


def _became(was: int | None, is_: int | None, *, opened: bool) -> list[str]:
    told = ["open_"] if opened else []
    if was is None and is_ is not None:
        return [*told, "newly"]
    if was is not None and is_ is None:
        return told if opened else ["gone"]
    return [*told, "changed"] if was != is_ else told


def compared(made: Forecast, theirs: dict[str, Any]) -> list[str]:
    """Every figure the forecast and the loop count differently."""
    ours = {"before": made.before.actions, "after": made.confirmed.actions}
    wrong = [
        f"{side} {action}: {told.get(action, 0)} here, {theirs['actions'][side].get(action, 0)} by match"
        for side, told in ours.items()
        for action in told.keys() | theirs["actions"][side].keys()
        if told.get(action, 0) != theirs["actions"][side].get(action, 0)
    ]
    rows = {row.key: row for row in made.rules}
    for rule in rows.keys() | theirs["rules"].keys():
        for name in ("newly", "gone", "changed", "open_"):
            field = "changed_confirmed" if name == "changed" else name
            mine, other = getattr(rows.get(rule), field, 0), theirs["rules"].get(rule, {}).get(name, 0)
            if mine != other:
                wrong.append(f"{rule} {name}: {mine} here, {other} by match")
    return wrong


def measured(folder: Path, decisions: int, details: int, *, match: bool) -> dict[str, Any]:
    """The figures."""
    data, (active, coming) = folder / f"data-{decisions}-{details}", lists(details)
    begun = time.monotonic()
    if not data.exists():
        make_journal(data, active, decisions, workers=2)
    figures: dict[str, Any] = {"decisions": decisions, "made_s": round(time.monotonic() - begun)}
    figures["journal_mb"] = round((data / "journal.sqlite").stat().st_size / 2**20)
    file = _written(folder / "coming.jsonl", coming)
    seen: list[tuple[float, int]] = []
    begun = time.monotonic()
    made = forecast(
        order_of(data, active, file, decisions), lambda done, _: seen.append((time.monotonic() - begun, done))
    )
    figures |= {"forecast_s": round(time.monotonic() - begun, 1), "progress": len(seen), "first_after_s": seen[0][0]}
    figures["own_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    figures["process_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    figures |= {"replayed": made.about.replayed, "rules": len(made.rules), "open": made.open_}
    (folder / "forecast.json").write_bytes(msgspec.json.encode(made))
    if match:
        figures |= _by_match(folder, data, made, active, coming)
    return figures


def _by_match(folder: Path, data: Path, made: Forecast, active: RuleList, coming: RuleList) -> dict[str, Any]:
    begun = time.monotonic()
    command = ["journal", "export", "--data", str(data), "--bodies", str(folder / "bodies")]
    said = subprocess.run([sys.executable, "-m", "reminder.cli", *command], cwd=_ROOT, check=True, stderr=-1, text=True)
    figures: dict[str, Any] = {"export_s": round(time.monotonic() - begun), "export_said": said.stderr.strip()[-300:]}
    begun = time.monotonic()
    old, new = as_of(active, DAY), as_of(coming, DAY)
    files = [_written(folder / f"{name}.jsonl", rules) for name, rules in (("old", old), ("new", new))]
    before, after = (matched(file, folder / "bodies", data / "policy.toml") for file in files)
    theirs = counted(before, after, {row.key for row in made.rules if row.state in {"new", "changed"}})
    wrong = compared(made, theirs)
    return figures | {"match_s": round(time.monotonic() - begun), "differences": len(wrong), "first": wrong[:10]}


def _written(path: Path, rules: RuleList) -> Path:
    path.write_bytes(b"".join(canonical_lines(rules)))
    return path


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--details", type=int, default=DETAILS)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-match", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        told = measured(folder, given.decisions, given.details, match=not given.no_match)
        print(json.dumps(told, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
