"""The SQL of every store: one text for SQLite and PostgreSQL, ``?`` for a value, ``LIST(?)`` for the rows of a list.

Both know ``ON CONFLICT ... DO UPDATE ... WHERE``, window functions and comparison of text by code point (the columns
are made so, :mod:`reminder.stores.schema`). Times are ISO texts, which sort as the times do; "" stands for none.
"""

from __future__ import annotations

__all__ = [
    "ALIASES",
    "CHECKED_AT",
    "CLOSE_FINDING",
    "COVERAGE",
    "FACTS",
    "FINDINGS",
    "FORGET",
    "FORGOTTEN",
    "KEPT",
    "KEYS",
    "MERGE_ALIAS",
    "OPEN_FINDINGS",
    "PATIENTS_BETWEEN",
    "PUT_ALIAS",
    "PUT_COVERAGE",
    "PUT_FACT",
    "PUT_FINDING",
    "PUT_FORGOTTEN",
    "PUT_KEPT",
    "PUT_RECORD",
    "RECORDS",
    "RENEW_FACT",
]

_SAME = "LIST(?) UNION SELECT b.key FROM alias a JOIN alias b ON b.person = a.person WHERE a.key IN (LIST(?))"

PUT_RECORD = """
INSERT INTO record (institution_id, source, record_id, patient_key, encounter_key, revision, told_at, first_at, last_at,
  lines, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (institution_id, source, record_id) DO UPDATE SET
  patient_key = excluded.patient_key, encounter_key = excluded.encounter_key, revision = excluded.revision,
  told_at = excluded.told_at, first_at = excluded.first_at, last_at = excluded.last_at, lines = excluded.lines,
  body = excluded.body
WHERE excluded.revision > record.revision
  OR (excluded.revision = record.revision AND excluded.told_at >= record.told_at
      AND (excluded.body <> record.body OR excluded.patient_key <> record.patient_key))
"""
"""A saved prescription (source ``saved``) or a record of a feed (source ``fed``, revision 0). One without content has
the patient key "", so that nobody finds it, and its row keeps earlier words out."""

RECORDS = f"""
WITH same(key) AS ({_SAME})
SELECT r.last_at, r.lines, r.institution_id, r.encounter_key, r.source, r.body, COALESCE(a.person, r.encounter_key)
FROM record r LEFT JOIN alias a ON a.key = r.encounter_key
WHERE r.patient_key IN (SELECT key FROM same) AND r.last_at >= COALESCE((
  SELECT s.last_at FROM record s WHERE s.patient_key IN (SELECT key FROM same) ORDER BY s.last_at DESC LIMIT 1 OFFSET ?
), '')
ORDER BY r.last_at DESC, r.source DESC, r.told_at DESC
"""  # noqa: S608 - no value is written into the text
"""The latest of a patient, what ended last first; of one time a saved one before a fed one. Where to end is found by
index alone: sorting all bodies of a patient with thousands of records would take longer than a check waits."""

ALIASES = "SELECT key, person FROM alias WHERE person IN (SELECT person FROM alias WHERE key IN (LIST(?)))"
"""The groups some keys belong to."""

FORGOTTEN = "*"
"""In place of an institution: the word of coverage that says up to when everything was forgotten."""

COVERAGE = f"""
SELECT institution_id, since, complete, until FROM coverage
WHERE (patient_key = '' OR patient_key IN ({_SAME})) AND institution_id IN ('', '{FORGOTTEN}', ?)
ORDER BY CASE patient_key WHEN '' THEN 0 ELSE 1 END, told_at
"""  # noqa: S608
"""Words of coverage, the one that counts last."""

PUT_COVERAGE = """
INSERT INTO coverage (patient_key, institution_id, since, complete, told_at, until) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (patient_key, institution_id) DO UPDATE SET
  since = excluded.since, complete = excluded.complete, told_at = excluded.told_at, until = excluded.until
WHERE excluded.told_at >= coverage.told_at
"""

PUT_FORGOTTEN = f"""
INSERT INTO coverage (patient_key, institution_id, since, complete, told_at, until)
VALUES ('', '{FORGOTTEN}', ?, 0, '', '')
ON CONFLICT (patient_key, institution_id) DO UPDATE SET since = excluded.since WHERE excluded.since > coverage.since
"""  # noqa: S608

