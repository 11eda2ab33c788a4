"""The command diff: what changed between two lists, in words an office reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from negative_list.cli_release import English, release_of
from negative_list.errors import ListError
from negative_list.shell import fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negative_list.differences.comparing import Named

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("diff")(_diff)


def _diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The list as it was: a list, a folder or a release.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The list as it is to be.")],
    *,
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", metavar="KEY.pub", help="Releases must be signed by it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    most: Annotated[int, typer.Option(min=0, help="Rows shown of each kind; 0: all.")] = 50,
    english: English = False,
) -> None:
    """Tell what changed from one list to another: rules new, gone, changed, and what in them; the gravest first."""
    import msgspec

    from negative_list.differences.comparing import compare
    from negative_list.differences.telling import lines_of

    found = compare(*(_side(path, trust or (), english=english) for path in (before, after)))
    if as_json:
        typer.echo(msgspec.json.Encoder(decimal_format="number").encode(found).decode())
        return
    for line in lines_of(found, most=most, english=english):
        typer.echo(line)


def _side(path: Path, trust: Sequence[Path], *, english: bool) -> Named:
    from negative_list.release.container import is_release

    try:
        return _of_release(path, trust, english=english) if is_release(path) else _of_list(path)
    except ListError as error:
        fail(error.problems)


def _of_release(path: Path, trust: Sequence[Path], *, english: bool) -> Named:
    from negative_list.differences.comparing import Named
    from negative_list.release.opening import rules_of

    release, _ = release_of(path, trust, english=english)
    if not trust:
        typer.echo(f"{path}: who signed it was not checked; give --trust KEY.pub", err=True)
    told = release.manifest
    return Named(rules=rules_of(release, str(path)), name=told.name, version=told.version, digest=told.digest)


def _of_list(path: Path) -> Named:
    from negative_list.compile import digest_of
    from negative_list.differences.comparing import Named
    from negative_list.release.layering import flattened, read_source

    parsed = flattened([read_source(path)]).parsed
    if parsed.problems:
        raise ListError(parsed.problems)
    return Named(rules=parsed.rules, name=path.name, digest=digest_of(parsed.rules))
