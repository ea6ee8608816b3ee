# `make demo` and `make test` are all a newcomer needs; both make .venv where it is missing.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup lint format typecheck pytest quick test bench demo docs clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## make .venv with every version pinned in constraints.txt

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); recsys needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "making .venv: recsys with the versions of constraints.txt, about 2 GB on disk (torch alone is .8 GB); about two minutes"
	@$(PYTHON) -m venv .venv
	@echo "installing torch, MLflow, polars and the rest ..."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@echo "building annoy ..."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt annoy || \
		echo "annoy was not built (it needs a C++ compiler): recsys works with the exact index; see recsys doctor"
	@touch $@
	@echo "ready; . .venv/bin/activate puts recsys on the path"

lint: setup  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: setup  ## mypy, strict
	$(BIN)/mypy

pytest: setup  ## every test, slow and real-data ones too (these skip where the logs are not there)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

quick: setup  ## the tests that take under a minute together: neither slow ones nor real logs
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not slow and not realdata" \
		--hypothesis-profile quick

test: lint typecheck pytest  ## lint, types and tests

demo: setup  ## a small log through the whole way in under two minutes
	$(BIN)/recsys demo

bench: setup  ## measure every claim of RESULTS.md on this machine
	$(BIN)/python -m benchmarks

docs: setup .venv/.docs  ## build the pages of docs/ into site/; nothing is fetched while it builds
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/.docs: pyproject.toml constraints.txt | setup
	@echo "installing mkdocs ..."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

clean:  ## remove caches and build outputs; datasets and runs stay
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build site
	find recsys tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
