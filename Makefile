# The one test command is `make test`; `make help` lists the others.
GOLANGCI := v2.15.0
NFPM     := v2.45.0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)"
FUZZTIME ?= 20s
SOAK     ?= 1h
BENCH    ?= .

.DEFAULT_GOAL := all
.PHONY: all help build cross test race random soak peers fuzz cover bench lint fmt demo clean package

all: fmt lint test build ## fmt, lint, test and build

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/andon for this machine, static
	$(BUILD) -o bin/andon ./cmd/andon

cross: ## dist/: linux amd64, arm64, armv7; windows amd64 must compile
	deploy/cross.sh "$(LDFLAGS)"

test: ## vet and test everything; says at the end which peers were missing
	go vet ./...
	testdata/test.sh -shuffle=on ./...

race: ## the tests with the race detector, long ones short (needs a C compiler)
	testdata/test.sh -race -short -shuffle=on ./...

random: ## the random properties with other seeds, many of each (RANDOM_CHECKS=3000)
	go test ./internal/engine ./internal/judge ./internal/alarm ./internal/rehearse ./internal/spec -count=1 \
		-rapid.checks=$(or $(RANDOM_CHECKS),3000) -rapid.seed=$$(date +%s)

soak: ## an hour of demonstration beside two thousand kills (SOAK=1h)
	SOAK=$(SOAK) go test -count=1 -timeout 4h -run 'TestDemo|TestKills' ./internal/systemtest

peers: ## install the programs that tests talk to (apt as root, npm)
	testdata/peers/install.sh

fuzz: ## every fuzz test for FUZZTIME (20s)
	testdata/fuzz.sh $(FUZZTIME)

cover: ## how much of each package its tests reach
	go test -cover ./...

bench: ## the benchmarks that match BENCH (all)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

lint: bin/golangci-lint-$(GOLANGCI) ## golangci-lint by .golangci.yml
	bin/golangci-lint-$(GOLANGCI) run ./...

bin/golangci-lint-$(GOLANGCI):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv bin/golangci-lint $@

fmt: ## gofmt -s
	gofmt -s -w cmd internal

demo: build ## the whole way on this machine: simulated plant, broker, receiver
	bin/andon demo

package: cross .peers/bin/nfpm ## dist/*.deb and *.tar.gz: binary, unit, example settings, documents
	deploy/package.sh "$(VERSION)"

.peers/bin/nfpm:
	GOBIN=$(CURDIR)/.peers/bin go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM)

clean: ## remove bin and dist
	rm -rf bin dist