FACTS = f"""
SELECT subject, fact, value, valid_from, expires, source, held_from FROM (
  SELECT f.*, ROW_NUMBER() OVER (PARTITION BY subject, fact ORDER BY held_from DESC, told_at DESC, source) AS place
  FROM fact f
  WHERE subject IN ({_SAME}) AND valid_from <= ? AND CASE expires WHEN '' THEN 1 = 1 ELSE expires > ? END
) told WHERE place = 1
"""  # noqa: S608
"""Of each fact of some subjects the one that holds and became valid last. The ``CASE`` keeps PostgreSQL from looking
for all that have not expired by their index, which it does while the table has no statistics."""

PUT_FACT = """
INSERT INTO fact (subject, fact, source, valid_from, expires, value, told_at, held_from)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subject, fact, source, valid_from) DO UPDATE SET
  expires = excluded.expires, value = excluded.value, told_at = excluded.told_at, held_from = excluded.held_from
WHERE excluded.told_at >= fact.told_at AND (excluded.value <> fact.value OR excluded.expires <> fact.expires)
"""

RENEW_FACT = """
UPDATE fact SET told_at = ?, held_from = ?
WHERE subject = ? AND fact = ? AND source = ? AND valid_from = '' AND told_at < ?
"""
"""A fact without a time that is told again counts from then on; to say so changes nothing of what is known."""

KEYS = "SELECT person FROM alias WHERE key = ?"
PUT_ALIAS = "INSERT INTO alias (key, person) VALUES (?, ?)"
MERGE_ALIAS = "UPDATE alias SET person = ? WHERE person = ?"
"""Keys that are of one patient, or of one encounter, have the same ``person``: the least of them."""

PUT_KEPT = """
INSERT INTO kept (encounter_key, institution_id, received_at, ended, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (encounter_key) DO UPDATE SET
  institution_id = excluded.institution_id, received_at = excluded.received_at, ended = excluded.ended,
  body = excluded.body
WHERE excluded.received_at >= kept.received_at
"""

KEPT = "SELECT body FROM kept WHERE ended = 0 AND (? = '' OR institution_id = ?) ORDER BY institution_id, encounter_key"

OPEN_FINDINGS = "SELECT rule_id, line_id, found_at FROM finding WHERE encounter_key = ? AND closed_at = ''"
CHECKED_AT = "SELECT MAX(checked_at) FROM finding WHERE encounter_key = ?"

PUT_FINDING = """
INSERT INTO finding (encounter_key, rule_id, line_id, found_at, closed_at, checked_at, ward, bed, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (encounter_key, rule_id, line_id, found_at) DO UPDATE SET
  closed_at = excluded.closed_at, checked_at = excluded.checked_at, ward = excluded.ward, bed = excluded.bed,
  body = excluded.body
WHERE excluded.checked_at > finding.checked_at
"""

CLOSE_FINDING = """
UPDATE finding SET closed_at = ?, checked_at = ?
WHERE encounter_key = ? AND rule_id = ? AND line_id = ? AND found_at = ? AND closed_at = ''
"""

FINDINGS = """
SELECT found_at, closed_at, body FROM finding
WHERE (? = 0 OR closed_at = '') AND (found_at >= ? OR closed_at >= ?)
ORDER BY ward, bed, encounter_key, rule_id, line_id, found_at
"""

PATIENTS_BETWEEN = """
SELECT COALESCE(p.person, r.patient_key) AS patient, r.institution_id, r.encounter_key, r.source, r.body,
  COALESCE(a.person, r.encounter_key)
FROM record r LEFT JOIN alias a ON a.key = r.encounter_key LEFT JOIN alias p ON p.key = r.patient_key
WHERE r.patient_key <> '' AND COALESCE(p.person, r.patient_key) IN (
  SELECT COALESCE(q.person, s.patient_key) FROM record s LEFT JOIN alias q ON q.key = s.patient_key
  WHERE s.last_at >= ? AND s.first_at < ?)
ORDER BY patient, r.last_at DESC, r.source DESC, r.told_at DESC
"""
"""Whole patients of whom something lies within two civil times."""

FORGET = (
    "DELETE FROM record WHERE last_at < ?",
    "DELETE FROM fact WHERE expires <> '' AND expires < ?",
    "DELETE FROM kept WHERE received_at < ?",
    "DELETE FROM finding WHERE closed_at <> '' AND closed_at < ?",
)
"""What forgetting takes out."""
