"""Nothing needed at run time is for Unix only: many hospitals' servers run Windows."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT, module_name, modules, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# fmt: off
UNIX_MODULES = frozenset({
    "crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline", "resource", "spwd",
    "syslog", "termios", "tty", "uvloop",
})
"""Modules that do not exist on Windows."""

UNIX_ATTRIBUTES = {
    "os": frozenset({
        "O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "WNOHANG", "chown", "chroot", "fork", "forkpty", "getegid",
        "geteuid", "getgid", "getloadavg", "getpgid", "getuid", "killpg", "mkfifo", "nice", "register_at_fork",
        "sched_getaffinity", "setgid", "setsid", "setuid", "uname", "wait3", "wait4",
    }),
    "signal": frozenset({
        "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGUSR2", "alarm",
        "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait",
    }),
    "socket": frozenset({"AF_UNIX", "SO_REUSEPORT"}),
}
"""Names that are missing from these modules on Windows."""
# fmt: on

LOOP_METHODS = frozenset(
    {"add_signal_handler", "remove_signal_handler", "create_unix_server", "create_unix_connection"}
)
"""Methods of an event loop that raise on Windows."""

GUARDS = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "NotImplementedError"})
"""Errors by which the absence of such a thing shows, so that code catching them has thought of it."""


def guarded(node: ast.AST) -> bool:
    """Whether a statement runs its body only where, or survives when, the thing is missing."""
    if isinstance(node, ast.Try):
        return any(
            GUARDS & {n.id for n in ast.walk(h.type) if isinstance(n, ast.Name)} for h in node.handlers if h.type
        )
    if isinstance(node, ast.With):
        names = {n.id for item in node.items for n in ast.walk(item.context_expr) if isinstance(n, ast.Name)}
        return "suppress" in names and bool(GUARDS & names)
    return isinstance(node, ast.If) and any(
        word in ast.unparse(node.test) for word in ("sys.platform", "hasattr", "os.name")
    )


def uses(node: ast.AST) -> Iterator[str]:
    """The Unix-only things one node of a syntax tree uses."""
    if isinstance(node, ast.Import):
        yield from (a.name for a in node.names if a.name.split(".")[0] in UNIX_MODULES)
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = {a.name for a in node.names}
        yield from ([node.module] if node.module.split(".")[0] in UNIX_MODULES else [])
        yield from (f"{node.module}.{n}" for n in names & UNIX_ATTRIBUTES.get(node.module, frozenset()))
    elif isinstance(node, ast.Attribute):
        owner = ast.unparse(node.value)
        if node.attr in LOOP_METHODS or node.attr in UNIX_ATTRIBUTES.get(owner, frozenset()):
            yield f"{owner}.{node.attr}"


def unguarded(node: ast.AST) -> Iterator[str]:
    """The Unix-only things used below a node where nothing has thought of their absence."""
    yield from uses(node)
    for child in ast.iter_child_nodes(node):
        if not guarded(child):
            yield from unguarded(child)


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_module_uses_nothing_that_only_unix_has(path: Path) -> None:
    """What exists on Unix only is used only where its absence is handled."""
    assert list(unguarded(tree(path))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import fcntl",
        "from resource import getrusage",
        "import os\nos.fork()",
        "def f(loop):\n    loop.add_signal_handler(1, f)",
    ],
)
def test_an_unguarded_use_is_seen(source: str) -> None:
    """The check above finds each way of using such a thing."""
    assert list(unguarded(ast.parse(source))) != []


def test_a_guarded_use_is_allowed() -> None:
    """Code that says what it does without the thing may use it."""
    source = "try:\n    import uvloop\nexcept ImportError:\n    uvloop = None"
    assert list(unguarded(ast.parse(source))) == []


BLOCKER = """
import importlib, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {blocked}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
        return None
for name in {blocked}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for name in {names}:
    importlib.import_module(name)
print('imported', len({names}))
"""


def test_every_module_can_be_imported_without_unix() -> None:
    """Neither our modules nor what they import fail where the Unix-only modules do not exist."""
    blocked = set(UNIX_MODULES - {"posix"})  # the interpreter itself stands on `posix` here
    names = [module_name(path) for path in modules()]
    code = BLOCKER.format(blocked=sorted(blocked), names=names)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["imported", str(len(names))], "")
