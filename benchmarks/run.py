"""``make bench``: every benchmark, one JSON file in ``benchmarks/results/``, the same JSON on standard output.

``--quick`` leaves out 400,000 details. Figures of one run belong together: compare ratios, not runs.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.engine import bench_engine, bench_reading, enlarged
from benchmarks.journaled import bench_journaled
from benchmarks.serving import bench_cold_start, bench_rpc
from benchmarks.stay import bench_history, bench_stay
from benchmarks.workload import make_workload
from negative_list.compile import canonical_lines, compile
from negative_list.generate import generate
from negative_list.importer import import_points, read_points
from negative_list.rules import RuleList
from reminder.wire_client import request_of

__all__ = ["main"]

RESULTS = Path(__file__).parent / "results"
POINTS = Path(__file__).parents[1] / ".." / "shared" / "data" / "knowledge_points.jsonl"
SMALL, LARGE = 20_000, 400_000


def main() -> None:
    """Run everything and write the results."""
    # Measured as the sidecar runs: no garbage collection while a list of hundreds of thousands of records is made.
    gc.disable()
    quick = "--quick" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        results = _machine() | _all(Path(folder), quick=quick)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{results['at'].replace(':', '')}{'-quick' if quick else ''}.local.json"
    text = json.dumps(results, ensure_ascii=False, indent=1)
    file.write_text(text + "\n", "utf-8")
    print(text)
    print(f"written to {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}", file=sys.stderr)


def _machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def _all(folder: Path, *, quick: bool) -> dict[str, Any]:
    small = generate(SMALL, 1)
    large = None if quick else enlarged(small, LARGE)
    files = {"20k": _written(folder / "small.jsonl", small)}
    if large is not None:
        files["400k"] = _written(folder / "large.jsonl", large)
    one = _written(folder / "one.jsonl", RuleList(rules=small.rules[:1]))
    answer: dict[str, Any] = {"reading_22k": bench_reading(folder / "read.jsonl", 22_000)}
    if not quick:
        answer["reading_400k"] = bench_reading(folder / "read.jsonl", LARGE)
    answer["engine"] = bench_engine(small, large)
    del large
    answer["stay"] = bench_stay(small)
    answer["history"] = bench_history(small)
    answer["rpc_20k"] = asyncio.run(bench_rpc(files["20k"], _requests(small)))
    answer["journaled_20k"] = asyncio.run(bench_journaled(small, _made(folder / "journaled")))
    answer["cold_start"] = {size: asyncio.run(bench_cold_start(file, one)) for size, file in files.items()}
    if POINTS.exists():
        answer["published"] = _published(folder, one)
    return answer


def _published(folder: Path, one: Path) -> dict[str, Any]:
    """The same on the imported points."""
    rules = import_points(read_points([POINTS])).rule_list
    file = _written(folder / "published.jsonl", rules)
    return {
        "engine": bench_engine(rules, None),
        "rpc": asyncio.run(bench_rpc(file, _requests(rules))),
        "cold_start": asyncio.run(bench_cold_start(file, one)),
    }


def _requests(rules: RuleList) -> list[bytes]:
    """The workload as bytes on the wire."""
    workload = make_workload(compile(rules))
    return [request_of(msgspec.to_builtins(body)).SerializeToString() for body in workload.bodies]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _written(file: Path, rules: RuleList) -> Path:
    file.write_bytes(b"".join(canonical_lines(rules)))
    return file


if __name__ == "__main__":
    main()
