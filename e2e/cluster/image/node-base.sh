#!/usr/bin/env bash
# Makes localhost/node-base:24 from a Node.js binary and this machine's shared libraries: no registry of images is needed.
# Usage: node-base.sh STORE_DIR NODE_BINARY    (STORE_DIR: the buildah store; build-image.sh builds on it)
set -euo pipefail
[ $# = 2 ] || { echo "usage: node-base.sh STORE_DIR NODE_BINARY" >&2; exit 2; }
mkdir -p "$1"; store=$(cd "$1" && pwd) node=$2
b() { buildah --root "$store/root" --runroot "$store/run" --storage-driver "${STORAGE_DRIVER:-vfs}" "$@"; }

work=$(mktemp -d "$store/base.XXXX"); trap 'rm -rf "$work"' EXIT
r=$work/root
mkdir -p "$r"/{usr/local/bin,etc/ssl/certs,home/node,app}
install -m 0755 "$node" "$r/usr/local/bin/node"
mkdir -p -m 1777 "$r/tmp"
# Each library at the path under which the loader looks it up.
ldd "$r/usr/local/bin/node" | grep -o '/[^ ]*' | sort -u | while read -r lib; do
  install -D -m 0755 "$(realpath "$lib")" "$r$lib"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$r/etc/ssl/certs/"
[ ! -d /usr/share/zoneinfo ] || { mkdir -p "$r/usr/share/zoneinfo" && cp -a /usr/share/zoneinfo/{UTC,Etc} "$r/usr/share/zoneinfo/"; }
printf 'root:x:0:0:root:/root:/sbin/nologin\nnode:x:1000:1000:node:/home/node:/sbin/nologin\n' >"$r/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$r/etc/group"
echo 'hosts: files dns' >"$r/etc/nsswitch.conf"
chown -R 1000:1000 "$r/home/node"

c=$(b from scratch)
b copy -q "$c" "$r" / >/dev/null
b config --user 1000:1000 --workingdir /app --entrypoint '["/usr/local/bin/node"]' --cmd '' \
  --env PATH=/usr/local/bin --env NODE_ENV=production --env HOME=/home/node \
  --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$c"
b commit -q "$c" localhost/node-base:24 >/dev/null
b rm "$c" >/dev/null
