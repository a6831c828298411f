# Each target sets up what it needs in .venv. On a machine with other wishes: make VENV=/elsewhere PYTHON=python3.12 ...
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= out
JOBS ?= 2
CONSTRAINTS ?= constraints.txt

.PHONY: demo test data validate batteries bench docs oldest pytest lint clean

demo: $(VENV)/installed
	$(BIN)/python validation/demo.py --out $(OUT)/demo --jobs $(JOBS)

# The linters run beside the tests, which two processes share.
test:
	$(MAKE) --jobs=2 lint pytest

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/static_checks.py

pytest: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadscope

# The claims of validation/ at quick scale; writes validation/reports. make validate SCALE=paper for the slow ones.
SCALE ?= quick
validate: $(VENV)/installed
	$(BIN)/python validation/run_all.py --scale $(SCALE) --jobs $(JOBS)
	PYTHONPATH=. $(BIN)/python validation/reproductions/mokrov2022.py table2 --quick

# Seven data sets for logistic regression, by pip into a folder that git ignores; nothing is installed.
DATA ?= data
data: $(VENV)/installed
	$(BIN)/python validation/data.py --out $(DATA)

# Random and hostile inputs against independent truths; minutes each. make batteries QUICK=--quick for a sample of each.
QUICK ?=
batteries: $(VENV)/installed
	failed=0; for file in $(wildcard validation/batteries/*.py); do echo "== $$file"; PYTHONPATH=. $(BIN)/python $$file $(QUICK) || failed=1; done; exit $$failed

# Two benchmarks want what a machine may lack, another checkout and a CUDA device: call them by name.
bench: $(VENV)/installed
	for file in $(filter-out benchmarks/against_first_edition.py benchmarks/device.py,$(wildcard benchmarks/*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# The site, in docs/_build/html; a warning is an error.
docs: $(VENV)/installed-docs
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build/html

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[docs]'
	touch $@

# The tests once more, with the oldest versions that setup.cfg allows, in an environment of their own.
oldest:
	$(MAKE) VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt pytest

$(VENV)/installed: setup.cfg pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "pdeflow needs Python 3.11 or newer, this is %s. Set PYTHON=python3.11 (or newer)." % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[all,test]'
	touch $@

clean:
	rm -rf $(OUT) $(VENV) docs/_build
