# Each target sets up what it needs, in a virtual environment inside this checkout. Another Python:
#     make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
READY := $(VENV)/.ready

BUILT_FROM := pyproject.toml $(wildcard native/*.c native/*.h native/*.pyx)
SOURCES := $(wildcard autopar tests benchmarks examples docs/_tools)

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage twins reliability conformance sanitize lint format bench regret docs picture browser clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(READY) ## install autopar and its tools into the virtual environment

# The install is editable: tests run against the sources. What the extension is built from rebuilds it; a stale one is
# removed first, so that a failed build leaves the pure-Python twin and not last week's code. uv takes a fifth of pip's
# time, but does not read pip's settings: with an index of its own, or where uv fails, pip installs. Bytecode is
# made on all cores and without packages' tests; some hold files of other Pythons, which do not compile.
$(READY): $(BUILT_FROM)
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "autopar needs Python 3.11 or newer, and %s is %s: try make PYTHON=python3.12" % (sys.executable, sys.version.split()[0]))'
	@echo "Setting up $(VENV): about a minute the first time"
	@$(PYTHON) -m venv $(VENV)
	@rm -f "autopar/_native$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')"
	@test -n "$$PIP_INDEX_URL$$($(PIP) config get global.index-url 2>/dev/null)" \
		|| $(PIP) install --quiet --disable-pip-version-check --no-compile uv || true
	@test -x $(BIN)/uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[docs,test]' \
		|| $(PIP) install --quiet --disable-pip-version-check --no-compile --editable '.[docs,test]'
	@$(BIN)/python -m compileall -q -j 0 $(SOURCES)
	@$(BIN)/python -m compileall -q -j 0 -x '/tests/|/typeshed/' $(VENV)/lib || true
	@$(BIN)/python -c 'from autopar._native_api import why_not_native; print("Set up;", why_not_native or "with the native extension")'
	@touch $@

# What is learnt while these run is kept in the checkout, not in the user's cache folder.
demo bench: export AUTOPAR_STORE ?= $(CURDIR)/$(VENV)/store/store.sqlite

demo: $(READY) ## run the examples and print what was decided
	$(BIN)/python examples/demo.py

bench: $(READY) ## measure the main job against the plain loop
	$(BIN)/python benchmarks/main_job.py

regret: $(READY) ## compare with the best hand-picked way on forty workloads
	$(BIN)/python -m benchmarks.regret --quick

test: lint ## run all checks and all tests
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

coverage: $(READY) ## run all tests and print which lines and branches none of them takes
	$(BIN)/python -m pytest --cov --cov-report=term --numprocesses=auto --dist=loadfile --no-loadscope-reorder

twins: $(READY) ## run the tests of the API without the native code
	AUTOPAR_NATIVE=0 $(BIN)/python -m pytest tests/api tests/engine tests/executor tests/test_minimal.py tests/test_counted_call.py

conformance: $(READY) ## run the test suites of concurrent.futures and joblib on autopar
	$(BIN)/python -W ignore -m tests.conformance.standard_library
	$(BIN)/python -W ignore -m tests.conformance.joblib_suite

sanitize: $(READY) ## run the tests of the native code under AddressSanitizer and UndefinedBehaviorSanitizer
	$(BIN)/python -m tests.hardened sanitized

reliability: $(READY) ## run the tests of the fault matrix, the long ones too, and write its table in docs/reliability.md
	$(BIN)/python -m tests.faults.matrix

browser: ## install Chromium, in which the report is tested (Debian and Ubuntu, as root)
	command -v chromium || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium)

lint: $(READY) ## run the checks that need no test run
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo

format: $(READY) ## put the sources in the project's format
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

docs: $(READY) ## build the documentation into build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "build/site/index.html"

picture: $(READY) ## run the examples, and put a picture of their report into docs (takes Chromium)
	$(BIN)/python docs/_tools/picture.py

clean: ## remove all that the targets made
	rm -rf $(VENV) build dist *.egg-info autopar/_native*.so
	rm -rf .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find autopar tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +
