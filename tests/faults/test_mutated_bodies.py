"""Mutated bodies: what is still readable says what its twin says, everything else is refused in words.

The small twin of ``python -m benchmarks.fuzz``, with the same mutants.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from benchmarks.fuzz import Seen, Speaker, fuzz, well_formed
from negative_list.errors import RequestError
from tests.faults.mutations import BREAKS, KEEPS, SPECIALS, base, broken, encode, readable
from tests.readers.dialect_list import LIST, decided, spoken
from tests.reminder.sidecar import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decision import Decision

QUICK = ("nested lists", "nested objects", "nested in a text", "10 MB of NUL", "10 MB of one text", "over the limit")
"""The large bodies that cost no time; the others are in the benchmark."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with the list of the dialects."""
    folder = tmp_path_factory.mktemp("fuzz")
    with running(folder, list=_list(folder)) as sidecar:
        yield sidecar


def _list(folder: Path) -> Path:
    file = folder / "dialects.yaml"
    file.write_text(LIST, encoding="utf-8")
    return file


def told(decision: Decision) -> list[tuple[object, ...]]:
    """What is told of the findings, without the facts, whose texts may be spelt in two ways."""
    return [row[:-1] for row in spoken(decision)]


@pytest.mark.parametrize("name", KEEPS)
def test_each_mutation_that_keeps_a_body_does(name: str) -> None:
    """One mutation at a time, on several prescriptions: the findings are the twin's, and there are some."""
    for seed in range(8):
        rng = Random(f"{name} {seed}")
        plain = base(rng, "P1")
        twin = decided(json.dumps(plain).encode())
        mutant = encode(KEEPS[name](json.loads(json.dumps(plain)), rng), rng)
        assert told(decided(mutant.raw)) == told(twin), mutant.how
        assert twin.findings


def test_many_mutations_together_keep_it_too() -> None:
    """Any number of them, in any of the encodings."""
    for seed in range(120):
        rng = Random(seed)
        plain = base(rng, "P1")
        mutant = readable(plain, rng)
        assert told(decided(mutant.raw)) == told(decided(json.dumps(plain).encode())), (seed, mutant.how)


@pytest.mark.parametrize("name", BREAKS)
def test_damage_is_read_or_refused(name: str) -> None:
    """Whatever is done to the bytes, a decision or the fields that cannot be used."""
    for seed in range(25):
        rng = Random(f"{name} {seed}")
        raw = BREAKS[name](json.dumps(base(rng, "Q1"), ensure_ascii=False).encode(), rng)
        try:
            said: object = decided(raw).decision
        except RequestError as error:
            said = error.fields
        except AssertionError:  # read, and without a time of its own, for which a caller's arrival would stand
            said = "pass"
        assert said


def test_mutants_are_made_again_from_their_seed() -> None:
    """Who finds one wanting can look at it."""
    first, second = ([broken(base(Random(7), "Q1"), Random(n)).raw for n in range(20)] for _ in range(2))
    assert first == second


def test_a_sidecar_answers_each_mutant(here: Running) -> None:
    """Readable and broken ones by turns: well-formed replies, the twin's findings, no fault of ours."""
    seen = Seen()
    with Speaker(here.at("http")) as speaker:
        for seed in range(40):
            fuzz(speaker, seen, seed)
    assert seen.wrong == []
    assert seen.counts["readable"] == 40
    assert seen.counts["broken, read"]
    assert seen.counts["broken, refused"]
    assert not [line for line in here.logged() if line.get("level") == "error"]


@pytest.mark.parametrize("name", QUICK)
def test_a_sidecar_refuses_what_is_deep_or_large(here: Running, name: str) -> None:
    """In the reply of the interface, with the field; it goes on answering."""
    with Speaker(here.at("http")) as speaker:
        status, text, _ = speaker.ask(SPECIALS[name]())
    wrong, reply = well_formed(status, text)
    assert (wrong, reply["infcode"]) == ("", -1)
    assert reply["output"]["error"][0]["field"] in {"body", "input"}
