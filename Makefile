# getihu: two commands on a fresh machine with python3 (3.11+), pip and make:
#   make demo    a believable city, served on 127.0.0.1:8000
#   make test    every test, on SQLite and on PostgreSQL
PY   ?= python3
CITY ?= 100000
SEED ?= 20261031
PORT ?= 8000
BIN  := .venv/bin
UV   := $(BIN)/uv
export UV_PYTHON_DOWNLOADS = never
export PYTHONUTF8 = 1

.DEFAULT_GOAL := help
.PHONY: help demo setup dev city serve test check generative promises spark bench fix lock pictures reference clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

demo: setup  ## install, make the demo city, ingest, decide, serve (CITY=1100000 for the full city)
	@$(BIN)/getihu demo --traders $(CITY) --seed $(SEED) --port $(PORT)

setup: .venv/.base  ## install what running needs, create the database
	@$(BIN)/getihu setup

city: setup  ## make the demo city, ingest it and decide (replaces an earlier demo city)
	@$(BIN)/getihu city --traders $(CITY) --seed $(SEED)

serve: setup  ## serve what is published on 127.0.0.1
	@$(BIN)/getihu serve --port $(PORT)

test: dev  ## bring what tests need, then run the suite on SQLite and on PostgreSQL
	@$(BIN)/python -m tools.run_tests

check: dev  ## format, lint, types, import ladder, missing migrations, repository tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djade --check $$(git ls-files 'src/**/*.html')
	$(BIN)/mypy src/getihu tools
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run -v0
	$(BIN)/python -m pytest tests/repo

generative: dev  ## random rules on random facts through every engine (GENERATIVE_SECONDS=1800)
	@$(BIN)/python -m tests.generative

promises: dev  ## the promises at full size (10,000 attacks, kills at every step, 100,000 events); see docs/promises.md
	@$(BIN)/python -m tools.run_tests -m scale tests/audit tests/ops tests/policies tests/passport tests/fuzz

spark: dev .venv/.spark  ## install pyspark, so that tests and make generative include Spark (needs Java 17+)

bench: dev .venv/.bench  ## measure city, ingest, facts, sweep and rulebook against other engines; writes docs/benchmarks
	$(BIN)/python -m bench.spine
	$(BIN)/python -m bench.rulebook
	$(BIN)/python -m bench.pools
	$(BIN)/python -m bench.insight
	$(BIN)/python -m bench.load

fix: dev  ## format and mend what can be mended
	$(BIN)/ruff check --fix -q .
	$(BIN)/ruff format -q .
	$(BIN)/djade $$(git ls-files 'src/**/*.html')
	$(MAKE) reference

pictures: dev  ## take the manual's pictures again, with Chromium
	@GETIHU_TAKE_PICTURES=yes $(BIN)/python -m pytest -q tests/browser/test_pictures_in_chromium.py tests/browser/test_awards_in_chromium.py

reference: dev  ## regenerate docs/reference
	$(BIN)/python -m tools.make_reference

lock: $(UV)  ## pin every dependency with its hashes again
	$(UV) pip compile -q --generate-hashes --universal --no-emit-index-url --no-header --no-annotate --upgrade pyproject.toml -o requirements/base.txt
	$(UV) pip compile -q --generate-hashes --universal --no-emit-index-url --no-header --no-annotate pyproject.toml -c requirements/base.txt --group dev -o requirements/dev.txt
	$(UV) pip compile -q --generate-hashes --universal --no-emit-index-url --no-header --no-annotate pyproject.toml -c requirements/base.txt --group bench -o requirements/bench.txt
	$(UV) pip compile -q --generate-hashes --universal --no-emit-index-url --no-header --no-annotate pyproject.toml -c requirements/base.txt --extra spark -o requirements/spark.txt

clean:  ## remove the demo city, its database and every derived file (asks first)
	@$(BIN)/getihu clean

dev: .venv/.dev

$(UV): requirements/uv.txt
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "需要 Python 3.11 或更新版本，当前是 " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PY) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $(UV)

.venv/.base: $(UV) requirements/base.txt pyproject.toml
	@echo "安装依赖…"
	@$(UV) pip install -q --require-hashes -r requirements/base.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'import getihu.rulebook.columns.kernels'  # compiled now, not while somebody waits
	@touch $@

.venv/.bench: .venv/.base requirements/bench.txt
	@echo "安装用来比较的引擎…"
	@$(UV) pip install -q --require-hashes -r requirements/bench.txt
	@touch $@

.venv/.spark: .venv/.base requirements/spark.txt
	@echo "安装 pyspark…"
	@$(UV) pip install -q --require-hashes -r requirements/spark.txt
	@touch $@

.venv/.dev: .venv/.base requirements/dev.txt
	@echo "安装测试与检查工具…"
	@$(UV) pip install -q --require-hashes -r requirements/dev.txt
	@touch $@
