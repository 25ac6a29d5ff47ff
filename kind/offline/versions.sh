# shellcheck shell=bash
# Sourced by the other scripts and asked by kind/cluster: the one place for versions, names and folders of the offline path.
export KUBE_VERSION=1.34.4
export ETCD_VERSION=3.6.5     # DefaultEtcdVersion of kubeadm $KUBE_VERSION
export COREDNS_VERSION=1.12.1 # CoreDNSVersion of kubeadm $KUBE_VERSION
export KIND_VERSION=0.33.0
export LOCAL_PATH_VERSION=0.0.30
export VERSITYGW_VERSION=1.8.0 # the S3 server of the tests
# What builds all these: the oldest Go that can (versitygw asks for it), and the one that is fetched where there is none.
export GO_OLDEST=1.25 GO_VERSION=1.26.6
# Versions inside the stand-ins; their tags are the public ones that the manifests name.
export NODE_VERSION=24.21.0 NPM_VERSION=11.19.1 KAFKA_VERSION=4.3.1

export PARLEY_CACHE=${PARLEY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/parley}
export KIND_CACHE=$PARLEY_CACHE/kind IMAGE_CACHE=$PARLEY_CACHE/images
export BIN=$KIND_CACHE/bin
export PATH=$BIN:$PATH

export CLUSTER=${PARLEY_KIND_CLUSTER:-parley}
export KUBECONFIG=$KIND_CACHE/kubeconfig-$CLUSTER
export KIND_EXPERIMENTAL_PROVIDER=podman
# Name prefix of the images that exist nowhere else; kubeadm's own images keep the names that kubeadm expects.
export PREFIX=localhost/parley
export NODE_IMAGE=$PREFIX/kind-node:v$KUBE_VERSION

# The Debian archive that this machine itself uses, for the stand-ins' file systems. Empty: mmdebstrap's own default.
debian_uris() {
  { cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true; } |
    sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p; s/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' | { grep debian || true; }
}
DEBIAN_MIRROR=${DEBIAN_MIRROR-$(debian_uris | sed '/security/d' | head -1)}
DEBIAN_SECURITY=${DEBIAN_SECURITY-$(debian_uris | sed '/security/!d' | head -1)}
export DEBIAN_MIRROR DEBIAN_SECURITY

# With CPU_LOCK set to a file, CPU-heavy steps run one at a time on the machine. -o: a daemon must not inherit the lock.
heavy() { if [[ -n ${CPU_LOCK-} ]]; then flock -o "$CPU_LOCK" "$@"; else "$@"; fi; }
say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
