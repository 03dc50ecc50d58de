# Everything runs in .venv, which the first target that needs it sets up.
# Set a variable on the command line: make grade SUBMISSIONS=handed-in OUT=marks

PYTHON      ?= python3
VENV        ?= .venv
SUBMISSIONS ?= tests/submissions
OUT         ?= results
# More options for the command that a target runs: make test ARGS="-n 2 -k pooling"
ARGS        ?=
# An index of torch wheels besides pip's own; where it is empty pip takes what it finds, a local wheel too.
# PyPI's torch for Linux is the CUDA build, several GB; https://download.pytorch.org/whl/cpu has the CPU build.
TORCH_INDEX ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint requirements.lock \
       $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup grade build test test-pipeline test-all check audit bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

grade: $(VENV)/.kit  ## grade SUBMISSIONS (tests/submissions) into OUT (results)
	$(BIN)/autograder grade "$(SUBMISSIONS)" -o "$(OUT)" $(ARGS)

test: $(VENV)/.dev  ## the everyday tests of the kit itself
	$(BIN)/python -m pytest $(ARGS)

test-pipeline: $(VENV)/.dev  ## the whole way: real commands, notebooks, browsers
	$(BIN)/python -m pytest -m "pipeline and not slow" $(ARGS)

test-all: $(VENV)/.dev  ## all tests, the slow ones too
	$(BIN)/python -m pytest -m "not bench" $(ARGS)

check: $(VENV)/.dev  ## lint, format, types, and that what is handed out is up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/autograder build --check

build: $(VENV)/.otter  ## make what is handed out, from the masters
	$(BIN)/autograder build

audit: $(VENV)/.kit  ## prove the suites: masters 100 %, stubs 0, every misconception caught
	$(BIN)/autograder audit $(ARGS)

bench: $(VENV)/.dev  ## how long grading takes on this machine
	$(BIN)/python -m pytest -m bench -s $(ARGS)

setup: $(VENV)/.dev  ## .venv with everything, for work on the kit

clean:  ## remove .venv and all caches; OUT stays
	rm -rf "$(VENV)" .pytest_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: set up again only when pyproject.toml or the lock has changed.
$(VENV)/.kit: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing the kit into $(VENV): some minutes the first time, most of them for torch."
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing the kit and what its tests and checks need into $(VENV): some minutes the first time."
	$(PIP) --editable ".[dev]"
	@touch $@ $(VENV)/.kit $(VENV)/.otter

$(VENV)/.otter: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing the kit and otter-grader into $(VENV): some minutes the first time."
	$(PIP) --editable ".[otter]"
	@touch $@ $(VENV)/.kit

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] < (3, 14) else \
	    "The kit runs on Python 3.11 to 3.13. Name one of these: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv "$(VENV)"
