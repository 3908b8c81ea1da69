#!/bin/sh
# Runs every fuzz test of the module, one after the other, each for the time
# given.
set -eu
time=${1:?usage: fuzz.sh DURATION}
for package in $(go list ./...); do
	for name in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 100x "$package"
	done
done
