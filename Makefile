# `make demo` and `make test` are all a newcomer needs; both make .venv where it is missing.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup lint format typecheck pytest test bench demo docs clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## make .venv with every version pinned in constraints.txt

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); recsys needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt annoy || \
		echo "annoy was not built (it needs a C++ compiler): recsys works with the exact index; see recsys doctor"
	@touch $@

lint: setup  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: setup  ## mypy, strict
	$(BIN)/mypy

pytest: setup  ## every test, slow and real-data ones too (these skip where the logs are not there)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test: lint typecheck pytest  ## lint, types and tests

demo: setup  ## a small log through the whole way in under two minutes
	$(BIN)/recsys demo

bench: setup  ## measure every claim of RESULTS.md on this machine
	$(BIN)/python -m benchmarks

docs: setup  ## list every part with its options, formula and source
	$(BIN)/recsys parts

clean:  ## remove caches and build outputs; datasets and runs stay
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
	find recsys tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
