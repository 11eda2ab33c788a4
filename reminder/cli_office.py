"""The office's commands on the journal: ``reminder explain`` and ``reminder appeal``, while a sidecar runs or not."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from reminder.config import Config
    from reminder.journal.base import JournalStore
    from reminder.office.appeals import Stage
    from reminder.office.explained import Explained
    from reminder.office.proof import Covering
    from reminder.office.search import KnownAs
    from reminder.office.words import Language

__all__ = ["add_to", "appeal", "checkpoint", "database_of", "ending", "explain", "put", "settings_of"]

_PROBLEMS = 1

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings of the sidecar, TOML.", metavar="FILE")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of what the service writes (default var).", metavar="DIR")
]
English = Annotated[bool, typer.Option("--english", help="English in place of Chinese.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to a program."""
    app.command("explain")(explain)
    app.command("appeal")(appeal)


def explain(  # noqa: PLR0917 - one argument an option
    ident: Annotated[str, typer.Argument(help="Id of a decision or of a finding.", metavar="ID")] = "",
    patient: Annotated[
        str, typer.Option(help="List the decisions of this patient; - reads the id from standard input.", metavar="ID")
    ] = "",
    id_system: Annotated[str, typer.Option(help="Whose number the patient's id is (default psn).")] = "psn",
    encounter: Annotated[
        str, typer.Option(help="List the decisions of this encounter; - reads the id.", metavar="ID")
    ] = "",
    institution: Annotated[str, typer.Option(help="Whose number the encounter's id is.", metavar="CODE")] = "",
    from_: Annotated[str, typer.Option("--from", help="First day listed, like 2026-01-01.", metavar="D")] = "",
    to: Annotated[str, typer.Option("--to", help="First day no longer listed.", metavar="D")] = "",
    as_format: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
    export: Annotated[
        Path | None,
        typer.Option(help="Write the evidence for an appeal to this file: .json, or .html for people.", metavar="FILE"),
    ] = None,
    english: English = False,
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Show a decision as it was: each condition with the facts it rests on; or list a patient's decisions.

    Exit 1 when there is no such decision.
    """
    if sum(map(bool, (ident, patient, encounter))) != 1:
        raise typer.BadParameter("give the id of a decision, or --patient, or --encounter", param_hint="ID")
    with ending():
        settings = settings_of(config, data)
        if ident:
            _one(settings, ident, as_format, export, "en" if english else "zh")
            return
        begin, end = _period(from_, to)
        _list(settings, (patient, id_system), (encounter, institution), begin, end, as_format, english=english)


def _one(settings: Config, ident: str, as_format: str, export: Path | None, language: Language) -> None:
    """One decision, printed or exported."""
    from reminder.journal.checkpoints import CHECKPOINTS_FILE
    from reminder.journal.coding import canonical_json
    from reminder.journal.engine import engine
    from reminder.office.desk import opened
    from reminder.office.explained import explained
    from reminder.office.layout import laid_out
    from reminder.office.proof import covering

    with opened(settings.data, database_of(settings)) as journal:
        told = explained(journal, ident, language, engine())
        checkpoints = settings.checkpoints or settings.data / CHECKPOINTS_FILE
        covered = covering(checkpoints, told.placed.chain, told.placed.seq)
        if export is not None:
            _export(settings, journal, told, covered, "" if ident == told.decision_id else ident, export, language)
            return
    text = canonical_json(told) + b"\n" if as_format == "json" else laid_out(told, covered, language).encode()
    put(text)


def _export(  # noqa: PLR0917 - all that goes into one file
    settings: Config,
    journal: JournalStore,
    told: Explained,
    covered: Covering | None,
    finding: str,
    export: Path,
    language: Language,
) -> None:
    from negative_list.shell import write_beside
    from reminder.journal.signing import public_files
    from reminder.office.export import as_json, as_page, evidence

    public = public_files(settings.data / "keys")
    whole = evidence(journal, told, covered, public, finding_id=finding, now=datetime.now(UTC))
    page = export.suffix.lower() in {".html", ".htm"}
    write_beside(export, as_page(whole, told, covered, language) if page else as_json(whole))
    typer.echo(f"{export}", err=True)


def _list(
    settings: Config,
    patient: tuple[str, str],
    encounter: tuple[str, str],
    begin: datetime,
    end: datetime,
    as_format: str,
    *,
    english: bool,
) -> None:
    """The decisions of a patient or an encounter; the typed id goes no further than its keys."""
    from reminder.office.desk import OfficeError, opened
    from reminder.office.key_files import live_keys
    from reminder.office.search import HEADINGS, of_encounter, of_patient, row_of
    from reminder.office.sheet import written

    keys = live_keys(settings.data)
    with opened(settings.data, database_of(settings)) as journal:
        if patient[0]:
            with _known_as(settings) as known_as:
                hits = of_patient(journal, keys, patient[1], _typed(patient[0]), begin, end, known_as)
        else:
            if not encounter[1]:
                raise typer.BadParameter("say whose number it is by --institution", param_hint="--encounter")
            hits = of_encounter(journal, keys, encounter[1], _typed(encounter[0]), begin, end)
    if not hits:
        raise OfficeError(_NOT_FOUND["patient" if patient[0] else "encounter"])
    headings = {name: both[english] for name, both in HEADINGS.items()}
    put(written([row_of(hit, english=english) for hit in hits], headings, "json" if as_format == "json" else "table"))


@contextlib.contextmanager
def _known_as(settings: Config) -> Iterator[KnownAs]:
    """The history knows which keys are of one patient; where there is none each stands for itself."""
    from reminder.stores.opening import STORE_FILE, open_store

    database = database_of(settings)
    if not database and not (settings.data / STORE_FILE).exists():
        yield lambda keys: keys
        return
    with contextlib.closing(open_store(settings.data, database)) as history:
        yield history.known_as


_NOT_FOUND = {
    "patient": "no decision of this patient in these days; see to the id, --id-system, and whose journal --data names",
    "encounter": "no decision of this encounter in these days; see to the id, --institution, and what --data names",
}


def _typed(told: str) -> str:
    """An id as it was typed; ``-``: the first line of standard input, so that no shell remembers it."""
    return sys.stdin.readline().strip() if told == "-" else told


def _period(begin: str, end: str) -> tuple[datetime, datetime]:
    """Two days as instants; without them from the first to the last there may be."""
    first = _midnight(begin, "--from") if begin else datetime(1970, 1, 2, tzinfo=UTC)
    last = _midnight(end, "--to") if end else datetime.now(UTC) + timedelta(days=1)
    return first, last


def _midnight(text: str, option: str) -> datetime:
    from negative_list.dictionary import CIVIL_ZONE

    try:
        return datetime.combine(date.fromisoformat(text), time(), CIVIL_ZONE).astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day; write it like `2026-01-31`", param_hint=option) from None


def appeal(  # noqa: PLR0917 - one argument an option
    finding: Annotated[str, typer.Argument(help="Id of the finding.", metavar="FINDING_ID")] = "",
    stage: Annotated[
        Literal["raised", "answered", "result"] | None,
        typer.Option(help="raised by the payer, answered by the hospital, or its result."),
    ] = None,
    text: Annotated[str, typer.Option(help="What was said; names and numbers of persons are masked.")] = "",
    upheld: Annotated[bool, typer.Option("--upheld", help="Of a result: the payer accepted the answer.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="Of a result: the payer did not.")] = False,
    amount: Annotated[str, typer.Option(help="Money it is about, yuan, like 31.50.", metavar="YUAN")] = "",
    who: Annotated[str, typer.Option(help="Who entered it (a code, no name).", metavar="CODE")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List every stage of every appeal instead.")] = False,
    as_format: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="Of the list: table, csv or json.")
    ] = "table",
    english: English = False,
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Write down a stage of the hospital's answer to the payer about a finding; or list them."""
    if list_ == bool(finding) or (finding and stage is None):
        raise typer.BadParameter("give a finding and --stage, or --list", param_hint="FINDING_ID")
    if upheld and rejected:
        raise typer.BadParameter("give one of --upheld and --rejected", param_hint="--rejected")
    fen, became = _fen(amount), upheld if upheld or rejected else None
    with ending():
        settings = settings_of(config, data)
        if stage is None:
            _list_appeals(settings, as_format, english=english)
        else:
            _enter_appeal(settings, finding, stage, text=text, upheld=became, amount_fen=fen, who=who)


def _fen(amount: str) -> int | None:
    """Yuan as they were typed, in fen; nothing is rounded, for what is written down stays."""
    if not amount:
        return None
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", amount) is None:
        raise typer.BadParameter(f"`{amount}` is no amount; write yuan like `31.50`", param_hint="--amount")
    yuan, _, rest = amount.partition(".")
    return int(yuan) * 100 + int(rest.ljust(2, "0") or "0")


def _enter_appeal(settings: Config, finding: str, stage: Stage, **told: Any) -> None:
    from reminder.journal.engine import engine
    from reminder.office import appeals
    from reminder.office.desk import opened, write
    from reminder.office.key_files import live_keys

    with opened(settings.data, database_of(settings)) as journal:
        at, keys = datetime.now(UTC), live_keys(settings.data)
        entry = appeals.appeal(journal, finding, stage, at=at, engine=engine(), keys=keys, **told)
        (row,) = write(journal, settings.data, "appeal", [entry])
        checkpoint(settings, journal)
    typer.echo(f"{finding}: {stage}, receipt {row.receipt}")


def _list_appeals(settings: Config, as_format: Literal["table", "csv", "json"], *, english: bool) -> None:
    from reminder.office.appeals import HEADINGS, listed, row_of, worded
    from reminder.office.desk import opened
    from reminder.office.sheet import written

    with opened(settings.data, database_of(settings)) as journal:
        rows = [row_of(one) if as_format == "json" else worded(one, english=english) for one in listed(journal)]
    put(written(rows, {name: both[english] for name, both in HEADINGS.items()}, as_format))


# -- what the office's commands share


def settings_of(config: Path | None, data: Path | None) -> Config:
    """The settings of a file with the options of a command."""
    from reminder.config import load_config

    return load_config(config, {"data": data})


def database_of(settings: Config) -> str:
    """The URL of the database, "" for files in the data folder."""
    from reminder.config import SQLITE

    return "" if settings.store == SQLITE else settings.store


def checkpoint(settings: Config, journal: JournalStore) -> None:
    """Sign how far the chains have come; where that cannot be done the entry is kept all the same, and it is said."""
    from reminder.journal.checkpoints import CHECKPOINTS_FILE, Checkpointer, CheckpointsError

    path = settings.checkpoints or settings.data / CHECKPOINTS_FILE
    try:
        Checkpointer(path, settings.data / "keys", lambda: datetime.now(UTC)).make(journal)
    except CheckpointsError as error:
        typer.echo(f"the entry is written, but no checkpoint covers it yet: {error}", err=True)


def put(text: bytes) -> None:
    """Print, UTF-8 whatever the console's code page."""
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """End the command with exit code 1 and the message where something expected goes wrong."""
    from negative_list.errors import DataError
    from reminder.config import ConfigError
    from reminder.office.archive import ArchiveError
    from reminder.office.desk import OfficeError
    from reminder.shell import read_no_more
    from reminder.stores.base import StoreError
    from reminder.stores.keys import KeysError

    try:
        yield
    except (ArchiveError, ConfigError, DataError, KeysError, OfficeError, StoreError) as error:
        _stop(str(error))
    except BrokenPipeError:
        read_no_more()
    except OSError as error:
        _stop(f"`{error.filename}` cannot be used ({error.strerror}); see to its name and rights")


def _stop(message: str) -> NoReturn:
    for line in message.splitlines():
        typer.echo(line, err=True)
    raise typer.Exit(_PROBLEMS)
