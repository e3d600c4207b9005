# Two commands matter: `make demo` and `make test`. Everything else serves them.
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.installed
DB ?= sqlite
PORT ?= 8000
export PYTHONDONTWRITEBYTECODE :=  # or every process compiles everything anew

.PHONY: install demo test test-sqlite test-postgres check bench faults faults-sqlite faults-postgres faults-import lock catalogue clean

install: $(STAMP)

$(STAMP): requirements-dev.txt
	@$(PY) -m pip --version >/dev/null 2>&1 || { rm -rf .venv; $(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }; }
	@echo "Installing into .venv …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $(STAMP)

# ONCE=1: run the main job once, print one line of JSON, stop. DB=postgres: on a real PostgreSQL.
demo: install
	@$(PY) manage.py demo --db $(DB) --port $(PORT) $(if $(ONCE),--once)

# Three processes on two cores: some tests wait for time limits. Who is done takes over from who is not.
test: check test-sqlite test-postgres

test-sqlite: install
	@echo "== tests on SQLite"
	@$(PY) -m pytest -n 3 --dist worksteal

test-postgres: install
	@echo "== tests on PostgreSQL"
	@$(PY) -m orderhub.localpostgres run -- sh -c 'TEST_DATABASE_URL="$$DATABASE_URL" exec $(PY) -m pytest -n 3 --dist worksteal --ignore=tests/screens'

check: install
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py check
	@$(PY) manage.py catalogue --check

bench: install
	@$(PY) -m orderhub.localpostgres run -- $(PY) manage.py bench
	@$(PY) -m orderhub.localpostgres run -- $(PY) manage.py bench_accounts
	@$(PY) -m orderhub.localpostgres run -- $(PY) manage.py bench_api

# Hours: all that `make test` only samples. 500 sequences of shipping at random, a thousand labels in a batch, every cell
# of every matrix; all tests that ask a database on PostgreSQL; 100,000 updates while Amazon fails in every way it knows.
faults: faults-sqlite faults-postgres faults-import

faults-sqlite: install
	@$(PY) -m pytest -n 2 -m long

faults-postgres: install
	@$(PY) -m orderhub.localpostgres run -- sh -c 'TEST_DATABASE_URL="$$DATABASE_URL" MACHINES=60 exec $(PY) -m pytest -n 2 -m "long or not long"'

faults-import: install
	@$(PY) -m orderhub.localpostgres run -- $(PY) manage.py faults $(if $(UPDATES),--updates $(UPDATES))

catalogue: install
	@$(PY) manage.py catalogue

# Needs `uv` on the PATH; the result is installed by plain pip.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url -c requirements.txt requirements-dev.in -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.12 --generate-hashes --no-emit-index-url tests/clients/requirements.in -o tests/clients/requirements.txt

clean:
	rm -rf .venv var .pytest_cache .ruff_cache .hypothesis
