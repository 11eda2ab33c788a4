"""Releases that are broken in every way we know: none becomes active, and everybody is told why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest

from negative_list.release.container import Signature, release_bytes
from negative_list.rules import Case, RuleList
from reminder.v1 import reminder_pb2 as pb
from tests.release.made import key, opened
from tests.releases.roads import answer, listed, logged, pieces, rules_with, some_release, trusted, until
from tests.reminder.bodies import own_body
from tests.reminder.sidecar import get, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running

GOOD = ("2026.5", "block", ["R67-men"])
"""What is answered by the last good release."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which 2026.5 is active and nothing else ever was."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "first.release").write_bytes(some_release("2026.5"))
    begin: dict[str, Any] = {"list": None, "release": folder / "first.release", "trust": (trusted(folder),)}
    with running(folder, **begin) as here:
        assert answer(here) == GOOD
    return folder / "var"


@pytest.fixture
def data(good: Path, tmp_path: Path) -> Path:
    """A copy of it for a test to break."""
    return shutil.copytree(good, tmp_path / "var")


def failing_rules() -> RuleList:
    """A list with a case its rule does not decide as it says."""
    return changed(cases=(Case(kind="violating", request=own_body(sex="男")),))


def changed(**fields: object) -> RuleList:
    """The list with its first rule changed, as nobody would build it."""
    first, *others = rules_with().rules
    return RuleList(rules=(msgspec.structs.replace(first, **fields), *others))


def flipped(data: bytes) -> bytes:
    """One bit of the list turned over."""
    at = data.rindex("性别".encode())
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def unsigned(data: bytes) -> bytes:
    """Without a signature."""
    return release_bytes(msgspec.structs.replace(opened(data), signatures=()))


def forged(data: bytes) -> bytes:
    """With somebody else's signature under the name of the trusted key."""
    whole = opened(data)
    signature = Signature(key=whole.signatures[0].key, ed25519=bytes(64))
    return release_bytes(msgspec.structs.replace(whole, signatures=(signature,)))


NEW = some_release("2026.6", rules_with(title="新"))
BROKEN: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "truncated": (lambda: NEW[:-40], "verify", "truncated"),
    "bit-flipped": (lambda: flipped(NEW), "verify", "altered"),
    "unsigned": (lambda: unsigned(NEW), "verify", "unsigned"),
    "wrongly signed": (lambda: some_release("2026.6", keys=[key("stranger")]), "verify", "wrong-key"),
    "forged": (lambda: forged(NEW), "verify", "altered"),
    "same version, other digest": (lambda: some_release("2026.05", rules_with(title="新")), "verify", "same-version"),
    "invalid": (lambda: some_release("2026.6", changed(title="")), "validate", "invalid"),
    "self-test failing": (lambda: some_release("2026.6", failing_rules()), "self_test", "self-test"),
}
"""How it is broken: the file, the step that finds it, the word for it."""


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_release_is_never_active_and_call_status_metric_and_log_say_why(how: str, data: Path) -> None:
    """Decisions go on, and a restart comes up with the last good one, without its list or its key."""
    make, step, reason = BROKEN[how]
    with running(data.parent, data=data, list=None, trust=(trusted(data.parent),)) as here:
        told = listed(here).stage(make())
        assert (told.staged, told.steps[-1].step, told.steps[-1].result) == (False, step, "failed")
        assert not [one for one in listed(here).status().staged if one.release.version != "2026.5"]
        assert_told(here, step, reason, told.steps[-1].detail)
        code, _ = listed(here).refusal("Activate", pb.ActivateRequest(version="2026.6"))
        assert code == grpc.StatusCode.NOT_FOUND
        assert answer(here) == GOOD
    assert_restarts(data)


def test_an_older_release_is_refused_and_call_status_metric_and_log_say_why(data: Path) -> None:
    """It is staged all the same; a restart does not make it active."""
    with running(data.parent, data=data, list=None, trust=(trusted(data.parent),)) as here:
        assert listed(here).stage(some_release("2026.4", rules_with(title="旧"))).older
        code, why = listed(here).refusal("Activate", pb.ActivateRequest(version="2026.4"))
        assert (code, "--allow-older" in why) == (grpc.StatusCode.FAILED_PRECONDITION, True)
        assert_told(here, "activate", "older", why)
        assert answer(here) == GOOD
    assert_restarts(data)


