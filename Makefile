PYTHON ?= python3
BIN := .venv/bin

NATIVE := CMakeLists.txt $(wildcard native/*)
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-slow lint format native sanitize clean

demo: .venv/.demo
	$(BIN)/gatewise forecast --horizon 24 --out forecast.csv --plot forecast.png

test: lint
	$(BIN)/python -m pytest -n 2 --durations 10

test-slow: .venv/.test
	$(BIN)/python -m pytest -n 2 -m slow

lint: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Rebuilds the native library if its sources have changed; `make test` does the same.
native: .venv/.test
	$(BIN)/gatewise info | grep native

# Runs native/check.cpp, the test of the C interface, under AddressSanitizer (with LeakSanitizer),
# UndefinedBehaviorSanitizer and ThreadSanitizer. Each run fails if the sanitizer reports a problem.
SANITIZING_COMPILER := $(if $(shell command -v clang++),clang++,g++)
SANITIZERS := address undefined thread
sanitize: $(SANITIZERS:%=sanitize-%)

.PHONY: $(SANITIZERS:%=sanitize-%)
$(SANITIZERS:%=sanitize-%): sanitize-%:
	mkdir -p build
	cmake -S . -B build/$@ -DGATEWISE_SANITIZE=$* -DCMAKE_CXX_COMPILER=$(SANITIZING_COMPILER) >build/$@.log
	cmake --build build/$@ --target check --parallel 2 >>build/$@.log
	build/$@/check

clean:
	rm -rf .venv build dist out

.venv/bin/pip:
	$(PYTHON) -m venv .venv

# Builds the native library if a compiler is found.
.venv/.demo: .venv/bin/pip pyproject.toml constraints.txt $(NATIVE)
	$(PIP) -e ".[plot]"
	touch $@

# Requires the native library; without a compiler, run `make test GATEWISE_NATIVE=0`.
.venv/.test: export GATEWISE_NATIVE ?= 1
.venv/.test: .venv/bin/pip pyproject.toml constraints.txt $(NATIVE)
	$(PIP) -e ".[test]"
	touch $@
