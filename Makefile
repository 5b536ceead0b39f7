# Undercap: `make run` to use it, `make test` to prove it. Everything lives in .venv, .peers and var.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test test-all lint format clean

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

# What was installed by a Python that is too old, or is gone since, is installed anew.
$(shell [ ! -d $(VENV) ] || $(BIN)/python $(NEW_ENOUGH) 2>/dev/null || rm -rf $(VENV))

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) $(NEW_ENOUGH) || { echo "Undercap needs Python 3.11 or newer, and $(PYTHON) is" \
	  "$$($(PYTHON) --version 2>&1 || echo not there). Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Where the demo's free number finds its Asterisk, if `make peers` has fetched one.
-include .peers/demo.mk

run: $(VENV)/.installed
	$(BIN)/undercap up --demo

# Most tests wait for processes, sound and clocks, so several files run at once; the long ones come first.
test: $(VENV)/.installed-dev peers
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# The same, and whatever touches SQL on both databases, not just what faces the store.
test-all: $(VENV)/.installed-dev peers
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --databases all

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info build

.PHONY: peers bench-activation bench-bulk bench-reassembly bench-codec bench-aliases bench-calls bench-gate bench-fanout bench-dialer bench-fairness
.PHONY: test-asterisks soak-kill soak-disk soak-loss soak-smpp soak-octets soak-calls soak-blast

# What the tests talk to and nobody here wrote: fetched into .peers, or named as missing.
peers: $(VENV)/.installed-dev
	$(BIN)/python -m tests.peers.fetch

bench-activation bench-bulk bench-reassembly bench-codec bench-aliases bench-calls bench-gate bench-fanout bench-dialer bench-fairness: bench-%: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.$* $(ARGS)

# The tests of calls on each Asterisk that can be had; `make test` takes one.
test-asterisks: $(VENV)/.installed-dev peers
	ASTERISKS=all $(BIN)/python -m pytest tests/integration/ivr tests/integration/entry/test_doctor_asterisk.py

# Both commands on a bare Debian 13 (Python 3.13), in a root of its own; needs to be root.
.PHONY: test-debian13
test-debian13: $(VENV)/.installed-dev
	$(BIN)/python -m tests.debian13 $(or $(ARGS),lint test)

# Long proofs; each takes ARGS such as '--seed 7 --n 2000' and keeps a summary in tests/soak/results/.
soak-kill soak-disk soak-loss soak-smpp soak-octets soak-calls soak-blast: soak-%: $(VENV)/.installed-dev peers
	$(BIN)/python -m tests.soak.$* $(ARGS)
