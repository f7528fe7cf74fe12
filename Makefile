# make run    the main example, from a bare machine to a picture
# make test   every test; those on podman and dockerd where it can start them (root), those on a real kube-apiserver where Go can build it (minutes, once),
#             else it says that it skips them
# make test-containers   only those on podman and dockerd
# make test-kubernetes   only those on a real kube-apiserver
# make test-torture      50 watchers that come and go while 100,000 objects change
# make bench  ours beside the peers, measured in one run
# make fuzz   each parser with random inputs for FUZZ_SECONDS (60); ends with an error when one finds something
# make tidy   clang-format and clang-tidy
# make oracles        ask the original libraries again for every row of tests/oracles (needs Go)
# make fuzz-oracles   random expressions beside the originals, FUZZ_CASES of each language (needs Go)
PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)

.PHONY: run test test-containers test-kubernetes test-torture bench fuzz tidy oracles fuzz-oracles build bootstrap clean
run: build
	@tools/run-example $(BUILD)/bin/tiphys

test: build
	@tools/with-kubernetes tools/with-engines tools/run-tests $(BUILD)

test-containers: build
	@tools/run-container-tests $(BUILD)

test-torture: build
	@TIPHYS_BIN=$(BUILD)/bin/tiphys TIPHYS_TORTURE_CHANGES=100000 /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/e2e/test_watch_torture.py

test-kubernetes: build
	@TIPHYS_BIN=$(BUILD)/bin/tiphys TIPHYS_KUBERNETES=required tools/with-kubernetes /usr/bin/python3 -m pytest -q tests/e2e/test_kubernetes.py tests/e2e/test_kubernetes_api.py

bench: build
	@bench/run $(BUILD)

fuzz: PRESET := fuzz
fuzz: PACKAGES := tools/packages.txt tools/packages-fuzz.txt
fuzz: build
	@tools/fuzz build/fuzz

tidy: build
	@tools/tidy $(BUILD)

oracles:
	@tools/oracles/regenerate

fuzz-oracles: build
	@tools/oracles/fuzz-all $(BUILD)/bin/oracle_runner

build: bootstrap
	@cmake --preset $(PRESET) >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset $(PRESET) -j $(JOBS)

bootstrap:
	@mkdir -p build
	@tools/bootstrap $(PACKAGES)

clean:
	rm -rf build
