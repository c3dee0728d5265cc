# make setup      .venv with pinned versions, and ngspice where it may be installed
# make setup-qnn  the same and PyTorch, for ternary networks; PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
#                 before it spares Linux gigabytes of CUDA
# make calibrate  a junction card to write coefficients: make calibrate [CARD=my.toml] [ARGS="--engine fokker_planck"]
# make netlists   a small gallery of decks with an index that explains it
# make cosim      the grid of steps in SPICE beside the surrogate, and its report: half an hour
# make train      ten networks of crossbars that learn the breast cancer data sample by sample, and their figure
# make dies       networks on dies with defects, the short version: MNIST is needed, and downloaded if absent
# make test       every test, but of PyTorch only after make setup-qnn; make test-fast leaves out the slow ones
# make lint       style, types, and which room may import which
# make bench      the numbers to reach, measured
# make bench-aihwkit   the same after installing aihwkit, 7 GB, in an environment of its own
# make clean      remove caches and built wheels; .venv and results in build/ stay

CARD := mondal2018
ARGS :=
BIN := .venv/bin
export MTJSPICE_DATA ?= $(abspath $(wildcard ../shared/data))
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The first Python that is new enough.
PYTHON = $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
SUDO = $(if $(filter 0,$(shell id -u)),,sudo -n)

.PHONY: setup setup-qnn calibrate netlists cosim train dies test test-fast lint bench bench-aihwkit clean

setup: .venv/ready

setup-qnn: .venv/ready-for-qnn

calibrate: setup
	$(BIN)/mtjspice calibrate "$(CARD)" --out "build/calibration/$(basename $(notdir $(CARD)))" --resume $(ARGS)

netlists: setup
	$(BIN)/mtjspice netlist gallery --card "$(CARD)" --out build/netlists

cosim: setup
	$(BIN)/mtjspice cosim --grid --card "$(CARD)" --out "build/cosim/$(basename $(notdir $(CARD)))" --resume $(ARGS)

train: setup
	$(BIN)/mtjspice train --data wbcd --net 2L20 --seeds 10 --workers 1 --out build/training/wbcd_2L20 --resume $(ARGS)

dies: setup
	$(BIN)/mtjspice reproduce dies --quick --out build/dies $(ARGS)

test: setup
	$(BIN)/pytest -n 2

test-fast: setup
	$(BIN)/pytest -n 2 -m "not slow"

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup .venv/ready-to-compare
	$(BIN)/mtjspice bench

bench-aihwkit: benchmarks/aihwkit/.venv bench

clean:
	rm -rf dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find mtjspice tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "mtjspice needs Python 3.11 or newer; name one with make setup PYTHON=..."; exit 1; }
	@missing=; \
	command -v ngspice >/dev/null || missing="ngspice libngspice0"; \
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null && $(SUDO) true 2>/dev/null; then \
		echo "installing $$missing"; \
		$(SUDO) apt-get -qq update || true; \
		for package in $$missing; do \
			$(SUDO) env DEBIAN_FRONTEND=noninteractive \
				apt-get -qq -y --no-install-recommends install $$package >/dev/null || true; \
		done; \
	fi
	@command -v ngspice >/dev/null || echo "ngspice is missing and SPICE will not run: \
	sudo apt install ngspice libngspice0, brew install ngspice, or conda install -c conda-forge ngspice"
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: sudo apt install python3-venv, then make setup again"; exit 1; }
	@echo "installing mtjspice into .venv"
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	@$(PIP) --editable '.[dev]'
	@$(PIP) --no-deps badcrossbar pathvalidate  # without its plotting, which needs cairo
	@touch $@

benchmarks/aihwkit/.venv: benchmarks/aihwkit/requirements.txt .venv/ready
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet -r $<
	@touch $@

.venv/ready-for-qnn: .venv/ready
	@echo "installing PyTorch into .venv"
	@$(PIP) --editable '.[dev,qnn]'
	@touch $@

# The simulators that make bench compares with.
.venv/ready-to-compare: .venv/ready
	@$(PIP) --editable '.[dev,benchmark]'
	@touch $@
