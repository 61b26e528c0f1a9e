# One line a target; `make help` lists them. Everything runs in .venv, which `make env` makes from the lock.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# What runs is measured, in every process (pyproject.toml); `make test` puts it together.
PYTEST := $(BIN)/coverage run -m pytest
# `heads` compares with the local main branch.
REMOTE ?= heads
CT = PATH="$(abspath $(BIN)):$$(dirname "$$($(BIN)/chatctl tools helm)"):$$PATH" "$$($(BIN)/chatctl tools ct)" lint --config ci/ct.yaml

.PHONY: help env tools up down test test-render test-cluster test-browser check docs package release bench lint lint-changed

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.done ## make .venv, with chatctl in it

tools: env # built before the tests, which have a time limit
	@$(BIN)/chatctl tools > /dev/null

up: env ## bring up the chat on a local cluster, and print its URL
	@$(BIN)/chatctl up

down: env ## take the local cluster down
	@$(BIN)/chatctl down

test: lint tools ## everything that must pass, and which lines of chatctl it did not run
	@$(BIN)/coverage erase
	@$(MAKE) --no-print-directory test-render
	$(PYTEST) tests/cluster tests/browser
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

test-render: tools ## what needs no cluster: the chart's output and refusals, chatctl, the reference app
	$(PYTEST) tests/render tests/chatctl tests/app -n 2

test-cluster: tools ## install, upgrade, refuse, tear down, on a cluster of the tests' own
	$(PYTEST) tests/cluster

test-browser: tools ## the chat in Chromium, and in the one of before 2024
	$(PYTEST) tests/browser

check: tools ## the chart's output against schemas and invariants, with every value set
	@$(BIN)/chatctl check

docs: env ## write the generated parts of the documents anew
	@$(BIN)/python -m chatctl.docs

package: tools ## the chart as a package in dist/, the same for everybody who makes it
	@$(BIN)/python -m chatctl.package

release: tools ## keep this version of the chart as the one that upgrades start from
	@$(BIN)/python -m chatctl.package keep

bench: tools ## figures: what the check costs beside bare renders
	@$(BIN)/python -m tests.bench.bench_check

lint: tools ## ruff, mypy, hadolint, actionlint, ct lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint app/Containerfile examples/own-image/Containerfile
	"$$($(BIN)/chatctl tools actionlint)"
	$(CT) --charts chart

lint-changed: env ## ct lint against the main branch of REMOTE: a changed chart needs a new version
	$(CT) --remote $(REMOTE) --target-branch main

.venv/.done: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.11")'
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || if command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing the Debian package python3-venv"; apt-get update -q && apt-get install -y -q python3-venv; \
	else echo "$(PYTHON) can't make virtual environments; install python3-venv (Debian's name) and run this again"; exit 1; fi
	@echo "Making .venv from requirements.lock (a minute the first time)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
