"""The commands ``reminder rounds`` and ``reminder report``: they work on the store, while a sidecar runs or not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import tzinfo

    from negative_list.errors import RequestError
    from reminder.config import Config
    from reminder.reports.asking import Asked
    from reminder.reports.making import Sources, Told
    from reminder.reports.table import Report
    from reminder.reports.writing import Format
    from reminder.stores.base import Store

__all__ = ["add_to", "reconcile", "report", "rounds"]

_PROBLEMS = 1

_ConfigFile = Annotated[Path | None, typer.Option(help="Settings of the sidecar, TOML.", metavar="FILE")]
_Data = Annotated[Path | None, typer.Option(help="Folder of what the service writes (default var).", metavar="DIR")]
_Site = Annotated[Path | None, typer.Option(help="Site configuration.", metavar="FILE")]
_From = Annotated[str, typer.Option("--from", help="First day, like 2026-01-01.", metavar="D")]
_To = Annotated[str, typer.Option("--to", help="First day after the period.", metavar="D")]
_Until = Annotated[
    str, typer.Option(help="Evidence counts up to the day before (default 31 days after the period).", metavar="D")
]
_Formula = Annotated[str, typer.Option(help="Formula of the rate (default ours).", metavar="NAME")]
_Institution = Annotated[str, typer.Option(help="Only this institution.", metavar="CODE")]
_Format = Annotated[str, typer.Option("--format", help="table, csv, xlsx, html or json (default table).")]
_Out = Annotated[Path | None, typer.Option("--out", help="Write to this file.", metavar="FILE")]
_English = Annotated[bool, typer.Option("--english", help="English headings.")]
_Progress = Annotated[bool, typer.Option("--progress", help="Tell how far it is, on a terminal or not.")]

_report_app = typer.Typer(help="Reports from the store and from the journal.", invoke_without_command=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands to a program."""
    app.command("rounds")(rounds)
    app.add_typer(_report_app, name="report")


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


@_report_app.callback()
def report(  # noqa: PLR0917 - one argument an option
    context: typer.Context,
    by: Annotated[str, typer.Option(help="What a row is about.", metavar="WHAT")] = "",
    from_: _From = "",
    to: _To = "",
    until: _Until = "",
    formula: _Formula = "",
    institution: _Institution = "",
    only_open: Annotated[bool, typer.Option("--open", help="Of wards: only what is not settled yet.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep indicators as facts of their institutions.")] = False,
    as_format: _Format = "table",
    out: _Out = None,
    english: _English = False,
    progress: _Progress = False,
    config: _ConfigFile = None,
    site: _Site = None,
    data: _Data = None,
) -> None:
    """Print a report: of compliance from the journal, or the wards' lists and indicators from the store."""
    if context.invoked_subcommand is not None:
        return
    with _problems():
        _check_format(as_format, out)
    if by == "ward":
        with _problems():
            settings = _settings(config, data, site)
            _put(
                _ward(settings, from_, only_open=only_open, people=as_format != "json"), as_format, out, english=english
            )
        return
    with _problems():
        from reminder.reports.making import made

        asked = _asked(by, from_, to, until, as_format, formula, institution, english=english)
        settings = _settings(config, data, site)
        if by == "indicator" and keep:
            _keep(settings, asked)
        with _told(always=progress) as told, made(asked, _sources(settings), told) as table:
            _put(table, asked.format, out, english=english)


@_report_app.command("reconcile")
def reconcile(  # noqa: PLR0917 - one argument an option
    bureau: Annotated[Path, typer.Argument(help="The bureau's count: XLSX, XLS or CSV.", metavar="BUREAU")],
    from_: _From,
    to: _To,
    column: Annotated[str, typer.Option(help="Heading of its column of finding ids.", metavar="HEADING")] = "",
    until: _Until = "",
    institution: _Institution = "",
    as_format: _Format = "table",
    out: _Out = None,
    english: _English = False,
    progress: _Progress = False,
    config: _ConfigFile = None,
    site: _Site = None,
    data: _Data = None,
) -> None:
    """Join the bureau's own count with the journal by finding id, and list what either side lacks or says otherwise."""
    with _problems():
        _check_format(as_format, out)
        from reminder.reports.making import made_reconciled
        from reminder.reports.reconcile import read_bureau

        asked = _asked("bureau", from_, to, until, as_format, "", institution, english=english)
        theirs = read_bureau(bureau, column)
        sources = _sources(_settings(config, data, site))
        with _told(always=progress) as told, made_reconciled(theirs, asked, sources, told) as table:
            _put(table, asked.format, out, english=english)


