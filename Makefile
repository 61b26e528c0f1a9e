# One line a target; `make help` lists them. Everything runs in .venv, which `make env` makes from the lock.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help env up down test test-render test-app test-cluster test-browser lint

help: ## show this
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

env: .venv/.done ## make .venv, with chatctl in it

up: env ## bring up the chat on a local cluster, and print its URL
	@$(BIN)/chatctl up

down: env ## take the local cluster down
	@$(BIN)/chatctl down

test: env lint test-render test-app test-cluster test-browser ## everything that must pass

test-render: env ## the chart's output and its refusals; no cluster
	$(PYTEST) tests/render -n 2

test-app: env ## the reference app, on loopback
	$(PYTEST) tests/app -n 2

test-cluster: env ## install, upgrade, refuse, tear down, on a cluster of its own
	$(PYTEST) tests/cluster

test-browser: env ## the chat in Chromium, and in the one of before 2024
	$(PYTEST) tests/browser

lint: env ## ruff, mypy, hadolint, ct lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint app/Containerfile
	PATH="$(CURDIR)/$(BIN):$$(dirname "$$($(BIN)/chatctl tools helm)"):$$PATH" "$$($(BIN)/chatctl tools ct)" lint --config ci/ct.yaml --charts chart

.venv/.done: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.11")'
	@echo "Making .venv from requirements.lock (a minute the first time)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
