"""ReportService: the bytes of the command, in pieces, one report at a time, and nothing left behind by who goes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from typer.testing import CliRunner

from reminder import report_rpc
from reminder.cli import app
from reminder.reports import frames
from reminder.reports.writing import FORMATS
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.sidecar import Running, running
from tests.reports.hospital import month, written_to

if TYPE_CHECKING:
    from collections.abc import Iterator

METHOD = "/reminder.v1.ReportService/Report"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a journal of three days."""
    made = tmp_path_factory.mktemp("reports")
    written_to(made / "var", month()).close()
    return made


@pytest.fixture(scope="module")
def here(folder: Path) -> Iterator[Running]:
    """A sidecar beside it."""
    with running(folder) as sidecar:
        yield sidecar


@contextlib.contextmanager
def call(here: Running) -> Iterator[Any]:
    """The method, on a channel of its own."""
    with grpc.insecure_channel(here.at("admin"), options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield channel.unary_stream(
            METHOD,
            request_serializer=pb.ReportRequest.SerializeToString,
            response_deserializer=pb.ReportResponse.FromString,
        )


def request(**fields: Any) -> pb.ReportRequest:
    """A report by doctor of January, unless said otherwise."""
    return pb.ReportRequest(**({"by": "doctor", "from": "2026-01-01", "to": "2026-02-01"} | fields))


def asked(here: Running, **fields: Any) -> list[pb.ReportResponse]:
    """Every part of an answer."""
    with call(here) as report:
        return list(report(request(**fields), timeout=120))


@pytest.mark.parametrize("as_format", FORMATS)
def test_a_report_over_grpc_is_the_command_s_byte_for_byte(
    here: Running, folder: Path, tmp_path: Path, as_format: str
) -> None:
    """Whatever the format; pieces are joined."""
    parts = asked(here, format=as_format, formula="bureau")
    out = tmp_path / "report"
    words = ["--by", "doctor", "--from", "2026-01-01", "--to", "2026-02-01", "--formula", "bureau"]
    where = ["--data", str(folder / "var"), "--format", as_format, "--out", str(out)]
    assert CliRunner().invoke(app, ["report", *words, *where]).exit_code == 0
    assert b"".join(part.report for part in parts) == out.read_bytes()


def test_progress_comes_before_the_report(here: Running) -> None:
    """Entries read, of how many; at the end all of them."""
    parts = asked(here)
    kinds = [part.WhichOneof("part") for part in parts]
    assert kinds == sorted(kinds, key=("progress", "report").index)
    last = [part.progress for part in parts if part.HasField("progress")][-1]
    assert last.done == last.total > 0


def test_no_piece_is_larger_than_a_mebibyte(here: Running) -> None:
    """Callers' limits hold, however long a report is."""
    parts = asked(here, by="bureau", format="html")
    assert max(len(part.report) for part in parts) <= frames.MAX_PIECE == 1024 * 1024


def test_fields_that_are_wrong_are_all_named(here: Running) -> None:
    """INVALID_ARGUMENT with google.rpc.BadRequest."""
    with pytest.raises(grpc.RpcError) as refused:
        asked(here, by="docter", format="pdf", **{"from": "yesterday"})
    status = rpc_status.from_call(cast("grpc.Call", refused.value))
    assert status is not None
    bad = error_details_pb2.BadRequest()
    status.details[0].Unpack(bad)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in bad.field_violations] == ["by", "format", "from"]


def test_a_formula_nobody_knows_is_the_caller_s_mistake(here: Running) -> None:
    """Only who reads finds that out; it is told in the same way."""
    with pytest.raises(grpc.RpcError) as refused:
        asked(here, formula="mine")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_journal_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    """Checks go on; the report says that it cannot be had."""
    with running(tmp_path, journal="off") as sidecar, pytest.raises(grpc.RpcError) as refused:
        asked(sidecar)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_second_caller_waits_for_his_turn(here: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """One report at a time; who waits is told that nothing was read yet, and gets it in the end."""
    monkeypatch.setattr(report_rpc, "WAITING_S", 0.01)
    held, entered = asyncio.Event(), threading.Event()
    made = report_rpc._made  # noqa: SLF001 - slowed down for the test

    async def slow(order: bytes) -> Any:
        entered.set()
        await held.wait()
        async with contextlib.aclosing(made(order)) as parts:
            async for part in parts:
                yield part

    monkeypatch.setattr(report_rpc, "_made", slow)
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.extend(asked(here)))
    thread.start()
    assert entered.wait(60)
    with call(here) as report:
        second = report(request(), timeout=120)
        assert next(second).progress == pb.ReportProgress()
        here.loop.call_soon_threadsafe(held.set)
        rest = list(second)
    thread.join(120)
    assert b"".join(part.report for part in rest) == b"".join(part.report for part in first) != b""


def test_a_caller_who_goes_takes_the_report_along(here: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends, and the next caller has his turn at once."""
    started: list[Any] = []
    create = asyncio.create_subprocess_exec

    async def seen(*words: str, **options: Any) -> Any:
        process = await create(words[0], "-c", "import time; time.sleep(600)", **options)
        started.append(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", seen)
    with call(here) as report:
        gone = report(request(), timeout=120)
        waited(lambda: bool(started))
        gone.cancel()
        waited(lambda: started[0].returncode is not None)
    monkeypatch.undo()
    assert asked(here)[-1].WhichOneof("part") == "report"


def waited(until: Any, seconds: float = 60.0) -> None:
    """Wait for something that comes, however busy the machine is."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)
