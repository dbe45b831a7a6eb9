# `make` lists the targets. Nothing is installed outside .venv.

PYTHON ?= python3
TALOS_TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/test

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
STATIC := staticfiles/staticfiles.json
PYTEST := $(BIN)/python -m pytest
# Test files run in parallel, in random order: while one waits, another uses the processor.
SIDE_BY_SIDE := --dist loadscope --no-loadscope-reorder -n
KNOW_NO_DATABASE := benchmarks browser docs llm tools chaos/test_growth.py \
	access/test_gate.py access/test_headers.py support/test_unsteady.py turns/test_title_text.py \
	$(addprefix markdown/test_, blocks.py pool.py pool_processes.py renderer.py worker.py) \
	$(addprefix site/test_, checks.py development.py secret_key.py serve.py server.py settings.py static_files.py)
NPM := --silent --no-audit --no-fund --no-update-notifier
POSTGRES := $(BIN)/python .ci/postgres.py "$(TALOS_TEST_DATABASE_URL)"

.DELETE_ON_ERROR:
.PHONY: help run dev check test everything part fast lint style types types-js migrations-check \
	screenshots lock coverage chaos bench

# The tests do not see a developer's own .env.
check everything coverage part fast chaos: export PYTHON_DOTENV_DISABLED = 1

help: ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

run: .venv/run.stamp ## install missing requirements and serve on HOST:PORT
	@exec $(BIN)/python manage.py serve

dev: .venv/dev.stamp ## serve with reload on change, Django's debug pages, unbundled scripts and styles
	@DJANGO_SETTINGS_MODULE=talos_site.development exec $(BIN)/watchfiles --filter python \
		--sigint-timeout 15 "$(BIN)/python manage.py serve" chat talos_site tools

# The quick parts come first. mypy runs alongside the tests; its output follows theirs.
check: style types-js migrations-check $(STATIC) ## lint, types, and fast tests on SQLite without a browser: about two minutes
	@log=$$(mktemp); $(MAKE) --silent types >$$log 2>&1 & types=$$!; \
		trap 'kill $$types' INT TERM; \
		$(MAKE) --silent fast; failed=$$?; \
		wait $$types || failed=1; cat $$log; rm $$log; exit $$failed

test: $(if $(filter command line,$(origin ARGS)),part,everything) ## lint, types and all tests, on SQLite and PostgreSQL; ARGS="tests/turns -k cancel" runs a part

# PostgreSQL comes last, without the tests that use no database.
everything: lint migrations-check $(STATIC)
	@$(POSTGRES) || [ -z "$$CI" ]
	env -u DATABASE_URL $(PYTEST) $(SIDE_BY_SIDE) 3 --run-failed-again
	@! $(POSTGRES) >/dev/null || DATABASE_URL="$(TALOS_TEST_DATABASE_URL)" $(PYTEST) $(SIDE_BY_SIDE) 3 \
		--run-failed-again $(KNOW_NO_DATABASE:%=--ignore=tests/%)

# Not part of `make test`, as it slows each of its thousand processes down by half.
coverage: .venv/dev.stamp $(STATIC) ## lines and branches that no test on SQLite runs; fails below 96 %
	@$(BIN)/coverage erase
	env -u DATABASE_URL $(BIN)/coverage run -m pytest $(SIDE_BY_SIDE) 3
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

part: .venv/dev.stamp $(STATIC)
	env -u DATABASE_URL $(PYTEST) $(ARGS)

fast: .venv/dev.stamp $(STATIC)
	@env -u DATABASE_URL $(PYTEST) $(SIDE_BY_SIDE) 2 -q -r fE --maxfail=10 -m "not slow and not chaos"

lint: style types types-js ## check style, Python types and JavaScript types

style: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy .

types-js: .venv/node.stamp ## check the types of the page's scripts
	$(BIN)/node .venv/node_modules/typescript/bin/tsc -p jsconfig.json

migrations-check: .venv/dev.stamp ## check that every model change has its migration
	@$(BIN)/python manage.py makemigrations --check --dry-run || \
		{ echo "Write it: $(BIN)/python manage.py makemigrations chat"; exit 1; }
	$(BIN)/python manage.py check --deploy --fail-level WARNING

screenshots: .venv/dev.stamp $(STATIC) ## screenshots of the page in light, dark and at 390 px, in screenshots/
	$(BIN)/python -m tests.browser.screenshots screenshots

lock: .venv/dev.stamp ## pin the dependencies of pyproject.toml; UPGRADE=--upgrade takes the newest allowed
	$(BIN)/uv pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --group dev -c requirements.txt -o requirements-dev.txt
	$(BIN)/npm install --package-lock-only --omit-lockfile-registry-resolved $(NPM) \
		$(if $(UPGRADE),--save-dev --save-exact typescript@latest)

chaos: .venv/dev.stamp $(STATIC) ## the long fault runs, on SQLite and PostgreSQL
	env -u DATABASE_URL $(BIN)/python -m pytest -m chaos
	@! $(POSTGRES) || DATABASE_URL="$(TALOS_TEST_DATABASE_URL)" $(BIN)/python -m pytest -m chaos

# The shell expands BASE, ONLY and PAIRS, because make exports them to its environment.
bench: .venv/dev.stamp $(STATIC) ## the measurements; BASE=COMMIT compares this checkout with a commit, in ratios (ONLY=NAME PAIRS=10 QUICK=1)
	@$(BIN)/python -m benchmarks$(if $(BASE),.compare "$$BASE" --pairs "$${PAIRS:-10}") --only "$$ONLY" $(if $(QUICK),--quick)

# --- prerequisites of the targets above ---------------------------------------------------------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Talos needs Python 3.11 or later. Choose one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear .venv || \
		{ rm -rf .venv; echo "On Debian and Ubuntu, run this first: apt-get install python3-venv"; exit 1; }

.venv/run.stamp: requirements.txt .venv/bin/python
	@echo "Installing Talos's requirements; the first time this takes a minute or two…"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Node.js comes with the development requirements.
.venv/node.stamp: package.json package-lock.json .venv/dev.stamp
	@cp package.json package-lock.json .venv
	@$(BIN)/npm ci --prefix .venv $(NPM)
	@touch $@

# Without an editor's hidden files, and names that make would split.
$(STATIC): .venv/run.stamp $(shell find static ! -name '.*' ! -name '* *')
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
