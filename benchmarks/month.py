"""How long the reports of a month take, what memory they need, and whether a stranger arrives at the same figures.

``python -m benchmarks.month --decisions 1000000 --folder DIR``: makes the journal in DIR (once; several processes, a
chain each), runs ``reminder report`` for every grouping, notes seconds and the largest memory, and has the control
(``tests/compliance/control.py`` under a hundred lines, ``control_whole.py`` every figure), which reads only ``reminder
journal export``, count the same. ``--no-control`` leaves that out. Outside the project: a million decisions are some
gigabytes.
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
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec.structs import asdict

from benchmarks.hospital import events
from reminder.compliance.formulas import formula_of, rate
from reminder.compliance.period import period_of, reads_from
from reminder.compliance.report import reports
from reminder.journal.agreeing import columns_of
from reminder.journal.chain import rows_of
from reminder.journal.drafts import draft_of
from reminder.journal.opening import open_journal
from reminder.reports.asking import GROUPS

if TYPE_CHECKING:
    from reminder.compliance.records import Figures
    from reminder.journal.base import Draft
    from reminder.journal.entries import Entry

__all__ = ["CONTROLS", "FROM", "GROUPINGS", "TO", "control_figures", "counted", "differences", "make_journal", "timed"]

FROM, TO = "2026-04-01", "2026-05-01"
GROUPINGS = ("rule", "class", "department", "doctor", "day")
CONTROLS = ("control", "control_whole")
GROUP = 1000
_SIDES = ("part", "whole")
_WORDED = {"outcomes", "sources", "ways"}
_ROOT = Path(__file__).parents[1]


def make_journal(data: Path, decisions: int, seed: int = 1, workers: int = 1) -> int:
    """Write a month to the journal of a data folder, each worker a chain; returns the number of entries."""
    open_journal(data).close()
    shares = [(data, decisions, seed, (worker, workers)) for worker in range(workers)]
    if workers == 1:
        return _write(shares[0])
    with ProcessPoolExecutor(workers) as pool:
        return sum(pool.map(_write, shares))


def _write(share: tuple[Path, int, int, tuple[int, int]]) -> int:
    data, decisions, seed, part = share
    store = open_journal(data)
    chain, count = f"month-{part[0]}", 0
    for group in _groups(map(_draft, events(decisions, seed, part))):
        rows, _ = rows_of(store.head(chain), group)
        store.append(rows)
        count += len(rows)
    store.close()
    return count


def _draft(entry: Entry) -> Draft:
    """An entry as the service would hand it to the journal."""
    columns = columns_of(entry)
    found_by = {name: columns[name] for name in ("decision_id", "patient_key", "encounter_key")}
    return draft_of(entry, columns["kind"], **found_by)


def _groups(drafts: Iterator[Draft]) -> Iterator[list[Draft]]:
    while group := list(itertools.islice(drafts, GROUP)):
        yield group


# --- what is compared -------------------------------------------------------------------------------------------------


def counted(data: Path, groupings: Sequence[str]) -> dict[str, dict[str, dict[str, int]]]:
    """What the project counts, by grouping and group, under the control's names."""
    period = period_of(date.fromisoformat(FROM), date.fromisoformat(TO), ZoneInfo("Asia/Shanghai"))
    rows = open_journal(data).briefs(reads_from(period), period.until, by_encounter=True)
    made = reports(rows, period, groupings)
    return {by: {group.key: _flat(group.figures) for group in made[by].groups} for by in groupings}


def _flat(figures: Figures) -> dict[str, int]:
    told = asdict(figures)
    flat = {name: value for name, value in told.items() if isinstance(value, int)}
    for name in ("outcomes", "sources", "ways"):
        flat |= {f"{name}.{word}": count for word, count in told[name].items()}
    rates = {f"rates.{name}": rate(formula_of(name, date.fromisoformat(FROM)), figures) for name in ("bureau", "ours")}
    shares = {f"{name}.{side}": getattr(share, side) for name, share in rates.items() for side in ("part", "whole")}
    asked = {"checks": figures.asked.checks} if figures.asked is not None else {}
    return flat | {"reasons": sum(told["reasons"].values())} | shares | asked


