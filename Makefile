# Every recipe does its own set-up: it needs Python 3.11 or newer, make, and a package index. `make` alone lists them.
#
#   PYTHON=/path/to/python     the interpreter the environment is built from (default: the first fitting one on the PATH)
#   PYTEST_ARGS="-k slots"     handed to pytest by `make test` and `make test-fast`
#   WORKERS=4                  how many processes run the tests

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
UV := 0.13.9
WORKERS ?= auto
PYTEST_ARGS ?=

# `auto` is one process per core; each costs memory and connections, so there is an upper bound.
PYTEST = $(BIN)/python -m pytest -q --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

.PHONY: help demo test test-fast check lint bench schema format lock clean

help: ## list the recipes
	@echo "meetings: a scheduling backend that a team runs itself"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
	  printf '  make %-11s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.demo ## everything with simulators and example data, with a tour; ONCE=1 stops after the tour, PORT=8123 listens there
	@$(BIN)/python -m meetings.infrastructure.cli demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev ## the whole test suite; starts its own PostgreSQL and Redis
	@$(PYTEST) $(PYTEST_ARGS)

test-fast: $(VENV)/.dev ## the tests that need no PostgreSQL and no Redis
	@$(PYTEST) -m "not services" $(PYTEST_ARGS)

# Killed processes, real sockets and real clocks: on a busy machine a test may fail for want of time. What fails is run
# once more, alone and in sight; what fails alone as well is broken.
check: lint ## what CI runs: format, lint, types, import rules, schema, then the tests
	@$(PYTEST) $(PYTEST_ARGS) || { [ $$? -eq 1 ] && echo && echo "These failed; once more, one after the other:" && \
	  $(BIN)/python -m pytest -q --numprocesses 0 --last-failed --last-failed-no-failures none $(PYTEST_ARGS); }

lint: $(VENV)/.dev ## `check` without the tests
	@echo "format";  $(BIN)/ruff format --check --quiet . || { echo "Badly formatted: run \`make format\`."; exit 1; }
	@echo "lint";    $(BIN)/ruff check --quiet .
	@echo "types";   $(BIN)/mypy --no-error-summary
	@echo "imports"; $(BIN)/lint-imports > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }
	@echo "schema";  $(BIN)/python -m meetings.infrastructure.cli export-schema > $(VENV)/schema.graphql
	@diff -u schema.graphql $(VENV)/schema.graphql || { \
	  echo "schema.graphql is not what the server would serve: run \`make schema\` and read the difference."; exit 1; }

bench: $(VENV)/.dev ## the benchmarks; prints a table and writes benchmarks/results.json
	@$(BIN)/python -m benchmarks

schema: $(VENV)/.dev ## write schema.graphql from the code
	@$(BIN)/python -m meetings.infrastructure.cli export-schema > $(VENV)/schema.graphql
	@cp $(VENV)/schema.graphql schema.graphql

format: $(VENV)/.dev ## format the code and fix what the linter can
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

lock: $(BIN)/python ## pin all dependencies again; UPGRADE=1 takes the newest versions
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@$(call compile,--group build,requirements.lock)
	@$(call compile,--group dev,requirements-dev.lock)

clean: ## remove the environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist meetings.egg-info

# ---- set-up -------------------------------------------------------------------------------------------------------

compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header $(if $(UPGRADE),--upgrade) --extra demo $(1) pyproject.toml --output-file $(2) > /dev/null

# The stamps are newer than the lock they were made from; a changed lock installs again.
$(VENV)/.demo: requirements.lock pyproject.toml | $(BIN)/python
	@$(call install,requirements.lock)
	@touch $@

# The development lock holds everything the other one holds, so one installation serves `make demo` too.
$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@$(call install,requirements-dev.lock)
	@touch $(VENV)/.demo $@

install = echo "Installing the packages of $(1): a minute or two the first time." && \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --require-hashes --requirement $(1) \
    > $(VENV)/install.log 2>&1 || { \
    echo "The packages of $(1) could not be installed: $$(grep '^ERROR' $(VENV)/install.log | tail -n 1)"; \
    echo "Check the network, or name your package index in PIP_INDEX_URL, and run the same command again" \
         "(everything pip said is in $(VENV)/install.log)."; exit 1; } && \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation \
    --editable . >> $(VENV)/install.log 2>&1 || { \
    echo "The checkout itself could not be installed; what pip said is in $(VENV)/install.log."; exit 1; }

# 3.12 and 3.11 first: for these the tests' Redis comes as a package, for newer ones it must be installed.
$(BIN)/python:
	@for candidate in $(or $(PYTHON),python3.12 python3.11 python3.13 python3); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then \
	    "$$candidate" -m venv --clear $(VENV) > /dev/null 2>&1 && exit 0; \
	    rm -rf $(VENV); \
	    echo "$$candidate cannot make a virtual environment: install its venv module" \
	         "(Debian and Ubuntu: apt install python3-venv) and run the same command again."; exit 1; \
	  fi; \
	done; \
	echo "No Python 3.11 or newer was found: install one, or name it with \`make PYTHON=/path/to/python\`," \
	     "and run the same command again."; exit 1
