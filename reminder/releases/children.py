"""The process that prepares lists, asked from the sidecar's loop, or before there is one."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import msgspec

from reminder.releases.orders import Answer, Failed, Order

if TYPE_CHECKING:
    from asyncio.subprocess import Process

__all__ = ["INTERRUPTED", "answers", "answers_now"]

INTERRUPTED = Failed(
    reason="interrupted",
    detail="准备进程意外结束 (the process that prepares it ended before it was done); 请重试 (try again)",
)
"""What is answered where the process ended before its work did."""

_COMMAND = (sys.executable, "-m", "reminder.releases.preparing")
_ANSWER = msgspec.json.Decoder(Answer)
_MOST_LINE = 256 * 1024 * 1024
# Windows has no `nice`; there the class of a process is said when it is made.
_BELOW_NORMAL = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)


async def answers(order: Order) -> AsyncGenerator[Answer, None]:
    """What the process answers, as it does. It ends with this, done or not; the last may be :data:`INTERRUPTED`."""
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_MOST_LINE,
        creationflags=_BELOW_NORMAL,
    )
    try:
        async for answer in _heard(process, order):
            yield answer
        if await process.wait() != 0:
            yield INTERRUPTED
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        # Its pipe is read to the end, or its transport would be left open.
        await asyncio.shield(process.communicate())


async def _heard(process: Process, order: Order) -> AsyncGenerator[Answer, None]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process that prepares lists has no pipes")
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    with contextlib.suppress(ConnectionError):
        await process.stdin.drain()
    while line := await process.stdout.readline():
        if not line.endswith(b"\n"):
            return
        yield _ANSWER.decode(line)


def answers_now(order: Order) -> tuple[Answer, ...]:
    """The same, all at once; for the time before anybody is served."""
    done = subprocess.run(  # noqa: S603 - our own program
        _COMMAND, input=msgspec.json.encode(order) + b"\n", stdout=subprocess.PIPE, check=False
    )
    found = tuple(_ANSWER.decode(line) for line in done.stdout.splitlines())
    return found if done.returncode == 0 else (*found, INTERRUPTED)
