"""The source of this project as the architecture tests see it: files, syntax trees, names and imports."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ROOT",
    "Function",
    "absolute_imports",
    "collected",
    "docstring_lines",
    "functions",
    "length",
    "module_name",
    "modules",
    "tracked",
    "tree",
]

ROOT = Path(__file__).resolve().parent.parent.parent

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
"""A function of either colour."""


@cache
def modules() -> tuple[Path, ...]:
    """Every hand-written module of the two packages."""
    found = (p for package in ("negative_list", "reminder") for p in sorted((ROOT / package).rglob("*.py")))
    return tuple(p for p in found if not p.stem.endswith(("_pb2", "_pb2_grpc")))


@cache
def collected() -> tuple[Path, ...]:
    """Every file pytest collects."""
    return tuple(sorted((ROOT / "tests").rglob("test_*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def module_name(path: Path) -> str:
    """The name a module is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file, nested ones too."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def docstring_lines(node: Function) -> int:
    """How many lines the docstring of a function takes, 0 without one."""
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return 0
    return (first.end_lineno or first.lineno) - first.lineno + 1


def length(node: Function) -> int:
    """How many lines a function takes without its docstring and its decorators."""
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)


def absolute_imports(path: Path) -> Iterator[str]:
    """The name of everything a file imports, wherever the import stands; ``from a import b`` gives ``a.b``."""
    package = module_name(path).split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield from (".".join([*base, *([node.module] if node.module else []), alias.name]) for alias in node.names)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file git keeps or would keep; empty where this is no clone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return tuple(p for name in listed.split("\0") if name and (p := ROOT / name).is_file())