def _asked(  # noqa: PLR0917 - one argument an option
    by: str, begin: str, end: str, until: str, as_format: str, formula: str, institution: str, *, english: bool
) -> Asked:
    from negative_list.errors import RequestError
    from reminder.reports.asking import asked_of

    try:
        return asked_of(
            by=by,
            begin=begin,
            end=end,
            until=until,
            as_format=as_format,
            english=english,
            formula=formula,
            institution=institution,
        )
    except RequestError as error:
        raise _usage(error) from None


def _usage(error: RequestError) -> typer.BadParameter:
    """What is wrong with the options: usage, exit 2."""
    text = "; ".join(f"--{problem.field}: {problem.message}" for problem in error.fields)
    return typer.BadParameter(text, param_hint=f"--{error.fields[0].field}")


@contextmanager
def _problems() -> Iterator[None]:
    """What cannot be read ends the command with exit 1, a wrong formula with 2."""
    from negative_list.errors import ListError, RequestError, SiteError
    from reminder.config import ConfigError
    from reminder.stores.base import StoreError

    try:
        yield
    except RequestError as error:
        raise _usage(error) from None
    except (ConfigError, ListError, SiteError, StoreError) as error:
        _stop(str(error))


def _settings(config: Path | None, data: Path | None, site: Path | None) -> Config:
    from reminder.config import load_config

    return load_config(config, {"data": data, "site": site})


def _sources(settings: Config) -> Sources:
    from reminder.config import SQLITE
    from reminder.reports.making import Sources

    return Sources(
        data=str(settings.data),
        database="" if settings.store == SQLITE else settings.store,
        site=None if settings.site is None else str(settings.site),
        formulas=None if settings.formulas is None else str(settings.formulas),
    )


def _ward(settings: Config, since: str, *, only_open: bool, people: bool) -> Report:
    from reminder.reports.stored import ward_report, ward_rows

    zone = _zone(settings)
    begin = datetime.combine(_day(since, "--from"), time(), zone).astimezone(UTC) if since else None
    found = _store(settings).findings(only_open=only_open, since=begin)
    return ward_report(ward_rows(found, zone), for_people=people)


def _keep(settings: Config, asked: Asked) -> None:
    """Keep the indicators of a period as facts."""
    from reminder.reports.stored import facts_of, indicators

    store, now = _store(settings), datetime.now(UTC)
    begin, end = datetime.combine(asked.begin, time()), datetime.combine(asked.end, time())
    found = indicators(store, begin, end, now.astimezone(_zone(settings)).replace(tzinfo=None))
    store.put_facts(facts_of(found, end), at=now)


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


@contextmanager
def _told(*, always: bool) -> Iterator[Told]:
    """How far it has come, on the line below: on a terminal, or always."""
    if not always and not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return

    def told(done: int, whole: int) -> None:
        percent = 100 * done // whole if whole else 100
        sys.stderr.write(f"\r{done:,} / {whole:,} ({percent} %)")
        sys.stderr.flush()

    yield told
    sys.stderr.write("\n")


def _put(table: Report, as_format: str, out: Path | None, *, english: bool) -> None:
    from reminder.reports.writing import write, write_file

    if out is not None:
        write_file(table, _format(as_format), out, english=english)
        return
    write(table, _format(as_format), sys.stdout.buffer, english=english)
    sys.stdout.buffer.flush()


def _check_format(as_format: str, out: Path | None) -> None:
    from reminder.reports.writing import check_format

    check_format(as_format, out)


def _format(text: str) -> Format:
    from reminder.reports.writing import FORMATS

    found = next((one for one in FORMATS if one == text), None)
    if found is None:
        raise typer.BadParameter(f"`{text}` is none of {', '.join(FORMATS)}", param_hint="--format")
    return found


def _stop(message: str) -> NoReturn:
    for line in message.splitlines():
        typer.echo(line, err=True)
    raise typer.Exit(_PROBLEMS)
