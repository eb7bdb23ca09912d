# Set-up and the usual commands. Each target brings up all it needs; nothing has to be installed by hand first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo paper reference lock lint test test-faults audit test-real rehearsal benchmark test-slurm bench bench-atlas docs methods trace clean

# The first Python on the path that is new enough, and not that of .venv, which may be active and is made anew after an update;
# `make PYTHON=/path/to/python3.12 demo` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys._base_executable)' 2>/dev/null; then break; fi; done)
# What this shell may use, as in a job of a cluster.
CORES ?= $(shell "$(PYTHON)" -c 'import os; print(len(os.sched_getaffinity(0)))')
BIN := .venv/bin
# `make R=no demo` leaves R out: Seurat's methods and limma are then not run.
R ?= yes
export JINDBENCH_R := $(R)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(BIN)/.complete ## Install everything into .venv (the other targets do it by themselves), and R if it was left out
	@[ "$(R)" = no ] || envs/setup.sh

$(BIN)/.complete: requirements.txt
	@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Python 3.11 or newer is needed, found: $$("$(or $(PYTHON),python3)" --version 2>&1). Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; fi
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@envs/setup.sh "$(PYTHON)" "$(R)"
	@touch $@

# Runs the workflow and prints an overview; of a run that failed, what it has made. $(1): run name, $(2): Snakemake's configuration options.
define run_and_report
	@status=0; mkdir -p results; begun=$$(mktemp results/.begun.XXXX); trap 'rm -f "$$begun"' EXIT; \
	$(BIN)/snakemake --cores $(CORES) $(2) || status=$$?; \
	shown() { [ -e "$$1" ] && { [ $$status = 0 ] || [ "$$1" -nt "$$begun" ]; }; }; \
	if shown results/$(1)/tables/table2.txt; then echo; cat results/$(1)/tables/table2.txt; echo; fi; \
	if shown results/$(1)/report.html; then echo "Report: $(CURDIR)/results/$(1)/report.html"; fi; exit $$status
endef

demo: $(BIN)/.complete ## Run the whole benchmark on embedded data and write its report
	$(call run_and_report,demo,--configfile config/demo.yaml)

paper: $(BIN)/.complete ## Run the paper's benchmark (config/config.yaml) and write its report
	$(call run_and_report,paper,)

reference: $(BIN)/.complete ## Write the tables of keys in config/README.md
	PYTHONPATH=workflow $(BIN)/python -m jindbench.config.reference

lock: $(BIN)/.complete ## Remember which files the first good downloads were, in config/downloads.lock.tsv
	PYTHONPATH=workflow $(BIN)/python -m jindbench.data.lock

lint: $(BIN)/.complete ## Check style and workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint --configfile config/demo.yaml

# Side by side, a file at a time, the long ones first (pyproject.toml has their order); one thread each, since threads of two
# processes on the same cores slow each other down.
test: $(BIN)/.complete ## Run the tests
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-faults: $(BIN)/.complete ## Break runs in every way that is known (kills, full disk, truncated files), and run them again
	$(BIN)/pytest -m faults -s

audit: $(BIN)/.complete ## Run the demo three times and compare every file: what is the same, what may differ and why
	$(BIN)/python tests/audit/audit.py

test-real: $(BIN)/.complete ## Test JIND on real cells, which are not in the repository
	$(BIN)/pytest tests/real -s

rehearsal: $(BIN)/.complete ## Run the paper's benchmark on simulated files of its sizes, from servers on this machine (hours; a stopped one goes on); SCALE=0.05 for fewer cells
	SCALE=$(or $(SCALE),1) $(BIN)/pytest tests/rehearsal -s

benchmark: $(BIN)/.methods ## Run all methods on these real cells and write docs/benchmark-results.md (hours)
	PYTHONPATH=workflow $(BIN)/python tests/real/benchmark.py

test-slurm: $(BIN)/.complete ## Run the demo on a SLURM that is started for it on this machine (about 30 minutes)
	@PATH=$$PATH:/usr/sbin:/sbin; sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if type munged slurmctld slurmd srun >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null && $$sudo true 2>/dev/null && echo "Installing with apt-get: slurm-wlm munge." && \
		$$sudo apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null; then :; \
	else echo "SLURM was not found and could not be installed here." \
		"On Debian and Ubuntu: sudo apt-get install --no-install-recommends slurm-wlm munge" >&2; exit 1; fi
	$(BIN)/pytest tests/slurm -s

bench: $(BIN)/.complete ## Time JIND's stages, with the machine's own speed beside them
	PYTHONPATH=workflow $(BIN)/python -W ignore -m jindbench.jind.speed

bench-atlas: $(BIN)/.complete ## The same on 30,000, 90,000 and 268,000 cells of the Mouse Atlas' shape, and a million on disk
	PYTHONPATH=workflow $(BIN)/python -W ignore -m jindbench.jind.speed --genes 2797 --precision float32 \
		--source 21000 63000 187383 --target 9000 27000 80307
	PYTHONPATH=workflow $(BIN)/python -W ignore -m jindbench.jind.speed --genes 3000 --stream 1000000

# Pages open from disk too, but browsers let the search read its index from a server alone.
docs: $(BIN)/.docs demo ## Build the documentation as a site that can be searched, with the demo's picture
	cp results/demo/figures/raw_accuracy.png docs/
	$(BIN)/mkdocs build
	@echo "Documentation: $(CURDIR)/site/index.html; with search: python3 -m http.server --directory site, then http://localhost:8000"

$(BIN)/.docs: $(BIN)/.complete envs/docs.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement envs/docs.txt
	@touch $@

methods: $(BIN)/.methods ## Add XGBoost, SingleR, Symphony and scANVI (165 MB): what needs them runs from then on

$(BIN)/.methods: $(BIN)/.complete envs/methods.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement envs/methods.txt
	touch $@

trace: $(BIN)/.complete ## Say which jobs, code and data a file of the results comes from: make trace FILE=results/demo/tables/table2.md
	@PYTHONPATH=workflow $(BIN)/python -m jindbench.execution.trace $(FILE)

clean: ## Remove the demo's results
	rm -rf results/demo
