#!/usr/bin/env bash
# Builds an image on the base image and writes it as an archive for load-image.sh.
# Usage: build-image.sh STORE_DIR CONTEXT_DIR IMAGE TAR [BUILD_ARGS...]    (CONTEXT_DIR has a Containerfile)
set -euo pipefail
[ $# -ge 4 ] || { echo "usage: build-image.sh STORE_DIR CONTEXT_DIR IMAGE TAR [BUILD_ARGS...]" >&2; exit 2; }
store=$(cd "$1" && pwd) context=$2 image=$3 tar=$4
shift 4
b() { buildah --root "$store/root" --runroot "$store/run" --storage-driver "${STORAGE_DRIVER:-vfs}" "$@"; }
b build -q --pull-never --isolation chroot -t "$image" "$@" "$context" >/dev/null
rm -f "$tar"
b push -q "$image" "docker-archive:$tar:$image"
b rmi --prune >/dev/null
