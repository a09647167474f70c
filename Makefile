# Everything a newcomer needs: `make up` runs the system, `make test` proves it.
# Needs Python 3.11+ and make; everything else is installed into .venv from the lock file.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
# uv lives beside .venv: `uv pip sync` removes from .venv all that is not locked, itself included.
UVENV := .uv
UV = $(shell command -v uv 2>/dev/null || echo $(UVENV)/bin/uv)

# A process of pytest for each processor, four at most; each takes whole files, the long ones first.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: up compiled down audit test test-slow test-recovery test-kafka test-collector test-conformance chaos faults images check format generate bench mutation dist lock clean help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(READY): requirements-dev.lock Makefile
	@$(PYTHON) -c 'import sys; sys.exit("hocvuso needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null 2>&1 || test -x $(UVENV)/bin/uv || { $(PYTHON) -m venv $(UVENV) && $(UVENV)/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@echo "installing the locked dependencies into $(VENV)"
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements-dev.lock
	@printf '%s\n' "$(CURDIR)/clients/python/src" "$(CURDIR)/clients/cli/src" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/hocvuso_clients.pth"
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(BIN)/python" -m deploy.local "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $(BIN)/hocvuso
	@chmod +x $(BIN)/hocvuso
	@touch $@

compiled: $(READY) # our own code as bytecode, once: else each process of each start compiles it for itself
	@$(BIN)/python -m compileall -q -j 0 services shared deploy clients/python/src clients/cli/src

up: $(READY) compiled ## run the whole system on this machine; Ctrl-C stops it
	@$(BIN)/hocvuso up $(ARGS)

down: $(READY) ## stop a system that runs in the background (make up ARGS=--detach)
	@$(BIN)/hocvuso down

check: $(READY) ## format, lint, types, import rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## everything but what takes minutes, against the embedded PostgreSQL and broker
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) --durations 25 --durations-min 2

test-slow: $(READY) ## before a release: upgrade, moving, backups, worst order of starts, drill, alerts
	$(BIN)/python -m pytest -m slow

test-recovery: $(READY) ## backups, restores and alerts on running systems (part of test-slow)
	$(BIN)/python -m pytest -m slow tests/deploy/test_backup.py tests/deploy/test_unfinished_restore.py tests/observability/test_alerts_fire.py

test-kafka: $(READY) ## the integration tests against a real Apache Kafka broker
	@$(BIN)/python -m tests.kafka

test-conformance: $(READY) ## foreign suites against an own instance; reports in build/conformance
	@$(BIN)/python -m tests.conformance $(SUITES)

test-collector: $(READY) ## traces and metrics into the official OpenTelemetry Collector
	@$(BIN)/python -m tests.observability.otelcol_build

chaos: $(READY) ## kills, freezes, cuts, full disks: nothing lost, double or wrong (MINUTES=10)
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10)

bench: $(READY) ## speed, as ratios against a reference of the same run
	@$(BIN)/python -m bench

MUTATION := .mutation
$(MUTATION)/.installed: requirements-mutation.lock | $(READY)
	@test -x $(MUTATION)/bin/python || $(PYTHON) -m venv $(MUTATION)
	@$(UV) pip sync --quiet --require-hashes --python $(MUTATION)/bin/python requirements-mutation.lock
	@touch $@

mutation: $(MUTATION)/.installed ## a seeded sample of small faults: which of them do pure tests find? (SAMPLE=1500 MINUTES=90)
	@$(MUTATION)/bin/python -m tests.mutation --sample $(or $(SAMPLE),1500) --minutes $(or $(MINUTES),90)

AUDIT := .audit
$(AUDIT)/.installed: requirements-audit.lock requirements.lock | $(READY)
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	@test -x $(AUDIT)/application/bin/python || $(PYTHON) -m venv --without-pip $(AUDIT)/application
	@$(UV) pip sync --quiet --require-hashes --python $(AUDIT)/bin/python requirements-audit.lock
	@$(UV) pip sync --quiet --require-hashes --python $(AUDIT)/application/bin/python requirements.lock
	@touch $@

audit: $(AUDIT)/.installed ## bill of materials, licences, secrets, regular expressions, known vulnerabilities
	@$(BIN)/python -m deploy.audit

images: $(READY) ## build the images by buildah or docker, and look into each
	@$(BIN)/python -m tests.deploy.built_images

faults: $(READY) ## take one safeguard after the other away: the tests of its lines must fail (WORDS=...)
	@$(BIN)/python -m tests.security.faults $(WORDS)

format: $(READY) ## write the code the way `make check` wants it
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix --quiet .

generate: $(READY) ## write again what is made from contracts, settings and metrics
	$(BIN)/python -m shared.contracts.generate
	$(BIN)/python -m deploy.reference
	$(BIN)/python -m deploy.messages
	$(BIN)/python -m tests.rights.matrix
	$(BIN)/python -m tests.security.table
	$(BIN)/python clients/python/unasync.py

dist: $(READY) ## the wheels of the partner client and of the senders' command, into dist/
	@for project in clients/python clients/cli; do \
	  (cd $$project && SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 315532800) "$(CURDIR)/$(BIN)/python" -m hatchling build -t wheel -d "$(CURDIR)/dist") || exit 1; \
	done

lock: $(READY) ## resolve the dependencies anew
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group embedded -c requirements.lock -o requirements-tools.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group embedded --group dev -o requirements-dev.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group pyproject.toml:audit -o requirements-audit.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group embedded --group dev --group mutation -c requirements-dev.lock -o requirements-mutation.lock

clean: ## remove the virtual environment and caches (not the data in .hocvuso)
	rm -rf $(VENV) $(UVENV) $(AUDIT) $(MUTATION) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
