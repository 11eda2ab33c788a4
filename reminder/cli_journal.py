"""The commands ``reminder journal ...``: they work on the journal, while a sidecar runs or not."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from reminder.config import Config
    from reminder.journal.base import DamagedError, JournalStore, Kind, Row
    from reminder.journal.own import OwnEntries
    from reminder.journal.problems import Proof, Report

__all__ = ["app"]

_PROBLEMS = 1
_SAY_EVERY = 50_000
_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

app = typer.Typer(help="The journal: check it, export it, take out what is old.", no_args_is_help=True)
"""The commands of the journal."""

_ConfigFile = Annotated[Path | None, typer.Option(help="Settings of the sidecar, TOML.", metavar="FILE")]
_Data = Annotated[Path | None, typer.Option(help="Folder of what the service writes (default var).", metavar="DIR")]
_From = Annotated[str, typer.Option("--from", help="First day, like 2026-01-01 (default: the first).", metavar="D")]
_To = Annotated[str, typer.Option("--to", help="First day after the period (default: all).", metavar="D")]


@app.command("verify")
def verify_journal(
    checkpoints: Annotated[
        Path | None, typer.Option(help="File of checkpoints (default: that of the settings).", metavar="FILE")
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="Public key checkpoints are signed with; again for further ones.", metavar="KEY.pub"),
    ] = None,
    config: _ConfigFile = None,
    data: _Data = None,
) -> None:
    """Check every entry, every chain and every checkpoint; say what is wrong, and up to where absence is proved."""
    from reminder.journal.agreeing import disagreement
    from reminder.journal.attested import read_attested
    from reminder.journal.lines import LineFile
    from reminder.journal.signing import TrustedKeys, public_files
    from reminder.journal.verify import verify

    with _told():
        settings = _settings(config, data)
        path = checkpoints or _checkpoints(settings)
        trusted = TrustedKeys(trust or public_files(settings.data / "keys"))
        attested = read_attested(LineFile(path).lines(), trusted)
        report = verify(_journal(settings), attested, disagreement, _Progress("entries checked"))
    for line in _said(report, path):
        typer.echo(line)
    if not report.sound:
        raise typer.Exit(_PROBLEMS)


@app.command("rederive")
def rederive_journal(
    from_: _From = "",
    to: _To = "",
    config: _ConfigFile = None,
    data: _Data = None,
) -> None:
    """Derive every decision again from its entry; name those of which another answer comes out."""
    from reminder.journal.rederive import OUTCOMES, rederive

    days = _day(from_, "--from"), _day(to, "--to")
    with _told():
        settings = _settings(config, data)
        begin, end = _period(days, settings)
        told = rederive(_journal(settings), begin, end, progress=_Progress("decisions derived again").reached)
    for difference in told.differences:
        typer.echo(f"{difference.decision_id} {difference.at:%Y-%m-%dT%H:%M:%SZ}")
        typer.echo(f"  was: {difference.was}\n  now: {difference.now}")
    for outcome, meaning in OUTCOMES.items():
        typer.echo(f"{told.counts[outcome]:>10} {meaning}")
    if not told.sound:
        raise typer.Exit(_PROBLEMS)


@app.command("export")
def export_journal(  # noqa: PLR0917 - one argument an option
    from_: _From = "",
    to: _To = "",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only entries of this kind; again for further ones.", metavar="KIND")
    ] = None,
    bodies: Annotated[
        Path | None,
        typer.Option(help="Write decisions into this folder as bodies `negative-list match` judges.", metavar="FOLDER"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Write to this file; - is standard output.", metavar="FILE")] = Path("-"),
    config: _ConfigFile = None,
    data: _Data = None,
) -> None:
    """Write entries as JSON Lines, by instant; those that cannot be read are named and left out.

    Exit 1 when there are such.
    """
    from reminder.journal.export import write_rows

    damaged: list[DamagedError] = []
    kinds = _kinds(["decision"] if bodies else kind or [])
    days = _day(from_, "--from"), _day(to, "--to")
    with _told():
        settings = _settings(config, data)
        begin, end = _period(days, settings)
        rows = _journal(settings).period(begin, end, kinds, damaged.append)
        progress = _Progress("entries exported")
        if bodies:
            count = _write_bodies(rows, bodies, progress)
        else:
            with _writing(out) as file:
                count = write_rows(rows, file, progress)
    for error in damaged:
        typer.echo(str(error), err=True)
    typer.echo(f"{count} entries exported", err=True)
    if damaged:
        _stop(f"{len(damaged)} entries cannot be read and are left out; `reminder journal verify` says more")


def _write_bodies(rows: Iterable[Row], folder: Path, progress: Callable[[int], None]) -> int:
    """Decisions as bodies; those whose body cannot say all the entry says are told."""
    from reminder.forecast.bodies import write_bodies
    from reminder.journal.coding import decode
    from reminder.journal.entries import Decided

    entries = (decode(row.body) for row in rows)
    told = write_bodies((entry for entry in entries if isinstance(entry, Decided)), folder, progress)
    if told.less:
        named = ", ".join(told.examples)
        typer.echo(f"{told.less} bodies say less than their entries, and may be judged otherwise: {named}", err=True)
    return told.decisions


@app.command("remove")
def remove_from_journal(
    before: Annotated[str, typer.Option(help="Months that ended before this day go.", metavar="D")],
    config: _ConfigFile = None,
    data: _Data = None,
) -> None:
    """Take whole months out of the journal, each sealed with a signed record first."""
    from functools import partial

    from reminder.journal.checkpoints import Checkpointer
    from reminder.journal.naming import OFFICE, chain_name, folder_id
    from reminder.journal.retention import Remover
    from reminder.journal.writer import append_in_turn

    now = datetime.now(UTC)
    # Spans are months of instants, so that the day is taken as one of UTC too.
    limit = datetime.combine(_day(before, "--before") or now.date(), time(), UTC)
    with _told():
        settings = _settings(config, data)
        _check_limit(limit, now, settings)
        store = _journal(settings)
        keys = settings.data / "keys"
        checkpointer = Checkpointer(_checkpoints(settings), keys, lambda: now)
        remover = Remover(folder_id(settings.data), keys, checkpointer, _own(settings))
        write = partial(append_in_turn, store, chain_name(settings.data, OFFICE))
        done = remover.remove(store, limit, now, write)
    for span in done.spans:
        typer.echo(f"{span.chain} {span.first}-{span.last} {span.begin:%Y-%m-%d} {span.end:%Y-%m-%d}")
    typer.echo(f"{done.entries} entries removed in {len(done.spans)} spans", err=True)


def _check_limit(limit: datetime, now: datetime, settings: Config) -> None:
    """Evidence of the last half year goes only where the settings say so."""
    from reminder.config import LEAST_JOURNAL_DAYS

    if limit > now - timedelta(days=LEAST_JOURNAL_DAYS) and not settings.journal_days_below_180:
        _stop(
            f"entries of the last {LEAST_JOURNAL_DAYS} days are kept, for a payer may still ask; give an earlier day, "
            "or set journal_days_below_180 = true"
        )


def _said(report: Report, path: Path) -> Iterator[str]:
    """What was found, for people: problems first, then what is proved of each chain, then the sum."""
    yield from (str(problem) for problem in report.problems)
    yield from (f"note: {note}" for note in report.notes)
    for proof in report.proofs:
        count = sum(problem.chain == proof.chain for problem in report.problems)
        yield f"{_there(proof)}; {count} problems, as said above" if count else _proved(proof)
    entries = sum(proof.entries for proof in report.proofs)
    sums = f"{entries} entries in {len(report.proofs)} chains, {report.lines} signed lines in {path}"
    yield f"sound: {sums}" if report.sound else f"NOT SOUND, {len(report.problems)} problems: {sums}"


def _there(proof: Proof) -> str:
    """Which entries of a chain there are."""
    numbers = f", {proof.first} to {proof.last}" if proof.entries else ""
    return f"chain `{proof.chain}`: {proof.entries} entries{numbers}"


def _proved(proof: Proof) -> str:
    """Up to where it is proved that nothing is missing."""
    parts = [_there(proof)]
    if proof.sealed:
        parts.append(f"1 to {proof.sealed} were taken out with a signed record")
    if proof.proved_at is None:
        parts.append("no checkpoint covers it: that none is missing at its end is not proved")
    else:
        parts.append(f"that none is missing is proved up to {proof.proved} ({proof.proved_at:%Y-%m-%dT%H:%M:%SZ})")
        if proof.last > proof.proved:
            parts.append(f"the {proof.last - proof.proved} after it are chained, but others could have followed")
    return "; ".join(parts)


class _Progress:
    """Says now and then on standard error how far a long run has come; called with what was done since."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = 0

    def reached(self, count: int) -> None:
        """How far it has come in all."""
        self(count - self._done)

    def __call__(self, count: int) -> None:
        before, self._done = self._done, self._done + count
        if before // _SAY_EVERY != self._done // _SAY_EVERY:
            typer.echo(f"{self._done} {self._what}", err=True)


