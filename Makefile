# What a person types. Everything else is in scripts/, and `.ci/run` runs the same checks.

.PHONY: help run up down test check check-image plans chaos bench bench-embedded bench-cluster clean-parts

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ## Build what is missing and start Fairy at http://127.0.0.1:3000, data under ./var
	@cargo build --locked --quiet --bin fairy || { echo "The build failed; it needs Rust $$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or later (rustup.rs) and a C compiler." >&2; exit 1; }
	@exec "$${CARGO_TARGET_DIR:-target}/debug/fairy" up

up: ## Build what is missing and start the cluster mode in containers: MySQL, Redis, AWS stand-in, mail page, one API, two workers
	@scripts/up

down: ## Stop the containers of `make up`; their data stays in volumes
	@docker compose down

test: ## Install missing test parts and run every check
	@scripts/test

check: ## The quick checks: format, lints, unit tests
	@scripts/check

plans: ## Look what each list costs on MariaDB and MySQL over a million tasks (some minutes, 4 GB of memory)
	@eval "$$(scripts/parts-of-test)" && FAIRY_TEST_PLAN_TASKS=1000000 cargo test --locked -p fairy-store server_plans

chaos: ## Break everything again and again under load and judge what is left (a quarter of an hour; FAIRY_TEST_SEED=… plays a schedule again)
	@scripts/chaos

check-image: ## Build the image and try the cluster mode in containers, killing some; where no engine runs one is started
	@scripts/image-check

bench: ## Measure all, in release mode, and print the tables of the README; some ten minutes
	@scripts/bench

bench-embedded: ## Measure `fairy up` on files only; it needs nothing installed
	@scripts/bench embedded

bench-cluster: ## Measure lanes and processes on servers only; installs Redis, MariaDB and the peers where they are missing
	@scripts/bench cluster

clean-parts: ## Remove the test parts that `make test` installed
	@rm -rf "$${CARGO_TARGET_DIR:-target}/parts"
