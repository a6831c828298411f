# Each target sets up what it needs in .venv. On a machine with other wishes: make VENV=/elsewhere PYTHON=python3.12 ...
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= out
JOBS ?= 2

.PHONY: demo test validate bench lint clean

demo: $(VENV)/installed
	$(BIN)/python validation/demo.py --out $(OUT)/demo --jobs $(JOBS)

test: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

# The claims of validation/ at quick scale; writes validation/reports. make validate SCALE=paper for the slow ones.
SCALE ?= quick
validate: $(VENV)/installed
	$(BIN)/python validation/run_all.py --scale $(SCALE) --jobs $(JOBS)

bench: $(VENV)/installed
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "pdeflow needs Python 3.11 or newer, this is %s. Set PYTHON=python3.11 (or newer)." % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,test]'
	touch $@

clean:
	rm -rf $(OUT) $(VENV)
