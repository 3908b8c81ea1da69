#!/bin/sh
# Runs go test with the arguments given, and lists at the end what was not tried
# because a peer is missing. The list has a new name each time, so that a cached
# result that skipped a test is not taken for one that ran it.
set -u
list=$(mktemp)
trap 'rm -f "$list"' EXIT
PEERS_MISSING="$list" go test "$@"
code=$?
if [ -s "$list" ]; then
	echo
	echo "NOT TRIED, for want of a peer (make peers installs them):"
	sort -u "$list" | sed 's/^/  /'
fi
exit $code
