"""Settings: file, options, defaults, and every wrong value at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.config import Address, Config, ConfigError, load_config


def problems(file: Path | None, **options: object) -> list[tuple[str, str]]:
    """Path and message of everything wrong."""
    with pytest.raises(ConfigError) as caught:
        load_config(file, options)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_without_file_and_options_the_defaults_are_those_of_the_design() -> None:
    """Callers on 50051 and 8080, administration on 50052 and 8081, all on loopback, data in ./var."""
    config = load_config(None, {})
    addresses = [str(a) for a in (config.grpc, config.http, config.admin, config.admin_http)]
    assert addresses == ["127.0.0.1:50051", "127.0.0.1:8080", "127.0.0.1:50052", "127.0.0.1:8081"]
    assert config.data == Path("var")
    assert config == Config()


def test_an_option_wins_over_the_file_and_paths_of_the_file_belong_to_its_folder(tmp_path: Path) -> None:
    """A relative path in the file is one beside the file; one in an option belongs to the current folder."""
    file = tmp_path / "reminder.toml"
    file.write_text('list = "lists"\nsite = "site.toml"\ngrpc = "0.0.0.0:6000"\ngrace_s = 3\n', encoding="utf-8")
    config = load_config(file, {"grpc": "127.0.0.1:7000", "site": Path("other.toml"), "http": None})
    assert config.list == tmp_path / "lists"
    assert config.site == Path("other.toml")
    assert config.grpc == Address("127.0.0.1", 7000)
    assert config.grace_s == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"admin": "10.0.0.1:9000"}, "10.0.0.1:9001"),
        ({"admin": "10.0.0.1:9000", "admin_http": "10.0.0.2:80"}, "10.0.0.2:80"),
        ({"admin": "127.0.0.1:0"}, "127.0.0.1:0"),
        ({"admin": "[::1]:9000"}, "[::1]:9001"),
        ({}, "127.0.0.1:8081"),
    ],
)
def test_administration_given_alone_puts_its_http_on_the_next_port(options: dict[str, str], expected: str) -> None:
    """Unless its HTTP address is given too."""
    assert str(load_config(None, options).admin_http) == expected


def test_every_wrong_value_of_file_and_options_is_told_at_once(tmp_path: Path) -> None:
    """Unknown names come with the nearest known one, values with what would be right."""
    file = tmp_path / "reminder.toml"
    wrong = 'lst = "a"\ngrace_s = -1\nmax_calls = 0\nlog_level = "loud"\nhttp = 8080\nstore_deadline_ms = "x"\n'
    file.write_text(wrong + 'store = "mysql://me:secret@host/db"\n', encoding="utf-8")
    found = dict(problems(file, grpc="nowhere", admin="127.0.0.1:70000"))
    asked = {"lst", "grace_s", "max_calls", "log_level", "http", "grpc", "admin", "store", "store_deadline_ms"}
    assert set(found) == asked
    assert "secret" not in found["store"]
    assert "milliseconds" in found["store_deadline_ms"]
    assert "did you mean `list`" in found["lst"]
    assert "HOST:PORT" in found["grpc"]
    assert "`70000` is not a port" in found["admin"]
    assert "debug, info, warning, error" in found["log_level"]


def test_the_store_is_a_word_or_a_database() -> None:
    """The embedded one unless a PostgreSQL is named, and what a check waits for it."""
    assert (load_config(None, {}).store, load_config(None, {}).store_deadline_ms) == ("sqlite", 20.0)
    config = load_config(None, {"store": "postgresql://reminder@db/reminder", "store_deadline_ms": 5})
    assert (config.store, config.store_deadline_ms) == ("postgresql://reminder@db/reminder", 5.0)


@pytest.mark.parametrize("text", ["::1:50051", "[]:1", ":1", "host", "host:", "host:-1", "host:１２"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    """A host and an ASCII port number are needed, an IPv6 host in brackets."""
    assert [path for path, _ in problems(None, grpc=text)] == ["grpc"]


def test_two_faces_cannot_share_an_address() -> None:
    """The second one is named, with the first; port 0 is never shared."""
    assert problems(None, http="127.0.0.1:50051") == [
        ("http", "`127.0.0.1:50051` is already the address of grpc; give each its own")
    ]
    assert load_config(None, {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"}).http.port == 0


def test_no_port_follows_the_last() -> None:
    """The address of its HTTP has to be given then."""
    assert problems(None, admin="127.0.0.1:65535") == [
        ("admin_http", "no port follows `127.0.0.1:65535`; give the address")
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """So is one that is not TOML."""
    assert "cannot be read" in problems(tmp_path / "none.toml")[0][1]
    (tmp_path / "bad.toml").write_bytes(b"list = \xff")
    (tmp_path / "worse.toml").write_text("list =", encoding="utf-8")
    assert "not TOML" in problems(tmp_path / "bad.toml")[0][1]
    assert "not TOML" in problems(tmp_path / "worse.toml")[0][1]


def test_the_journal_is_not_kept_for_less_than_half_a_year_by_one_slip() -> None:
    """Fewer days are refused by name, with the reason, unless that is said apart."""
    assert (load_config(None, {}).journal, load_config(None, {}).journal_days) == ("on", 0)
    assert load_config(None, {"journal_days": 180}).journal_days == 180
    ((path, message),) = problems(None, journal_days=179)
    assert (path, "a payer may still ask" in message) == ("journal_days", True)
    assert load_config(None, {"journal_days": 30, "journal_days_below_180": True}).journal_days == 30


def test_wrong_values_of_the_journal_are_told_at_once() -> None:
    """A switch is on or off, days are whole, a budget is milliseconds."""
    wrong = {"journal": "yes", "journal_days": -1, "journal_days_below_180": 1, "commit_budget_ms": "x"}
    assert {path for path, _ in problems(None, **wrong)} == set(wrong)


def test_checkpoints_may_lie_elsewhere(tmp_path: Path) -> None:
    """A path in the file belongs to the file's folder."""
    file = tmp_path / "reminder.toml"
    file.write_text('checkpoints = "share/checkpoints.jsonl"\njournal = "off"\n', encoding="utf-8")
    config = load_config(file, {})
    assert (config.checkpoints, config.journal) == (tmp_path / "share" / "checkpoints.jsonl", "off")
