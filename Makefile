# The only door: people and CI type the same words. `make` alone prints what there is.
.DEFAULT_GOAL := help
.PHONY: help demo test check e2e e2e-probes bench soak fuzz faults audit golden lint dev lock clean

# The Python to build .venv with, 3.11 to 3.13; empty: the first that suits on PATH.
PYTHON ?=
export PYTHON

BIN := .venv/bin
QUICK := tests/unit tests/contract tests/acceptance
PYTEST := $(BIN)/pytest --quiet --durations=5
# Most tests wait for servers: four files or classes at once on two cores, those in real time first (tests/conftest.py).
TOGETHER := --numprocesses=4 --dist=loadscope --no-loadscope-reorder
# What compares fractions of a millisecond runs by itself.
ALONE := tests/e2e/test_probe_http.py

help: ## Print this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-17s %s\n", $$1, $$2}'

demo: ## Judge a recorded Karmada control plane through a real Prometheus: verdict table and report, in under two minutes
	@scripts/setup.sh demo
	@$(BIN)/sloagent demo --directory out/demo
	@echo '  (without `. .venv/bin/activate` it is .venv/bin/sloagent)'

test: ## Everything that must be green before a change lands: check and e2e, under 15 minutes
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory lint
	$(PYTEST) $(ALONE)
	$(PYTEST) $(TOGETHER) $(ALONE:%=--ignore=%) tests/e2e $(QUICK)

check: ## The quick half: style, types, import rules, unit, contract and acceptance tests, under 90 seconds
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory lint
	SLOAGENT_EXAMPLES=5 $(PYTEST) $(TOGETHER) $(QUICK)

e2e: ## The slow half: real servers on loopback, crashes, clocks, the wheel
	@scripts/setup.sh test
	$(PYTEST) $(ALONE)
	$(PYTEST) $(TOGETHER) $(ALONE:%=--ignore=%) tests/e2e

e2e-probes: ## Nine recorded minutes of a real control plane's watches, played to the probes in real time, beside the truth
	@scripts/setup.sh test
	$(PYTEST) --capture=no tests/replay

bench: ## Measure speed and memory against a bare client, and print the table of docs/benchmarks.md
	@scripts/setup.sh test
	$(BIN)/python scripts/bench.py

fuzz: ## Hypothesis and atheris on every way in, FUZZ_MINUTES (10) each; FUZZ_TARGET and FUZZ_JOBS: docs/fuzzing.md
	@scripts/setup.sh test
	$(BIN)/python scripts/fuzz.py

faults: ## Run the tests of the fault table in docs/reliability.md, and print for each case what was done, expected, seen
	@scripts/setup.sh test
	$(BIN)/python scripts/faults.py

audit: ## bandit over the package and pip-audit over the lock files, in an environment of their own
	@scripts/setup.sh test
	@scripts/audit.sh

soak: ## Thirty generated days with kills, outages, wrong clocks and reloads: nothing lost, nothing twice; about a quarter of an hour
	@scripts/setup.sh test
	$(BIN)/python scripts/soak.py

golden: ## Rewrite the golden files from what the code does now, then test again without writing; read the diff
	@scripts/setup.sh test
	SLOAGENT_GOLDEN=1 $(PYTEST) $(QUICK) tests/e2e/test_examples.py || true
	$(PYTEST) $(QUICK) tests/e2e/test_examples.py

lint: ## Style, types and import rules alone
	@scripts/setup.sh test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

dev: ## Make .venv and install the programs that the tests need, then say what to do next
	@scripts/setup.sh test
	@echo 'Ready. `make check` before each commit; `. .venv/bin/activate` to have sloagent on PATH.'

lock: ## Write requirements/*.lock from pyproject.toml; UPGRADE=--upgrade takes newer versions
	@scripts/lock.sh

clean: ## Remove everything that the other targets made
	rm -rf .venv .cache out dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
