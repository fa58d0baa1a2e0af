# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080
export PYTHONUNBUFFERED := 1
.DEFAULT_GOAL := help

.PHONY: help setup demo champion test test-fast lint format lock ui team-server label-studio clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/installed ## make .venv with everything in it (the other commands do it by themselves)

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "stance-kit needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[corpus,train,label,report,teams,dev]'
	@touch $@

demo: setup ## real articles in; models trained, tracked, registered; stances out (under 10 minutes)
	$(BIN)/python -m experiments.demo

champion: setup ## train the full recipes of both tasks and promote what wins
	$(BIN)/python -m experiments.champion

test: setup ## all tests, a process per core (11 to 15 minutes on 2 cores)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test-fast: setup ## the tests that take no model training and no server, a process per core (a minute or so)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'not slow' --numprocesses auto --maxprocesses 4 --dist loadfile

lint: setup ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## renew constraints.txt from what is installed
	$(BIN)/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt

ui: setup ## the MLflow pages of all runs, at http://127.0.0.1:5000
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000

team-server: setup ## MLflow with accounts on PostgreSQL, at http://127.0.0.1:5000, until Ctrl-C (docs/teams.md)
	@$(BIN)/python -m experiments.teams.server

label-studio: setup ## Label Studio at http://127.0.0.1:8080 (PORT=…), installed apart, until Ctrl-C
	@$(BIN)/python -m labeling.server --port $(PORT)

clean: ## remove what was built and measured here: environment, caches, runs and models
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf mlflow.db mlartifacts models/*/
