# Thin: all the work is in webapp/setup (Python's standard library only, so it runs on a bare machine).
PYTHON ?= python3
SETUP = $(PYTHON) -B -m webapp.setup

.PHONY: run test lint bench bench-tiles bench-vector chaos machines stop clean lock

run:    ## set up what is missing, then serve on http://localhost:8000 (QUADRAT_PORT=8001 for another port)
	@$(SETUP) run
test:   ## linters, types, unit, PostGIS, browser and client tests, labeling under faults
	@$(SETUP) test
lint:   ## linters and types only
	@$(SETUP) lint
bench:  ## the measurements of tests/bench
	@$(SETUP) bench
bench-tiles: ## imagery tiles beside TiTiler's, into docs/benchmarks/tiles.md and mosaic.md
	@$(SETUP) bench-tiles
bench-vector: ## vector tiles beside tipg's, into docs/benchmarks/vector.md
	@$(SETUP) bench-vector
chaos:  ## people label while processes die, then every invariant is checked (PROFILE=long: six minutes)
	@PROFILE="$(PROFILE)" $(SETUP) chaos
machines: ## state machines of editing and tasks, 200 examples of 40 steps each (SIZE=1000x50 for more)
	@QUADRAT_TEST_MACHINES="$(or $(SIZE),200x40)" $(SETUP) machines
stop:   ## stop a running site and its database
	@$(SETUP) stop
clean:  ## remove what can be made again; your data only with DATA=yes, which asks
	@DATA="$(DATA)" CONFIRM="$(CONFIRM)" $(SETUP) clean
lock:   ## requirements.txt from requirements.in
	@$(SETUP) lock
