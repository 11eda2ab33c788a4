"""Every command and option is described, and every command and option described exists."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer

import negative_list.cli
import reminder.cli
from tests.docs.pages import ROOT, headings, inline_codes, pages, sections, shell_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "commands.md"
PROGRAMS = {"negative-list": negative_list.cli.app, "reminder": reminder.cli.app}


def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands below a group, by the words that call them; a group may be a command too."""
    if subcommands := getattr(command, "commands", None):
        if command.invoke_without_command:
            yield name, command
        for word, child in subcommands.items():
            yield from walk(f"{name} {word}", child)
    else:
        yield name, command


@cache
def commands() -> dict[str, Any]:
    """Every command of both programs."""
    groups = {name: typer.main.get_command(app) for name, app in PROGRAMS.items()}
    return {name: command for program, group in groups.items() for name, command in walk(program, group)}


def options(name: str) -> set[str]:
    """The options of a command, in each of their spellings."""
    found = {text for p in commands()[name].params for text in (*p.opts, *p.secondary_opts) if text.startswith("-")}
    return found - {"--help"}


def described(name: str) -> set[str]:
    """The options the page of commands describes for a command."""
    codes = inline_codes(sections(PAGE)[f"`{name}`"])
    return {word for code in codes for word in re.findall(r"(?<!\S)--?[a-z][\w-]*", code)} - {"--help"}


def test_the_page_describes_exactly_the_commands_there_are() -> None:
    """Each command has one section under its own name, and no section describes one that is not there."""
    titles = {title.strip("`") for _, title in headings(PAGE) if title.strip("`").split()[0] in PROGRAMS}
    assert titles == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_page_describes_exactly_the_options_there_are(name: str) -> None:
    """Each option of a command is described in its section, and none that it does not have."""
    assert described(name) == options(name)


@pytest.mark.parametrize("name", sorted(commands()))
def test_each_command_says_what_it_does(name: str) -> None:
    """``--help`` has a sentence for the command and one for each option."""
    command = commands()[name]
    silent = [p.name for p in command.params if not p.help]
    assert command.help
    assert silent == []


def unknown(line: str) -> list[str]:
    """What a command line of the documentation names that is not there."""
    words = [word for word in shlex.split(line) if not re.fullmatch(r"\w+=.*", word)]
    program = words[0].rpartition("/")[2] if words else ""
    if program not in PROGRAMS:
        return []
    words[0] = program
    name = next((n for n in commands() if words[: len(n.split())] == n.split()), None)
    if name is None:
        return [line]
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    return sorted(used - options(name) - {"--help"})


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_command_lines_in_the_documentation_exist(page: Path) -> None:
    """Each command line in a shell block uses a command and options that are there."""
    assert [problem for line in shell_lines(page) for problem in unknown(line)] == []


def test_targets_in_the_documentation_exist() -> None:
    """Each ``make`` target a page names is in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    lines = [line for page in pages() for line in shell_lines(page) if line.startswith("make ")]
    assert lines != []
    assert {word for line in lines for word in line.split()[1:] if "=" not in word} <= targets
