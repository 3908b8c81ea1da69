#!/bin/sh
# Packs each Linux binary, with unit, example settings and documents, as a Debian
# package and as an archive for other systems. The same commit gives the same
# bytes: names sorted, times of the commit, nobody's user id.
set -eu
version=${1:?usage: package.sh VERSION}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
for arch in amd64 arm64 armv7; do
	name=andon-$version-linux-$arch
	rm -rf "dist/$name"
	mkdir -p "dist/$name/deploy"
	cp "dist/andon-linux-$arch" "dist/$name/andon"
	cp -R config systemd docs README.md ARCHITECTURE.md CHANGELOG.md deploy/deb/copyright "dist/$name/"
	cp -R deploy/mosquitto deploy/grafana deploy/prometheus deploy/andon.1 "dist/$name/deploy/"
	tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -n >"dist/$name.tar.gz"
	rm -rf "dist/$name"
	echo "dist/$name.tar.gz"

	debian=$arch
	if [ "$arch" = armv7 ]; then debian=armhf; fi
	deploy/deb.sh "dist/andon-linux-$arch" "$debian" "$version" "dist/andon-$version-$debian.deb"
	echo "dist/andon-$version-$debian.deb"
done
