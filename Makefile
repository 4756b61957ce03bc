# What one does with this repository. Everything lands in .venv; nothing else on the machine is touched.
# Wants: a Python >= 3.11 with venv, bash, and a package index that pip knows.
#
#   make demo ARGS="--port 8001"        make suite ARGS="tests/wire -k bom"        make test PYTHON=python3.13 VENV=.venv-3.13

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test suite check format docs package clean

VENV ?= .venv
DIST ?= dist
ARGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
NEEDED := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

help: ## shows this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.demo ## starts the demo on http://localhost:8000 and prints what to try with curl
	@exec $(BIN)/python -m sseware demo $(ARGS)

# Some hundred tests measure real servers and processes, and a machine that is busy with something else can beat one.
# What failed is run once more, by itself: what fails twice has failed.
AGAIN := --last-failed --last-failed-no-failures none --maxfail 5

test: $(VENV)/.test ## runs the whole test suite, and fails below 97 % branch coverage
	@$(BIN)/coverage run -m pytest | tee $(VENV)/test.log || { [ $$? = 1 ] && \
	  $(BIN)/coverage run --append -m pytest $(AGAIN) | tee -a $(VENV)/test.log; }
	@$(BIN)/coverage report
	@grep -E '^=+ .* in [0-9.]+s' $(VENV)/test.log

suite: $(VENV)/.test ## runs the tests without coverage, or some of them: ARGS="tests/wire -k bom"
	@$(BIN)/python -m pytest $(ARGS) || { [ $$? = 1 ] && $(BIN)/python -m pytest $(ARGS) $(AGAIN); }

check: $(VENV)/.check ## formatter, linter, mypy strict, pyright
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.check ## formats, and repairs what the linter can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## builds the documentation site into site; a warning is an error
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs site
	@echo 'open site/index.html'

package: $(VENV)/.package ## builds the wheel and the sdist into dist, and looks them over
	@$(BIN)/python -m build --no-isolation --outdir $(DIST) >$(VENV)/package.log || { cat $(VENV)/package.log; exit 1; }
	@$(BIN)/twine --no-color check --strict $(DIST)/sseware-*

clean: ## removes the environment and everything that can be made again
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache htmlcov site

# Each stamp is newer than what it was installed from, so that nothing is installed twice.
$(VENV)/.made:
	@found=$(PYTHON); \
	for python in $(if $(PYTHON),,python3 python3.13 python3.12 python3.11 python); do \
	  if "$$python" -c '$(NEEDED)' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if ! { [ -n "$$found" ] && "$$found" -c '$(NEEDED)'; }; then \
	  echo 'sseware needs Python >= 3.11 with its venv module (Debian: apt-get install python3-venv);' \
	    'name another one with: make PYTHON=/path/to/python' >&2; exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV)
	@$(PIP) pip
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml constraints.txt
	@echo 'installing the demo into $(VENV) (once)'
	@$(PIP) --build-constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml constraints.txt
	@echo 'installing what the tests need into $(VENV) (once)'
	@$(PIP) --build-constraint constraints.txt --editable '.[demo]' --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@echo 'installing the checkers into $(VENV) (once)'
	@$(PIP) --group dev
	@touch $@

$(VENV)/.docs: $(VENV)/.test
	@echo 'installing the site generator into $(VENV) (once)'
	@$(PIP) --group docs
	@touch $@

$(VENV)/.package: $(VENV)/.test
	@echo 'installing what builds packages into $(VENV) (once)'
	@$(PIP) --group package
	@touch $@

# How much, and which: make fuzz CHECKS=100000 SEED=7. A check is one stream in one chunking.
CHECKS ?= 2000000
SEED ?= 1
.PHONY: fuzz
fuzz: $(VENV)/.test ## holds the parser against the reference, on millions of random streams
	@$(BIN)/python -m tests.fuzz --checks $(CHECKS) --seed $(SEED)
	@$(BIN)/python -m tests.fuzz --mutants 1000 --seed $(SEED)
	@$(BIN)/python -m tests.fuzz.guided -max_total_time=300 -max_len=200

# How long, and how many clients: make soak MINUTES=10 CLIENTS=500 SERVER=hypercorn
MINUTES ?= 2
CLIENTS ?= 500
SERVER ?= uvicorn
.PHONY: soak
soak: $(VENV)/.check ## lets clients come, stall and lose their connections, for two minutes; draws soak.svg
	@$(BIN)/python -m benchmarks soak --minutes $(MINUTES) --connections $(CLIENTS) --server $(SERVER)
