# A thin wrapper: each target is one command that can be typed as well.
PYTHON ?= python3
BIN := .venv/bin
MINUTES ?= 3

.PHONY: setup demo test lint bench chaos fuzz fuzz-listings clean

setup: .venv/done
.venv/done: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

demo: setup
	$(BIN)/digest demo

test: setup
	$(BIN)/pytest -n auto

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/pip install --quiet --editable ".[bench]"
	$(BIN)/python benchmarks/relevance.py
	$(BIN)/python benchmarks/matching.py
	$(BIN)/python benchmarks/rendering.py
	$(BIN)/python benchmarks/delivery.py --delays --waiting

chaos: setup
	$(BIN)/python tests/chaos/run.py --kills 1000

fuzz: setup
	$(BIN)/python tests/web/fuzzing.py --minutes 5

# MINUTES for each parser: make fuzz-listings MINUTES=10
fuzz-listings: setup
	$(BIN)/pip install --quiet --editable ".[fuzz]"
	$(BIN)/python tests/listings/fuzz_listings.py --minutes $(MINUTES)

clean:
	rm -rf .venv digest-demo build dist
