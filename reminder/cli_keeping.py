"""The commands ``reminder keys``, ``backup`` and ``restore``: what a sidecar keeps, and under which keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.cli_office import ConfigFile, Data, database_of, ending, put, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reminder.config import Config
    from reminder.journal.base import JournalStore
    from reminder.office.backup import Place

__all__ = ["add_to", "backup", "keys_app", "place_of", "restore", "verified"]

keys_app = typer.Typer(help="The keys of patients and encounters, and the one checkpoints are signed with.")
"""The commands of keys."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to a program."""
    app.add_typer(keys_app, name="keys")
    app.command("backup")(backup)
    app.command("restore")(restore)


@keys_app.command("list")
def list_keys(config: ConfigFile = None, data: Data = None) -> None:
    """List the keys there are: what each is for, since when, and a mark to tell it by; never the key itself."""
    from reminder.journal.signing import public_files
    from reminder.office.key_files import secrets_in, signing_key_in

    with ending():
        settings = settings_of(config, data)
        for file in secrets_in(settings.data):
            use = "writes and finds 写入并查找" if file.writes else "finds 仅查找"
            typer.echo(
                f"{file.name}  {file.mark}  {file.made_at:%Y-%m-%d %H:%M}  patients, encounters 患者、就诊  {use}"
            )
        public = public_files(settings.data / "keys")
        for path in reversed(public):
            key, begun = signing_key_in(path)
            use = "signs 签名" if path == public[-1] and path.with_suffix(".pem").exists() else "checks 仅核验"
            typer.echo(f"{path.stem}.pem  {key}  {begun:%Y-%m-%d %H:%M}  checkpoints 检查点  {use}")


@keys_app.command("rotate")
def rotate_keys(config: ConfigFile = None, data: Data = None) -> None:
    """Make a new secret: patients and encounters are written under it from the next start; the old ones still find."""
    from reminder.office.key_files import rotate

    with ending():
        made = rotate(settings_of(config, data).data)
    typer.echo(f"{made.name}  {made.mark}")
    typer.echo(
        "restart every sidecar of this data folder, and back up the keys 请重启使用该目录的服务，并备份密钥", err=True
    )


@keys_app.command("public")
def public_key(
    out: Annotated[Path | None, typer.Option(help="Write to this file.", metavar="FILE")] = None,
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Write the public key checkpoints are signed with, for who checks the journal elsewhere."""
    from negative_list.shell import write_beside
    from reminder.journal.signing import public_files
    from reminder.office.desk import OfficeError

    with ending():
        files = public_files(settings_of(config, data).data / "keys")
        if not files:
            raise OfficeError("no checkpoint was signed yet; the sidecar makes the key with its first one")
        text = files[-1].read_bytes()
        if out is not None:
            write_beside(out, text)
            return
    put(text)


def backup(
    target: Annotated[Path, typer.Argument(help="The archive to write: .tar, or .tar.gz.", metavar="TO")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys in, too; guard the archive like them.")
    ] = False,
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Copy journal, history, facts, spool and checkpoints into one file, while sidecars run."""
    from reminder.journal.engine import engine
    from reminder.office.backup import back_up

    with ending():
        place = place_of(settings_of(config, data))
        manifest = back_up(place, target, with_keys=with_keys, engine=engine(), now=datetime.now(UTC))
    entries = sum(seq for _, seq, _ in manifest.heads)
    size = sum(part.size for part in manifest.parts)
    typer.echo(f"{target}: {len(manifest.heads)} chains, {entries} entries or more, {size} bytes of {manifest.store}")
    if with_keys:
        typer.echo("it holds the keys: guard it like them 归档内含密钥，请按密钥保管", err=True)
    else:
        typer.echo(_WITHOUT_KEYS.format(marks=", ".join(manifest.secrets) or "-"), err=True)


_WITHOUT_KEYS = (
    "it holds no keys: without {marks} nobody finds a patient in it by an id; back the keys up apart "
    "归档不含密钥，须另行备份，否则恢复后无法按患者查找"
)


def restore(
    archive: Annotated[Path, typer.Argument(help="An archive of reminder backup.", metavar="FROM")],
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Put an archive into an empty data folder (and an empty database), and verify the journal before it is done."""
    from reminder.office.restore import restore as put_back

    with ending():
        place = place_of(settings_of(config, data))
        manifest = put_back(archive, place, verified)
    entries = sum(seq for _, seq, _ in manifest.heads)
    typer.echo(
        f"{place.data}: {len(manifest.heads)} chains, {entries} entries or more, verified; backed up {manifest.made_at}"
    )
    if not manifest.with_keys and manifest.secrets:
        typer.echo(_PUT_BACK.format(marks=", ".join(manifest.secrets), folder=place.data / "keys"), err=True)


_PUT_BACK = (
    "put the secrets {marks} back into `{folder}` before a sidecar starts there, for it would make others "
    "启动前请先放回密钥，否则会另生成新密钥"
)


def place_of(settings: Config) -> Place:
    """Where the settings keep everything."""
    from reminder.journal.checkpoints import CHECKPOINTS_FILE
    from reminder.office.backup import Place

    checkpoints = settings.checkpoints or settings.data / CHECKPOINTS_FILE
    return Place(data=settings.data, database=database_of(settings), checkpoints=checkpoints)


def verified(journal: JournalStore, checkpoints: Path, public: Path) -> Sequence[str]:
    """What is wrong with a journal, by everything that can be checked of it."""
    from reminder.journal.agreeing import disagreement
    from reminder.journal.attested import read_attested
    from reminder.journal.lines import LineFile
    from reminder.journal.signing import TrustedKeys, public_files
    from reminder.journal.verify import verify

    attested = read_attested(LineFile(checkpoints).lines(), TrustedKeys(public_files(public)))
    return [str(problem) for problem in verify(journal, attested, disagreement).problems]
