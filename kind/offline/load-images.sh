#!/usr/bin/env bash
# Gives images of podman's store to every node, for trying something out: load-images.sh NAME:TAG...
# A pod names them in full, with imagePullPolicy IfNotPresent. Parley's own images are loaded by `npm run kind`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$here/versions.sh"
(($# > 0)) || fail 'usage: load-images.sh NAME:TAG...'
archive=$(mktemp --suffix=.tar)
trap 'rm -f "$archive"' EXIT
podman save --multi-image-archive --format docker-archive --output "$archive" --quiet "$@"
kind load image-archive --name "$CLUSTER" "$archive"
