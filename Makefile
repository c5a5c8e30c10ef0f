# Two commands matter: `make run` shows the product, `make test` proves it. A fresh machine needs Python 3.11 only.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
SUDO := $(shell [ "$$(id -u)" = 0 ] || (sudo -n true 2>/dev/null && echo "sudo -n"))
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: run install dev browser test lint types checks unit proof bench-start bench-risk bench-sweep clean

run: install
	$(BIN)/python manage.py up --demo --port $(PORT)

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) 2>/dev/null \
	|| ($(SUDO) apt-get install -y -q python3-venv && $(PYTHON) -m venv --clear $(VENV)) \
	|| ($(PYTHON) -m pip install -q --target .cortex/virtualenv virtualenv \
	    && PYTHONPATH=.cortex/virtualenv $(PYTHON) -m virtualenv -q --clear $(VENV))

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Browser tests use the system's Chromium, else Playwright's; where neither is there, one is installed.
browser: dev
ifeq ($(CHROMIUM),)
	@ls $$HOME/.cache/ms-playwright/chromium-*/chrome-linux*/chrome >/dev/null 2>&1 \
	|| ($(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q chromium) \
	|| $(BIN)/playwright install --with-deps chromium
endif

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy cortex patients crisis clinical examples bench manage.py

# The settings that a running process would have, without a database: drift between models and migrations fails.
checks: dev
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

unit: dev
	$(BIN)/python -m pytest tests/unit tests/api

test: browser lint types checks
	$(BIN)/python -m pytest tests

# The promises with their figures: faults, races, replay and the canary search, run by themselves.
proof: browser
	$(BIN)/python -m pytest tests/faults tests/live tests/unit/ops -q -s

bench-start: install
	$(BIN)/python bench/bench_start.py

bench-risk: install
	$(BIN)/python -m bench.bench_risk

bench-sweep: install
	$(BIN)/python -m bench.bench_sweep

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
