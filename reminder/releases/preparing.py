"""Verify, validate, self-test, compile: in a process of its own, for it takes seconds in which nobody may wait.

Told by a line of JSON on standard input what to do, it answers with a line for each step
(:mod:`reminder.releases.orders`). It asks the system to put others first, decides nothing about what is active, and
writes the compiled form alone; what is to be kept is moved into place by whoever asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from negative_list.compile import compile as compile_list
from negative_list.errors import ListError, NegativeListError
from negative_list.parse import gathered, parse_jsonl
from negative_list.release.container import ReleaseError, read_manifest, read_release
from negative_list.release.opening import parsed_of
from negative_list.release.self_test import Tested, self_test
from negative_list.release.signing import verify
from negative_list.release.wording import REASON_WORDS
from negative_list.validate import check
from reminder.releases.cache import is_whole, load_compiled, write_compiled
from reminder.releases.confirming import Confirmed, marks_of, write_marks
from reminder.releases.describing import described
from reminder.releases.folder import Folder
from reminder.releases.keys import keys_of
from reminder.releases.orders import (
    Again,
    Answer,
    Describe,
    Described,
    Failed,
    Named,
    Order,
    Readied,
    Ready,
    Take,
    Told,
)
from reminder.releases.remarking import carry_over
from reminder.releases.staged import place_for
from reminder.releases.trust import Known, RoadError, is_known, known_of, may_stage, missing

if TYPE_CHECKING:
    from negative_list.release.manifest import Manifest
    from negative_list.rules import RuleList
    from reminder.releases.ledger import StepName

__all__ = ["main"]

_NICE = 10
_MOST_TOLD = 5

_MISCOUNTED = "清单数目与内容不符 (the manifest counts other rules or details than there are)"
_NO_KEY = "没有受信任的公钥 (no key is trusted here); 请用 --trust KEY.pub 指定 (name one by --trust KEY.pub)"


class _StopError(Exception):
    """A step failed: nothing after it is done."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


