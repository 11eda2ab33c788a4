"""The commands ``reminder rounds`` and ``reminder report``: they work on the store, while a sidecar runs or not."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import tzinfo

    from reminder.config import Config
    from reminder.reports.table import Report
    from reminder.reports.writing import Format
    from reminder.stores.base import Store

__all__ = ["add_to", "report", "rounds"]

_PROBLEMS = 1

_ConfigFile = Annotated[Path | None, typer.Option(help="Settings of the sidecar, TOML.", metavar="FILE")]
_Data = Annotated[Path | None, typer.Option(help="Folder of what the service writes (default var).", metavar="DIR")]
_Site = Annotated[Path | None, typer.Option(help="Site configuration.", metavar="FILE")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to a program."""
    app.command("rounds")(rounds)
    app.command("report")(report)


def rounds(
    list_: Annotated[
        Path | None, typer.Option("--list", help="The negative list: a file or a folder of files.", metavar="LIST")
    ] = None,
    config: _ConfigFile = None,
    site: _Site = None,
    policy: Annotated[Path | None, typer.Option(help="Policy in place of the shipped one.", metavar="FILE")] = None,
    data: _Data = None,
) -> None:
    """Check the orders in force of every stay again, now, and put what is found on the wards' lists."""
    from negative_list.errors import ListError, SiteError
    from reminder.config import ConfigError, load_config
    from reminder.rounds import make_round
    from reminder.run import StartError, load
    from reminder.stores.base import StoreError

    options = {"list": list_, "site": site, "policy": policy, "data": data}
    try:
        settings = load_config(config, options)
        active = load(settings)
        done = make_round(active, _store(settings), datetime.now(UTC))
    except (ConfigError, StartError, ListError, SiteError, StoreError) as error:
        _stop(str(error))
    typer.echo(f"{done.stays} stays: {done.found} findings, {done.announced} announced for tomorrow")
    if done.failed:
        _stop(f"{done.failed} stays could not be read or written; their open findings stay")


def report(  # noqa: PLR0917 - one argument an option
    by: Annotated[Literal["ward", "indicator"], typer.Option(help="What a row is about: ward or indicator.")],
    from_: Annotated[str, typer.Option("--from", help="First day, like 2026-01-01.", metavar="D")] = "",
    to: Annotated[str, typer.Option("--to", help="First day after the period.", metavar="D")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="Of wards: only what is not settled yet.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep indicators as facts of their institutions.")] = False,
    as_format: Annotated[
        Literal["table", "csv", "xlsx", "html", "json"],
        typer.Option("--format", help="table, csv, xlsx, html or json (default table)."),
    ] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file.", metavar="FILE")] = None,
    english: Annotated[bool, typer.Option("--english", help="English headings.")] = False,
    config: _ConfigFile = None,
    site: _Site = None,
    data: _Data = None,
) -> None:
    """Print a report from what the store knows: the wards' lists, or the indicators of R56 to R63 over a period."""
    from negative_list.errors import SiteError
    from reminder.config import ConfigError, load_config
    from reminder.stores.base import StoreError

    try:
        settings = load_config(config, {"data": data, "site": site})
        period = _period(from_, to) if by == "indicator" else None
        people = as_format != "json"
        made = (
            _indicators(settings, *period, keep=keep)
            if period
            else _ward(settings, from_, only_open=only_open, people=people)
        )
    except (ConfigError, SiteError, StoreError) as error:
        _stop(str(error))
    _put(made, as_format, out, english=english)


def _ward(settings: Config, since: str, *, only_open: bool, people: bool) -> Report:
    from reminder.reports.stored import ward_report, ward_rows

    zone = _zone(settings)
    begin = datetime.combine(_day(since, "--from"), time(), zone).astimezone(UTC) if since else None
    found = _store(settings).findings(only_open=only_open, since=begin)
    return ward_report(ward_rows(found, zone), for_people=people)


def _indicators(settings: Config, begin: datetime, end: datetime, *, keep: bool) -> Report:
    from reminder.reports.stored import facts_of, indicator_report, indicators

    store, now = _store(settings), datetime.now(UTC)
    found = indicators(store, begin, end, now.astimezone(_zone(settings)).replace(tzinfo=None))
    if keep:
        store.put_facts(facts_of(found, end), at=now)
    return indicator_report(found)


def _period(begin: str, end: str) -> tuple[datetime, datetime]:
    if not (begin and end):
        raise typer.BadParameter("give the period by --from and --to", param_hint="--from")
    first, last = (datetime.combine(_day(text, name), time()) for text, name in ((begin, "--from"), (end, "--to")))
    if first >= last:
        raise typer.BadParameter("the period ends before it begins; --to is the first day after it", param_hint="--to")
    return first, last


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day; write it like `2026-01-31`", param_hint=option) from None


def _zone(settings: Config) -> tzinfo:
    from negative_list.site import Sites

    return (Sites.read(settings.site) if settings.site else Sites()).default.zone


def _store(settings: Config) -> Store:
    from reminder.config import SQLITE
    from reminder.stores.opening import open_store

    return open_store(settings.data, "" if settings.store == SQLITE else settings.store)


def _put(made: Report, as_format: Format, out: Path | None, *, english: bool) -> None:
    from negative_list.shell import write_beside
    from reminder.reports.writing import written

    report_ = written(made, as_format, english=english)
    if out is not None:
        write_beside(out, report_)
        return
    sys.stdout.buffer.write(report_)


def _stop(message: str) -> NoReturn:
    for line in message.splitlines():
        typer.echo(line, err=True)
    raise typer.Exit(_PROBLEMS)
