# Needs Python 3.11 to 3.13 and nothing else. `make PYTHON=/path/to/python3.12 test` picks one.

.DEFAULT_GOAL := help
.PHONY: help demo test test-blender blender lint bench docs clean

# What a shell has set for another Python must not reach this one.
unexport PYTHONPATH PYTHONHOME

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.testable

# The newest that really runs: pyenv puts shims on the path for versions that it does not run.
PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$each; break; }; done)

# Debian and Ubuntu keep half of the module venv in a package of its own.
define INSTALL_VENV
package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install $$package \
	|| { echo "as root, run: apt-get install $$package" >&2; exit 1; }
endef

COMPONENTS := $(wildcard otio_adapters daemon blender_addon tests benchmarks)

# All tests run side by side, a file's one after the other. Chosen ones run in one process: -s and --pdb need that.
CORES := $(shell n=$$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1); echo $$((n < 4 ? n : 4)))
SIDE_BY_SIDE = $(if $(ARGS),$(ARGS),-n $(CORES) --dist loadfile)

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(INSTALLED) ## make a small film in ./demo, change one shot of it, render it again
	$(BIN)/rushes demo demo
	@echo 'The command rushes lies in $(BIN): PATH="$(CURDIR)/$(BIN):$$PATH"'

test: $(TESTABLE) ## run the tests, and those of the add-on in one Blender
	$(if $(ARGS),,$(BIN)/python tests/blender/versions.py --one)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-blender: $(INSTALLED) ## run the tests of the add-on in every Blender that this machine can have
	$(BIN)/python tests/blender/versions.py $(ARGS)

blender: $(INSTALLED) ## build Blender's add-on, and the index of a repository that offers it, in dist/blender
	$(BIN)/rushes install blender --zip dist/blender

lint: $(INSTALLED) ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m compileall -q $(COMPONENTS)

bench: $(TESTABLE) ## measure speed side by side with what it is compared to
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(INSTALLED) ## write the command reference anew and check the documentation
	$(BIN)/python -m typer rushes.cli.main utils docs --name rushes --title Commands | tr -d '\b' > docs/cli.md
	$(BIN)/python -m rushes_otio.json_schema > docs/film-format.schema.json
	$(BIN)/python -m pytest tests/test_docs.py

clean: ## remove the environment, the demo films and every cache
	rm -rf $(VENV) .blender demo demo-[0-9]* dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(COMPONENTS) -name __pycache__ -prune -exec rm -rf {} +

# Made anew as a whole, so that an installation that was interrupted or is out of date leaves nothing behind.
$(INSTALLED): pyproject.toml constraints.txt
	@test -n '$(PYTHON)' || { echo 'Python 3.11, 3.12 or 3.13 was not found: install one, or name it with' \
		'make PYTHON=/path/to/python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(INSTALL_VENV); }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# torch by itself and first: what else asks for it takes the version that is there, else pip fetches gigabytes of CUDA.
$(TESTABLE): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,diffusers]'
	@touch $@
