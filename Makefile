# What there is to do: `make` lists it. Nothing is installed outside .venv.

PYTHON ?= python3
TALOS_TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/test

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
STATIC := staticfiles/staticfiles.json
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder
KNOW_NO_DATABASE := browser llm tools $(addprefix test_, $(addsuffix .py, architecture blocks checkouts checks \
	comparison faults_docs frame_map gate headers lock_files protocol_docs readme reference rendering secret_key \
	serve server settings static_files))
POSTGRES := $(BIN)/python .ci/postgres.py "$(TALOS_TEST_DATABASE_URL)"

.DELETE_ON_ERROR:
.PHONY: help run test lint types-js migrations-check screenshots lock chaos bench

help: ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

run: .venv/run.stamp ## install what is missing and serve on HOST:PORT
	@exec $(BIN)/python manage.py serve

# SQLite first. PostgreSQL last, so that the output ends with a summary of tests; there without
# those that know no database. Three files at a time, in random order: those that wait beside those
# that work.
test: export PYTHON_DOTENV_DISABLED = 1
test: lint migrations-check $(STATIC) ## lint, types and all tests, on SQLite and PostgreSQL
	@$(POSTGRES) || [ -z "$$CI" ]
	env -u DATABASE_URL $(PYTEST)
	@! $(POSTGRES) >/dev/null || \
		DATABASE_URL="$(TALOS_TEST_DATABASE_URL)" $(PYTEST) \
			$(KNOW_NO_DATABASE:%=--ignore=tests/%)

lint: .venv/dev.stamp ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

types-js: ## types of the page's scripts, where there is an npx to run TypeScript's compiler with
	@if command -v npx >/dev/null; then npx --yes --package typescript@5 tsc -p jsconfig.json; \
		else echo "Skipped: no npx on the PATH (it comes with Node.js)"; fi

migrations-check: .venv/dev.stamp ## does every change of a model have its migration?
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING

screenshots: .venv/dev.stamp $(STATIC) ## pictures of the page in light, dark and at 390 px, in screenshots/
	$(BIN)/python -m tests.browser.screenshots screenshots

lock: .venv/dev.stamp ## pin what pyproject.toml declares; with UPGRADE=--upgrade the newest it allows
	$(BIN)/uv pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --group dev -c requirements.txt -o requirements-dev.txt

chaos: export PYTHON_DOTENV_DISABLED = 1
chaos: .venv/dev.stamp $(STATIC) ## the long fault runs, on SQLite and PostgreSQL
	env -u DATABASE_URL $(BIN)/python -m pytest -m chaos
	@! $(POSTGRES) || DATABASE_URL="$(TALOS_TEST_DATABASE_URL)" $(BIN)/python -m pytest -m chaos

# The shell expands BASE, ONLY and PAIRS, as make has put them into its environment.
bench: .venv/dev.stamp $(STATIC) ## the measurements; with BASE=COMMIT this checkout against that one, in ratios (ONLY=NAME PAIRS=10 QUICK=1)
	@$(BIN)/python -m benchmarks$(if $(BASE),.compare "$$BASE" --pairs "$${PAIRS:-10}") --only "$$ONLY" $(if $(QUICK),--quick)

# --- what the targets above need ----------------------------------------------------------------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Talos needs Python 3.11 or later. Name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "On Debian and Ubuntu, first: apt-get install python3-venv"; exit 1; }

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "Installing what Talos needs; the first time this takes a minute or two…"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(STATIC): .venv/run.stamp $(shell find static)
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
