"""The page on the Python client: its example runs in both languages, and its tables name what there is."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import typing
from typing import TYPE_CHECKING

import pytest

from reminder.client import Checked, Client, State, Told, Why
from tests.docs.pages import ROOT, blocks, inline_codes, sections
from tests.reminder.sidecar import running

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "docs" / name for name in ("client.md", "client.zh-CN.md")]
LONG_MS = 60_000


def first_cells(page: Path) -> list[str]:
    """What the first columns of the page's tables name."""
    cells = re.findall(r"^\| (`.+?) \|", page.read_text("utf-8"), re.MULTILINE)
    return [code for cell in cells for code in inline_codes(cell)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_example_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands, but for where the sidecar listens and how long this machine may take."""
    (code,) = (block.text for block in blocks(page, "python"))
    monkeypatch.chdir(tmp_path)
    with running(tmp_path) as here:
        code = code.replace("127.0.0.1:50051", here.at("grpc")).replace("=300", f"={LONG_MS}")
        code = code.replace('"XA01"', '"XL02BBA326A001010102180"')
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, page.name, "exec"), {})  # noqa: S102 - our own page
        assert here.service.journal is not None
        here.await_(here.service.feedback.settled())
    assert printed.getvalue().startswith("block 【拦截】")
    assert (tmp_path / "spool" / "waiting.sqlite").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_and_every_field_is_in_a_table(page: Path) -> None:
    """No more and no less."""
    settings = [name for name in inspect.signature(Client).parameters if name != "self"]
    properties = [name for kind in (Checked, Told) for name, value in vars(kind).items() if isinstance(value, property)]
    fields = [*Checked.__struct_fields__, *Told.__struct_fields__]
    whys = [why for why in typing.get_args(Why) if why]
    assert sorted(set(first_cells(page))) == sorted({*settings, *properties, *fields, *whys})
    assert set(typing.get_args(State)) <= {code for text in sections(page).values() for code in inline_codes(text)}
