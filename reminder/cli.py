"""The command ``reminder``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from reminder import (
    cli_forecast,
    cli_journal,
    cli_keeping,
    cli_lists,
    cli_office,
    cli_points,
    cli_policy,
    cli_reports,
    cli_survey,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["app", "main"]

app = typer.Typer(
    name="reminder",
    help="The sidecar: asked before a prescription is saved, it answers block, warn, remind or pass.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
"""Every command of the sidecar."""

facts_app = typer.Typer(help="What other systems tell: facts and history.", no_args_is_help=True)
app.add_typer(facts_app, name="facts")
app.add_typer(cli_journal.app, name="journal")
cli_reports.add_to(app)
cli_office.add_to(app)
cli_survey.add_to(app)
cli_keeping.add_to(app)
app.add_typer(cli_points.points_app, name="points")
app.add_typer(cli_policy.policy_app, name="policy")
cli_forecast.add_to(cli_lists.lists_app)
app.add_typer(cli_lists.lists_app, name="lists")

_PROBLEMS, _NOT_REACHED = 1, 3
_DEFAULT_TARGET = "127.0.0.1:50051"


@app.command()
def serve(  # noqa: PLR0917 - one argument an option
    config: Annotated[Path | None, typer.Option(help="Settings in TOML; options win over it.", metavar="FILE")] = None,
    list_: Annotated[
        Path | None, typer.Option("--list", help="The negative list: a file or a folder of files.", metavar="LIST")
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option(help="The release a data folder begins with; later it is only staged.", metavar="RELEASE"),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="Public key releases may be signed by; may be repeated.", metavar="KEY.pub"),
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Site configuration.", metavar="FILE")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy in place of the shipped one.", metavar="FILE")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of what the service writes (default var).", metavar="DIR")
    ] = None,
    grpc: Annotated[
        str | None, typer.Option(help="Callers, gRPC (default 127.0.0.1:50051).", metavar="HOST:PORT")
    ] = None,
    http: Annotated[
        str | None, typer.Option(help="Callers, HTTP (default 127.0.0.1:8080).", metavar="HOST:PORT")
    ] = None,
    admin: Annotated[
        str | None, typer.Option(help="Operations, gRPC (default 127.0.0.1:50052).", metavar="HOST:PORT")
    ] = None,
    admin_http: Annotated[
        str | None,
        typer.Option(
            help="Operations, HTTP (default 127.0.0.1:8081; with --admin alone the next port).", metavar="HOST:PORT"
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(help="Seconds that calls in flight may take after a stop (default 10).", metavar="SECONDS"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that serve callers (default 1; more on Linux only).", metavar="N")
    ] = None,
) -> None:
    """Serve checks until stopped. Exit 1 when it cannot start."""
    given: dict[str, Any] = {"list": list_, "release": release, "trust": trust, "site": site, "policy": policy}
    given |= {"data": data, "grpc": grpc, "http": http, "admin": admin, "admin_http": admin_http}
    _serve(config, given | {"grace_s": grace, "workers": workers})


def _serve(config: Path | None, options: dict[str, Any]) -> None:
    from reminder.run import StartError
    from reminder.supervisor import run

    try:
        run(config, options)
    except StartError as error:
        _stop(_PROBLEMS, str(error).splitlines())


@app.command()
def check(
    body: Annotated[Path, typer.Argument(help="A 3101 body or the JSON of CheckRequest; - reads standard input.")],
    target: Annotated[str, typer.Option(help="The sidecar, gRPC.", metavar="HOST:PORT")] = _DEFAULT_TARGET,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.", min=0.001)] = 10.0,
) -> None:
    """Have a running sidecar decide one body; prints one JSON object.

    Exit 0: decided, whatever the decision; 1: problems in the body; 2: usage; 3: no sidecar answered.
    """
    from negative_list.errors import RequestError
    from negative_list.output import decision_json, error_json
    from reminder.client import NotReachedError
    from reminder.client import check as ask

    try:
        _print(decision_json(ask(_read(body), target, timeout)))
    except RequestError as error:
        _print(error_json(error.fields))
        raise typer.Exit(_PROBLEMS) from error
    except NotReachedError as error:
        _stop(_NOT_REACHED, [str(error)])


@facts_app.command("import")
def import_facts(
    files: Annotated[
        list[Path],
        typer.Argument(help="Facts (CSV, JSON Lines), history, or calls of the national interface.", metavar="FILE..."),
    ],
    config: Annotated[Path | None, typer.Option(help="Settings of the sidecar, TOML.", metavar="FILE")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of what the service writes (default var).", metavar="DIR")
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Site configuration.", metavar="FILE")] = None,
    institution: Annotated[
        str, typer.Option(help="Code of the institution of rows that name none.", metavar="CODE")
    ] = "",
) -> None:
    """Put files of facts and history into the store, while a sidecar runs or not.

    Good rows go in, each bad one is named; exit 1 if there is any, or the store cannot be had.
    """
    from reminder.config import ConfigError, load_config
    from reminder.imports import ImportFailedError, import_files

    try:
        settings = load_config(config, {"data": data, "site": site})
        problems = import_files(files, settings, institution, typer.echo)
    except (ConfigError, ImportFailedError) as error:
        _stop(_PROBLEMS, str(error).splitlines())
    if problems:
        _stop(_PROBLEMS, [*map(str, problems), f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"])


def _read(body: Path) -> bytes:
    from negative_list.errors import FieldProblem, RequestError

    try:
        return sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes()
    except OSError as error:
        why = str(error.strerror).lower()
        message = f"`{body}` 无法读取 (cannot be read: {why}); 请检查文件名和权限 (check its name and rights)"
        problem = FieldProblem(field="body", message=message)
        raise RequestError([problem]) from error


def _print(json: bytes) -> None:
    """One line, UTF-8 whatever the console's code page."""
    sys.stdout.buffer.write(json + b"\n")
    sys.stdout.buffer.flush()


def _stop(code: int, lines: Iterable[str]) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
