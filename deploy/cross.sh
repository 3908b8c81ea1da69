#!/bin/sh
# Builds for every machine we promise. Windows must compile; it is not shipped.
set -eu
flags=${1:?usage: cross.sh LDFLAGS}
mkdir -p dist
for target in linux/amd64 linux/arm64 linux/arm/7 windows/amd64; do
	os=${target%%/*}
	rest=${target#*/}
	arch=${rest%%/*}
	arm=
	out=dist/andon-$os-$(echo "$rest" | tr -d /)
	if [ "$arch" = arm ]; then
		arm=${rest#*/}
		out=dist/andon-$os-armv$arm
	fi
	if [ "$os" = windows ]; then out=$out.exe; fi
	echo "$out"
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOARM=$arm go build -trimpath -ldflags "$flags" -o "$out" ./cmd/andon
done
