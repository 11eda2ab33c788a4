-- Written by `make pages` from reminder/stores/schema.py: the tables of a new SQLite store.

CREATE TABLE alias (
	"key" TEXT NOT NULL,
	person TEXT NOT NULL,
	PRIMARY KEY ("key")
);

CREATE TABLE coverage (
	patient_key TEXT NOT NULL,
	institution_id TEXT NOT NULL,
	since TEXT NOT NULL,
	complete BIGINT NOT NULL,
	told_at TEXT NOT NULL,
	until TEXT NOT NULL,
	PRIMARY KEY (patient_key, institution_id)
);

CREATE TABLE fact (
	subject TEXT NOT NULL,
	fact TEXT NOT NULL,
	source TEXT NOT NULL,
	valid_from TEXT NOT NULL,
	expires TEXT NOT NULL,
	value BLOB NOT NULL,
	told_at TEXT NOT NULL,
	held_from TEXT NOT NULL,
	PRIMARY KEY (subject, fact, source, valid_from)
);

CREATE TABLE finding (
	encounter_key TEXT NOT NULL,
	rule_id TEXT NOT NULL,
	line_id TEXT NOT NULL,
	found_at TEXT NOT NULL,
	closed_at TEXT NOT NULL,
	checked_at TEXT NOT NULL,
	ward TEXT NOT NULL,
	bed TEXT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (encounter_key, rule_id, line_id, found_at)
);

CREATE TABLE kept (
	encounter_key TEXT NOT NULL,
	institution_id TEXT NOT NULL,
	received_at TEXT NOT NULL,
	ended BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (encounter_key)
);

CREATE TABLE record (
	institution_id TEXT NOT NULL,
	source TEXT NOT NULL,
	record_id TEXT NOT NULL,
	patient_key TEXT NOT NULL,
	encounter_key TEXT NOT NULL,
	revision BIGINT NOT NULL,
	told_at TEXT NOT NULL,
	first_at TEXT NOT NULL,
	last_at TEXT NOT NULL,
	lines BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (institution_id, source, record_id)
);

CREATE INDEX alias_of_person ON alias (person);

CREATE INDEX fact_by_end ON fact (expires);

CREATE INDEX finding_by_end ON finding (closed_at, found_at);

CREATE INDEX kept_running ON kept (ended, institution_id);

CREATE INDEX record_by_time ON record (last_at, first_at);

CREATE INDEX record_of_patient ON record (patient_key, last_at);

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version (version_num) VALUES ('0002');
