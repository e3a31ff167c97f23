# Two commands do everything on a fresh machine: `make demo` and `make test`.
# What they need is Python 3.11 or newer, git 2.34, OpenSSH 8.2 and make; scripts/setup.sh says what is missing.

PYTHON := .venv/bin/python
READY := .venv/ready

.PHONY: demo test lint format bench quality conformance docs clean

demo: $(READY)
	@$(PYTHON) -m safeconduct demo $(DEMO)

test: $(READY)
	@sh scripts/test_packages.sh
	@$(PYTHON) -m pytest -n auto $(TESTS)

lint: $(READY)
	@.venv/bin/ruff check src tests bench
	@.venv/bin/ruff format --check src tests bench
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: $(READY)
	@.venv/bin/ruff check --fix src tests bench
	@.venv/bin/ruff format src tests bench

bench: $(READY)
	@$(PYTHON) bench/run.py $(CASES)

quality: $(READY)
	@$(PYTHON) bench/quality.py

conformance: $(READY)
	@$(PYTHON) bench/conformance.py

docs: $(READY)
	@$(PYTHON) scripts/docs.py

$(READY): pyproject.toml uv.lock scripts/setup.sh
	@sh scripts/setup.sh

clean:
	rm -rf .venv build dist
