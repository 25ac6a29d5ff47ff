#!/usr/bin/env bash
# node of the image, on this repository: PARLEY_IMAGE_ROOT is a folder of image-root.sh. The process keeps its id and the network.
# usage: image-node.sh ARGUMENTS OF NODE...
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PARLEY_IMAGE_ROOT
# Mounts of a namespace of its own: they end with the process.
# shellcheck disable=SC2016 # for the inner shell
exec unshare --mount --propagation private bash -euc '
  repository=$1
  shift
  for folder in /proc /dev /tmp "$repository"; do
    mkdir -p "$PARLEY_IMAGE_ROOT$folder"
    mount --rbind "$folder" "$PARLEY_IMAGE_ROOT$folder"
  done
  here=$PWD
  root=$PARLEY_IMAGE_ROOT
  unset PARLEY_IMAGE_ROOT
  exec chroot "$root" /usr/bin/env -C "$here" /usr/local/bin/node "$@"
' image-node "$repository" "$@"
