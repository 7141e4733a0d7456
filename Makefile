# Bare `make` lists the targets. Another interpreter: make PYTHON=python3.12 up
# More cores than two: make WORKERS=4 check

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
STAMPS := .venv/stamps
# Bytecode is made where a module is first imported: compiling all of it would take longer than installing.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --no-compile
MANAGE := $(BIN)/python manage.py
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
# To read all tests costs each worker of each lane ten seconds: a lane is told where its own stand.
# tests/house/test_lanes.py sees that none is left out.
FOLDERS_OF_RACES := $(addprefix tests/,accounts chaos core generation greenroom races)
FOLDERS_OF_TORCH := $(addprefix tests/,demo_model generation journeys)
FOLDERS_OF_BROWSER := tests/browser
FOLDERS_OF_CONFORMANCE := tests/conformance
# Programs that speak to us and know nothing of us, each in an environment of its own.
CONFORMANCE := openai-2.6 openai-3.54 client node
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome
# Random and gone after the check: production settings refuse to start without secrets of their own.
THROWAWAY = $$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')

# Where the shell forbids bytecode beside the sources it stands in .venv: without any, each of the many
# processes here would compile all of Django anew.
ifdef PYTHONDONTWRITEBYTECODE
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(abspath .venv/bytecode)
endif

# An environment whose interpreter has gone (the system's Python was upgraded) is made anew.
$(shell [ -x $(BIN)/python ] || rm -rf $(STAMPS))

.DEFAULT_GOAL := help
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
.PHONY: help up setup check test reset format installed-for-check chromium static format-check lint types \
	contracts migrations deploy templates tests

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

up: setup ## Start Greenroom at http://localhost:8000 (PORT, DATABASE_URL, CELERY_BROKER_URL); Ctrl-C stops it
	@exec $(BIN)/python -m greenroom.parent

setup: $(STAMPS)/greenroom ## Make the environment in .venv, and nothing else

check: installed-for-check chromium static tests ## Everything that must be green
	@echo "Everything is green."

test: $(STAMPS)/greenroom $(STAMPS)/check ## The fast tests: all but browser, torch, races, slow ones and conformance
	@$(PYTEST) -m "not (browser or torch or race or slow or conformance)"

reset: ## Delete the database, the clips and everything else in var/
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m greenroom.parent reset; else rm -rf var; fi

format: $(STAMPS)/greenroom $(STAMPS)/check ## Put the code into the house's form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The environment. A stamp is older than its file only when there is something to install.

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Greenroom needs Python 3.11 or newer, and there is no $(PYTHON) here."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Greenroom needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 up"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making the environment in .venv …"
	@$(PYTHON) -m venv --clear .venv

$(STAMPS)/web: requirements/web.txt | $(BIN)/python
	@echo "Installing what the web needs (requirements/web.txt) …"
	@$(PIP) -r requirements/web.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/greenroom: pyproject.toml $(STAMPS)/web
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/check: requirements/check.txt $(STAMPS)/web
	@echo "Installing what the checks need (requirements/check.txt) …"
	@$(PIP) -r requirements/check.txt
	@touch $@

$(STAMPS)/render: requirements/render.txt $(STAMPS)/web
	@echo "Installing the video engine (requirements/render.txt); this takes minutes …"
	@$(PIP) -r requirements/render.txt
	@touch $@

$(STAMPS)/conformance-%: requirements/conformance-%.txt | $(BIN)/python
	@echo "Installing a client to check with (requirements/conformance-$*.txt) …"
	@$(BIN)/python -m venv --clear --without-pip .venv/conformance/$*
	@$(PIP:install=--python .venv/conformance/$*/bin/python install) -r requirements/conformance-$*.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/conformance-js: tests/conformance/package.json tests/conformance/package-lock.json $(STAMPS)/conformance-node
	@mkdir -p .venv/conformance/js && cp tests/conformance/package.json tests/conformance/package-lock.json .venv/conformance/js
	@cd .venv/conformance/js && PATH="$(abspath .venv/conformance/node/bin):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The steps of `make check`, in order.

installed-for-check: $(STAMPS)/greenroom $(STAMPS)/check $(STAMPS)/render \
	$(addprefix $(STAMPS)/conformance-,$(CONFORMANCE)) $(STAMPS)/conformance-js

chromium:
	@if ! ($(CHROMIUM)) >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests …"; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium fonts-dejavu-core) >.venv/chromium.log 2>&1 || tail -5 .venv/chromium.log; fi
	@($(CHROMIUM)) >/dev/null || { \
		echo "The browser tests need Chromium, and it cannot be installed from here. Install your system's package chromium."; exit 1; }

# Two at a time: the types take as long as all others together.
static:
	@$(MAKE) --no-print-directory SIDE_BY_SIDE=yes \
		$(if $(filter output-sync,$(.FEATURES)),-j 2 --output-sync=target) \
		types format-check lint contracts migrations deploy templates

format-check:
	@echo "== Format"
	@$(BIN)/ruff format --check .

lint:
	@echo "== Lint"
	@$(BIN)/ruff check .

types:
	@echo "== Types"
	@PYTHONPATH=platform:. $(BIN)/mypy

contracts:
	@echo "== Import contracts"
	@$(BIN)/lint-imports

migrations:
	@echo "== Missing migrations"
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

deploy:
	@echo "== Production settings"
	@GREENROOM_MODE=production GREENROOM_HOSTS=greenroom.example GREENROOM_ADDRESS=https://greenroom.example \
		GREENROOM_MAIL_URL=smtps://mail.greenroom.example \
		GREENROOM_SECRET_KEY="$(THROWAWAY)" GREENROOM_PEPPERS="{\"1\": \"$(THROWAWAY)\"}" \
		$(MANAGE) check --deploy --fail-level WARNING

templates:
	@echo "== Templates"
	@$(BIN)/djlint --lint --quiet --profile=django --ignore=H015 templates

tests:
	@echo "== Tests: fast"
	@$(PYTEST) -m "not (browser or torch or race or slow or conformance)"
	@echo "== Tests: tables, laws and hostile SQL on the oldest PostgreSQL at hand"
	@GREENROOM_TEST_PG=oldest $(PYTEST) -m "postgres and not (browser or torch or slow)" \
		tests/house tests/invariants tests/laws tests/core
	@# One more worker than elsewhere: these wait for locks and processes as much as they work.
	@echo "== Tests: races, and what kills processes"
	@$(PYTEST) -n $$(($(WORKERS) + 1)) -m "(race or slow) and not (browser or torch)" $(FOLDERS_OF_RACES)
	@echo "== Tests: the video engine"
	@OMP_NUM_THREADS=1 $(PYTEST) -m "torch and not browser" $(FOLDERS_OF_TORCH)
	@echo "== Tests: the browser"
	@$(PYTEST) -m browser $(FOLDERS_OF_BROWSER)
	@# One process: it starts one house, and all clients speak to it at once.
	@echo "== Tests: conformance"
	@$(PYTEST) -n 0 -m conformance $(FOLDERS_OF_CONFORMANCE)
