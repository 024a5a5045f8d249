# Every command sets up what it needs first, inside this folder; nothing else has to be run before.
# ARGS are handed on: make demo ARGS=--json, make test ARGS="-k market". PYTHON names a Python to use.

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz snapshot scenarios tokens backstop bench-gas bench-rpc bench-fuzz mutants e2e-keeper \
	e2e-deploy ape lint format clean

PYTHONS := $(or $(PYTHON),.venv/bin/python python3 python3.12 python3.11)
# Ape finds Anvil and Vyper on the PATH only.
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## Set up or bring up to date what the other commands need
	@for python in $(PYTHONS); do \
		if "$$python" scripts/_bootstrap.py --fits 2>/dev/null; then \
			exec "$$python" scripts/_bootstrap.py; \
		fi; \
	done; \
	echo "relever: no fitting Python among: $(PYTHONS). Relever needs Python 3.11 or 3.12 with its" \
		"venv module (Debian, Ubuntu: apt install python3-venv), or named by" \
		"make PYTHON=/path/to/python" >&2; \
	exit 1

demo: setup ## Tell the whole story on a local chain (ARGS: --json, --keep)
	@$(RUN)/python -m relever.demo $(ARGS)

test: setup ## Run every test
	@$(RUN)/python -m pytest -p no:ape_test -n 2 --dist worksteal --durations 8 $(ARGS)

fuzz: setup ## Play any order of actions and check everything (ARGS: --minutes, --seed, --replay)
	@$(RUN)/python -m relever.fuzz $(ARGS)

snapshot: setup ## Keep what our contracts cost now, in gas and bytes, for the tests to hold
	@$(RUN)/python -m bench.costs

scenarios: setup ## Play slashes and depegs over a hundred positions, beside Morpho Blue
	@$(RUN)/python scripts/_bootstrap.py --bench
	@$(RUN)/python -m bench.scenarios $(ARGS)

tokens: setup ## Play leveraged tokens through thirty days, a slash, a depeg, and dear loans
	@$(RUN)/python -m bench.tokens $(ARGS)

backstop: setup ## Play a liquidation that only the backstop pool buys, a slash while it waits, and a run
	@$(RUN)/python -m bench.backstop $(ARGS)

bench-gas: setup ## Measure gas, ours and that of peers; fails when a target is missed
	@$(RUN)/python scripts/_bootstrap.py --bench
	@$(RUN)/python -m bench.gas $(ARGS)

bench-rpc: setup ## Measure transactions per second, of the client and of Ape
	@$(RUN)/python -m bench.rpc $(ARGS)

bench-fuzz: setup ## Measure fuzzing steps per second; fails when a target is missed
	@$(RUN)/python -m bench.fuzz $(ARGS)

mutants: setup ## Break the contracts in small ways and see which tests notice (ARGS: --sample)
	@$(RUN)/python -m relever.mutants $(ARGS)

e2e-keeper: setup ## Two keepers through a slash and a depeg, one of them killed; a few minutes
	@$(RUN)/python -m bench.keepers $(ARGS)

e2e-deploy: setup ## A deployment killed five times, with a reorganisation; a minute
	@$(RUN)/python -m bench.deploys $(ARGS)

ape: setup ## Run Ape (ARGS: "run demo", "console", "test", "compile")
	@$(RUN)/ape $(ARGS)

lint: setup ## Check format, style and types
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/mypy

format: setup ## Format the Python code
	@$(RUN)/ruff check --select I --fix .
	@$(RUN)/ruff format .

clean: ## Remove everything that was made; not while there are accounts of Ape
	@for key in .parts/ape/accounts/*.json; do \
		if [ -e "$$key" ]; then \
			echo "relever: $$key is a key: move it away first, or it would be lost" >&2; \
			exit 1; \
		fi; \
	done
	rm -rf .venv .parts build .build .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
