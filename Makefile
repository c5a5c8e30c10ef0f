# Two commands matter: `make run` shows the product, `make test` proves it. A fresh machine needs make and Python 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# Where the environment forbids to write bytecode, each process that a run starts compiles all the code anew.
unexport PYTHONDONTWRITEBYTECODE
SUDO := $(shell [ "$$(id -u)" = 0 ] || (sudo -n true 2>/dev/null && echo "sudo -n"))
CHROMIUM := $(or $(CORTEX_CHROMIUM),$(shell command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome))

# The long forms of `make proof`: random histories.
LONG := CORTEX_EXPLORE=300

.PHONY: run install dev browser test test-long lint types checks seed unit shots sbom faults sabotage \
	proof proof-tests proof-benches proof-schema \
	bench-start bench-risk bench-crypto bench-sweep bench-audit bench-board bench-chart bench-intake bench-live clean clean-data

run: install
	$(BIN)/python manage.py up --demo --port $(PORT)

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

# pip comes last into a virtual environment: one that failed half way has none and is made anew.
$(BIN)/pip:
	$(PYTHON) -m venv --clear $(VENV) 2>/dev/null \
	|| ($(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q python3-venv && $(PYTHON) -m venv --clear $(VENV)) \
	|| ($(PYTHON) -m pip install -q --target .cortex/virtualenv virtualenv==21.15.11 \
	    && PYTHONPATH=.cortex/virtualenv $(PYTHON) -m virtualenv -q --clear $(VENV))

$(VENV)/.installed: requirements.txt | $(BIN)/pip
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-kms.txt $(VENV)/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Browser tests use the system's Chromium, else Playwright's; where neither is there, one is installed.
browser: dev
ifeq ($(CHROMIUM),)
	@ls $$HOME/.cache/ms-playwright/chromium-*/chrome-linux*/chrome >/dev/null 2>&1 \
	|| ($(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q chromium-headless-shell) \
	|| $(SUDO) apt-get install -y -q chromium \
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

# Four processes (much of it waits), each with PostgreSQL and Redis of its own; a file's tests stay together.
TESTS := $(BIN)/python -m pytest tests -n 4 --dist loadfile --no-loadscope-reorder

# What each of them would do first, once for all: read and compile the tests, migrate what they copy (tests/seed.py).
seed: dev
	CORTEX_TEST_SLOT=seed $(BIN)/python -m pytest tests --collect-only -q -p tests.seed

test: browser lint checks
	$(MAKE) --no-print-directory -j2 types seed
	$(TESTS) --forms short

# What tests/budget.json names as long, with what a short run has instead; .ci/run wants both.
test-long: browser
	$(TESTS) --forms long

# Every page of desk and room, photographed in .cortex/shots: light and dark at 1440 and 390 pixels.
shots: browser
	CORTEX_SHOTS=.cortex/shots $(BIN)/python -m pytest -q tests/browser/test_every_page.py

# What is shipped, as CycloneDX: .cortex/sbom.cdx.json.
sbom: install
	$(BIN)/python manage.py sbom --to .cortex/sbom.cdx.json

# An hour under the nemesis: 10,000 alerts, 20 faults of each kind; the account ends red when one is lost.
faults: dev
	$(BIN)/python -m tests.faults.nemesis

# A copy of the code with one safeguard less at a time: each must be noticed by a test that is then named.
sabotage: dev
	$(BIN)/python -m tests.sabotage

# The promises in their long forms, with their figures: what is red holds nothing up, and an hour is the end of it.
proof: browser
	timeout --foreground 3600 $(MAKE) --no-print-directory --keep-going proof-tests proof-benches

# The walk over every address as everybody takes half an hour, alone in its process: it begins.
proof-tests: browser
	$(LONG) $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -rP --show-capture=stdout \
	    tests/test_urls.py tests/faults tests/live tests/unit/crisis/test_state_machine.py \
	    tests/unit/crisis/test_watchdog_clocks.py \
	    tests/unit/crypto/test_keys.py tests/unit/keys/test_races.py tests/unit/keys/test_proof.py tests/unit/keys/test_resealing.py \
	    tests/unit/api/test_near_json.py tests/unit/ops/test_migrations.py \
	    tests/unit/patients/test_worlds.py tests/unit/audit/test_random_tampering.py tests/api/test_fuzz.py \
	    tests/browser/test_hostile_text.py tests/browser/test_every_page.py tests/test_query_counts.py

# Fifty thousand requests made from the API's own description; beside `proof`, whose hour it would not fit into.
proof-schema: dev
	CORTEX_EXPLORE=1 $(BIN)/python -m pytest -q -s tests/api/test_whole_schema.py

# Each ends red when a promised figure is missed: on a machine that does nothing else. So do `bench-board` and
# `bench-chart`, which stand beside `proof`: each builds a house of a million people first.
proof-benches: bench-risk bench-start bench-crypto bench-audit bench-intake bench-live

bench-crypto: dev
	$(BIN)/python -m bench.bench_crypto

bench-start: install
	$(BIN)/python -m bench.bench_start

bench-risk: install
	$(BIN)/python -m bench.bench_risk

bench-sweep: install
	$(BIN)/python -m bench.bench_sweep

# The board among a million people; `make bench-board PEOPLE=20000` is quick.
PEOPLE ?= 1000000
bench-board: install
	$(BIN)/python bench/bench_board.py --strict --patients $(PEOPLE)

# A chart, its timeline and a caseload of 300 among a million people; `make bench-chart PEOPLE=10000` is quick.
bench-chart: browser
	$(BIN)/python bench/bench_chart.py --strict --patients $(PEOPLE)

# Intake over HTTP: batches, single items, and a crisis beside the flood; then everything is held against it.
bench-intake: install
	$(BIN)/python bench/bench_intake.py

# Commit to socket for 1 to 2,000 counselors, beside stock Channels; `make bench-live QUICK=1` takes a minute.
bench-live: install
	$(BIN)/python bench/bench_live.py --strict $(if $(QUICK),--quick)

# A million clean rows, written, linked and verified: no false alarm; the figures are kept in bench/results.
bench-audit: install
	$(BIN)/python -m bench.bench_audit

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# The embedded databases, their secrets and the demo's sign-ins, wherever they lie: together or not at all.
clean-data: install
	$(BIN)/python manage.py clean_data --yes
