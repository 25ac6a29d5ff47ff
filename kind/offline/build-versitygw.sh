#!/usr/bin/env bash
# Builds the S3 server of the tests (versitygw, Apache-2.0) from Go modules into $BIN; one of the right version is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$here/versions.sh"
# shellcheck source=go.sh
source "$here/go.sh"
module=github.com/versity/versitygw
# The version is part of the name, so that a new one is built anew also where Go cannot tell it.
target=$BIN/versitygw-$VERSITYGW_VERSION
if [[ ! -x $target ]]; then
  need_go
  mkdir -p "$BIN"
  work=$(mktemp -d "$BIN/versitygw-build-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  say 'building the S3 server of the tests into the cache (once, some minutes)'
  begin=$SECONDS
  # In the cache: a go.mod of the folder where this is called must not matter.
  (cd "$work" && CGO_ENABLED=0 GOBIN=$work heavy go install -trimpath -ldflags '-s -w' "$module/cmd/versitygw@v$VERSITYGW_VERSION")
  mv "$work/versitygw" "$target"
  say "built versitygw in $((SECONDS - begin)) s"
fi
printf '%s\n' "$target"
