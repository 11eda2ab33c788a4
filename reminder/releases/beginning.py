"""What a data folder begins with when the sidecar starts: offline, and also where the newest copy is damaged.

In order, and loudly from the second on: the compiled form of what is active; its staged file, verified again; the list
as the journal kept it; then the same of what was active before it. Only where nothing was ever active a release given
by ``--release`` becomes so, once it passed every step, or the list given by ``--list`` is served. Nothing here starts a
thread or a loop: workers are forked afterwards.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.compiled_form import FormError, Loading
from negative_list.release.container import ReleaseError, read_manifest
from reminder.config import SQLITE
from reminder.journal.artifacts import intact
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.releases.cache import opened_compiled
from reminder.releases.children import answers_now
from reminder.releases.confirming import Confirmed, MarksError, not_confirmed
from reminder.releases.folder import Folder, FolderError, write_whole
from reminder.releases.intake import TEST_S, move, pairs_known
from reminder.releases.ledger import Ledger, Step
from reminder.releases.orders import Failed, Named, Readied, Ready, Take, Told
from reminder.releases.saying import START
from reminder.releases.staged import Shelf, place_for
from reminder.releases.standing import Chosen, Seen, Standing
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from negative_list.release.manifest import Manifest
    from reminder.config import Config
    from reminder.releases.orders import Answer

__all__ = ["BeginError", "Beginning", "begin", "news"]


class BeginError(Exception):
    """Nothing can be served from the data folder; the message says why and what helps."""


class Beginning(Struct, frozen=True, kw_only=True):
    """What to begin with. ``loading``: the list that stands, ``None``: the one ``--list`` gives.

    ``warnings``: what whoever runs the service should know.
    """

    standing: Standing
    loading: Loading | None = None
    warnings: tuple[str, ...] = ()


def begin(config: Config) -> Beginning:
    """See what stands in the data folder and open it, putting right what is damaged.

    Raises:
        BeginError: no list of the folder can be used, or the release given is refused.
        FolderError: the folder cannot be used.
    """
    folder = Folder(config.data)
    folder.make()
    folder.sweep()
    try:
        mended = folder.mend_standing()
    except OSError as error:
        raise FolderError(f"`{folder.root}` cannot be written ({error.strerror}); see to its rights") from error
    begun = _begin(config, folder, folder.read_standing())
    return msgspec.structs.replace(begun, warnings=(mended, *begun.warnings)) if mended else begun


def _begin(config: Config, folder: Folder, standing: Standing) -> Beginning:
    if standing.active is not None and (standing.active.version or config.list is None):
        return _go_on(config, folder, standing)
    if config.list is None and config.release is not None:
        return _first(config, config.release, folder, standing)
    if standing.active is not None:
        # The list that is given is the one; what stood was another such list, or the same.
        standing = msgspec.structs.replace(standing, active=None, coming=None, serial=standing.serial + 1)
        folder.write_standing(standing)
    return Beginning(standing=standing)


# -- what stands


def _go_on(config: Config, folder: Folder, standing: Standing) -> Beginning:
    """Begin with what is active, else with what was before it."""
    problems: list[str] = []
    for place, chosen in enumerate(_standing_lists(standing)):
        try:
            loading, warning = _opened(config, folder, chosen)
        except BeginError as error:
            problems.append(str(error))
            continue
        if place:
            news = _not_confirmed(config, folder, chosen.digest)
            again = msgspec.structs.replace(chosen, unconfirmed=news)
            standing = _fallen_back(folder, standing, again, place, "; ".join(problems))
        warnings = (*problems, *filter(None, [warning]))
        return Beginning(standing=standing, loading=loading, warnings=warnings)
    raise BeginError(
        "\n".join([*problems, "no list of the data folder can be used; restore it, or begin anew elsewhere"])
    )


def _standing_lists(standing: Standing) -> Iterator[Chosen]:
    if standing.active is not None:
        yield standing.active
    yield from standing.before


def _opened(config: Config, folder: Folder, chosen: Chosen) -> tuple[Loading, str]:
    """The compiled form of a list, made again where it cannot be used, and what is to be told of that.

    Raises:
        BeginError: nothing it could be made from is whole.
    """
    path = folder.compiled_file(chosen.digest)
    try:
        return opened_compiled(path, chosen.digest), ""
    except FormError as error:
        why = str(error)
    order = Ready(data=str(config.data.absolute()), digest=chosen.digest)
    answer = _last(answers_now(order))
    if isinstance(answer, Failed) and _from_journal(config, folder, chosen.digest):
        answer = _last(answers_now(order))
    named = chosen.version or chosen.digest[:16]
    if not isinstance(answer, Readied):
        raise BeginError(f"release {named} is damaged: {answer.detail if isinstance(answer, Failed) else why}")
    try:
        return opened_compiled(path, chosen.digest), f"the compiled form of {named} was made again: {why}"
    except FormError as error:
        raise BeginError(f"release {named} cannot be loaded: {error}") from error


def _last(found: tuple[Answer, ...]) -> Answer | None:
    return found[-1] if found else None


def _from_journal(config: Config, folder: Folder, digest: str) -> bool:
    """Whether the journal kept the list; then it lies in the folder again."""
    database = "" if config.store == SQLITE else config.store
    if not database and not (config.data / JOURNAL_FILE).exists():
        return False
    try:
        with contextlib.closing(open_journal(config.data, database)) as store:
            artifact = intact(store, digest)
    except StoreError:
        return False
    if artifact is None:
        return False
    write_whole(folder.list_file(digest), artifact.content)
    return True


def _not_confirmed(config: Config, folder: Folder, digest: str) -> tuple[str, ...]:
    """Ids of the rules of a list nobody confirmed; the marks are made again where they are damaged.

    Raises:
        BeginError: they cannot be; rules nobody confirmed would block.
    """
    confirmed, path = Confirmed(folder.confirmed), folder.marks_file(digest)
    try:
        if not confirmed.begun:
            return ()
        try:
            return not_confirmed(path, confirmed)
        except MarksError:
            answers_now(Ready(data=str(config.data.absolute()), digest=digest))
            return not_confirmed(path, confirmed)
    except (MarksError, OSError) as error:
        raise BeginError(f"what is confirmed of list {digest[:16]} is not known: {error}") from error


def _fallen_back(folder: Folder, standing: Standing, chosen: Chosen, place: int, why: str) -> Standing:
    """What stands once what is active cannot be used: that before it does."""
    told = Step(
        at=datetime.now(UTC),
        version=chosen.version,
        digest=chosen.digest,
        name=chosen.name,
        step="rollback",
        result="done",
        detail="启动时回退到上一个完好的清单 (the last good list, when the sidecar started)",
        who=START,
        why=why,
    )
    after = msgspec.structs.replace(
        standing, serial=standing.serial + 1, active=chosen, coming=None, before=standing.before[place:]
    )
    try:
        folder.write_standing(after)
    except OSError as error:
        raise FolderError(f"`{folder.root}` cannot be written ({error.strerror}); see to its rights") from error
    with contextlib.suppress(OSError):  # a step that cannot be written down stops nothing
        Ledger(folder.steps).append(told)
    return after


def news(config: Config, folder: Folder) -> Path | None:
    """The release given, where the folder does not have it yet; it is staged, never activated by a start."""
    if config.release is None:
        return None
    try:
        place = place_for(folder, read_manifest(config.release))
    except (ReleaseError, OSError):
        return config.release
    return None if place.exists() else config.release


# -- the first release of a folder


def _first(config: Config, path: Path, folder: Folder, standing: Standing) -> Beginning:
    """Begin with the release that is given, once it passed every step."""
    incoming = folder.incoming / "first.release"
    try:
        shutil.copyfile(path, incoming)
    except OSError as error:
        raise BeginError(f"`{path}` cannot be read ({error.strerror}); check the name and its rights") from error
    manifest = _passed(config, folder, incoming, standing)
    move(incoming, place_for(folder, manifest))
    answer = _last(answers_now(Ready(data=str(config.data.absolute()), digest=manifest.digest, first=manifest.digest)))
    if not isinstance(answer, Readied):
        raise BeginError(f"`{path}`: {answer.detail if isinstance(answer, Failed) else 'cannot be made ready'}")
    now, version, digest, name = datetime.now(UTC), manifest.version, manifest.digest, manifest.name
    standing = Standing(
        serial=standing.serial + 1,
        active=Chosen(version=version, digest=digest, name=name, at=now, who=START),
        before=standing.before,
        seen=Seen(version=version, digest=digest, name=name, at=now, source=path.name),
        rows=standing.rows,
    )
    folder.write_standing(standing)
    told = Step(at=now, version=version, digest=digest, name=name, step="activate", result="done", who=START)
    Ledger(folder.steps).append(told)
    loading = opened_compiled(folder.compiled_file(manifest.digest), manifest.digest)
    return Beginning(standing=standing, loading=loading)


def _passed(config: Config, folder: Folder, incoming: Path, standing: Standing) -> Manifest:
    """What a file says it is, which passed every step.

    Raises:
        BeginError: it failed one; the step is written down.
    """
    ledger = Ledger(folder.steps)
    order = Take(
        path=str(incoming.absolute()),
        data=str(config.data.absolute()),
        trust=tuple(str(path.absolute()) for path in config.trust),
        known=pairs_known(Shelf(folder), standing, ledger.all()),
        test_s=TEST_S,
    )
    manifest: Manifest | None = None
    for answer in answers_now(order):
        if isinstance(answer, Named):
            manifest = answer.manifest
        elif isinstance(answer, Told):
            ledger.append(_step(answer, manifest))
        if isinstance(answer, Failed) or (isinstance(answer, Told) and answer.result == "failed"):
            incoming.unlink(missing_ok=True)
            raise BeginError(f"`{config.release}` is refused: {answer.detail}")
    if manifest is None:
        raise BeginError(f"`{config.release}` is refused: nothing is known of it")
    return manifest


def _step(told: Told, manifest: Manifest | None) -> Step:
    return Step(
        at=datetime.now(UTC),
        version=manifest.version if manifest is not None else "",
        digest=manifest.digest if manifest is not None else "",
        name=manifest.name if manifest is not None else "",
        step=told.step,
        result=told.result,
        reason=told.reason,
        detail=told.detail,
        who=START,
        took_ms=told.took_ms,
    )
