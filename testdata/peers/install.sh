#!/bin/sh
# Installs the programs that tests talk to: mosquitto and Node by apt, the OPC UA
# server's modules by npm, and a C compiler for the race detector. What is there
# already is left as it is.
set -eu
cd "$(dirname "$0")"

missing=
for need in mosquitto:mosquitto node:nodejs npm:npm gcc:gcc; do
	if ! PATH="$PATH:/usr/sbin" command -v "${need%%:*}" >/dev/null; then
		missing="$missing ${need#*:}"
	fi
done
case $missing in *gcc*) missing="$missing libc6-dev" ;; esac

if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "peers: install these, or run as root on Debian:$missing" >&2
		exit 1
	fi
	# A broker that starts by itself on a test machine is nobody's wish.
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod +x /usr/sbin/policy-rc.d
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

if [ -f node-opcua/package-lock.json ]; then
	if [ -d node-opcua/node_modules/node-opcua ] && [ node-opcua/node_modules/.package-lock.json -nt node-opcua/package-lock.json ]; then
		echo "peers: node-opcua is installed"
	else
		(cd node-opcua && npm ci --no-audit --no-fund)
	fi
fi
