# Two commands for newcomers: `make demo` and `make test`. The rest is what they are made of.
# `.ci/setup` installs what a bare machine misses: a C compiler for SQLite, C++ for libFuzzer; PostgreSQL, a mail server, a server that speaks S3, virus scanners, Node and Chromium for the tests.

CARGO ?= cargo
# How long `make fuzz` and `make contract` look; building their programs comes on top.
SECONDS ?= 60
# Which tests over HTTP `make postgres` runs: those of tables that several servers share. `make postgres ONLY=` runs all.
ONLY ?= webhooks:: outbox:: matrix:: workers:: servers:: routes::access routes::account routes::alerts routes::changes \
	routes::channels routes::ideas routes::payments routes::receive

.PHONY: demo test setup format lint unit postgres fuzz contract client open311 npm docs schemas bench

demo: ## a month of a town on one machine, then its dashboard on http://127.0.0.1:8080
	@.ci/setup compiler
	$(CARGO) run --locked --bin guichet -- demo

test: setup format lint unit postgres fuzz contract client open311 npm docs ## everything that must hold before a change lands

setup:
	@.ci/setup compiler cplusplus mail imap s3 scanners client open311 schemathesis postgres npm chromium

format:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path tests/fuzz/Cargo.toml --check

lint:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --workspace --all-targets --locked --features guichet/kurrentdb -- -D warnings

unit: ## with KurrentDB, so that everything is built once; `lint` looks at the default build too
	@.ci/with-mail .ci/with-imap .ci/with-s3 .ci/with-scanners .ci/with-postgres $(CARGO) test --workspace --locked --features guichet/kurrentdb

postgres: ## the tests over HTTP once more, each town in a PostgreSQL database of its own
	GUICHET_TEST_HTTP_STORE=postgres .ci/with-mail .ci/with-imap .ci/with-s3 .ci/with-scanners .ci/with-postgres \
		$(CARGO) test --workspace --locked --features guichet/kurrentdb --test http -- $(ONLY)

fuzz: ## made-up texts against the loader of the process language; `make fuzz SECONDS=3600` looks longer
	@.ci/setup compiler cplusplus
	tests/fuzz/run $(SECONDS)

contract: ## made-up calls from the OpenAPI document against a server; `make contract SECONDS=300` looks longer
	@.ci/setup compiler schemathesis
	$(CARGO) build --locked --bin guichet
	tests/contract/run $(if $(filter file,$(origin SECONDS)),40,$(SECONDS))

client: ## a client in Python, made of the served document by a generator nobody here wrote, and used
	@.ci/setup compiler client
	$(CARGO) build --locked --bin guichet
	tests/contract/serve .cache/client/bin/python tests/contract/client.py

open311: ## clients of Open311 that nobody here wrote list, post and follow
	@.ci/setup compiler open311
	$(CARGO) build --locked --bin guichet
	tests/open311/run

npm: ## what Guichet writes for other programs, proven by those programs
	$(CARGO) build --locked --bin guichet
	cd tests/npm && npm test --silent

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

schemas: ## writes the generated contracts anew; a test compares them
	GUICHET_WRITE_SCHEMAS=1 $(CARGO) test --locked --workspace --test laws --test http -- schemas contract

bench: ## the figures of bench/README.md, as ratios in one run; `make bench QUICK=--quick` in a few minutes
	@.ci/setup compiler postgres
	$(CARGO) build --release --locked -p guichet -p guichet-bench
	.ci/with-postgres target/release/guichet-bench $(QUICK)