@contextmanager
def _writing(out: Path) -> Iterator[BinaryIO]:
    """Standard output, or a file that is moved into place when it is whole."""
    if str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    beside = out.with_name(f".{out.name}.new")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever cannot be done is told without a traceback."""
    from negative_list.errors import SiteError
    from reminder.config import ConfigError
    from reminder.journal.checkpoints import CheckpointsError
    from reminder.journal.retention import ChainBrokenError
    from reminder.journal.signing import SigningError
    from reminder.shell import read_no_more
    from reminder.stores.base import StoreError

    try:
        yield
    except (ConfigError, SiteError, StoreError, CheckpointsError, SigningError, ChainBrokenError) as error:
        _stop(str(error))
    except BrokenPipeError:
        read_no_more()
    except OSError as error:
        _stop(f"`{error.filename}` cannot be used ({error.strerror})")


def _settings(config: Path | None, data: Path | None) -> Config:
    from reminder.config import load_config

    return load_config(config, {"data": data})


def _checkpoints(settings: Config) -> Path:
    from reminder.journal.checkpoints import CHECKPOINTS_FILE

    return settings.checkpoints or settings.data / CHECKPOINTS_FILE


def _journal(settings: Config) -> JournalStore:
    """The journal there is: none is made, for a wrong folder is no empty journal."""
    from reminder.config import SQLITE
    from reminder.journal.opening import JOURNAL_FILE, open_journal

    if settings.store == SQLITE and not (settings.data / JOURNAL_FILE).exists():
        _stop(f"no journal in `{settings.data}`; name the folder by --data, or the settings by --config")
    return open_journal(settings.data, "" if settings.store == SQLITE else settings.store)


def _own(settings: Config) -> OwnEntries:
    from reminder.journal.coding import encode
    from reminder.journal.engine import engine
    from reminder.journal.own import OwnEntries

    return OwnEntries(engine=engine(), encode=encode, zone=str(_zone(settings)))


def _zone(settings: Config) -> tzinfo:
    from negative_list.site import Sites

    return (Sites.read(settings.site) if settings.site else Sites()).default.zone


def _day(text: str, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day; write it like `2026-01-31`", param_hint=option) from None


def _period(days: tuple[date | None, date | None], settings: Config) -> tuple[datetime, datetime]:
    """When the civil days of the default site begin; everything where none is given."""
    zone = _zone(settings)
    begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) if day else None for day in days)
    return begin or _FIRST, end or _LAST


def _kinds(kinds: list[str]) -> tuple[Kind, ...]:
    from reminder.journal.base import KINDS

    for kind in kinds:
        if kind not in KINDS:
            raise typer.BadParameter(f"`{kind}` is none of {', '.join(KINDS)}", param_hint="--kind")
    return tuple(kind for kind in KINDS if kind in kinds)


def _stop(message: str) -> NoReturn:
    for line in message.splitlines():
        typer.echo(line, err=True)
    raise typer.Exit(_PROBLEMS)
