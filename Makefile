# `make demo` and `make test` do all the set-up themselves; both are quick to start the second time.
# A Python of your own: make test PYTHON=/path/to/python3.11

python := .venv/bin/python
ready := .venv/.set-up-is-done

# Those that need more than the package (a browser, a Qt host) come last.
benchmarks := sliding_window bridge saliency session display raters_study refinement \
              desktop browser_app any_scanner

.PHONY: help demo app test lint format bench setup clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    segment and explain a real brain MR; results and pictures in demo/"
	@echo "make app     MedSegAI in the browser, on this computer only (OPTIONS=--help lists options)"
	@echo "make test    style, layering and all tests, with coverage"
	@echo "make lint    style only            make format  mend style and CMake's file lists"
	@echo "make bench   measure speed         make setup   only prepare .venv"
	@echo "make clean   remove .venv and everything that was generated"

setup: $(ready)

$(ready): pyproject.toml constraints.txt tools/set_up.sh
	@PYTHON="$(PYTHON)" tools/set_up.sh

demo: $(ready)
	@$(python) -m MedSegAI.CommandLine demo -o demo

app: $(ready)
	@$(python) -m MedSegAI.Web $(OPTIONS)

# Files of tests are shared out between processes, one a core; more than four would want too much memory.
# Coverage of Logic/ and Bridge/, with its floor, is set in pyproject.toml.
test: lint
	@OMP_NUM_THREADS=1 $(python) -m pytest --cov -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(ready)
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .

format: $(ready)
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .
	@$(python) tools/update_cmake_lists.py

bench: $(ready)
	@$(python) -m MedSegAI.CommandLine bench -o "bench-$$(date +%Y-%m-%d-%H%M%S)"
	@set -e; for benchmark in $(benchmarks); do echo "== $$benchmark"; $(python) -m Testing.Benchmarks.$$benchmark; done

clean:
	rm -rf .venv demo build dist *.egg-info .pytest_cache .ruff_cache .coverage htmlcov
