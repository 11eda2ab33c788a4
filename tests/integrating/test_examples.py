"""The examples of docs/integrating.md compile, run, and print what the page shows, in every language alike."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, blocks
from tests.integrating.languages import EXAMPLES, LANGUAGES, Language, run
from tests.reminder.sidecar import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "integrating.md"
SHOWN = {block.name: block.text for block in blocks(PAGE, "text")}
PATIENT_MS = "60000"
"""The deadline the examples are told: a test is not about how busy the machine is."""

HUNG_MS = "500"
"""The deadline they are told where it is to pass."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Running]:
    """A sidecar with the shipped sample list."""
    with running(tmp_path, list=ROOT / "negative_list" / "lists" / "sample") as serving:
        yield serving


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody listens, kept free of others."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address at which connections are taken and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as held:
        yield f"127.0.0.1:{held.getsockname()[1]}"


def counted(here: Running, metric: str) -> float:
    """A counter of the sidecar."""
    found = re.search(rf"^{re.escape(metric)} (.+)$", here.service.metrics.text().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def told(here: Running) -> tuple[float, ...]:
    """How many saved prescriptions were stored, and how many findings were left out, gone on with and changed."""
    words = [
        f'reminder_feedback_total{{done="{done}",status="kept"}}' for done in ("withdrawn", "overridden", "changed")
    ]
    return tuple(counted(here, metric) for metric in ('reminder_told_total{kind="saved",result="stored"}', *words))


def address(language: Language, at: str) -> str:
    """An address as the example wants it."""
    return f"http://{at}" if language.face == "http" else at


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_the_example_prints_what_the_page_shows(
    language: Language, here: Running, nowhere: str, silent: str, tmp_path: Path
) -> None:
    """Where none answers or one hangs, all goes on and what was saved waits; later it arrives, once, with the rest."""
    if missing := language.missing():
        pytest.skip(f"{', '.join(missing)} not here: tools/languages.sh installs what the examples need")
    outbox, folder = str(tmp_path / "outbox"), tmp_path / "built"
    folder.mkdir()
    command = language.built(folder)
    assert run(*command, address(language, nowhere), outbox, PATIENT_MS) == SHOWN["away"]
    assert run(*command, address(language, silent), str(tmp_path / "hung"), HUNG_MS) == SHOWN["away"]
    assert told(here) == (0, 0, 0, 0)
    printed = run(*command, address(language, here.at(language.face)), outbox, PATIENT_MS)
    assert printed.removeprefix("delivered: 1\n") == SHOWN["served"]
    assert told(here) == (2, 1, 1, 1)
    for encoding in language.sets:
        assert run(*command, address(language, here.at("http")), outbox, PATIENT_MS, encoding) == SHOWN["served"]
        assert told(here) == (3, 2, 2, 2)


def test_every_example_is_run() -> None:
    """The folders of the examples are the languages of the tests."""
    assert sorted(folder.name for folder in EXAMPLES.iterdir()) == sorted(one.name for one in LANGUAGES)