def control_figures(
    export: Path, groupings: Sequence[str], control: str = "control_whole"
) -> dict[str, dict[str, dict[str, int]]]:
    """What a control counts, by grouping and group: the short one (``control``), or the one that counts everything."""
    command = [sys.executable, str(_ROOT / "tests" / "compliance" / f"{control}.py"), FROM, TO, ",".join(groupings)]
    with export.open("rb") as lines:
        found = json.loads(subprocess.run(command, stdin=lines, stdout=subprocess.PIPE, check=True).stdout)
    return {by: {key: _rates_flat(figures) for key, figures in found[by].items()} for by in groupings}


def _rates_flat(figures: dict[str, Any]) -> dict[str, int]:
    """Rates as the project names them: [part, whole] under two names."""
    rates = figures.pop("rates")
    sides = {f"rates.{name}.{side}": n for name, two in rates.items() for side, n in zip(_SIDES, two, strict=True)}
    return figures | sides


def differences(ours: dict[str, dict[str, int]], control: dict[str, dict[str, int]]) -> list[str]:
    """Every figure of a group that the two count differently, of those the control counts at all."""
    names = {name for figures in control.values() for name in figures}
    worded = {"ways"} if "sources" not in {name.split(".")[0] for name in names} else _WORDED
    names |= {name for figures in ours.values() for name in figures if name.split(".")[0] in worded}
    return [
        f"{group}: {name} is {mine} here and {theirs} with the control"
        for group in sorted(ours.keys() | control.keys())
        for name in sorted(names)
        if (mine := ours.get(group, {}).get(name, 0)) != (theirs := control.get(group, {}).get(name, 0))
    ]


def exported(data: Path, out: Path) -> Path:
    """The journal as a stranger gets it."""
    with out.open("wb") as file:
        command = [sys.executable, "-m", "reminder.cli", "journal", "export", "--data", str(data)]
        subprocess.run(command, stdout=file, cwd=_ROOT, check=True)
    return out


def timed(data: Path, by: str) -> dict[str, Any]:
    """Seconds and largest resident memory of one report, in a process of its own, which may have a child."""
    begun = time.monotonic()
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    words = ["report", "--from", FROM, "--to", TO, "--by", by, "--format", "json", "--data", str(data)]
    command = [sys.executable, "-c", script, sys.executable, "-m", "reminder.cli", *words]
    kilobytes = int(subprocess.run(command, cwd=_ROOT, stdout=-1, check=True).stdout)
    return {"seconds": round(time.monotonic() - begun, 1), "peak_mb": round(kilobytes / 1024)}


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-control", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        print(json.dumps(_measured(folder, given.decisions, given.workers, control=not given.no_control), indent=1))


def _measured(folder: Path, decisions: int, workers: int, *, control: bool) -> dict[str, Any]:
    data = folder / f"month-{decisions}"
    begun = time.monotonic()
    if not data.exists():
        data.mkdir(parents=True)
        make_journal(data, decisions, workers=workers)
    figures: dict[str, Any] = {"decisions": decisions, "made_s": round(time.monotonic() - begun)}
    figures["journal_mb"] = round((data / "journal.sqlite").stat().st_size / 2**20)
    figures["reports"] = {by: timed(data, by) for by in GROUPS}
    if control:
        export = exported(data, folder / "export.jsonl")
        figures["export_mb"] = round(export.stat().st_size / 2**20)
        ours = counted(data, GROUPINGS)
        figures |= {name: _compared(ours, export, name) for name in CONTROLS}
    figures["own_peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def _compared(ours: dict[str, dict[str, dict[str, int]]], export: Path, control: str) -> dict[str, Any]:
    """What a control took, and how many figures it counts otherwise."""
    begun = time.monotonic()
    theirs = control_figures(export, GROUPINGS, control)
    took = round(time.monotonic() - begun, 1)
    found = {by: differences(ours[by], theirs[by]) for by in GROUPINGS}
    # Of the children waited for so far the largest: the first to run is the short one.
    peak_mb = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    groups = {by: {"groups": len(ours[by]), "differences": len(found[by])} for by in GROUPINGS}
    first = [text for texts in found.values() for text in texts[:5]]
    return {"seconds": took, "largest_child_mb": peak_mb, **groups, "first_differences": first}


if __name__ == "__main__":
    main()
