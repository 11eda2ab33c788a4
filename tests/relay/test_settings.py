"""What `[upstream]` may say, and that every wrong value is told without repeating what may be a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.config import ConfigError, load_config
from reminder.upstream import Upstream


def told(folder: Path, text: str) -> Upstream | None:
    """The table as it is read."""
    file = folder / "settings.toml"
    file.write_text(f"[upstream]\n{text}\n", "utf-8")
    return load_config(file, {}).upstream


def test_a_whole_table_is_read(tmp_path: Path) -> None:
    """The slash at the end of the address says nothing."""
    text = """url = "https://gw.example:8443/fsi/api/"
modes = {3101 = "both", 3102 = "bureau", 3103 = "local"}
headers = {apikey = "k 1"}
wait_ms = 500
connect_ms = 1
read_ms = 600_000
most_mb = 8
feed = false"""
    assert told(tmp_path, text) == Upstream(
        url="https://gw.example:8443/fsi/api",
        modes={"3101": "both", "3102": "bureau", "3103": "local"},
        headers={"apikey": "k 1"},
        wait_ms=500,
        connect_ms=1,
        read_ms=600_000,
        most_mb=8,
        feed=False,
    )


WRONG = {
    'url = "gw.example"': "upstream.url: not an address",
    'url = "ftp://gw.example"': "upstream.url: not an address",
    'url = "http://gw.example:99999"': "upstream.url: not an address",
    'url = "http://[gw"': "upstream.url: not an address",
    'url = "http://gw.example/?a=1"': "upstream.url: not an address",
    'url = "http://who:SECRET@gw.example"': "upstream.url: names a user",
    'url = "http://127.0.0.1:8080/x"': "is our own address",
    "wait_ms = 5": "upstream.url: missing",
    'url = "http://b"\nwait_ms = 0': "upstream.wait_ms: `0` is not a number from",
    'url = "http://b"\nwait_ms = true': "upstream.wait_ms: ",
    'url = "http://b"\nwait = 5': "did you mean `wait_ms`?",
    'url = "http://b"\nmodes = {3101 = "all"}': "upstream.modes: `all` is none of local, bureau, both",
    'url = "http://b"\nmodes = {2207 = "both"}': "all others go to the bureau",
    'url = "http://b"\nmodes = "both"': "upstream.modes: not a table",
    'url = "http://b"\nheaders = {"a b" = "1"}': "upstream.headers: `a b` is no name",
    'url = "http://b"\nheaders = {a = "SECRET\\n"}': "the value of `a`",
    'url = "http://b"\nheaders = "a"': "upstream.headers: not a table",
    'url = "http://b"\nmost_mb = 0': "upstream.most_mb: ",
    'url = "http://b"\nca = ""': "upstream.ca: ",
    'url = "http://b"\nca = "nowhere.pem"': "`nowhere.pem` holds no certificate",
    'url = "http://b"\nca = "settings.toml"': "`settings.toml` holds no certificate",
    'url = "http://b"\nfeed = 1': "upstream.feed: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_named_with_its_place(text: str, tmp_path: Path) -> None:
    """And no secret is repeated."""
    with pytest.raises(ConfigError) as caught:
        told(tmp_path, text)
    assert WRONG[text] in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_all_wrong_values_come_together(tmp_path: Path) -> None:
    """Whoever mends one sees the others."""
    with pytest.raises(ConfigError) as caught:
        told(tmp_path, 'url = "x"\nwait_ms = 0\nfeed = 2')
    assert len(caught.value.problems) == 3


def test_a_table_is_a_table(tmp_path: Path) -> None:
    """`upstream` is no text."""
    file = tmp_path / "settings.toml"
    file.write_text('upstream = "http://b"', "utf-8")
    with pytest.raises(ConfigError):
        load_config(file, {})


@pytest.mark.parametrize(
    ("modes", "feedback"),
    [
        ({}, "local"),
        ({"3101": "both"}, "both"),
        ({"3102": "bureau"}, "both"),
        ({"3101": "both", "3103": "local"}, "local"),
    ],
)
def test_feedback_goes_to_both_where_a_bureau_checks(modes: dict[str, str], feedback: str) -> None:
    """Unless it is said otherwise."""
    assert Upstream(url="http://b", modes=modes).mode("3103") == feedback  # type: ignore[arg-type]
