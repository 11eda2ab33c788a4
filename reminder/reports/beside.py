"""What is made by a process beside the sidecar, heard frame by frame: reports, forecasts.

Only one is made at a time; who comes meanwhile waits for its turn and is told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import msgspec

from negative_list.errors import FieldProblem, RequestError
from reminder.reports import frames
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from asyncio.subprocess import Process

__all__ = ["answers", "had"]

# Windows has no `nice`; there the class of a process is said when it is made.
_BELOW_NORMAL = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)


async def had(turn: asyncio.Lock, within_s: float) -> bool:
    """Whether it became our turn in the time after which a caller is told that it waits."""
    try:
        return await asyncio.wait_for(turn.acquire(), within_s)
    except TimeoutError:
        return False


async def answers(module: str, order: bytes) -> AsyncGenerator[tuple[bytes, bytes], None]:
    """What a process answers an order with, frame by frame, the last of kind ``DONE``; it ends with this, done or not.

    Args:
        module: what the process runs.
        order: a line of JSON.

    Raises:
        RequestError: a frame names fields that are wrong.
        StoreError: something cannot be read.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        creationflags=_BELOW_NORMAL,
        start_new_session=True,  # it starts others, and all end together
    )
    try:
        async with contextlib.aclosing(_heard(process, order)) as heard:
            async for frame in heard:
                yield frame
    finally:
        if process.returncode is None:
            _kill(process)
        # Its pipe is read to the end, or its transport would be left open.
        await asyncio.shield(process.communicate())


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


async def _heard(process: Process, order: bytes) -> AsyncGenerator[tuple[bytes, bytes], None]:
    """The frames as they come."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    process.stdin.write(order)
    await process.stdin.drain()
    while True:
        try:
            kind, length = frames.FRAME.unpack(await process.stdout.readexactly(frames.FRAME.size))
            content = await process.stdout.readexactly(length)
        except asyncio.IncompleteReadError:
            raise RuntimeError("the process ended before it was done") from None
        if kind == frames.REFUSED:
            raise RequestError(msgspec.json.decode(content, type=list[FieldProblem]))
        if kind == frames.UNREADABLE:
            raise StoreError("gone", content.decode())
        if kind == frames.FAILED:
            raise RuntimeError(f"the process failed: {content.decode()}")
        yield kind, content
        if kind == frames.DONE:
            return
