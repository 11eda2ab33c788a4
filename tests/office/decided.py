"""A decision in a journal, made as the service makes one: under keys, with facts read, masked, its list kept."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list.compile import CompiledList, canonical_lines
from negative_list.compile import compile as compiled
from negative_list.decide import Fuller, decide_whole
from negative_list.policy import parse_policy
from negative_list.readers import read_body
from negative_list.readers.body import parse_body
from negative_list.readers.stored import StoreFact, supplement
from negative_list.rules import RuleList
from negative_list.site import Sites
from reminder.ids import decision_id
from reminder.journal.artifacts import policy_artifact
from reminder.journal.base import Artifact
from reminder.journal.chain import rows_of
from reminder.journal.drafts import Digests, Made, decided_draft
from reminder.under_keys import under_keys
from tests.cases.stories import shipped_rules, stories

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.stores.keys import Keys

__all__ = ["DECIDED", "ENCOUNTER", "ENGINE", "INSTITUTION", "LIST", "PATIENT", "rules_of", "write_decision"]

DECIDED = datetime(2026, 11, 20, 2, 10, tzinfo=UTC)
ENGINE = "1.0+test"
ENCOUNTER, PATIENT, INSTITUTION = "ZY26111813", "P430102-13", "H43010200001"
_STORY = stories()["13-suspended-doctor"]


@cache
def rules_of() -> RuleList:
    """The rule of the story."""
    rules = (msgspec.structs.replace(rule, cases=()) for rule in shipped_rules().rules if rule.id in _STORY.names)
    return RuleList(rules=tuple(rules))


@cache
def _list() -> CompiledList:
    return compiled(rules_of())


LIST = _list().digest
"""The digest of that list."""


def _facts(keys: Keys, at: datetime, *, rescue: bool | None) -> tuple[StoreFact, ...]:
    told = [
        StoreFact(subject="D0313", fact="line.doctor_state", value="suspended", valid_from=at, source="points ledger")
    ]
    if rescue is not None:
        key = keys.encounter(INSTITUTION, ENCOUNTER)
        told.append(StoreFact(subject=key, fact="encounter.rescue", value=rescue, valid_from=at, source="triage"))
    return tuple(told)


def write_decision(  # noqa: PLR0913 - what a test may want otherwise
    journal: JournalStore,
    keys: Keys,
    *,
    number: int = 1,
    rescue: bool | None = False,
    kept: bool = True,
    chain: str = "a",
    engine: str = ENGINE,
    **changed: Any,
) -> Row:
    """The story of the suspended doctor, decided and written; ``rescue``: what triage told, ``kept``: the list is.

    ``engine``: who decided; ``changed``: fields of the entry's :class:`Made` that are others.
    """
    prescription = read_body(parse_body(msgspec.json.encode(_STORY.request)), Sites())
    at = prescription.at
    assert at is not None
    keyed = under_keys(keys, prescription)
    facts = _facts(keys, datetime(2026, 6, 30), rescue=rescue)
    told = {fact.subject: (fact,) for fact in facts}
    fuller = Fuller(prescription=supplement(keyed.prescription, told, at))
    policy = parse_policy(_STORY.policy, "policy.toml")
    ident = decision_id(int(DECIDED.timestamp() * 1000), number)
    whole = decide_whole(_list(), keyed.prescription, at, policy, fuller=fuller, decision_id=ident)
    made = Made(
        keyed=keyed,
        now=DECIDED,
        at=at,
        zone="Asia/Shanghai",
        whole=whole,
        digests=Digests(engine=engine, list=LIST, policy=policy.digest, release="2026.11"),
        face="3101",
        read=True,
        facts=facts,
    )
    draft, _ = decided_draft(msgspec.structs.replace(made, **changed), keys, _list(), policy)
    if kept:
        content = b"".join(canonical_lines(rules_of()))
        journal.keep(Artifact(digest=LIST, kind="list", content=content, first_at=DECIDED))
        journal.keep(policy_artifact(policy, DECIDED))
    rows, _ = rows_of(journal.head(chain), [draft])
    journal.append(rows)
    return rows[0]
