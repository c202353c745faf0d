# Chiton. On a fresh machine these two commands do everything:
#   make chat     build what is needed and talk to the bot (without a model: a short tour)
#   make test     build what is needed and run all tests
# Further: make build (release binary), make bench, make lint, make fuzz, make picture, make sdk-check, make languages, make target.

SHELL := /bin/bash
CARGO ?= cargo
ARGS ?=

.PHONY: chat test build bench lint fuzz picture sdk-check languages docker-registry python target cargo

# The whole workspace is named so that both commands build the large crates with the same features, once.
chat: target
	@$(CARGO) build --workspace --bin chiton
	@target/debug/chiton chat $(ARGS)

test: target docker-registry python
	$(CARGO) test --workspace --features chiton/failpoints
	cd tools/programs && $(CARGO) test -p chiton-posix-regex

build: target
	$(CARGO) build --release --package chiton
	@ls -l target/release/chiton

bench: target
	$(CARGO) bench --workspace $(foreach bench,call deadline swap shell egress run schedule store codec turn sessions start skills,--bench $(bench))

lint: target
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features chiton/failpoints -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny --version 0.20.2
	$(CARGO) fetch --locked && cd tools/programs && $(CARGO) fetch --locked
	$(CARGO) deny --offline check licenses bans sources
	cd tools/programs && $(CARGO) fmt --check
	cd tools/programs && $(CARGO) clippy --all-targets --target wasm32-wasip2 -- -D warnings
	cd tools/programs && $(CARGO) deny --offline --config ../../deny.toml check licenses sources

# Each policy and parser target for so many seconds, with a nightly toolchain. What it learns stays in tests/fuzz/target.
SECONDS_EACH ?= 600
fuzz:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	cd tests/fuzz && for target in $$(cargo +nightly fuzz list --fuzz-dir .); do \
	  mkdir -p target/corpus/$$target && cargo +nightly fuzz run --fuzz-dir . -s none $$target \
	    target/corpus/$$target corpus/$$target -- -max_total_time=$(SECONDS_EACH) || exit 1; done

# The picture in README.md, drawn from a real run of the tour.
picture: target
	$(CARGO) build --workspace --bin chiton --bin picture
	target/debug/picture target/debug/chiton tests/picture/tour.svg

# The official Python SDKs read the recorded streams of models as our own tests expect.
sdk-check:
	@cmp -s tests/streams/requirements.txt target/sdk-venv/installed || { python3 -m venv --clear target/sdk-venv && \
	  target/sdk-venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/streams/requirements.txt && \
	  cp tests/streams/requirements.txt target/sdk-venv/installed; }
	target/sdk-venv/bin/python -B tests/streams/parse.py

# The templates of the SDK in all languages whose toolchains are here do the same. LANGUAGES="c rust" must be among them.
languages: target
	@$(CARGO) build --workspace --features chiton/failpoints --bin chiton
	CHITON=$(CURDIR)/target/debug/chiton CHITON_HOME=$(CURDIR)/target/languages/home sdk/build-all.sh $(LANGUAGES)
	CHITON_LANGUAGES=$(CURDIR)/target/languages $(CARGO) test --workspace --features chiton/failpoints --test languages

# The registry that skills are published to and added from in tests. Instant when it is there.
docker-registry:
	@host/registry/tests/docker-registry.sh

# The engine of Python scripts, for the tests that need it. Where it cannot be fetched they are left out.
python: target/python.wasm
target/python.wasm: tools/programs/python/build.sh tools/programs/python/python.wit $(wildcard tools/programs/python/src/*.py wit/*.wit wit/deps/*.wit)
	@$< $@ || { [ $$? -eq 127 ] && echo "make: the tests of Python are left out" >&2; }

# A compiler that can build guests. Instant when there is nothing to do.
target: cargo
	@sdk/wasm-target.sh

cargo:
	@command -v $(CARGO) >/dev/null || { echo "make: Rust is missing; install it from https://rustup.rs and run make again" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "make: a C compiler is missing (SQLite and zstd are C); install gcc or clang and run make again" >&2; exit 1; }
