# On a fresh machine each target first builds .venv with what it needs, and nothing asks anything.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check lint types generated contract serve bench proto landed pages bundle

PYTHON ?= python3
BIN := .venv/bin
LIST ?= negative_list/lists/sample
# Tests run in two processes, for most machines have two cores; who is done first takes tests from the other. `WORKERS=`: in one.
WORKERS ?= --numprocesses=2 --dist=worksteal
PROTOS = $(wildcard proto/reminder/v1/*.proto)

# The stub plug-ins of the protobuf compiler are found by name, so .venv/bin leads the path.
generate = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I proto \
	--python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)

help:
	@printf '%s\n' \
	  'make demo    load the sample list, start the sidecar, check sample prescriptions, stop' \
	  'make test    every test' \
	  'make check   lint, format, types, generated code, wire contract' \
	  'make serve   the sidecar on its default addresses (LIST=file or folder)' \
	  'make bench   measure, next to an empty server' \
	  'make bundle  one archive that installs where there is no network (PLATFORM=win_amd64|manylinux2014_x86_64|manylinux2014_aarch64)' \
	  'make proto   write the generated code again after a change of proto/' \
	  'make landed  record the contract in proto/ as published' \
	  'make pages   write docs/facts.md from the fact dictionary, and the SQL of a new store from its tables'

demo: .venv/.serve
	@$(BIN)/python -m reminder.demo

test: .venv/.develop
	@tools/postgres.sh
	@tools/strace.sh
	@tools/languages.sh
	@$(BIN)/python -m pytest $(WORKERS)

serve: .venv/.serve
	@$(BIN)/reminder serve --list $(LIST)

bench: .venv/.bench
	@$(BIN)/python -m benchmarks.run

bundle: .venv/.develop
	@$(BIN)/python -m tools.bundle $(if $(PYTHON_VERSION),--python $(PYTHON_VERSION)) $(PLATFORM)

check: lint types generated contract
	@echo 'check: all well'

lint: .venv/.develop
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: .venv/.develop
	@$(BIN)/mypy --no-error-summary

generated: .venv/.develop
	@out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; $(call generate,"$$out"); \
	  diff -r -x __init__.py -x __pycache__ "$$out/reminder/v1" reminder/v1 \
	  || { echo 'generated code is not fresh: run `make proto` and commit what it writes' >&2; exit 1; }

contract: .venv/.develop
	@$(BIN)/buf lint
	@$(BIN)/buf breaking --against proto/landed.binpb \
	  || { echo 'the wire contract breaks callers: see docs/developing.md, "The wire contract"' >&2; exit 1; }

proto: .venv/.develop
	@$(call generate,.)

landed: .venv/.develop
	@test ! -e proto/landed.binpb || $(BIN)/buf breaking --against proto/landed.binpb
	@$(BIN)/buf build --exclude-source-info -o proto/landed.binpb

pages: .venv/.develop
	@$(BIN)/python -m tools.facts_page
	@$(BIN)/python -m tools.tables

# $(call venv,EXTRAS): a half-made .venv is mended, not trusted.
venv = $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(1)]' </dev/null

.venv/.serve: pyproject.toml
	@$(call venv,serve)
	@touch $@

.venv/.bench: pyproject.toml
	@$(call venv,bench)
	@touch $@ .venv/.serve

.venv/.develop: pyproject.toml
	@$(call venv,serve$(,)sheets$(,)test$(,)check)
	@touch $@ .venv/.serve

, := ,
