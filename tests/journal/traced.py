"""A sidecar under strace: in which order entries were written, synced and answered, as the system saw it.

An entry is known by its decision's id, which stands as plain text in the write-ahead log of either database and in the
answer. The trace is one file for every process of it, in the order of the system calls.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

__all__ = ["Call", "faults", "read_trace", "strace", "traceable"]

_TRACED = "trace=pwrite64,pwritev,pwritev2,write,writev,sendmsg,sendto,fdatasync,fsync,openat"
_WRITES = {"pwrite64", "pwritev", "pwritev2", "write", "writev"}
_SYNCS = {"fdatasync", "fsync"}
_SENDS = {"sendmsg", "sendto", "write", "writev"}
_LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<name>\w+)\()(?P<rest>.*)")
_FILE = re.compile(r"\d+<([^>]*)>")


class Call(Struct, kw_only=True):
    """A system call: its name, the file it is about, what it carried, and when it began and ended (line numbers)."""

    name: str
    file: str
    text: str
    began: int
    ended: int


def traceable() -> str:
    """Why nothing can be traced here; "" where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (tools/strace.sh installs it)"
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)  # noqa: S607
    return f"strace may not trace here: {tried.stderr.strip()[-200:]}" if tried.returncode else ""


def strace(out: Path, also: Sequence[int] = ()) -> list[str]:
    """What to put before a command to have it traced, and with it the processes ``also``."""
    others = [word for pid in also for word in ("-p", str(pid))]
    how = ["-f", "-qq", "-y", "-s", "200000", "-e", _TRACED, "-e", "signal=none", "-o", str(out)]
    return ["strace", "-I", "2", *how, *others]  # 2: it may be asked to end, which by default it may not here


def read_trace(out: Path) -> list[Call]:
    """The calls of a trace, by their beginning."""
    calls: list[Call] = []
    open_: dict[str, Call] = {}
    for number, line in enumerate(out.read_text("utf-8", "replace").splitlines()):
        read = _LINE.match(line)
        if read is None:
            continue
        if read["resumed"]:
            if call := open_.pop(read["pid"], None):
                call.ended = number
                call.text += read["rest"]
            continue
        file = _FILE.match(read["rest"])
        call = Call(name=read["name"], file=file[1] if file else "", text=read["rest"], began=number, ended=number)
        calls.append(call)
        if "<unfinished ...>" in read["rest"]:
            open_[read["pid"]] = call
    return calls


def faults(calls: Sequence[Call], decisions: Sequence[str], log: str) -> list[str]:
    """What is wrong with the order of writing, for each decision; nothing where all is well.

    Args:
        calls: the trace.
        decisions: ids of decisions that were answered as journaled.
        log: what the name of the database's write-ahead log contains.
    """
    syncs = [call for call in calls if call.name in _SYNCS and log in call.file]
    return [fault for ident in decisions for fault in _faults(ident, calls, syncs, log)]


def _faults(ident: str, calls: Sequence[Call], syncs: Sequence[Call], log: str) -> Iterator[str]:
    holding = [call for call in calls if ident in call.text]
    written = [call for call in holding if call.name in _WRITES and log in call.file]
    sent = [call for call in holding if call.name in _SENDS and call.file.startswith(("socket:", "TCP"))]
    # To a server the entry itself travels over a socket, too: what answers is what leaves last.
    if not sent:
        yield f"{ident}: no answer left"
    elif not written or written[0].ended > sent[-1].began:
        yield f"{ident}: answered before it was written"
    elif not any(written[0].ended < sync.began and sync.ended < sent[-1].began for sync in syncs):
        yield f"{ident}: answered before it was synced"
