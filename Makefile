# Two commands matter: `make report` (the weekly page of the demo week) and `make test` (what CI runs).
# Relative targets only: the folder's name may hold a space.
PYTHON ?= python3
PY := .venv/bin/python
AREA ?= spine
# A file's tests, and a notebook's cells, stay in one process; two processes share the work.
SHARED := -n 2 --dist loadfile

.PHONY: report test lint types unit notebooks refresh lab prove bench sample lock clean test-clients
report: .venv/ready
	@$(PY) -m relkit report --week 2026-W47

test: lint types unit notebooks

lint: .venv/ready
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m codespell_lib
	@$(PY) -c "import sys; from importlinter.cli import lint_imports_command; sys.argv[1:] = [\"--no-cache\"]; lint_imports_command()"

types: .venv/ready
	@$(PY) -m mypy relkit examples

unit: .venv/ready
	@$(PY) -m pytest tests $(SHARED)

notebooks: .venv/ready
	@$(PY) -m pytest --nbval notebooks $(SHARED)

refresh: .venv/ready  ## notebooks executed anew, and the sample page they become
	@$(PY) -m relkit notebooks refresh
	@$(PY) -m relkit.report.sample

sample: .venv/ready
	@$(PY) -m relkit.report.sample

lab: .venv/ready
	@$(PY) -m jupyter trust notebooks/*.ipynb
	@$(PY) -m jupyterlab notebooks

# Raises every case of tests/golden/errors with the real client libraries, in an environment of their own: CLIENTS=--write records anew.
CLIENTS ?=
test-clients: .venv/ready .venv-clients/ready
	@GRPC_VERBOSITY=NONE .venv-clients/bin/python -m tests.golden.errors.record $(CLIENTS)

.venv-clients/ready: tests/golden/errors/clients.txt
	@test -x .venv-clients/bin/python || $(PYTHON) -m venv .venv-clients
	@.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r tests/golden/errors/clients.txt
	@touch .venv-clients/ready

prove: .venv/ready
	@$(PY) -m tests.prove $(AREA)

bench: .venv/ready
	@$(PY) -m benchmarks

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --all-extras --group dev -o requirements.lock pyproject.toml

clean:
	rm -rf .venv .venv-clients reports/.runs

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "relkit needs python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=python3.x")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3 has no ensurepip, so no environment can be made. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(PY) && $(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "installing the locked packages into .venv (once, about a minute)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch .venv/ready
