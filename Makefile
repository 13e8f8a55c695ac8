# Everything that people and CI do with this repository. `make help` lists the targets.
# Needs Python 3.11 or newer, pip and make; the rest is installed into .venv from the lock files.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# text, json or github (annotations on a pull request)
FORMAT ?= text
# what `make validate` looks at; empty: the whole project
PATHS  ?=
# further arguments, e.g. make test ARGS='tests/kql -k lexer'
ARGS   ?=
# how many processes run the tests; SPREAD= runs them in one
SPREAD ?= -n auto --dist loadfile

RUNTIME  := $(VENV)/.installed
AZURE    := $(VENV)/.installed-azure
SERVE    := $(VENV)/.installed-serve
DEV      := $(VENV)/.installed-dev
KQLMAGIC := .cache/kqlmagic/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-azure setup-serve setup-dev validate test test-kqlmagic lint lint-style lint-format lint-types lint-layers lint-sizes format bench notebooks docs docs-check lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

validate: $(RUNTIME) ## prove every detection on its recorded logs (FORMAT=text|json|github, PATHS=...)
	$(BIN)/toolkit validate $(PATHS) --format $(FORMAT)

test: $(DEV) ## run the tests (ARGS='tests/kql -k lexer')
	$(BIN)/python -m pytest $(SPREAD) $(ARGS)

test-kqlmagic: $(DEV) $(KQLMAGIC) ## Kqlmagic and its notebook against `toolkit serve`, in an environment of its own (500 MB)
	TOOLKIT_KQLMAGIC_PYTHON=$(CURDIR)/.cache/kqlmagic/bin/python $(BIN)/python -m pytest tests/serve/test_kqlmagic.py

lint: lint-style lint-format lint-types lint-layers lint-sizes ## ruff, mypy --strict, the layer contract, file and function sizes
lint-style: $(DEV)
	$(BIN)/ruff check .
lint-format: $(DEV)
	$(BIN)/ruff format --check --output-format concise .
lint-types: $(DEV)
	$(BIN)/mypy
lint-layers: $(DEV)
	$(BIN)/lint-imports
lint-sizes: $(DEV)
	$(BIN)/python scripts/size_gate.py

format: $(DEV) ## let ruff sort the imports and lay out the code
	$(BIN)/ruff check --fix-only --select I .
	$(BIN)/ruff format .

bench: $(DEV) ## run the benchmarks
	for bench in $(wildcard benchmarks/[a-z]*.py); do $(BIN)/python "$$bench" || exit 1; done

notebooks: $(DEV) $(KQLMAGIC) ## run every notebook on recorded logs and write it to build/notebooks (500 MB for Kqlmagic's)
	$(BIN)/python -m scripts.notebooks $(ARGS)

docs: $(DEV) ## write the generated pages of docs/
	$(BIN)/python scripts/docs.py

docs-check: $(DEV) ## fail when a generated page of docs/ is stale
	$(BIN)/python scripts/docs.py --check

setup: $(RUNTIME) ## install what the toolkit needs to run
setup-azure: $(AZURE) ## install what speaking to a workspace needs as well
setup-serve: $(SERVE) ## install what `toolkit serve` and previews of workbooks need as well
setup-dev: $(DEV) ## install what its developers need as well

# Some distributions leave the venv module out of Python; virtualenv needs only pip.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { \
	    echo "this Python cannot make virtual environments; trying virtualenv" >&2; rm -rf $(VENV); \
	    $(PYTHON) -m pip install --quiet --target .cache/virtualenv virtualenv && \
	    PYTHONPATH=.cache/virtualenv $(PYTHON) -m virtualenv --quiet $(VENV); }

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV): what the toolkit needs to run"
	@scripts/install.sh $(VENV) requirements.lock
	@touch $@

$(AZURE): requirements-azure.lock $(RUNTIME)
	@echo "setting up $(VENV): what speaking to a workspace needs as well"
	@scripts/install.sh $(VENV) requirements-azure.lock
	@touch $@

$(SERVE): requirements-serve.lock $(RUNTIME)
	@echo "setting up $(VENV): what serving needs as well"
	@scripts/install.sh $(VENV) requirements-serve.lock
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "setting up $(VENV): what its developers need as well"
	@scripts/install.sh $(VENV) requirements-dev.lock
	@touch $@

$(KQLMAGIC): tests/serve/kqlmagic.txt | $(DEV)
	@echo "setting up .cache/kqlmagic: Kqlmagic, in an environment of its own (500 MB)"
	@test -x .cache/kqlmagic/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .cache/kqlmagic
	@$(BIN)/uv pip install --quiet --python .cache/kqlmagic/bin/python --requirement $< || \
	    $(BIN)/python -m pip --python .cache/kqlmagic/bin/python install --quiet --requirement $<
	@touch $@

lock: | $(BIN)/python ## resolve the dependencies of pyproject.toml again and write the lock files
	scripts/lock.sh $(VENV)

clean: ## remove what make and the tools made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
