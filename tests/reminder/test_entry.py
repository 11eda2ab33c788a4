"""``serve`` is read as the command reads it, and whatever else is left to the command."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from reminder import cli, entry, supervisor
from reminder.run import StartError


def heard(monkeypatch: pytest.MonkeyPatch, words: list[str], main: Any) -> tuple[Path | None, dict[str, Any]]:
    """What the sidecar is started with."""
    told: list[tuple[Path | None, dict[str, Any]]] = []
    monkeypatch.setattr(supervisor, "run", lambda config, options: told.append((config, options)))
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(sys, "argv", ["reminder", *words])
    try:
        main()
    except SystemExit as ended:
        assert not ended.code  # noqa: PT017 - a command ends so
    assert len(told) == 1
    return told[0]


def test_it_knows_the_options_of_the_command() -> None:
    """Each of them, and no other."""
    command = typer.main.get_command(cli.app).commands["serve"]  # type: ignore[attr-defined]  # it is a group
    names = {name.removeprefix("--") for option in command.params for name in option.opts}
    assert names - {"help"} == set(entry.OPTIONS)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--list", "rules.yaml", "--data=var", "--grpc", "127.0.0.1:0", "--grace", "1.5", "--workers=2"],
        ["--release", "r", "--trust", "a.pub", "--trust=b.pub", "--site", "s", "--policy", "p", "--config", "c"],
        ["--http=h:1", "--admin", "a:2", "--admin-http", "b:3"],
    ],
)
def test_it_starts_what_the_command_starts(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """The same settings, whichever way they are written."""
    assert entry.plain(["serve", *words]) is not None
    by_command = heard(monkeypatch, ["serve", *words], cli.main)
    assert heard(monkeypatch, ["serve", *words], entry.main) == by_command


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["check", "body.json"],
        ["--help"],
        ["serve", "--help"],
        ["serve", "--lists", "x"],
        ["serve", "--list"],
        ["serve", "--list", "--data", "x"],
        ["serve", "--grace", "soon"],
        ["serve", "--workers", "1.5"],
        ["serve", "--list", "a", "--list", "b"],
        ["serve", "rules.yaml"],
        ["serve", "-h"],
    ],
)
def test_what_it_does_not_understand_is_left_to_the_command(words: list[str]) -> None:
    """Which says what is wrong, or helps."""
    assert entry.plain(words) is None


def test_a_start_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with exit code 1, as the command does."""

    def fails(_config: object, _options: object) -> None:
        raise StartError("no list\ngive one")

    monkeypatch.setattr(supervisor, "run", fails)
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(sys, "argv", ["reminder", "serve"])
    with pytest.raises(SystemExit, match="1"):
        entry.main()
    assert capsys.readouterr() == ("", "no list\ngive one\n")


def test_a_start_loads_nothing_that_serving_has_no_use_for() -> None:
    """Neither what reads commands nor what colours a console, which took a third of the start."""
    code = "import sys, reminder.entry, reminder.supervisor, reminder.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"typer", "rich", "pydantic", "yaml"} & set(done.stdout.split())


def test_its_options_have_the_parameters_of_the_command() -> None:
    """By name, so that none is lost on the way to the settings."""
    given = set(inspect.signature(cli.serve).parameters) - {"list_"} | {"list"}
    assert {name.replace("-", "_") for name in entry.OPTIONS} == given
