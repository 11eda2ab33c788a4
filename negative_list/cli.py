"""The command ``negative-list``: lists for people who keep them.

Exit codes: 0 done or decided (a block too), 1 problems in the input, 2 usage.
"""

from __future__ import annotations

import gc
import sys
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from negative_list.cli_differences import register as register_differences
from negative_list.cli_release import register as register_releases
from negative_list.errors import DataError, ListError, Problem, SiteError
from negative_list.sheets.cli import register as register_sheets
from negative_list.shell import fail as _fail
from negative_list.shell import write_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.compile import CompiledList
    from negative_list.decide import Reader
    from negative_list.policy import Policy
    from negative_list.rules import RuleList
    from negative_list.site import Sites

__all__ = ["app", "main", "write_beside"]

app = typer.Typer(
    name="negative-list",
    help="Check, import, generate and match negative lists.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
"""The program ``negative-list`` with all its commands."""

importing = typer.Typer(help="Make a list from what insurers publish.", no_args_is_help=True)
app.add_typer(importing, name="import")
register_sheets(app, importing)
register_releases(app)
register_differences(app)

ListPath = Annotated[Path, typer.Argument(metavar="LIST", help="A list: a file or a folder of files.")]
OutList = Annotated[Path, typer.Option("-o", "--output", metavar="LIST", help="The JSON Lines file to write.")]


def main() -> None:
    """Run the command; problems of the input end it with exit code 1."""
    # A command lives for one list: collecting garbage among hundreds of thousands of records only costs time.
    gc.disable()
    app()


def _checked(path: Path) -> RuleList:
    """A list without problems, or the end of the command."""
    from negative_list.parse import read_parsed
    from negative_list.validate import check

    try:
        return check(read_parsed(path))
    except ListError as error:
        _fail(error.problems)


@app.command("check")
def check_command(
    list_path: ListPath,
    deep: Annotated[bool, typer.Option("--deep", help="Also set the rules beside each other.")] = False,
    english: Annotated[bool, typer.Option("--english", help="What --deep sees, in English.")] = False,
) -> None:
    """Validate a list: all problems at once, each with its place; exit code 1 if there is any.

    With --deep also what rules say that cannot be meant: faults (exit code 1) and advice.
    """
    from negative_list.parse import read_parsed
    from negative_list.validate import check

    try:
        parsed = read_parsed(list_path)
        rules = check(parsed)
    except ListError as error:
        _fail(error.problems)
    typer.echo(f"ok: {len(rules.rules)} rules, {rules.details} details, {len(rules.sets)} sets")
    if deep:
        from negative_list.deep.cli import print_observations
        from negative_list.dictionary import CIVIL_ZONE

        today = datetime.now(CIVIL_ZONE).date()
        raise typer.Exit(1 if print_observations(parsed, today, "en" if english else "zh") else 0)


@importing.command("knowledge-points")
def import_knowledge_points(
    points: Annotated[list[Path], typer.Argument(metavar="IN...", help="Published points, JSON Lines.")],
    output: OutList,
    report: Annotated[Path | None, typer.Option(help="Where to write how each point was read, JSON.")] = None,
) -> None:
    """Turn published knowledge points into rules; exit code 1 when a row cannot be read (nothing is written then)."""
    from negative_list.compile import canonical_lines
    from negative_list.importer import import_points, read_points, report_json

    try:
        imported = import_points(read_points(points))
    except ListError as error:
        _fail(error.problems)
    write_beside(output, b"".join(canonical_lines(imported.rule_list)))
    if report is not None:
        write_beside(report, report_json(imported.report))
    for status, count in sorted(imported.statuses.items()):
        typer.echo(f"{status}: {count}")
    typer.echo(f"{output}: {len(imported.rule_list.rules)} rules, {imported.rule_list.details} details")


@app.command()
def stats(
    list_path: ListPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="Count the cases of every class instead.")] = False,
) -> None:
    """Count the rules and details of a list by class, or with --coverage the cases of every class that prove a rule."""
    import msgspec

    if coverage:
        _print_coverage(_checked(list_path), as_json=as_json)
        return
    from negative_list.stats import stats_of

    counted = stats_of(_checked(list_path))
    if as_json:
        typer.echo(msgspec.json.encode(counted).decode())
        return
    for row in counted.classes:
        typer.echo(f"{row.class_id}\t{row.rules}\t{row.details}\t{row.name}")
    typer.echo(f"all\t{counted.rules}\t{counted.details}\t{counted.digest}")


def _print_coverage(rules: RuleList, *, as_json: bool) -> None:
    import msgspec

    from negative_list.cases import coverage_of

    rows = coverage_of(rules)
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    typer.echo("class\trules\tviolating\tconforming\tunknown\tbites\tname")
    for row in rows:
        counts = (row.rules, row.violating, row.conforming, row.unknown, row.bites)
        typer.echo("\t".join([row.class_id, *map(str, counts), row.class_name]))
    official = [row for row in rows if row.class_id.startswith("R")]
    for name, part in (("official classes", official), ("extensions", [row for row in rows if row not in official])):
        typer.echo(
            f"{name}: {sum(row.complete for row in part)} of {len(part)} with rules and all three kinds of cases"
        )


