"""A PostgreSQL of our own on a free port of this machine, which a test may stop and start again."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_postgresql.janitor import DatabaseJanitor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Server", "binaries", "started"]

USER = "postgres"


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL of this machine: Debian keeps them beside the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Server:
    """One cluster in a folder of its own. The server refuses to run as root, so root runs it as somebody else."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="reminder-postgres-"))
        self._as_other = ("runuser", "-u", USER, "--") if os.name == "posix" and os.geteuid() == 0 else ()
        if self._as_other:
            shutil.chown(self._folder, USER)
        self.port = 0
        self._databases = 0
        self._run("initdb", "--username", USER, "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--no-locale")

    def start(self, *, fsync: bool = False) -> None:
        """Start it, and wait until it answers; ``fsync``: what it commits has to survive the loss of power."""
        if self.port:
            self._start(self.port, fsync=fsync)
            return
        for last in (False, False, True):  # somebody else may take a port that was free a moment ago
            port = free_port()
            try:
                self._start(port, fsync=fsync)
            except subprocess.CalledProcessError:
                if last:
                    raise
            else:
                self.port = port
                return

    def _start(self, port: int, *, fsync: bool) -> None:
        sync = "on" if fsync else "off"
        options = f"-p {port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync={sync}"
        self._run("pg_ctl", "start", "--wait", "--silent", "--options", options, "--log", str(self._folder / "log"))

    def pids(self) -> tuple[int, ...]:
        """Its processes: the one that starts all others first (on Linux)."""
        first = (self._folder / "data" / "postmaster.pid").read_text("utf-8").split()[0]
        children = Path(f"/proc/{first}/task/{first}/children").read_text("utf-8")
        return (int(first), *map(int, children.split()))

    def stop(self, mode: str = "immediate") -> None:
        """Stop it as a lost machine would, or ``fast``; nothing happens where it does not run."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", mode, check=False)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def dsn(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def database(self) -> Iterator[str]:
        """The URL of a new database, which is gone afterwards."""
        self._databases += 1
        name = f"test_{self._databases}"
        janitor = DatabaseJanitor(user=USER, host="127.0.0.1", port=self.port, dbname=name, connection_timeout=60)
        janitor.init()
        yield self.dsn(name)
        janitor.drop()

    def _run(self, command: str, *arguments: str, check: bool = True) -> None:
        whole = [*self._as_other, str(self._binaries / command), "--pgdata", str(self._folder / "data"), *arguments]
        subprocess.run(whole, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", timeout=120)


@contextlib.contextmanager
def started(*, fsync: bool = False) -> Iterator[Server]:
    """A running server, removed at the end; skips the test where PostgreSQL is not installed."""
    found = binaries()
    if found is None:
        pytest.skip("PostgreSQL is not installed (tools/postgres.sh installs it)")
    running = Server(found)
    try:
        running.start(fsync=fsync)
        yield running
    finally:
        running.remove()
