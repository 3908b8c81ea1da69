#!/bin/sh
# Makes a Debian package: deb.sh BINARY ARCH VERSION OUT. The same commit gives the
# same bytes: every time in it is SOURCE_DATE_EPOCH, or that of the commit.
set -eu
binary=${1:?usage: deb.sh BINARY ARCH VERSION OUT}
arch=${2:?usage: deb.sh BINARY ARCH VERSION OUT}
version=${3:?usage: deb.sh BINARY ARCH VERSION OUT}
out=${4:?usage: deb.sh BINARY ARCH VERSION OUT}
nfpm=${NFPM:-.peers/bin/nfpm}

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

# A Debian version begins with a digit and has no hyphen of ours in it. What has
# no release yet comes before all releases, in the order of its commits.
version=${version#v}
case $version in
[0-9]*.*) ;;
*) version=0~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$version ;;
esac
version=$(echo "$version" | tr -- - .)

umask 022
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/share/examples" "$stage/doc/systemd" "$stage/doc/deploy" "$stage/doc/licences"
gzip -9nc deploy/andon.1 >"$stage/andon.1.gz"
gzip -9nc CHANGELOG.md >"$stage/doc/changelog.gz"
# The documents lie as in the repository, so that their links lead somewhere; config
# is a link to the examples (nfpm.yaml).
cp README.md ARCHITECTURE.md CHANGELOG.md deploy/deb/copyright "$stage/doc/"
cp -R docs "$stage/doc/"
cp internal/panel/static/vendor/*.LICENSE "$stage/doc/licences/"
cp -R config/. "$stage/share/examples/" # not below doc, which small systems leave out
cp systemd/examples/*.conf "$stage/doc/systemd/"
cp -R deploy/mosquitto deploy/grafana deploy/prometheus "$stage/doc/deploy/"
chmod -R u=rwX,go=rX "$stage/doc" "$stage/share"
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

ARCH=$arch VERSION=$version BINARY=$binary STAGE=$stage MAINTAINER=${MAINTAINER:-andon <andon@localhost>} \
	"$nfpm" package --config deploy/nfpm.yaml --packager deb --target "$out" >&2
