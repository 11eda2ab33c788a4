"""The commands about releases: keygen, build, verify."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer

from negative_list.errors import ListError, Problem
from negative_list.release.container import ReleaseError
from negative_list.release.signing import KeyFileError
from negative_list.shell import fail, write_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negative_list.release.building import About
    from negative_list.release.container import Release
    from negative_list.release.layering import Flat, Origin, Source
    from negative_list.release.self_test import Wrong
    from negative_list.release.signing import PrivateKey, PublicKey

__all__ = ["English", "register", "release_of"]

English = Annotated[bool, typer.Option("--english", help="English in place of Chinese.")]
"""The option for readers of English."""
_OTHERS_READ = 0o077
"""Rights of a file that let others than its owner at it."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("keygen")(_keygen)
    app.command("build")(_build)
    app.command("verify")(_verify)


# -- keygen


def _keygen(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="KEY", help="The file of the private key.")],
) -> None:
    """Make a pair of keys: KEY signs releases and stays secret, KEY.pub checks them and is given to hospitals."""
    from negative_list.release.signing import generate_key, private_pem, public_pem

    public = output.with_name(output.name + ".pub")
    for path in (output, public):
        if path.exists():
            _refuse(path, "is there already; a key is never written over, so name another file")
    try:
        key = generate_key()
    except KeyFileError as error:
        _refuse(None, str(error))
    _write_secret(output, private_pem(key))
    write_beside(public, public_pem(key.public))
    typer.echo(f"{output}: private key {key.public.id}; keep it secret, and a copy where it cannot burn with this one")
    typer.echo(f"{public}: public key; give it to whoever is to trust your releases, by a way of its own")


def _write_secret(path: Path, data: bytes) -> None:
    """Written so that nobody but the owner could ever read it, also while it is being written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(data)
    except OSError as error:
        _refuse(path, f"cannot be written ({error.strerror}); check the folder and its rights")


# -- build


def _build(
    lists: Annotated[
        list[str],
        typer.Argument(metavar="LIST...", help="Lists in rising precedence; `province=LIST` says whose one is."),
    ],
    *,
    keys: Annotated[list[Path], typer.Option("--key", metavar="KEY", help="Private key; may be given again.")],
    version: Annotated[str, typer.Option(help="Version, as 2026.11.2; later ones are greater.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="RELEASE", help="The file to write.")],
    name: Annotated[str, typer.Option(help="What the release is called; else as the first LIST.")] = "",
    issuer: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    valid_from: Annotated[str | None, typer.Option(metavar="DATE", help="First day it is meant for.")] = None,
    valid_to: Annotated[str | None, typer.Option(metavar="DATE", help="Last day it is meant for.")] = None,
    replaces: Annotated[str, typer.Option(metavar="VERSION", help="The version it was made to follow.")] = "",
    tried: Annotated[
        bool, typer.Option("--self-test/--no-self-test", help="Try its terms and triggers, as every sidecar does.")
    ] = True,
) -> None:
    """Make one signed release of lists: layered, validated, tried; exit code 1 when anything is wrong."""
    from negative_list.release.building import build_rules, flat_list, layers_of

    about = _agreeing(
        name=name or _plain(lists[0]).stem,
        version=version,
        built_at=datetime.now(UTC),
        issuer=issuer,
        valid_from=_day(valid_from, "--valid-from"),
        valid_to=_day(valid_to, "--valid-to"),
        replaces=replaces,
    )
    signing = _private_keys(keys)
    try:
        sources = [_source(text) for text in lists]
        flat = flat_list(sources)
        _try(flat, whole=tried)
        data = build_rules(flat.parsed.rules, signing, about, layers_of(sources, flat))
    except ListError as error:
        fail(error.problems)
    except ReleaseError as error:
        _refuse(output, error.message)
    write_beside(output, data)
    _tell_built(output, version, sources, flat, signing)


def _agreeing(**told: Any) -> About:
    from negative_list.release.building import About, agreeing

    try:
        return agreeing(About(**told))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _tell_built(
    output: Path, version: str, sources: Sequence[Source], flat: Flat, signing: Sequence[PrivateKey]
) -> None:
    rules = flat.parsed.rules
    for source, kept, replaced in zip(sources, flat.kept, flat.replaced, strict=True):
        whose = f" ({source.whose})" if source.whose else ""
        typer.echo(f"{source.name}{whose}: {kept} rules, {len(replaced)} replaced by later layers")
    signers = ", ".join(key.public.id for key in signing)
    typer.echo(f"{output}: version {version}, {len(rules.rules)} rules, {rules.details} details, signed by {signers}")


def _source(text: str) -> Source:
    from negative_list.release.layering import read_source

    origin, path = _split(text)
    return read_source(path, origin)


def _split(text: str) -> tuple[Origin, Path]:
    """``province=LIST`` as whose the list is, and its path; any other text is a path."""
    from negative_list.release.layering import ORIGINS

    word, sign, path = text.partition("=")
    for origin in ORIGINS:
        if sign and word == origin:
            return origin, Path(path)
    return "", Path(text)


def _plain(text: str) -> Path:
    return _split(text)[1]


def _private_keys(paths: Sequence[Path]) -> list[PrivateKey]:
    from negative_list.release.signing import load_private

    try:
        found = [load_private(path) for path in paths]
    except KeyFileError as error:
        _refuse(None, str(error))
    for path in paths:
        # Windows says of every file that all may read it.
        if sys.platform != "win32" and path.stat().st_mode & _OTHERS_READ:
            typer.echo(f"{path}: others than its owner may read this private key; take their rights away", err=True)
    return found


def _try(flat: Flat, *, whole: bool) -> None:
    """What every sidecar tries before a release can become active there: terms, triggers, the rules' own cases."""
    from negative_list.cases import run_cases

    places = {rule.id: place for rule, place in zip(flat.parsed.rules.rules, flat.parsed.rule_places, strict=True)}
    wrong = [
        places[result.rule_id].problem(f"cases[{result.place - 1}]", f"{result.kind}: {result.problem}")
        for result in run_cases(flat.parsed.rules)
        if result.problem
    ]
    if whole:
        wrong += [places[one.rule_id].problem(one.path, one.message) for one in _tested(flat)]
    if wrong:
        fail(sorted(wrong))


