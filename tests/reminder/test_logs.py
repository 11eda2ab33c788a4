"""The log: JSON lines that never hold a check up."""

from __future__ import annotations

import io
import json
import threading

from reminder.logs import LineWriter, make_logger


class Stuck(io.StringIO):
    """A pipe nobody reads, until ``reader`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = threading.Event()

    def write(self, text: str) -> int:
        """Wait for a reader."""
        self.reader.wait(5)
        return super().write(text)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """What was written, line by line."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_level_and_time() -> None:
    """Values that JSON does not know are written as their text."""
    stream = io.StringIO()
    writer = LineWriter(stream)
    make_logger(writer, "info").info("serving", grpc="127.0.0.1:1", digest="药", other={1})
    writer.close()
    (line,) = lines(stream)
    assert line["event"] == "serving"
    assert line["level"] == "info"
    assert line["digest"] == "药"
    assert str(line["timestamp"]).endswith("+00:00")


def test_lines_below_the_level_are_left_out() -> None:
    """A log of warnings has no information."""
    stream = io.StringIO()
    writer = LineWriter(stream)
    log = make_logger(writer, "warning")
    log.info("checked")
    log.error("check failed")
    writer.close()
    assert [line["event"] for line in lines(stream)] == ["check failed"]


def test_a_stream_nobody_reads_holds_nobody_up_and_lost_lines_are_counted() -> None:
    """Lines beyond what may wait are dropped; what waited is written, and how many are missing."""
    stream = Stuck()
    writer = LineWriter(stream)
    for _ in range(25_000):
        writer.info('{"event":"checked"}')
    stream.reader.set()
    writer.close()
    written = lines(stream)
    dropped = sum(int(str(line["count"])) for line in written if line["event"] == "log lines dropped")
    assert dropped > 0
    assert dropped + sum(line["event"] == "checked" for line in written) == 25_000


def test_a_stream_that_is_gone_ends_nothing() -> None:
    """The service goes on without its log."""
    stream = io.StringIO()
    writer = LineWriter(stream)
    stream.close()
    writer.info("{}")
    writer.close()
    assert stream.closed
