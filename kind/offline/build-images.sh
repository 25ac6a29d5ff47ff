#!/usr/bin/env bash
# Builds stand-ins for the public images from Debian, npm and Maven packages, under the public names. No image registry is asked.
# An image whose inputs have not changed is left alone; PARLEY_REBUILD=1 builds it all the same.
# usage: build-images.sh NAME...   (node redis haproxy postgres mariadb mysql prometheus kafka)
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/images" && pwd)
# shellcheck source=versions.sh
source "$here/../versions.sh"
# shellcheck source=images/parts.sh
source "$here/parts.sh"
# shellcheck source=images/recipes.sh
source "$here/recipes.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$IMAGE_CACHE/rootfs"

(($# > 0)) || set -- node redis haproxy postgres mariadb mysql prometheus kafka
for name in debian "$@"; do
  begin=$SECONDS
  # no "&&" or "if" around it: they would switch -e off inside
  "$name"
  if ((SECONDS - begin > 1)); then say "image $name: $((SECONDS - begin)) s"; fi
done
