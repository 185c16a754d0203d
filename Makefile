# The commands of README.md: each makes the environment that it needs, in
# .venv, from nothing but make and a Python of at least 3.11. Another Python or
# another place: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
SIZE ?= small
BENCH_ARGS ?=
SKIES ?= 1000
PYTEST_ARGS ?= -n auto --dist loadfile

# Another checkout's settings would take the place of this one's, and without
# compiled files every process of the demonstration starts three times slower.
unexport PYTHONPATH QA_DIR
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet

# A metric's and a plot's parameters are columns, which columns/ explains; a
# command's docstring is its help text, and that of a resource its entry in the
# OpenAPI document.
DOCUMENTED = $(shell find python -name '*.py' -not -path '*/metrics/*' -not -path '*/cli/*' -not -path '*/resources/*' \
    -not -path '*/plots/*' -not -path '*/dashboard/api/*')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test bench coverage lint format doc clean

help:
	@echo "make demo    simulate a survey, measure it and show the verdicts (in $(DEMO)/)"
	@echo "make test    run the tests"
	@echo "make bench   measure time and memory (SIZE=small, full or huge; inputs in benchmarks/.data/)"
	@echo "make coverage  prove the errors on simulated skies (SKIES=1000; an hour)"
	@echo "make lint    check style, docstrings and types"
	@echo "make format  let ruff lay out the code"
	@echo "make doc     build the documentation (in doc/_build/)"
	@echo "make clean   remove all that these commands made"

demo: $(VENV)/.base
	$(BIN)/lsst-qa demo $(DEMO)

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks --size $(SIZE) $(BENCH_ARGS)

coverage: $(VENV)/.bench
	$(BIN)/python -m benchmarks.coverage --skies $(SKIES)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m numpydoc lint $(DOCUMENTED)
	$(BIN)/mypy

format: $(VENV)/.lint
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

doc: $(VENV)/.doc
	$(BIN)/python -m sphinx -W -q doc doc/_build

clean:
	rm -rf $(VENV) $(DEMO) benchmarks/.data build dist doc/_build .mypy_cache .pytest_cache .ruff_cache python/*.egg-info

# The package itself, and what it needs to run.
$(VENV)/.base: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is not a Python of at least 3.11: try make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

# What an extra of setup.cfg adds.
$(VENV)/.test $(VENV)/.bench $(VENV)/.lint $(VENV)/.doc: $(VENV)/.%: $(VENV)/.base
	$(PIP) --editable '.[$*]'
	@touch $@
