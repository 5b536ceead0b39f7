# Undercap: `make run` to use it, `make test` to prove it. Everything lives in .venv, .peers and var.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# CONSTRAINTS=constraints.txt: the versions that were tested, instead of the newest.
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))
export NO_MKDOCS_2_WARNING := 1

.PHONY: run unit test test-all lint docs house constraints format clean

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

# What was installed by a Python that is too old, or is gone since, is installed anew.
$(shell [ ! -d $(VENV) ] || $(BIN)/python $(NEW_ENOUGH) 2>/dev/null || rm -rf $(VENV))

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) $(NEW_ENOUGH) || { echo "Undercap needs Python 3.11 or newer, and $(PYTHON) is" \
	  "$$($(PYTHON) --version 2>&1 || echo not there). Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@touch $@

# Where the demo's free number finds its Asterisk, if `make peers` has fetched one.
-include .peers/demo.mk

run: $(VENV)/.installed
	$(BIN)/undercap up --demo

# The examples of docstrings are tests, too.
EXAMPLES := --doctest-modules --ignore gateway/store/migrations config gateway smpp ivr campaigns

# What needs nothing but Python: no peers, no services; in random order, and with the examples.
# The first lines name the seed of the order: ARGS=--randomly-seed=… repeats it.
unit: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -p randomly --ignore-glob '*/needs_what_is_missing.py' $(EXAMPLES) tests/unit $(ARGS)

# Most tests wait for processes, sound and clocks, so several files run at once; the long ones come first.
test: $(VENV)/.installed-dev peers
	$(BIN)/python -m pytest --quiet $(EXAMPLES)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations 30

# The same, and whatever touches SQL on both databases, not just what faces the store.
test-all: $(VENV)/.installed-dev peers
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --databases all

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m mkdocs build

# The documents as a site; a link that leads nowhere is an error.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m mkdocs build
	@echo "Open build/site/index.html; to search: $(BIN)/python -m http.server -d build/site"

# How many rooms, how large, who imports whom; the last line is JSON.
house: $(VENV)/.installed-dev
	$(BIN)/python -m tests.house

# The versions that stand in .venv, with which the tests have passed.
constraints: $(VENV)/.installed-dev
	$(BIN)/python -m tests.constraints > constraints.new && mv constraints.new constraints.txt

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
	ASTERISKS=all $(BIN)/python -m pytest tests/integration/ivr tests/integration/gateway/entry/doctor/test_doctor_asterisk.py

# Both commands on a bare Debian 13 (Python 3.13), in a root of its own; needs to be root.
.PHONY: test-debian13
test-debian13: $(VENV)/.installed-dev
	$(BIN)/python -m tests.debian13 $(or $(ARGS),lint test)

# Long proofs; each takes ARGS such as '--seed 7 --n 2000' and keeps a summary in tests/soak/results/.
soak-kill soak-disk soak-loss soak-smpp soak-octets soak-calls soak-blast: soak-%: $(VENV)/.installed-dev peers
	$(BIN)/python -m tests.soak.$* $(ARGS)