def main() -> None:
    """Do what standard input asks for."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    # Whoever asked has gone: nobody reads the rest, and nothing of it is kept.
    with contextlib.suppress(BrokenPipeError):
        for answer in _answers(order):
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()


def _answers(order: Order) -> Iterator[Answer]:
    if isinstance(order, Take):
        return _taken(order)
    return _made_ready(order) if isinstance(order, Ready) else _described(order)


def _described(order: Describe) -> Iterator[Answer]:
    """What rules of a list are."""
    folder = Folder(Path(order.data))
    try:
        rules, confirmed = _rules_of(folder, order.digest), Confirmed(folder.confirmed).read()
    except _StopError as stop:
        yield Failed(reason=stop.reason, detail=stop.detail)
    else:
        yield Described(rules=tuple(described(rules, frozenset(order.ids), order.class_id, confirmed)))


# -- a release that was brought


def _taken(order: Take) -> Iterator[Answer]:
    """What each step came to, up to the first that failed."""
    trial = _Trial(order)
    for step, take in trial.steps():
        begun = time.perf_counter()
        try:
            told = Told(step=step, result="done", detail=take())
        except _StopError as stop:
            told = Told(step=step, result="failed", reason=stop.reason, detail=stop.detail)
        if step == "verify" and trial.named is not None:
            yield trial.named
        yield msgspec.structs.replace(told, took_ms=round((time.perf_counter() - begun) * 1000))
        if told.result == "failed":
            return
        if trial.again:
            yield Again()
            return


class _Trial:
    """One release on its way; each step returns what is told of it, or raises ``_StopError``."""

    def __init__(self, order: Take) -> None:
        self._order = order
        self._path = Path(order.path)
        self.named: Named | None = None
        self.again = False

    def steps(self) -> tuple[tuple[StepName, Callable[[], str]], ...]:
        """The steps in their order."""
        return (
            ("verify", self._verify),
            ("validate", self._validate),
            ("self_test", self._test),
            ("compile", self._compile),
        )

    def _verify(self) -> str:
        problems: tuple[str, ...] = ()
        try:
            self.named = Named(manifest=read_manifest(self._path), held=False)
            self._release = read_release(self._path)
            if not self._order.trust:
                raise _StopError("wrong-key", _NO_KEY)
            keys, problems = keys_of([Path(path) for path in self._order.trust])
            if not keys:
                raise _StopError("unreadable", f"无法读取 ({'; '.join(problems).lower()})")
            key = verify(self._release, keys)
        except ReleaseError as error:
            told = "; ".join((f"{REASON_WORDS[error.reason][0]} ({error.message})", *problems))
            raise _StopError(error.reason, told) from error
        except (NegativeListError, OSError) as error:
            raise _StopError("unreadable", f"无法读取 ({str(error).lower()})") from error
        manifest = self._release.manifest
        self.named = Named(manifest=manifest, held=True)
        known = known_of(self._order.known)
        try:
            may_stage(manifest, known)
        except RoadError as error:
            raise _StopError(error.reason, str(error)) from error
        self.again = is_known(manifest, known) and self._lies_here(manifest)
        return "; ".join(_of_manifest(manifest, key.id, known))

    def _lies_here(self, manifest: Manifest) -> bool:
        """Whether it is staged, and whole; else it is taken in once more."""
        try:
            lying = read_release(place_for(Folder(Path(self._order.data)), manifest))
        except (ReleaseError, OSError):
            return False
        return lying.manifest == manifest

    def _validate(self) -> str:
        try:
            self._rules = check(parsed_of(self._release))
        except ListError as error:
            raise _StopError("invalid", _some(list(map(str, error.problems)))) from error
        told, there = self._release.manifest, self._rules
        if (told.rules, told.details) != (len(there.rules), there.details):
            raise _StopError("invalid", _MISCOUNTED)
        return f"{told.rules} 条规则, {told.details} 条明细 ({told.rules} rules, {told.details} details)"

    def _test(self) -> str:
        compiled = compile_list(self._rules, digest=self._release.manifest.digest)
        return _outcome(self_test(self._rules, compiled, _within(self._order.test_s)), self._rules)

    def _compile(self) -> str:
        digest, path = self._release.manifest.digest, Folder(Path(self._order.data)).compiled_file
        size = _compiled(self._rules, path(digest), digest)
        _marked(self._rules, Folder(Path(self._order.data)).marks_file(digest))
        # What will serve is what was tried: the form as it is read back.
        bare = msgspec.structs.replace(
            self._rules, rules=tuple(msgspec.structs.replace(rule, cases=()) for rule in self._rules.rules)
        )
        self_tested = self_test(bare, load_compiled(path(digest), digest), _within(self._order.test_s))
        _outcome(self_tested, bare)
        return f"{size} 字节 ({size} bytes)"


def _of_manifest(manifest: Manifest, key: str, known: Known) -> Iterator[str]:
    """What is worth telling of a release whose signature holds."""
    yield f"签名有效 (signed by key {key}, digest {manifest.digest[:16]})"
    if lost := missing(manifest, known):
        yield f"它所接替的 `{lost}` 从未收到 (it follows `{lost}`, which was never seen here: withheld or lost?)"


def _outcome(tested: Tested, rules: RuleList) -> str:
    if tested.problems:
        raise _StopError("self-test", _some(map(str, tested.problems)))
    cases = sum(len(rule.cases) for rule in rules.rules)
    told = (
        f"{tested.terms} 个词语, {tested.rules} 条规则, {tested.cases}/{cases} 个案例 "
        f"({tested.terms} terms, {tested.rules} rules, {tested.cases} of {cases} cases)"
    )
    return f"{told}; 时间用尽，其余未测 (time was up, the rest is not tried)" if tested.cut else told


def _some(problems: Iterable[str]) -> str:
    """The first problems, and how many there are."""
    lines = list(problems)
    more = len(lines) - _MOST_TOLD
    rest = [f"另有 {more} 处 ({more} more)"] if more > 0 else []
    return "; ".join([*lines[:_MOST_TOLD], *rest])


def _within(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def _compiled(rules: RuleList, path: Path, digest: str) -> int:
    """Write the compiled form; returns its size in bytes."""
    try:
        write_compiled(rules, path, digest)
        return path.stat().st_size
    except OSError as error:
        raise _StopError("unwritable", f"无法写入 (cannot be written: {str(error.strerror).lower()})") from error


def _marked(rules: RuleList, path: Path) -> None:
    try:
        write_marks(path, rules)
    except OSError as error:
        raise _StopError("unwritable", f"无法写入 (cannot be written: {str(error.strerror).lower()})") from error


# -- a list that is to become active


def _made_ready(order: Ready) -> Iterator[Answer]:
    """The compiled form made where it is missing, and the marks of its rules."""
    folder = Folder(Path(order.data))
    try:
        confirmed = Confirmed(folder.confirmed)
        if order.first and not confirmed.begun:
            confirmed.begin(one for one in marks_of(_rules_of(folder, order.first)) if one[0] not in order.but)
        carry_over(confirmed, folder, lambda digest: _rules_if_whole(folder, digest))
        rules = _rules_of(folder, order.digest)
        path = folder.compiled_file(order.digest)
        made = not is_whole(path, order.digest)
        if made:
            compile_list(rules, digest=order.digest)
            _compiled(rules, path, order.digest)
        write_marks(folder.marks_file(order.digest), rules)
        yield Readied(made=made)
    except _StopError as stop:
        yield Failed(reason=stop.reason, detail=stop.detail)
    except OSError as error:
        yield Failed(reason="unwritable", detail=f"无法读写 (cannot be read or written: {error})")


def _rules_of(folder: Folder, digest: str) -> RuleList:
    """The rules of a list: from its staged file, else from its canonical form; each is read and checked again."""
    problems: list[str] = []
    for read, path in ((_from_release, folder.staged_file(digest)), (_from_lines, folder.list_file(digest))):
        try:
            return read(path, digest)
        except FileNotFoundError:
            continue
        except (NegativeListError, OSError) as error:
            problems.append(str(error).lower())
    why = "; ".join(problems) or "not there"
    raise _StopError("damaged", f"清单 {digest[:16]} 的文件缺失或损坏 (the file of list {digest[:16]}: {why})")


def _rules_if_whole(folder: Folder, digest: str) -> RuleList | None:
    try:
        return _rules_of(folder, digest)
    except _StopError:
        return None


def _from_release(path: Path, digest: str) -> RuleList:
    release = read_release(path)
    if release.manifest.digest != digest:
        raise ReleaseError("altered", "another list than its name says")
    return check(parsed_of(release))


def _from_lines(path: Path, digest: str) -> RuleList:
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise ReleaseError("altered", "another list than its name says")
    return check(gathered([parse_jsonl(path.read_bytes(), path.name)]))


if __name__ == "__main__":
    main()
