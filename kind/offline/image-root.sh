#!/usr/bin/env bash
# Prints a folder with the file system that the services' image stands on (the stand-in of node:24-trixie-slim, without podman): Debian
# trixie and Node from its npm package. Made once; for tests that run chat on the image's libraries. Needs root and mmdebstrap.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/images" && pwd)
# shellcheck source=versions.sh
source "$here/../versions.sh"
# shellcheck source=images/parts.sh
source "$here/parts.sh"
mkdir -p "$IMAGE_CACHE/rootfs"

archive=$(rootfs trixie)
arch=x64
if [[ $(uname -m) == aarch64 ]]; then arch=arm64; fi
root=$IMAGE_CACHE/root-trixie-node-$NODE_VERSION
if [[ ! -d $root ]]; then
  rm -rf "$root.part"
  mkdir -p "$root.part"
  tar -xf "$archive" -C "$root.part" --exclude='./dev/*'
  npm install --no-package-lock --no-audit --no-fund --loglevel=error --prefix "$root.part/usr/local/lib/node" \
    "node-linux-$arch@$NODE_VERSION" >/dev/null
  ln -s "../lib/node/node_modules/node-linux-$arch/bin/node" "$root.part/usr/local/bin/node"
  mv "$root.part" "$root"
fi
echo "$root"
