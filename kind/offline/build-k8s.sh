#!/usr/bin/env bash
# Builds every Go program of the cluster from Go modules into $BIN; a program of the right version is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$here/versions.sh"
# shellcheck source=go.sh
source "$here/go.sh"
work=$KIND_CACHE/src
mkdir -p "$BIN" "$work"
export CGO_ENABLED=0 GOFLAGS=-mod=mod
minor=${KUBE_VERSION%.*}
minor=${minor#*.}
staging=0.${KUBE_VERSION#*.}

# has NAME MODULE VERSION — $BIN/NAME was built from that version (Go writes it into the program; without Go what is there is taken)
has() {
  [[ -x $BIN/$1 ]] || return 1
  has_go || return 0
  go version -m "$BIN/$1" | grep -E "(dep|mod)[[:space:]]*$2[[:space:]]*v$3([[:space:]]|\$)" >/dev/null
}

# build NAME LDFLAGS PACKAGE — in the current folder
build() {
  local begin=$SECONDS
  need_go
  heavy go build -trimpath -ldflags "-s -w $2" -o "$BIN/$1.new" "$3"
  mv "$BIN/$1.new" "$BIN/$1"
  say "built $1 in $((SECONDS - begin)) s"
}

# module_file PATH@VERSION FILE — the path of FILE in a downloaded module
module_file() { (cd / && GOFLAGS='' go mod download -json "$1" | sed -n "s|^\t\"Dir\": \"\(.*\)\",|\1/$2|p"); }

# borrow_mod NAME PATH VERSION — a main module with exactly the requirements of PATH@VERSION, so that the same versions are chosen
borrow_mod() {
  local upstream sum
  upstream=$(module_file "$2@v$3" go.mod)
  sum=${upstream%go.mod}go.sum
  mkdir -p "$work/$1"
  sed -e "s|^module .*|module parley.local/$1|" -e '/^replace (/,/^)/d' -e '/^replace /d' "$upstream" >"$work/$1/go.mod"
  printf '\nrequire %s v%s\n' "$2" "$3" >>"$work/$1/go.mod"
  if [[ -e $sum ]]; then install -m 644 "$sum" "$work/$1/go.sum"; fi
}

build_kube() {
  local upstream package stamp=''
  need_go
  # The published go.mod requires its staging modules at v0.0.0, which do not exist: give each its real version.
  borrow_mod kube k8s.io/kubernetes "$KUBE_VERSION"
  upstream=$(module_file "k8s.io/kubernetes@v$KUBE_VERSION" go.mod)
  sed -i "s|^\(\tk8s.io/[^ ]*\) v0\.0\.0\$|\1 v$staging|" "$work/kube/go.mod"
  sed -n "s|^\t\(k8s.io/[^ ]*\) => ./staging/.*|replace \1 => \1 v$staging|p" "$upstream" >>"$work/kube/go.mod"
  cp "$here"/src/kube/*.go "$work/kube/"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamp+=" -X $package.gitVersion=v$KUBE_VERSION -X $package.gitMajor=1 -X $package.gitMinor=$minor -X $package.gitTreeState=clean"
    stamp+=" -X $package.gitCommit=0000000000000000000000000000000000000000 -X $package.buildDate=1970-01-01T00:00:00Z"
  done
  (cd "$work/kube" && build kube "$stamp" .)
}

# One multi-call program for all of Kubernetes. Its source that is ours is small and changes: then it is built anew, out of the compiler's cache.
sources=$(cat "$here"/src/kube/*.go | sha256sum | cut -c1-16)
if ! has kube k8s.io/kubernetes "$KUBE_VERSION" || [[ $(cat "$BIN/kube.sources" 2>/dev/null) != "$sources" ]]; then
  build_kube
  echo "$sources" >"$BIN/kube.sources"
fi
for name in kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy kube-net; do
  ln -sfn kube "$BIN/$name"
done

if ! has etcd go.etcd.io/etcd/server/v3 "$ETCD_VERSION"; then
  need_go
  borrow_mod etcd go.etcd.io/etcd/server/v3 "$ETCD_VERSION"
  cp "$here"/src/etcd/main.go "$work/etcd/"
  (cd "$work/etcd" && build etcd '' .)
fi
if ! has coredns github.com/coredns/coredns "$COREDNS_VERSION"; then
  need_go
  borrow_mod coredns github.com/coredns/coredns "$COREDNS_VERSION"
  cp "$here"/src/coredns/main.go "$work/coredns/"
  (cd "$work/coredns" && build coredns '-X github.com/coredns/coredns/coremain.GitCommit=none' .)
fi
if ! has local-path-provisioner github.com/rancher/local-path-provisioner "$LOCAL_PATH_VERSION"; then
  need_go
  borrow_mod local-path github.com/rancher/local-path-provisioner "$LOCAL_PATH_VERSION"
  (cd "$work/local-path" && build local-path-provisioner "-X main.VERSION=v$LOCAL_PATH_VERSION" github.com/rancher/local-path-provisioner)
fi
if ! has kind sigs.k8s.io/kind "$KIND_VERSION"; then
  need_go
  borrow_mod kind sigs.k8s.io/kind "$KIND_VERSION"
  (cd "$work/kind" && build kind '' sigs.k8s.io/kind)
fi
if [[ ! -x $BIN/pause ]]; then
  mkdir -p "$work/pause"
  cp "$here"/src/pause/main.go "$work/pause/"
  printf 'module parley.local/pause\n\ngo 1.24\n' >"$work/pause/go.mod"
  (cd "$work/pause" && build pause '' .)
fi
