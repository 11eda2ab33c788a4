"""The languages of the examples: what each needs, how it is compiled and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.docs.pages import ROOT

__all__ = ["LANGUAGES", "Language", "run"]

EXAMPLES = ROOT / "docs" / "examples"
GSON = Path("/usr/share/java/gson.jar")
NODE = ROOT / ".venv" / "node" / "node_modules"
MONO = Path("/usr/lib/mono/4.5")
LIMIT_S = 120
"""No example takes as long, however busy the machine."""


class Language(Struct, frozen=True, kw_only=True):
    """A language: the face its example calls, the character sets it can be told, what it needs, how it is built."""

    name: str
    face: str
    needs: tuple[Path | str, ...]
    built: Callable[[Path], list[str]]
    sets: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """What is not here of what it needs."""
        there = [n.exists() if isinstance(n, Path) else shutil.which(n) is not None for n in self.needs]
        return [str(need) for need, found in zip(self.needs, there, strict=True) if not found]


def run(*command: str) -> str:
    """What a command prints; a failure shows all it said."""
    paths = {"PYTHONPATH": str(ROOT), "NODE_PATH": str(NODE)}
    text = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command,
        env={**os.environ, **paths, **text},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _python(_folder: Path) -> list[str]:
    return [sys.executable, str(EXAMPLES / "python" / "save.py")]


def _node(_folder: Path) -> list[str]:
    return ["node", str(EXAMPLES / "node" / "save.js")]


def _java(folder: Path) -> list[str]:
    """For Java 8, every warning an error but that 8 is old."""
    strict = ["--release", "8", "-Xlint:all,-options", "-Werror", "-encoding", "UTF-8"]
    run("javac", *strict, "-cp", str(GSON), "-d", str(folder), str(EXAMPLES / "java" / "Save.java"))
    return ["java", "-cp", os.pathsep.join([str(folder), str(GSON)]), "Save"]


def _csharp(folder: Path) -> list[str]:
    """In the C# of 2012, every warning an error."""
    program = folder / "Save.exe"
    strict = ["-langversion:5", "-warnaserror", "-r:System.Web.Extensions.dll"]
    run("mcs", *strict, f"-out:{program}", str(EXAMPLES / "csharp" / "Save.cs"))
    return ["mono", str(program)]


def _pascal(folder: Path) -> list[str]:
    run("fpc", "-v0ew", "-Sew", f"-FE{folder}", f"-FU{folder}", str(EXAMPLES / "pascal" / "save.pas"))
    return [str(folder / "save")]


LANGUAGES = (
    Language(name="python", face="grpc", needs=(), built=_python),
    Language(name="node", face="grpc", needs=("node", NODE / "@grpc" / "grpc-js"), built=_node),
    Language(name="java", face="http", needs=("javac", "java", GSON), built=_java, sets=("GBK",)),
    Language(
        name="csharp",
        face="http",
        needs=("mcs", "mono", MONO / "System.Web.Extensions.dll", MONO / "I18N.CJK.dll"),
        built=_csharp,
        sets=("gbk",),
    ),
    Language(name="pascal", face="http", needs=("fpc",), built=_pascal),
)
"""Every language there is an example in."""