def _tested(flat: Flat) -> Sequence[Wrong]:
    """What is wrong with terms and triggers; the cases are run elsewhere. However long it takes: it is done once."""
    from negative_list.compile import compile as compile_list
    from negative_list.release.self_test import self_test

    rules = flat.parsed.rules
    bare = msgspec.structs.replace(rules, rules=tuple(msgspec.structs.replace(rule, cases=()) for rule in rules.rules))
    return self_test(bare, compile_list(bare), lambda: True).problems


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day; write it like `2026-01-31`", param_hint=option) from None


# -- verify


def _verify(
    path: Annotated[Path, typer.Argument(metavar="RELEASE", help="The file of a release.")],
    *,
    trust: Annotated[list[Path], typer.Option("--trust", metavar="KEY.pub", help="Public key; may be given again.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="LIST", help="Write its list as JSON Lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
    english: English = False,
) -> None:
    """Whether a release is whole, unchanged and signed by a key you trust; exit code 1 when it is not."""
    from negative_list.release.opening import rules_of

    release, key = release_of(path, trust, english=english)
    try:
        rules_of(release, str(path))
    except ListError as error:
        fail(error.problems)
    if output is not None:
        write_beside(output, release.content)
    _tell_verified(release, key, as_json=as_json, english=english)


def _tell_verified(release: Release, key: PublicKey | None, *, as_json: bool, english: bool) -> None:
    from negative_list.release.wording import manifest_lines

    trusted = key.id if key is not None else ""
    signers = [signature.key for signature in release.signatures]
    if as_json:
        told = {"trusted_key": trusted, "signed_by": signers, "manifest": release.manifest}
        typer.echo(msgspec.json.encode(told).decode())
        return
    typer.echo(f"good: signed by {trusted}" if english else f"可信: 由密钥 {trusted} 签名，内容完整")
    for line in manifest_lines(release.manifest, english=english):
        typer.echo(line)


def release_of(path: Path, trust: Sequence[Path], *, english: bool) -> tuple[Release, PublicKey | None]:
    """A release, and which of the keys signed it where any are given; or the end of the command."""
    from negative_list.release.container import read_release
    from negative_list.release.signing import load_public, verify

    try:
        keys = [load_public(file) for file in trust]
        release = read_release(path)
        return release, verify(release, keys) if keys else None
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror}); check the name and the rights")
    except ReleaseError as error:
        _refuse_release(path, error, english=english)
    except KeyFileError as error:
        _refuse(None, str(error))


def _refuse_release(path: Path, error: ReleaseError, *, english: bool) -> NoReturn:
    """End the command with why a file is refused."""
    from negative_list.release.wording import REASON_WORDS

    word = "refused" if english else "拒绝"
    typer.echo(f"{path}: {word} ({error.reason}), {REASON_WORDS[error.reason][english]}: {error.message}", err=True)
    raise typer.Exit(1)


def _refuse(path: Path | None, message: str) -> NoReturn:
    """End the command with one problem, and no count of it."""
    typer.echo(str(Problem(file=str(path), message=message)) if path is not None else message, err=True)
    raise typer.Exit(1)
