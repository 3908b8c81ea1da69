#!/bin/sh
# Packs each Linux binary with the example settings and units. The same commit
# gives the same bytes: names sorted, times of the commit, nobody's user id.
set -eu
version=${1:?usage: package.sh VERSION}
when=$(git log -1 --format=%ct 2>/dev/null || echo 0)
for arch in amd64 arm64 armv7; do
	name=andon-$version-linux-$arch
	rm -rf "dist/$name"
	mkdir -p "dist/$name"
	cp "dist/andon-linux-$arch" "dist/$name/andon"
	cp -R config "dist/$name/"
	if [ -n "$(ls systemd 2>/dev/null)" ]; then cp -R systemd "dist/$name/"; fi
	tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$when" -cf - "$name" | gzip -n >"dist/$name.tar.gz"
	rm -rf "dist/$name"
	echo "dist/$name.tar.gz"
done
