"""The commands ``reminder lists forecast|compare|tomorrow``: asked of the sidecar, which makes them beside itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from reminder.cli_policy import ending

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add_to", "compare", "forecast", "tomorrow"]

_SERVICE = "/reminder.v1.ListService/"
_SPARE_S = 3600.0
"""Seconds waited beyond what the work may take: another's may be under way."""

_PROBLEMS = 1
_DEFAULT = "127.0.0.1:50052"

Version = Annotated[str, typer.Argument(help="Version of a staged release.", metavar="VERSION")]
Format = Annotated[
    Literal["text", "html", "csv", "xlsx", "json"], typer.Option("--format", help="text, html, csv, xlsx or json.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Write to this file.", metavar="FILE")]
At = Annotated[
    str, typer.Option("--at", help="When it is to be active, civil time (2026-12-01 00:00:00).", metavar="TIME")
]
Target = Annotated[str, typer.Option(help="The sidecar's administration, gRPC.", metavar="HOST:PORT")]
English = Annotated[bool, typer.Option("--english", help="Print in English.")]
Progress = Annotated[bool, typer.Option("--progress", help="Tell how far it is, on a terminal or not.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to those of lists."""
    app.command("forecast")(forecast)
    app.command("compare")(compare)
    app.command("tomorrow")(tomorrow)


def forecast(
    version: Version,
    *,
    from_: Annotated[str, typer.Option("--from", help="First day to replay (default 28 days back).", metavar="D")] = "",
    to: Annotated[str, typer.Option("--to", help="First day after them (default tomorrow).", metavar="D")] = "",
    at: At = "",
    within: Annotated[int, typer.Option(help="Seconds it may take.", metavar="SECONDS")] = 600,
    samples: Annotated[
        Path | None, typer.Option(help="Bodies to replay in place of the journal, one on a line.", metavar="FILE")
    ] = None,
    as_format: Format = "text",
    out: Out = None,
    english: English = False,
    progress: Progress = False,
    target: Target = _DEFAULT,
) -> None:
    """Tell what a staged release would have said to the last weeks, beside what is active.

    By rule, class, department and doctor, with money and example decisions. Nothing becomes active.
    """
    from reminder.v1 import reminder_pb2 as pb

    told: dict[str, Any] = {
        "version": version,
        "from": from_,
        "to": to,
        "at": at,
        "within_s": within,
        "format": as_format,
        "english": english,
        "samples": _read(samples) if samples is not None else b"",
    }
    request = pb.ForecastRequest(**told)
    _put(_content(target, "Forecast", request, pb.ForecastResponse, within + _SPARE_S, always=progress), out)


def compare(
    version: Annotated[
        str, typer.Argument(help="A release that is or was active (default the active one).", metavar="[VERSION]")
    ] = "",
    *,
    as_format: Format = "text",
    out: Out = None,
    english: English = False,
    progress: Progress = False,
    target: Target = _DEFAULT,
) -> None:
    """Set the forecast of a release beside what came of it since it is active."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.CompareRequest(version=version, format=as_format, english=english)
    _put(_content(target, "Compare", request, pb.CompareResponse, 2 * _SPARE_S, always=progress), out)


def tomorrow(
    version: Version,
    *,
    at: At = "",
    as_format: Format = "text",
    out: Out = None,
    english: English = False,
    progress: Progress = False,
    target: Target = _DEFAULT,
) -> None:
    """List running orders, drafts and repeat prescriptions a staged release will stop."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.TomorrowRequest(version=version, at=at, format=as_format, english=english)
    _put(_content(target, "Tomorrow", request, pb.TomorrowResponse, 2 * _SPARE_S, always=progress), out)


def _content(target: str, method: str, request: Any, kind: Any, timeout_s: float, *, always: bool) -> bytes:
    """All pieces of what a call answers; how far it has come is told meanwhile."""
    from reminder.admin_client import calling

    pieces = []
    with _told(always=always) as told, ending(), calling(target) as channel:
        call: Any = channel.unary_stream(
            _SERVICE + method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=kind.FromString,
        )
        for part in call(request, timeout=timeout_s):
            if part.WhichOneof("part") == "content":
                pieces.append(part.content)
            else:
                told(part.progress.done, part.progress.total)
    return b"".join(pieces)


@contextmanager
def _told(*, always: bool) -> Iterator[Callable[[int, int], None]]:
    """How far it has come, on one line of standard error: on a terminal, or always."""
    if not always and not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return

    def told(done: int, whole: int) -> None:
        percent = f" / {whole:,} ({100 * done // whole} %)" if whole else ""
        sys.stderr.write(f"\r{done:,}{percent}")
        sys.stderr.flush()

    yield told
    sys.stderr.write("\n")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        typer.echo(f"`{path}` cannot be read ({error.strerror}); check the name and its rights", err=True)
        raise typer.Exit(_PROBLEMS) from error


def _put(content: bytes, out: Path | None) -> None:
    """To standard output, or into a file that is whole or not there."""
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    from negative_list.shell import write_beside

    write_beside(out, content)
