# Everything runs from .venv; the lock names versions and hashes and no registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo test servers test-live record-cassettes check eval lock clean help

help:
	@echo "make demo    set up .venv and investigate the bundled incident"
	@echo "make test    every guard and every test that needs no network"
	@echo "make check   the guards alone: ruff, pyright, import-linter"
	@echo "make servers    fetch or build the real servers for the live tests (once; SERVERS='loki jaeger' for some of them)"
	@echo "make test-live  the tests that talk to those servers on this machine"
	@echo "make lock    resolve the dependencies again"

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "whydown needs Python 3.11 or later, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing whydown into $(VENV) (once, about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): $(STAMP) requirements-dev.lock
	@echo "Installing the test tools into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(STAMP)
	@$(BIN)/whydown demo

test: check
	$(BIN)/pytest -n 2 --cov --cov-report=

servers: $(DEV_STAMP)
	$(BIN)/python -m fixtures.servers fetch $(SERVERS)

# A server that is not there skips its tests; WHYDOWN_LIVE_REQUIRED=1 makes them fail.
test-live: $(DEV_STAMP)
	$(BIN)/pytest tests -m live -rs --tb=short --timeout=300

record-cassettes: $(DEV_STAMP)
	$(BIN)/pytest tests/tools/live -m vcr --record-mode=rewrite

check: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--output-file requirements.lock pyproject.toml build-requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--constraint requirements.lock --group dev --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .coverage
