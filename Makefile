# Every target is one script: read scripts/NAME to see what `make NAME` does.

PREFIX  ?= /usr/local
DESTDIR ?=

.DEFAULT_GOAL := help
.PHONY: help run build test bench fuzz lint format test-sanitize test-tls install clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: ## build, then serve gateway.conf.example in front of demo backends until Ctrl-C
	@scripts/run

build: ## build the release binary: .build/release/sluice
	@scripts/build

test: ## install what the tests need, build, run every test (ARGS="--filter HTTPTests" narrows)
	@scripts/test $(ARGS)

bench: ## measure Sluice beside its peers (SCENARIOS="keepalive upload-1m" PEERS=… RUNS=5)
	@scripts/bench

fuzz: ## run every libFuzzer target for SECONDS_EACH=60
	@scripts/fuzz

lint: ## check the formatting of Swift, the syntax of scripts and Python
	@scripts/lint

format: ## format all Swift files in place
	@swift format -i -p -r Package.swift Sources Tests Fuzz

test-sanitize: ## run the tests under the address and the thread sanitizer
	@scripts/test-sanitize

test-tls: ## judge the TLS of the release build by testssl.sh
	@scripts/test-tls

install: ## install into DESTDIR/PREFIX (/usr/local): program, example, documentation, unit for systemd
	@scripts/install "$(PREFIX)" "$(DESTDIR)"

clean: ## remove everything that was built
	rm -rf .build .build-*
