"""The client runs on the core install and its extra: nothing of the server is loaded or needed."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.source import ROOT
from tests.architecture.test_imports import declared

PROGRAM = """
import importlib.metadata, re, sys

allowed = set({allowed!r})
roots = importlib.metadata.packages_distributions()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


class Bare:
    def find_spec(self, name, path=None, target=None):
        owners = {{normal(each) for each in roots.get(name.partition(".")[0], [])}}
        if owners and not owners & allowed and name.partition(".")[0] not in {{"reminder", "negative_list"}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None


sys.meta_path.insert(0, Bare())
from reminder.client import Client

with Client("127.0.0.1:1") as client:
    told = client.check({{"patient": {{}}, "encounter": {{"lines": []}}}}, deadline_ms=10_000)
    word = client.record_feedback([{{"finding_id": "x", "done": "changed"}}])
print(told.decision, told.why, word.state)
"""
DEEPER = {"typing-extensions"}
"""What the distributions of the extra need themselves."""


def test_the_client_needs_the_core_and_its_extra_alone() -> None:
    """Asked with every other distribution taken away."""
    program = PROGRAM.format(allowed=sorted(declared("client") | DEEPER))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("not_checked away waiting", "")
