-- Written by `make pages` from reminder/journal/schema.py: the tables of a new SQLite store.

CREATE TABLE artifact (
	digest TEXT NOT NULL,
	kind TEXT NOT NULL,
	content BLOB NOT NULL,
	first_at TEXT NOT NULL,
	PRIMARY KEY (digest)
);

CREATE TABLE body (
	id INTEGER NOT NULL,
	content BLOB NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE chain (
	number INTEGER NOT NULL,
	name TEXT NOT NULL,
	seq BIGINT NOT NULL,
	hash BLOB NOT NULL,
	removals BIGINT NOT NULL,
	PRIMARY KEY (number)
);

CREATE TABLE entry (
	id INTEGER NOT NULL,
	at TEXT NOT NULL,
	kind TEXT NOT NULL,
	decision_id TEXT NOT NULL,
	institution_id TEXT NOT NULL,
	patient_key TEXT NOT NULL,
	encounter_key TEXT NOT NULL,
	asked TEXT NOT NULL,
	encounter_sum BIGINT,
	asked_sum BIGINT,
	hash BLOB NOT NULL,
	brief BLOB NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE named (
	digest TEXT NOT NULL,
	chain BIGINT NOT NULL,
	until BIGINT NOT NULL,
	PRIMARY KEY (digest, chain)
);

CREATE TABLE stay (
	patient_sum BIGINT NOT NULL,
	encounter_sum BIGINT NOT NULL,
	PRIMARY KEY (patient_sum, encounter_sum)
)
 WITHOUT ROWID;

CREATE UNIQUE INDEX chain_by_name ON chain (name);

CREATE INDEX entry_asked ON entry (asked_sum) WHERE asked_sum IS NOT NULL;

CREATE INDEX entry_by_time ON entry (at);

CREATE INDEX entry_of_decision ON entry (decision_id) WHERE decision_id <> '';

CREATE INDEX entry_of_encounter ON entry (encounter_sum) WHERE encounter_sum IS NOT NULL;

CREATE TABLE journal_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT journal_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO journal_version (version_num) VALUES ('0001');
