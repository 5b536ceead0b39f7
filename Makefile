# Undercap: `make run` to use it, `make test` to prove it. Everything lives in .venv, .peers and var.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test lint format clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(VENV)/.installed
	$(BIN)/undercap up --demo

test: $(VENV)/.installed-dev peers
	$(BIN)/python -m pytest

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

.PHONY: peers bench-activation bench-bulk bench-reassembly bench-codec bench-fanout bench-gate soak-kill soak-disk soak-loss soak-smpp soak-octets soak-blast

# What the tests talk to and nobody here wrote: fetched into .peers, or named as missing.
peers: $(VENV)/.installed-dev
	$(BIN)/python -m tests.peers.fetch

bench-activation bench-bulk bench-reassembly bench-codec bench-fanout bench-gate: bench-%: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.$* $(ARGS)

# Long proofs; each takes ARGS such as '--seed 7 --n 2000' and keeps a summary in tests/soak/results/.
soak-kill soak-disk soak-loss soak-smpp soak-octets soak-blast: soak-%: $(VENV)/.installed-dev peers
	$(BIN)/python -m tests.soak.$* $(ARGS)
