"""keygen, build and verify as a shell runs them: exit codes, what is written, and what is said."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from negative_list.cli import app
from negative_list.compile import digest_of
from negative_list.parse import read_list
from negative_list.release.container import REASONS, read_release
from negative_list.release.opening import rules_of
from negative_list.release.signing import load_private, load_public, private_pem, public_pem
from negative_list.release.wording import REASON_WORDS
from tests.negative_list.builders import rule_yaml, written
from tests.release.made import key, release

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


def run(*arguments: object) -> Result:
    """Run the command inside this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A private key, with its public one beside it."""
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_bytes(private_pem(key()))
    (tmp_path / "k.pub").write_bytes(public_pem(key().public))
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A list of one rule."""
    return written(tmp_path, "rules:\n" + rule_yaml(id="own"))


def built(own: object, keys: Path, *more: object) -> Result:
    """Build a release of a list as ``r.release`` beside the key."""
    return run("build", own, "--key", keys, "--version", "2026.11.2", "-o", keys.with_name("r.release"), *more)


def test_keygen_writes_a_pair(tmp_path: Path) -> None:
    """The private key only its owner may read; the public one belongs to it; both are named by what signatures name."""
    result = run("keygen", "-o", tmp_path / "new" / "k")
    private, public = load_private(tmp_path / "new" / "k"), load_public(tmp_path / "new" / "k.pub")
    assert (result.exit_code, private.public) == (0, public)
    assert result.stdout.count(public.id) == 1
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "new" / "k").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["k", "k.pub"])
def test_keygen_never_writes_over_a_key(tmp_path: Path, name: str) -> None:
    """Whichever of the two is there."""
    (tmp_path / name).write_text("precious")
    result = run("keygen", "-o", tmp_path / "k")
    assert (result.exit_code, [path.name for path in tmp_path.iterdir()]) == (1, [name])
    assert "is there already" in result.stderr
    assert (tmp_path / name).read_text() == "precious"


def test_build_makes_a_release_that_verify_believes(own: Path, keys: Path) -> None:
    """It holds the list, and says what it was told of itself."""
    made = built(own, keys, "--issuer", "某市医保局", "--valid-from", "2026-11-10", "--replaces", "2026.10.1")
    told = run("verify", keys.with_name("r.release"), "--trust", f"{keys}.pub", "--json")
    manifest = json.loads(told.stdout)["manifest"]
    assert (made.exit_code, told.exit_code, made.stderr) == (0, 0, "")
    assert (manifest["version"], manifest["issuer"], manifest["valid_from"]) == (
        "2026.11.2",
        "某市医保局",
        "2026-11-10",
    )
    assert (manifest["name"], manifest["replaces"], manifest["rules"]) == (own.stem, "2026.10.1", 1)
    read = read_release(keys.with_name("r.release"))
    assert digest_of(rules_of(read)) == digest_of(read_list(own)) == manifest["digest"]


def test_verify_tells_what_a_release_is(own: Path, keys: Path) -> None:
    """Chinese first, English by switch."""
    built(f"hospital={own}", keys, "--name", "某院清单")
    chinese = run("verify", keys.with_name("r.release"), "--trust", f"{keys}.pub").stdout.splitlines()
    english = run("verify", keys.with_name("r.release"), "--trust", f"{keys}.pub", "--english").stdout.splitlines()
    assert chinese[:2] == [f"可信: 由密钥 {key().public.id} 签名，内容完整", "发布: 2026.11.2 某院清单"]
    assert chinese[-1] == f"  层 {own.name}（本院）\t规则 1 条\t被后面的层替换 0 条"
    assert english[:2] == [f"good: signed by {key().public.id}", "release: 2026.11.2 某院清单"]
    assert english[-1] == f"  layer {own.name} (hospital)\t1 rules\t0 replaced by later layers"


def test_verify_writes_the_list_of_a_release(own: Path, keys: Path, tmp_path: Path) -> None:
    """As JSON Lines, to look at or to check."""
    built(own, keys)
    out = tmp_path / "out.jsonl"
    assert run("verify", keys.with_name("r.release"), "--trust", f"{keys}.pub", "-o", out).exit_code == 0
    assert digest_of(read_list(out)) == digest_of(read_list(own))


def test_build_takes_lists_in_rising_precedence(tmp_path: Path, keys: Path) -> None:
    """Each with whose it is; the last word about a rule is the last list's."""
    for name in ("national", "own"):
        (tmp_path / f"{name}.yaml").write_text("rules:\n" + rule_yaml(id="a", title=name), "utf-8")
    result = built(f"national={tmp_path / 'national.yaml'}", keys, f"hospital={tmp_path / 'own.yaml'}")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "national.yaml (national): 0 rules, 1 replaced by later layers"
    (only,) = rules_of(read_release(keys.with_name("r.release"))).rules
    assert (only.title, only.origin) == ("own", "hospital")


def test_build_writes_nothing_where_anything_is_wrong(tmp_path: Path, keys: Path) -> None:
    """All problems come back, each with its place; an older release of that name stays."""
    text = "rules:\n" + rule_yaml(id="a", action="stop") + rule_yaml(id="b", cls="R99")
    list_path = written(tmp_path, text)
    keys.with_name("r.release").write_bytes(b"older")
    result = built(list_path, keys)
    assert (result.exit_code, keys.with_name("r.release").read_bytes()) == (1, b"older")
    assert result.stderr.splitlines()[-1] == "2 problems"