@app.command("test")
def test_command(list_path: ListPath) -> None:
    """Run the cases beside the rules; exit code 1 when one fails, or passes without the rule's condition too."""
    from negative_list.cases import run_cases

    results = tuple(run_cases(_checked(list_path)))
    for result in results:
        if result.problem:
            typer.echo(f"{result.rule_id}: case {result.place} ({result.kind}): {result.problem}", err=True)
    wrong = sum(bool(result.problem) for result in results)
    typer.echo(f"{len(results)} cases of {len({r.rule_id for r in results})} rules, {wrong} with a problem")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def generate(
    output: OutList,
    rules: Annotated[int, typer.Option("--rules", metavar="DETAILS", min=1, help="Details wanted.")],
    seed: Annotated[int, typer.Option(help="Seed: the same one makes the same list.")] = 1,
) -> None:
    """Write a made-up list with the class mix and code structures of the published points."""
    from negative_list.compile import canonical_lines
    from negative_list.generate import generate as generated

    made = generated(rules, seed)
    write_beside(output, b"".join(canonical_lines(made)))
    typer.echo(f"{output}: {len(made.rules)} rules, {made.details} details")


@app.command("match")
def match_command(
    list_path: ListPath,
    *,
    request: Annotated[Path | None, typer.Option(help="One body: a 3101 body or the JSON of CheckRequest.")] = None,
    requests: Annotated[Path | None, typer.Option(help="Bodies, one on a line, each judged alone.")] = None,
    at: Annotated[str | None, typer.Option(help="Decide at this civil time; else at the body's, else now.")] = None,
    site: Annotated[Path | None, typer.Option(help="Site configuration, TOML.")] = None,
    facts: Annotated[Path | None, typer.Option(help="Store facts, CSV or JSON Lines.")] = None,
    history: Annotated[Path | None, typer.Option(help="What the patient was given before, JSON Lines.")] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy instead of the shipped one, TOML.")] = None,
) -> None:
    """Decide bodies against a list and print one JSON object each; nothing else goes to standard output."""
    source = request or requests
    if source is None or (request and requests):
        raise typer.BadParameter("give either --request or --requests")
    try:
        matching = _Matching(list_path, at=at, site=site, facts=facts, history=history, policy=policy)
    except (ListError, SiteError, DataError) as error:
        _fail(error.problems)
    body = _read_bytes(source)
    if request is not None:
        answer, good = matching.answer(body)
        sys.stdout.buffer.write(answer + b"\n")
        raise typer.Exit(0 if good else 1)
    all_good = True
    for line in _body_lines(body):
        answer, good = matching.answer(line)
        all_good = all_good and good
        sys.stdout.buffer.write(answer + b"\n")
    raise typer.Exit(0 if all_good else 1)


def _body_lines(data: bytes) -> Iterator[bytes]:
    return (line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        _fail([Problem(file=str(path), message=f"cannot be read ({error.strerror}); check the name and the rights")])


_MOST_TOLD = 20
"""Rows of code tables that are told one by one, before they are counted."""


class _Matching:
    """Everything ``match`` needs, read once for all bodies."""

    def __init__(
        self,
        list_path: Path,
        *,
        at: str | None,
        site: Path | None,
        facts: Path | None,
        history: Path | None,
        policy: Path | None,
    ) -> None:
        from negative_list.compile import compile as compiled
        from negative_list.policy import read_policy, shipped
        from negative_list.site import Sites

        self._sites: Sites = Sites.read(site) if site is not None else Sites()
        for text in (*map(str, self._sites.left_out[:_MOST_TOLD]), *self._sites.degraded):
            typer.echo(text, err=True)
        self._at = _moment(at, self._sites.default.zone) if at is not None else None
        self._policy: Policy = read_policy(policy) if policy is not None else shipped()
        self._read: Reader | None = _reader(facts, history, self._sites)
        self._compiled: CompiledList = compiled(_checked(list_path))

    def answer(self, body: bytes) -> tuple[bytes, bool]:
        """The JSON for one body, and whether it could be decided."""
        from negative_list.errors import RequestError
        from negative_list.output import decision_json, error_json

        try:
            return decision_json(self._decided(body)), True
        except RequestError as error:
            return error_json(error.fields), False

    def _decided(self, body: bytes) -> Any:
        import time

        import msgspec

        from negative_list.decide import decide
        from negative_list.readers import read_body
        from negative_list.readers.body import parse_body

        parsed = parse_body(body)
        prescription = read_body(parsed, self._sites, self._at)
        at = self._at or prescription.at
        if at is None:
            # A body without a time is read again for now: what lies in the future is judged by the same instant.
            zone = self._sites.of(prescription.institution_id).zone
            at = datetime.now(zone).replace(tzinfo=None)
            prescription = read_body(parsed, self._sites, at)
        started = time.perf_counter_ns()
        decision = decide(self._compiled, prescription, at, self._policy, read=self._read)
        return msgspec.structs.replace(decision, elapsed_us=(time.perf_counter_ns() - started) // 1000)


def _moment(text: str, zone: tzinfo) -> datetime:
    from negative_list.dictionary import ImpossibleValueError, parse_time

    try:
        found = parse_time(text, zone)
    except ImpossibleValueError:
        found = None
    if found is None:
        raise typer.BadParameter(f"`{text}` is no time; write it like `2026-01-31 09:00:00`", param_hint="--at")
    return found[0]


def _reader(facts: Path | None, history: Path | None, sites: Sites) -> Reader | None:
    """What the two files hold, given to the second pass; ``None`` when there is neither."""
    if facts is None and history is None:
        return None
    from negative_list.decide import Fuller
    from negative_list.readers.files import read_facts, read_history, supplement

    stored = read_facts(facts) if facts is not None else {}
    past = read_history(history, sites) if history is not None else None

    def read(prescription: Any, _needs: frozenset[str], at: datetime) -> Fuller:
        told = past.of(prescription.patient.id) if past is not None else None
        return Fuller(prescription=supplement(prescription, stored, at), history=told)

    return read


if __name__ == "__main__":
    main()