@pytest.mark.parametrize("size", [10**6, 10])
def test_an_upload_of_another_size_than_was_said_is_refused_as_half_of_it(size: int, data: Path) -> None:
    """Nothing of it is kept but the step that says so."""
    with running(data.parent, data=data, list=None, trust=(trusted(data.parent),)) as here:
        told = listed(here).stage(NEW, size=size)
        assert (told.staged, [step.step for step in told.steps]) == (False, ["receive"])
        assert_told(here, "receive", "half", told.steps[0].detail)
        assert not list((data / "releases" / "incoming").iterdir())
    assert_restarts(data)


def test_an_upload_that_breaks_off_leaves_nothing(data: Path) -> None:
    """Status, metric and log say so; there is no call left to answer."""
    with running(data.parent, data=data, list=None, trust=(trusted(data.parent),)) as here:
        with grpc.insecure_channel(here.at("admin")) as channel:
            call = channel.stream_unary(
                "/reminder.v1.ListService/Stage",
                request_serializer=pb.StageRequest.SerializeToString,
                response_deserializer=pb.StageResponse.FromString,
            )
            with pytest.raises(grpc.RpcError):
                call(breaking_off(data / "releases" / "incoming"))
        until(lambda: "early" in listed(here).status().why_not_active)
        assert_told(here, "receive", "half", listed(here).status().steps[0].detail)
        assert not list((data / "releases" / "incoming").iterdir())
        assert answer(here) == GOOD
    assert_restarts(data)


def breaking_off(incoming: Path) -> Iterator[pb.StageRequest]:
    """The first piece, and once it is there a client that dies."""
    yield next(pieces(NEW, size=10**6))
    until(lambda: any(incoming.iterdir()))
    raise OSError("the client died")


def test_what_is_no_release_at_all_is_the_callers_fault(data: Path) -> None:
    """The call is refused, naming the field."""
    with running(data.parent, data=data, list=None, trust=(trusted(data.parent),)) as here:
        with pytest.raises(grpc.RpcError) as refused:
            listed(here).stage(b"rules:\n- id: R1\n")
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert_told(here, "verify", "not-a-release", listed(here).status().steps[0].detail)


def test_without_a_trusted_key_nothing_is_taken_in(data: Path) -> None:
    """And the way out is named."""
    with running(data.parent, data=data, list=None) as here:
        told = listed(here).stage(NEW)
        assert (told.staged, "--trust KEY.pub" in told.steps[-1].detail) == (False, True)


def test_a_trusted_key_that_cannot_be_read_is_told_at_the_start_and_keeps_no_other_out(data: Path) -> None:
    """A release signed by another trusted key is taken; one that only the missing key could vouch for names it."""
    gone = data.parent / "gone.pub"
    with running(data.parent, data=data, list=None, trust=(gone, trusted(data.parent))) as here:
        until(lambda: any(f"`{gone}` cannot be read" in text for text in here.service.degraded))
        assert listed(here).stage(NEW).staged
        told = listed(here).stage(some_release("2026.7", rules_with(title="七"), keys=[key("stranger")]))
        assert (told.staged, f"`{gone}` cannot be read" in told.steps[-1].detail) == (False, True)
        until(lambda: len(list(logged(here, "key not trusted"))) == 1)
    with running(data.parent, data=data, list=None, trust=(gone,)) as here:
        told = listed(here).stage(some_release("2026.8", rules_with(title="八")))
        assert (told.staged, "cannot be read" in told.steps[-1].detail) == (False, True)


def assert_told(here: Running, step: str, reason: str, detail: str) -> None:
    """Status, health, metric and log say which step failed and why."""
    status = listed(here).status()
    assert (status.active.version, status.steps[0].step, status.steps[0].result) == ("2026.5", step, "failed")
    assert status.steps[0].detail == detail
    if reason != "older":
        assert status.why_not_active == f"{step}: {detail}"
        assert get(here.at("http"), "/readyz")[1]["release"]["why_not_active"] == status.why_not_active
    text = here.service.metrics.text().decode()
    assert f'reminder_release_refused_total{{reason="{reason}"}} 1.0' in text
    assert f'reminder_release_steps_total{{result="failed",step="{step}"}} 1.0' in text
    assert "reminder_release_behind 1.0" in text
    until(lambda: any(line["detail"] == detail for line in logged(here, "release")))
    line = next(line for line in logged(here, "release") if line["detail"] == detail)
    assert (line["level"], line["step"], line["reason"]) == ("warning", step, reason)


def assert_restarts(data: Path) -> None:
    """A restart without list, release and key decides by the last good one."""
    with running(data.parent, data=data, list=None) as here:
        assert answer(here) == GOOD
        assert listed(here).status().active.version == "2026.5"
