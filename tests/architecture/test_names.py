"""What is public is named, true and described."""

from __future__ import annotations

import ast
import importlib
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import Function, module_name, modules, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def exported(path: Path) -> list[str]:
    """The names in a module's ``__all__``, in the order written."""
    module = importlib.import_module(module_name(path))
    return list(module.__all__)


def is_command(node: Function | ast.ClassDef) -> bool:
    """Whether a decorator makes the function a command of the shell, which is public there and not in Python."""
    return any(".command(" in ast.unparse(d) or ".callback(" in ast.unparse(d) for d in node.decorator_list)


def defined(path: Path) -> Iterator[str]:
    """The functions and classes a module defines under a public name."""
    for node in tree(path).body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not is_command(node):
            yield node.name


def targets(node: ast.stmt) -> list[str]:
    """The names a statement assigns to."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return []


def undescribed(path: Path) -> Iterator[str]:
    """Public constants no string follows; constants that follow each other share the string after the last."""
    body, public = tree(path).body, set(exported(path))
    waiting: list[str] = []
    for node in body:
        if names := [n for n in targets(node) if n in public]:
            waiting += names
            continue
        if not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        ):
            yield from waiting
        waiting = []
    yield from waiting


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_all_is_true(path: Path) -> None:
    """Every name in ``__all__`` exists, none stands there twice, and every public function and class is in it."""
    names = exported(path)
    module = importlib.import_module(module_name(path))
    assert [n for n in names if not hasattr(module, n)] == []
    assert len(set(names)) == len(names)
    assert [n for n in defined(path) if n not in names] == []


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_every_public_name_is_described(path: Path) -> None:
    """A module, its public functions, classes and methods, and its public constants say what they are."""
    public = [n for n in tree(path).body if isinstance(n, Function | ast.ClassDef) and not n.name.startswith("_")]
    methods = [m for c in public if isinstance(c, ast.ClassDef) for m in c.body if isinstance(m, Function)]
    silent = [n.name for n in [*public, *methods] if not n.name.startswith("_") and ast.get_docstring(n) is None]
    assert ast.get_docstring(tree(path)) is not None
    assert [*silent, *undescribed(path)] == []
