#!/usr/bin/env bash
# usage: base.sh SUITE — prints the path of an archive with the file system of a Debian on which nobody installed anything but git.
# It is made once, from the archive that this machine itself uses. mmdebstrap as root needs no user namespaces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../kind/offline/versions.sh
source "$here/../../kind/offline/versions.sh"
suite=$1
cache=$PARLEY_CACHE/bare
archive=$cache/debian-$suite.tar
if [[ ! -f $archive ]]; then
  mkdir -p "$cache"
  lines=()
  if [[ -n $DEBIAN_MIRROR ]]; then
    lines=("deb $DEBIAN_MIRROR $suite main" "deb $DEBIAN_MIRROR $suite-updates main" "deb $DEBIAN_SECURITY $suite-security main")
  fi
  say "making a bare Debian $suite (once)"
  # mmdebstrap goes by the file's ending: a name that does not end in .tar becomes a folder.
  part=$(mktemp -u "$cache/debian-$suite-XXXXXX.tar")
  trap 'rm -f "$part"' EXIT
  heavy mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,git "$suite" "$part" "${lines[@]}" >&2
  mv "$part" "$archive"
fi
printf '%s\n' "$archive"
