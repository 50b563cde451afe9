# make demo    letters in your hands, no network and no account needed beyond the package index
# make test    everything that must hold: ruff, mypy, layers, tests
.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test lint types quick bench lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST_WORKERS ?= 2
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed  ## .venv/bin/newsletter, from the lock file

install-dev: $(VENV)/.installed-dev  ## the same with the tools of the tests

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "newsletter needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (about a minute, 0.9 GB)"
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

demo: install  ## the whole job on the packaged sample; prints where the letters are
	$(BIN)/newsletter demo --out demo-letters

test: install-dev lint types  ## ruff, mypy and every test
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS)

quick: install-dev  ## the tests without the slow ones
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m 'not slow'

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: install-dev
	$(BIN)/mypy

lock:  ## renew the lock files: names, versions and hashes only
	$(UV_COMPILE) --group build pyproject.toml --output-file requirements.lock $(LOCK_FLAGS)
	$(UV_COMPILE) --group dev pyproject.toml --output-file requirements-dev.lock $(LOCK_FLAGS)
	awk '/^[a-z]/ { kept = /^psycopg/ } kept && !/# via/' requirements-dev.lock > deploy/postgres.lock
	$(BIN)/python tests/node/renew.py

clean:  ## what make has made
	rm -rf $(VENV) demo-letters dist .pytest_cache .mypy_cache .ruff_cache
