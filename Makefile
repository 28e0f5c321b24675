# A thin front over CMake presets: every target is one or two commands that can be typed by hand.

.DELETE_ON_ERROR:
.PHONY: help setup build demo test test-all test-drivers bench fuzz format lint clean install

PRESET ?= release

help:
	@echo 'make setup      install what is missing (Debian packages)'
	@echo 'make build      build everything (PRESET=release, dev, asan, tsan)'
	@echo 'make demo       run the example shop, then the same spec against a shop with a bug'
	@echo 'make test       every test: release, sanitizers on end-to-end tests, fuzz smoke, lint'
	@echo 'make test-all   that, thread sanitizer, clang-tidy of every file, mutants'
	@echo 'make test-drivers  the own suites of drivers, directly and through the proxy'
	@echo 'make bench      measure beside other proxies'
	@echo 'make fuzz       fuzz each target for SECONDS=600'
	@echo 'make format     format the sources'
	@echo 'make lint       tidy, formatting, clang-tidy of every file'
	@echo 'make install    install to PREFIX=/usr/local (DESTDIR is obeyed)'
	@echo 'make clean      remove build/'

setup:
	@tools/setup

build: setup
	@tools/build $(PRESET)

demo: setup
	@tools/build release misrule misrule-shim
	@examples/shop/demo

test: setup
	@tools/test

test-all: setup
	@tools/test --all

# SUITES='pgx lib-pq' runs those; PG=17 on that server.
test-drivers:
	@tools/setup drivers $(if $(PG),--postgres=$(PG))
	@tools/build release misrule-proxy
	@/usr/bin/python3 tests/drivers/run.py $(if $(PG),--postgres $(PG)) $(SUITES)

bench:
	@tools/setup bench
	@tools/build release
	@bench/run

SECONDS ?= 600
fuzz: setup
	@tools/test --fuzz $(SECONDS)

format:
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

lint: setup
	@tools/lint --all

PREFIX ?= /usr/local
install: build
	@cmake --install build/$(PRESET) --prefix $(PREFIX)

clean:
	@rm -rf build
