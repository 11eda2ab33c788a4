"""Install the sidecar from this folder, without a network: `python install.py [FOLDER]`. Needs nothing but Python.

FOLDER (left out: `installed` beside this file) gets the program (`venv`), the sample list (`list`), the settings
(`reminder.toml`) and the files for running it as a service. Installing again over it replaces the program and keeps the
settings, the lists and the data; an older bundle brings the older program back.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
WINDOWS = sys.platform == "win32"


def main() -> int:
    """Check, install, say how to start it; 0 when it is installed."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "installed").absolute()
    wrong = fits() or checked()
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    print(f"installing into {folder}", flush=True)
    python = made(folder / "venv")
    if not (folder / "list").exists():
        shutil.copytree(HERE / "list", folder / "list")
    settled(folder)
    subprocess.run([python, "-m", "negative_list.cli", "check", folder / "list"], check=True)
    print(f"done; start it by hand with: {python.with_name('reminder')} serve --config {folder / 'reminder.toml'}")
    print("as a service: see docs/install.md")
    return 0


def fits() -> list[str]:
    """What is wrong with this machine."""
    wanted, machine = (HERE / "FOR").read_text("utf-8").split()
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if here != wanted:
        return [f"this bundle is for Python {wanted}, and this is {here}: run install.py with Python {wanted}"]
    if sysconfig.get_platform() == "win-amd64":
        kind = "win_amd64"
    else:
        kind = f"manylinux2014_{platform.machine()}" if sys.platform == "linux" else sysconfig.get_platform()
    if kind != machine:
        return [f"this bundle is for `{machine}`, and this machine is `{kind}`: take the bundle for it"]
    return []


def checked() -> list[str]:
    """The files that are not as they were made."""
    lines = (HERE / "SHA256SUMS").read_text("utf-8").splitlines()
    told = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    return [
        f"`{name}` is damaged or missing: unpack the archive again, or fetch it again"
        for name, digest in told.items()
        if not (HERE / name).is_file() or hashlib.sha256((HERE / name).read_bytes()).hexdigest() != digest
    ]


def made(home: Path) -> Path:
    """The program in an environment of its own, by the pip of this folder; its Python."""
    venv.create(home, with_pip=False)
    python = home / ("Scripts/python.exe" if WINDOWS else "bin/python")
    pip = next((HERE / "wheels").glob("pip-*.whl")) / "pip"
    offline = ["--isolated", "--no-index", "--find-links", str(HERE / "wheels"), "--require-hashes", "--no-deps"]
    again = ["--force-reinstall", "--quiet", "--disable-pip-version-check", "--no-warn-script-location"]
    subprocess.run([python, pip, "install", *offline, *again, "-r", HERE / "requirements.txt"], check=True)
    return python


def settled(folder: Path) -> None:
    """The settings, which stay once they are there, and the service files with the paths of this folder."""
    for name in ("reminder.toml", "reminder.service", "reminder-service.xml"):
        if (HERE / name).exists() and not (name.endswith(".toml") and (folder / name).exists()):
            text = (HERE / name).read_text("utf-8").replace("@FOLDER@", str(folder))
            (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
