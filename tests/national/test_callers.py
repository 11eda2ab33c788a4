"""Whose call it is, and the settings that say so."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from reminder.callers import ANYBODY, Caller, Callers
from reminder.config import ConfigError, load_config
from reminder.v1 import reminder_pb2 as pb
from tests.national.asking import here_with, three
from tests.reminder.bodies import encoded
from tests.reminder.sidecar import METHOD, Running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

WARD = Caller(name="ward", address=(ip_network("10.1.0.0/16"),), system=("HIS",))
CASH = Caller(name="cash", institution=("H1", "H2"))
SITE = Caller(name="site", address=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
PATH = Caller(name="path", path="/api/audit")
NAMED = Caller(name="named")
CALLERS = Callers([WARD, CASH, SITE, PATH, NAMED])


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"address": "10.1.2.3", "system": "HIS"}, "ward"),
        ({"address": "10.1.2.3", "system": ("EMR", "HIS")}, "ward"),
        ({"address": "10.1.2.3", "system": "EMR"}, "site"),
        ({"address": "10.1.2.3"}, "site"),
        ({"address": "::ffff:10.1.2.3", "system": "HIS"}, "ward"),
        ({"address": "fd00::1%eth0"}, "site"),
        ({"address": "11.1.2.3", "system": "HIS"}, ""),
        ({"institution": "H2"}, "cash"),
        ({"institution": "H3"}, ""),
        ({"path": "/api/audit"}, "path"),
        ({"path": "/api/audit/3101"}, "path"),
        ({"path": "/api/auditor"}, ""),
        ({"address": "not an address"}, ""),
        ({"named": "named"}, "named"),
        ({"named": "named", "institution": "H1"}, "named"),
        ({"named": "nobody", "institution": "H1"}, "cash"),
        ({}, ""),
    ],
    ids=str,
)
def test_the_first_entry_of_which_everything_given_fits_is_the_callers(told: dict[str, Any], name: str) -> None:
    """A name in the header settles it; a name nobody has is none."""
    assert CALLERS.of(**told).name == name


def test_an_entry_known_by_its_name_alone_has_to_be_named() -> None:
    """It would be everybody's else."""
    assert Callers([NAMED]).of(address="10.1.2.3") is ANYBODY


SETTINGS = """
cors = ["http://10.1.2.3:8000"]
[[callers]]
name = "old"
address = ["10.1.0.0/16", "10.2.3.4"]
institution = "H43010000001"
system = ["YBXT"]
path = "/api/audit/"
encoding = "gbk"
infcode = "text"
result = "object"
no_rows = "absent"
lowest_action = "block"
on_failure = "open"
deadline_ms = 1500
automatic = true
most_bytes = 65536
[[callers]]
name = "other"
"""


def test_every_switch_is_a_setting(tmp_path: Path) -> None:
    """As the guide writes them."""
    file = tmp_path / "reminder.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    config = load_config(file, {})
    assert config.callers[0] == Caller(
        name="old",
        address=(ip_network("10.1.0.0/16"), ip_network("10.2.3.4")),
        institution=("H43010000001",),
        system=("YBXT",),
        path="/api/audit",
        encoding="gbk",
        infcode="text",
        result="object",
        no_rows="absent",
        lowest_action="block",
        on_failure="open",
        deadline_ms=1500,
        automatic=True,
        most_bytes=65_536,
    )
    assert config.callers[1].name == "other"
    assert config.callers[0].left_s == pytest.approx(1.5)
    assert config.cors == ("http://10.1.2.3:8000",)


WRONG = """
cors = ["nowhere"]
[[callers]]
name = "a"
adress = "10.1.2.3"
[[callers]]
name = "b"
address = "10.1.2"
lowest_action = "pass"
deadline_ms = 0
encoding = "big5"
path = "api"
most_bytes = 10
"""


def problems(text: str, folder: Path) -> dict[str, str]:
    """What is wrong with settings, by its place."""
    file = folder / "reminder.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    return {problem.path: problem.message for problem in caught.value.problems}


def test_every_wrong_value_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    """By number of the entry, with the nearest known name."""
    told = problems(WRONG, tmp_path)
    assert set(told) == {
        "cors",
        "callers[1].adress",
        *(f"callers[2].{n}" for n in ("address", "lowest_action", "deadline_ms", "encoding", "path", "most_bytes")),
    }
    assert "did you mean `address`?" in told["callers[1].adress"]
    assert "10.1.2.3 or 10.1.0.0/16" in told["callers[2].address"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("callers = 1", "callers"),
        ("callers = [1]", "callers[1]"),
        ("[[callers]]\nname = 'a'\n[[callers]]\nname = 'a'", "callers[2].name"),
        ("[[callers]]\nencoding = 'gbk'", "callers[1]"),
        ("[[callers]]\nname = ''", "callers[1].name"),
        ("[[callers]]\npath = '/{infno}'", "callers[1].path"),
    ],
    ids=["no list", "no table", "twice", "whose", "empty", "pattern"],
)
def test_entries_that_could_be_nobodys_are_refused(text: str, place: str, tmp_path: Path) -> None:
    """And two of one name."""
    assert place in problems(text, tmp_path)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with a caller that names itself, and one known by its institution."""
    callers = (Caller(name="blocks", lowest_action="block"), Caller(institution=("H9",), lowest_action="warn"))
    with here_with(tmp_path_factory.mktemp("callers"), *callers) as sidecar:
        yield sidecar


@pytest.mark.parametrize(
    ("metadata", "institution", "count"),
    [((), "", 4), ((("reminder-caller", "blocks"),), "", 1), ((), "H9", 2)],
    ids=["anybody", "named", "institution"],
)
def test_a_grpc_call_is_known_by_its_metadata_and_its_institution(
    here: Running, metadata: tuple[tuple[str, str], ...], institution: str, count: int
) -> None:
    """The same entry, the same findings as by HTTP."""
    request = pb.CheckRequest(national_body=encoded(three(fixmedins_code=institution)))
    with grpc.insecure_channel(here.at("grpc")) as channel:
        check = channel.unary_unary(
            METHOD,
            request_serializer=pb.CheckRequest.SerializeToString,
            response_deserializer=pb.CheckResponse.FromString,
        )
        response = check(request, timeout=LONG_S, metadata=metadata)
    assert len(response.findings) == count
