"""The commands ``reminder points ...``: the office's ledger of doctors' points, and the facts that follow from it."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reminder.cli_office import ConfigFile, Data, English, checkpoint, database_of, ending, put, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reminder.config import Config
    from reminder.journal.base import JournalStore
    from reminder.journal.entries import PointsEvent

__all__ = ["points_app"]

points_app = typer.Typer(
    help="Doctors' points (支付资格记分): events the office enters, and what follows. Reminders are no points."
)
"""The commands of the ledger."""

_Why = Annotated[str, typer.Option(help="What for; names and numbers of persons are masked.")]


@points_app.command("add")
def add(  # noqa: PLR0917 - one argument an option
    doctor: Annotated[str, typer.Argument(help="Code of the doctor.", metavar="DOCTOR")],
    points: Annotated[
        int, typer.Option(help="1 to 12; 0: admitted again; below 0: points an activity takes back.", min=-12, max=12)
    ],
    on: Annotated[str, typer.Option(help="The day it was decided.", metavar="D")],
    until: Annotated[str, typer.Option(help="Last day of the suspension the decision names.", metavar="D")] = "",
    why: _Why = "",
    by: Annotated[str, typer.Option(help="Who decided.")] = "",
    event: Annotated[str, typer.Option(help="Id of the event (default: made of what it says).", metavar="ID")] = "",
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Enter an event that was decided, and tell the fact store what follows from it."""
    from negative_list.errors import DataError, Problem
    from reminder.journal.engine import engine
    from reminder.office.points_files import event_of

    row = {"event_id": event, "doctor_id": doctor, "points": str(points)}
    row |= {"decided_on": on, "until": until, "why": why, "by": by}
    with ending():
        wrong: list[tuple[str, str]] = []
        entry = event_of(row, datetime.now(UTC), engine(), wrong)
        if entry is None:
            raise DataError([Problem(file="command line", path=name, message=message) for name, message in wrong])
        _enter(settings_of(config, data), lambda _journal: [entry])


@points_app.command("void")
def void(
    event: Annotated[str, typer.Argument(help="Id of the event.", metavar="EVENT")],
    why: _Why = "",
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Take an event back: it stays in the journal and counts no more."""
    from reminder.journal.engine import engine
    from reminder.office.ledger import voided

    with ending():
        settings = settings_of(config, data)
        _enter(settings, lambda journal: [voided(journal, event, datetime.now(UTC), engine(), why)])


@points_app.command("import")
def import_points(
    files: Annotated[list[Path], typer.Argument(help="CSV, JSON Lines or a sheet of events.", metavar="FILE...")],
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Enter the events of files; one told again changes nothing. Exit 1 when a row is wrong: nothing is entered."""
    from reminder.journal.engine import engine
    from reminder.office.points_files import read_events

    with ending():
        now = datetime.now(UTC)
        events = [event for path in files for event in read_events(path, now, engine())]
        _enter(settings_of(config, data), lambda _journal: events)


@points_app.command("list")
def list_points(  # noqa: PLR0917 - one argument an option
    on: Annotated[str, typer.Option(help="As of this day (default today).", metavar="D")] = "",
    doctor: Annotated[str, typer.Option(help="Only this doctor.", metavar="DOCTOR")] = "",
    events: Annotated[bool, typer.Option("--events", help="The events instead of where doctors stand.")] = False,
    as_format: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="table, csv or json (default table).")
    ] = "table",
    english: English = False,
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """List where doctors stand: points of the year, state and until when; or the events."""
    from reminder.office.desk import opened
    from reminder.office.ledger import entries
    from reminder.office.points import OWN_RULES, events_of, read_rules, standings
    from reminder.office.points_lists import EVENTS, STANDINGS, event_row, standing_row
    from reminder.office.sheet import written

    day = _day(on)
    with ending():
        settings = settings_of(config, data)
        rules = read_rules(settings.data / OWN_RULES)
        with opened(settings.data, database_of(settings)) as journal:
            known = [event for event in events_of(entries(journal)) if doctor in {"", event.doctor_id}]
    if events:
        rows, headings = [event_row(event, english=english) for event in known], EVENTS
    else:
        rows = [standing_row(one, english=english) for one in standings(known, day, rules)]
        headings = STANDINGS
    put(written(rows, {name: both[english] for name, both in headings.items()}, as_format))


@points_app.command("publish")
def publish_points(config: ConfigFile = None, data: Data = None) -> None:
    """Tell the fact store again what follows: after the rules were changed, or it could not be reached."""
    with ending():
        _enter(settings_of(config, data), lambda _journal: [])


def _day(text: str) -> date:
    from negative_list.dictionary import CIVIL_ZONE

    try:
        return date.fromisoformat(text) if text else datetime.now(CIVIL_ZONE).date()
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day; write it like `2026-01-31`", param_hint="--on") from None


def _enter(settings: Config, made: Callable[[JournalStore], Sequence[PointsEvent]]) -> None:
    """Write events that are new, sign a checkpoint, and tell the fact store."""
    from reminder.office.desk import OfficeError, opened
    from reminder.office.ledger import enter, publish
    from reminder.office.points import OWN_RULES, read_rules
    from reminder.stores.base import StoreError
    from reminder.stores.opening import open_store

    rules = read_rules(settings.data / OWN_RULES)
    database = database_of(settings)
    with opened(settings.data, database, make=True) as journal:
        fresh = enter(journal, settings.data, made(journal))
        if fresh:
            checkpoint(settings, journal)
        try:
            with contextlib.closing(open_store(settings.data, database)) as store:
                changed = publish(journal, store, rules, datetime.now(UTC))
        except StoreError as error:
            message = (
                f"{len(fresh)} events are entered, but no check knows of them yet ({error}); "
                "run `reminder points publish` when that is mended"
            )
            raise OfficeError(message) from error
    for event in fresh:
        typer.echo(f"{event.event_id}  {event.doctor_id}  {event.points}  {event.decided_on}")
    typer.echo(f"{len(fresh)} events entered, {changed} facts told")