def test_build_runs_the_cases_of_the_flat_list(tmp_path: Path, keys: Path) -> None:
    """A release that would fail its own self-test is not made; the case is named by its place."""
    case = "[{kind: violating, request: {patient: {sex: 女}, encounter: {lines: []}}}]"
    result = built(written(tmp_path, "rules:\n" + rule_yaml(id="a", cases=case)), keys)
    assert result.exit_code == 1
    assert "cases[0]: violating: " in result.stderr
    assert not keys.with_name("r.release").exists()


def test_build_tries_what_every_sidecar_tries(tmp_path: Path, keys: Path) -> None:
    """A rule whose trigger excepts itself is told with its place; the switch leaves that to the sidecar."""
    never = rule_yaml(id="never", trigger="{codes: [XL02BBA176], except_codes: [XL02]}")
    path = written(tmp_path, "rules:\n" + rule_yaml(id="own") + never)
    result = built(path, keys)
    assert (result.exit_code, keys.with_name("r.release").exists()) == (1, False)
    assert f"{path}:" in result.stderr
    assert "trigger: 自身的触发条件触发不了它 (its own trigger does not reach it" in result.stderr
    assert built(path, keys, "--no-self-test").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--version", "neu", "is no version"),
        ("--version", "２０２６.1", "is no version"),
        ("--replaces", "2026.11.2", "is not after"),
        ("--valid-from", "10.11.2026", "is no day"),
        ("--valid-to", "2026-13-01", "is no day"),
    ],
)
def test_what_a_release_cannot_say_of_itself_is_a_matter_of_usage(
    own: Path, keys: Path, option: str, value: str, told: str
) -> None:
    """Exit code 2, before anything is read."""
    result = built(own, keys, option, value)
    assert (result.exit_code, told in " ".join(result.stderr.replace("│", " ").split())) == (2, True)


def test_a_release_that_ends_before_it_begins_is_not_made(own: Path, keys: Path) -> None:
    """Its days are told in the message."""
    result = built(own, keys, "--valid-from", "2026-12-01", "--valid-to", "2026-11-01")
    assert (result.exit_code, "before it begins" in result.stderr) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says of every file that all may read it")
def test_a_private_key_that_others_may_read_is_told(own: Path, keys: Path) -> None:
    """The release is made all the same: it is a warning."""
    keys.chmod(0o644)
    result = built(own, keys)
    assert (result.exit_code, "others than its owner" in result.stderr) == (0, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1], "truncated"),
        (lambda data: data[:-2] + b" \n", "altered"),
        (lambda _: release(keys=[]), "unsigned"),
        (lambda _: release(keys=[key("stranger")]), "wrong-key"),
        (lambda _: b"PK\x03\x04" * 9, "not-a-release"),
        (lambda data: data.replace(b'{"built_at"', b'{"x":"' + b"x" * (33 << 20) + b'","built_at"'), "too-large"),
    ],
    ids=["truncated", "altered", "unsigned", "wrong-key", "not-a-release", "too-large"],
)
def test_verify_refuses_and_says_why(keys: Path, change: object, reason: str) -> None:
    """Exit code 1, the reason in a word, in Chinese, and what to do; nothing on standard output."""
    path = keys.with_name("bad.release")
    path.write_bytes(change(release()))  # type: ignore[operator]
    result = run("verify", path, "--trust", f"{keys}.pub")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{path}: 拒绝 ({reason}), {REASON_WORDS[reason][0]}: ")  # type: ignore[index]
    english = run("verify", path, "--trust", f"{keys}.pub", "--english")
    assert english.stderr.startswith(f"{path}: refused ({reason}), ")


def test_every_reason_has_its_words() -> None:
    """In Chinese and in English."""
    assert set(REASON_WORDS) == set(REASONS)


def test_a_release_trusted_by_one_of_several_keys_is_good(keys: Path, tmp_path: Path) -> None:
    """Hospitals trust an issuer's old and new key for a while."""
    (tmp_path / "new.pub").write_bytes(public_pem(key("new").public))
    path = tmp_path / "r.release"
    path.write_bytes(release(keys=[key("new")]))
    result = run("verify", path, "--trust", f"{keys}.pub", "--trust", tmp_path / "new.pub")
    assert (result.exit_code, key("new").public.id in result.stdout) == (0, True)


@pytest.mark.parametrize("path", ["none", "k"])
def test_a_key_that_cannot_be_used_is_told_with_its_file(keys: Path, path: str) -> None:
    """A file that is not there, and a private key in the place of the public one."""
    keys.with_name("r.release").write_bytes(release())
    result = run("verify", keys.with_name("r.release"), "--trust", keys.with_name(path))
    assert (result.exit_code, f"`{keys.with_name(path)}`" in result.stderr) == (1, True)


def test_a_release_that_is_not_there_is_told(keys: Path) -> None:
    """With its name."""
    result = run("verify", keys.with_name("none.release"), "--trust", f"{keys}.pub")
    assert (result.exit_code, "none.release: cannot be read" in result.stderr) == (1, True)


def test_without_the_library_of_signatures_it_is_said_what_to_install(keys: Path, own: Path) -> None:
    """The list itself is kept without it."""
    code = (
        "import sys; sys.modules['cryptography'] = None; from negative_list.cli import app; "
        f"sys.argv = ['negative-list', 'build', {str(own)!r}, '--key', {str(keys)!r}]"
        " + ['--version', '1', '-o', 'x']; app()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ, PYTHONUTF8="1")
    )
    assert (done.returncode, "install prescription-reminder[sign]" in done.stderr) == (1, True)
