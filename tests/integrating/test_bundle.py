"""A bundle installs without a network on the platform at hand; for the others everything is there by name."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.docs.pages import ROOT
from tools.bundle import EXTRAS, PROJECT, SUMS, BundleError, built, fetch, make, packed
from tools.bundle_pins import PLATFORMS, Target, pins, unmet

PYTHON = sys.version_info[:2]
HERE = f"manylinux2014_{platform.machine()}"
OTHERS = sorted(PLATFORMS.keys() - {HERE})
LIMIT_S = 600
UNREACHED = ("NewConnectionError", "ConnectTimeout", "Temporary failure in name resolution")
SAMPLE = ROOT / "negative_list" / "lists" / "sample" / "requests" / "01-sex.json"


def reached(work: BundleError) -> bool:
    """Whether the package index answered, though it had not what was wanted."""
    return not any(word in str(work) for word in UNREACHED)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    return built(tmp_path_factory.mktemp("own"))


def needed(own: Path, name: str) -> dict[str, str]:
    """What the project needs on a platform."""
    return pins(own, EXTRAS, Target(name=name, python=PYTHON))


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_only_the_target_needs_is_known(own: Path, name: str) -> None:
    """Time zones and coloured text are asked for on Windows alone, whatever machine makes the bundle."""
    only_there = {"colorama", "tzdata"}
    assert needed(own, name).keys() & only_there == (only_there if name == "win_amd64" else set())


@pytest.mark.parametrize("name", OTHERS)
def test_another_platform_has_every_wheel_by_name(own: Path, name: str, tmp_path: Path) -> None:
    """What is bound to a kind of machine here is fetched for the other, with what only that one needs."""
    target = Target(name=name, python=PYTHON)
    bound = {name for name, asked in needed(own, name).items() if "==" in asked and not is_pure(name)}
    more = needed(own, name).keys() - needed(own, HERE).keys() if HERE in PLATFORMS else set()
    try:
        fetch(target, own, tmp_path, frozenset(bound | more))
    except BundleError as error:
        if not reached(error):
            pytest.skip("the package index is not reached")
        raise
    wheels = sorted(tmp_path.iterdir())
    assert {canonicalize_name(parse_wheel_filename(wheel.name)[0]) for wheel in wheels} == bound | more
    assert len(bound) > 5
    assert [line for line in unmet(wheels, "msgspec", target) if "does not run there" in line] == []


def is_pure(name: str) -> bool:
    """Whether what is installed here of that name runs on every machine."""
    from importlib.metadata import distribution  # noqa: PLC0415 - beside its only use

    tags = distribution(name).read_text("WHEEL") or ""
    return "-none-any" in tags


def test_a_folder_that_lacks_something_is_told(own: Path) -> None:
    """The project's wheel alone is no bundle, and one for another machine is named."""
    lacking = unmet([own], f"{PROJECT}[serve]", Target(name="win_amd64", python=PYTHON))
    assert any(line.startswith("grpcio<") for line in lacking)
    assert any(line.startswith("tzdata>=") for line in lacking)
    stranger = Path("msgspec-0.22.0-cp311-cp311-macosx_11_0_arm64.whl")
    assert "does not run there" in " ".join(unmet([stranger], "tzdata", Target(name="win_amd64", python=(3, 11))))


def unpack(archive: Path, folder: Path) -> None:
    """As a hospital's operator does."""
    if archive.suffix == ".zip":
        shutil.unpack_archive(archive, folder)
        return
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_platform_gets_its_scripts_and_the_same_bytes_again(own: Path, name: str, tmp_path: Path) -> None:
    """Batch file and service settings for Windows, shell script and unit for Linux; made again it is the same."""
    target = Target(name=name, python=(3, 12))
    first, second = (packed(own.parent, own, target, tmp_path / folder) for folder in ("a", "b"))
    assert first.name.startswith(f"{PROJECT}-0.")
    assert "-py312." in first.name
    assert first.read_bytes() == second.read_bytes()
    unpack(first, tmp_path)
    (bundle,) = (path for path in tmp_path.glob(f"{PROJECT}-*") if path.is_dir())
    names = {path.name for path in bundle.iterdir() if path.is_file()}
    always = {"FOR", SUMS, "install.py", "reminder.toml", "requirements.txt"}
    windows, linux = {"install.bat", "reminder-service.xml"}, {"install.sh", "reminder.service"}
    assert names == always | (windows if name == "win_amd64" else linux)
    assert wrong_sums(bundle) == []


def unpacked(folder: Path) -> Path:
    """The bundle for this machine, unpacked."""
    if HERE not in PLATFORMS or sys.platform != "linux":
        pytest.skip("no bundle is made for this machine")
    try:
        archive = make(Target(name=HERE, python=PYTHON), folder)
    except BundleError as error:
        if not reached(error):
            pytest.skip("the package index is not reached")
        raise
    unpack(archive, folder)
    return next(path for path in folder.iterdir() if path.is_dir())


def installed(bundle: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the install script says, where no network can be reached by any setting."""
    nowhere = "http://127.0.0.1:9"
    cut = {"http_proxy": nowhere, "https_proxy": nowhere, "PIP_NO_INDEX": "1", "PYTHON": sys.executable}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")} | cut
    command = [str(bundle / "install.sh"), str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S)


def refused(bundle: Path, name: str, content: bytes, folder: Path) -> str:
    """What is said where a file of the bundle has another content; nothing is touched."""
    file = bundle / name
    before = file.read_bytes()
    file.write_bytes(content)
    done = installed(bundle, folder)
    file.write_bytes(before)
    assert (done.returncode, done.stdout, folder.exists()) == (1, "", False)
    return done.stderr


def decided(folder: Path) -> str:
    """What the installed sidecar decides about a sample, served by its settings on free ports."""
    program = str(folder / "venv" / "bin" / "reminder")
    ports = [f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http")]
    command = [program, "serve", "--config", str(folder / "reminder.toml"), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        told = ({"event": ""} | json.loads(line) for line in process.stdout or ())
        target = next(str(line["grpc"]) for line in told if line["event"] == "serving")
        check = [program, "check", str(SAMPLE), "--target", target, "--timeout", "60"]
        done = subprocess.run(check, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        process.terminate()
        process.communicate(timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["decision"])


def wrong_sums(bundle: Path) -> list[str]:
    """The files of a bundle without a checksum, or with a wrong one."""
    lines = (bundle / SUMS).read_text("utf-8").splitlines()
    told = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    files = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*") if path.is_file()}
    right = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != SUMS}
    return sorted(name for name in told | right if told.get(name) != right.get(name))


def test_a_bundle_installs_and_serves_without_a_network(tmp_path: Path) -> None:
    """Damage and a wrong Python are named before anything is touched; then it installs, serves and blocks."""
    bundle, folder = unpacked(tmp_path), tmp_path / "opt" / "reminder"
    assert wrong_sums(bundle) == []
    assert "`list/rules.yaml` is damaged or missing" in refused(bundle, "list/rules.yaml", b"", folder)
    assert "this bundle is for Python 3.99" in refused(bundle, "FOR", f"3.99 {HERE}".encode(), folder)
    done = installed(bundle, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    unit = (folder / "reminder.service").read_text("utf-8")
    assert f"ExecStart={folder}/venv/bin/reminder serve --config {folder}/reminder.toml" in unit
    assert "@" not in unit
    assert decided(folder) == "block"
