"""The command ``reminder survey``: what a hospital's systems send, from files or from what a sidecar counted."""

from __future__ import annotations

import secrets
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.compile import CompiledList
    from negative_list.rules import RuleList
    from negative_list.site import Sites
    from reminder.config import Config
    from reminder.survey.records import Survey
    from reminder.survey.tally import Tally

__all__ = ["add_to", "survey"]

_PROBLEMS = 1
_LEAST = 100


def add_to(app: typer.Typer) -> None:
    """Add the command to a program."""
    app.command("survey")(survey)


def survey(  # noqa: PLR0917 - one argument an option
    bodies: Annotated[
        list[Path] | None,
        typer.Argument(help="Bodies as they were sent: files of one or of one a line, or folders.", metavar="[BODIES]"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of a sidecar, which counted what it was sent.", metavar="DIR")
    ] = None,
    list_: Annotated[
        Path | None, typer.Option("--list", help="The negative list: a file or a folder of files.", metavar="LIST")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings of the sidecar, TOML.", metavar="FILE")] = None,
    site: Annotated[Path | None, typer.Option(help="Site configuration.", metavar="FILE")] = None,
    institution: Annotated[str, typer.Option(help="Only this institution.", metavar="CODE")] = "",
    from_: Annotated[str, typer.Option("--from", help="First day of what a sidecar counted.", metavar="D")] = "",
    to: Annotated[str, typer.Option("--to", help="First day after it.", metavar="D")] = "",
    least: Annotated[
        int, typer.Option(help="How many must have come to say what never did.", metavar="N", min=1)
    ] = _LEAST,
    as_format: Annotated[
        Literal["html", "json", "text", "csv", "xlsx"],
        typer.Option("--format", help="html, json, text, csv or xlsx (default html)."),
    ] = "html",
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file.", metavar="FILE")] = None,
    site_out: Annotated[
        Path | None, typer.Option("--site-out", help="Write the proposed `never_sent` here.", metavar="FILE")
    ] = None,
    english: Annotated[bool, typer.Option("--english", help="The page in English.")] = False,
) -> None:
    """Say what a hospital's systems send, what they never do, and which rules stay silent for want of it.

    From bodies in files, or with --data from what a sidecar counted. One page for whoever makes the HIS.
    """
    from negative_list.errors import DataError, ListError, SiteError
    from reminder.config import ConfigError
    from reminder.run import StartError

    _check(bodies, data, from_, to)
    try:
        settings = _settings(config, data, site, list_)
        surveys = _surveys(settings, bodies or [], (from_, to), institution, least)
        _put(surveys, as_format, out, site_out, english=english)
    except (ConfigError, DataError, ListError, SiteError, StartError, OSError) as error:
        _stop(str(error))


def _check(bodies: list[Path] | None, data: Path | None, begin: str, end: str) -> None:
    """Usage: bodies or a data folder, and days that are days."""
    if bool(bodies) == (data is not None):
        message = "neither bodies nor a data folder, or both; give either BODIES or --data DIR"
        raise typer.BadParameter(message)
    for option, text in (("--from", begin), ("--to", end)):
        try:
            _ = date.fromisoformat(text) if text else None
        except ValueError:
            message = f"`{text}` is no day; write it like `2026-01-31`"
            raise typer.BadParameter(message, param_hint=option) from None


def _settings(config: Path | None, data: Path | None, site: Path | None, list_: Path | None) -> Config:
    from reminder.config import load_config

    return load_config(config, {"data": data, "site": site, "list": list_})


def _surveys(settings: Config, bodies: list[Path], days: tuple[str, str], institution: str, least: int) -> list[Survey]:
    """One survey an institution, the one that sent most first."""
    from negative_list.site import Sites
    from reminder.survey.judging import surveyed
    from reminder.survey.keeping import FOLDER, days_in, merged

    rules, compiled = _list(settings, from_data=not bodies)
    named: list[str] = []
    if bodies:
        sites = Sites.read(settings.site) if settings.site else Sites()
        tallies = _counted(bodies, sites, compiled)
    else:
        tallies, named = merged(days_in(settings.data / FOLDER, *days))
    if not tallies:
        message = f"nothing was counted in `{settings.data / FOLDER}`; let the sidecar be asked for some minutes"
        _stop(message)
    found = _of(_with_refused(tallies), institution)
    return [surveyed(name, tally, rules, days=named, least=least) for name, tally in found]


def _with_refused(tallies: dict[str, Tally]) -> dict[str, Tally]:
    """Bodies that could not be read tell no institution: where there is but one they are its own."""
    from reminder.survey.tally import add

    nobody = tallies.get("")
    if nobody is not None and nobody.bodies == 0 and len(tallies) == 2:  # noqa: PLR2004 - nobody's and another's
        add(next(tally for name, tally in tallies.items() if name), nobody)
        del tallies[""]
    return tallies


def _of(tallies: Mapping[str, Tally], institution: str) -> list[tuple[str, Tally]]:
    if institution and institution not in tallies:
        message = f"nothing was counted of institution `{institution}`; there are: {', '.join(sorted(tallies))}"
        _stop(message)
    wanted = {institution: tallies[institution]} if institution else tallies
    return sorted(wanted.items(), key=lambda pair: (-pair[1].bodies, pair[0]))


def _counted(bodies: list[Path], sites: Sites, compiled: CompiledList | None) -> dict[str, Tally]:
    from reminder.survey.gathering import bodies_in, gathered

    zone = sites.default.zone
    now = datetime.now(zone).replace(tzinfo=None)
    return gathered(bodies_in(bodies), sites, compiled, secrets.token_bytes(32), lambda: now)


def _list(settings: Config, *, from_data: bool) -> tuple[RuleList | None, CompiledList | None]:
    """The list that is named, else the one that stands in the data folder; none where there is neither."""
    from negative_list.compile import compile as compiled
    from negative_list.parse import read_parsed
    from negative_list.validate import check

    if settings.list is not None:
        rules = check(read_parsed(settings.list))
        return rules, None if from_data else compiled(rules)
    return (_standing(settings), None) if from_data else (None, None)


def _standing(settings: Config) -> RuleList | None:
    """The list a sidecar of this data folder decides with."""
    from datetime import UTC

    from reminder.journal.artifacts import list_artifact, rules_of
    from reminder.run import StartError, load

    try:
        active = load(settings)
    except StartError:
        return None
    return rules_of(list_artifact(active.compiled, datetime.now(UTC)))


def _put(surveys: list[Survey], as_format: str, out: Path | None, site_out: Path | None, *, english: bool) -> None:
    from negative_list.shell import write_beside
    from reminder.survey.sitefile import site_piece

    content = _written(surveys, as_format, english=english)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_beside(out, content)
    if site_out is not None:
        write_beside(site_out, site_piece(surveys).encode())


def _written(surveys: list[Survey], as_format: str, *, english: bool) -> bytes:
    """All institutions as data; of pages, tables and sheets that of the one that sent most."""
    import msgspec

    from reminder.forecast.page import written
    from reminder.survey.page import data_of, page_of

    if as_format == "json":
        return msgspec.json.format(msgspec.json.encode([data_of(one) for one in surveys]), indent=1) + b"\n"
    for left in surveys[1:]:
        name: Any = left.institution_id or "no institution"
        typer.echo(f"not on this page: {name} ({left.bodies} bodies); see it with --institution", err=True)
    return written(page_of(surveys[0], english=english), as_format, english=english)


def _stop(message: str) -> NoReturn:
    for line in message.splitlines():
        typer.echo(line, err=True)
    raise typer.Exit(_PROBLEMS)
