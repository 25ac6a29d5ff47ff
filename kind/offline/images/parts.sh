# shellcheck shell=bash
# Sourced by build-images.sh: what the recipes are written with. $here is this folder, $work a folder that is removed at the end.
# shellcheck disable=SC2154

base=docker.io/library/debian:trixie-slim

label_of() { buildah inspect --type image -f '{{index .OCIv1.Config.Labels "parley.fingerprint"}}' "$1" 2>/dev/null || true; }

id_of() { buildah inspect --type image -f '{{.FromImageID}}' "$1" 2>/dev/null || true; }

# inputs_of RECIPE TEXT FILE... — the fingerprint of everything an image is made of: its recipe, some text, its files below context/
inputs_of() {
  local recipe=$1 text=$2
  shift 2
  {
    echo "$text"
    declare -f "$recipe"
    if (($# > 0)); then (cd "$here/context" && find "$@" -type f -exec sha256sum {} + | sort -k2); fi
  } | sha256sum | cut -c1-16
}

# fresh TAG FINGERPRINT — the image is there and made of the same inputs
fresh() { [[ -z ${PARLEY_REBUILD-} && $(label_of "$1") == "$2" ]]; }

# rootfs SUITE — prints the path of a minimal Debian file system as an archive; it is made once
rootfs() {
  local suite=$1 archive=$IMAGE_CACHE/rootfs/$1.tar part=$IMAGE_CACHE/rootfs/$1.part.tar options='' lines=()
  echo "$archive"
  if [[ -f $archive ]]; then return; fi
  # Real MySQL is in sid only. An older key ring has no key for it, and its Release file may be past its date by this machine's clock.
  if [[ $suite == sid ]]; then options='[trusted=yes check-valid-until=no] '; fi
  if [[ -n $DEBIAN_MIRROR ]]; then lines+=("deb $options$DEBIAN_MIRROR $suite main"); fi
  if [[ -n $DEBIAN_MIRROR && $suite != sid ]]; then lines+=("deb $DEBIAN_MIRROR $suite-updates main" "deb $DEBIAN_SECURITY $suite-security main"); fi
  # mmdebstrap goes by the file's ending: a name that does not end in .tar becomes a folder. Without apt's binary caches a layer is 90 MB smaller.
  heavy mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --aptopt='Apt::Install-Recommends "false"' --aptopt='Dir::Cache::pkgcache ""' --aptopt='Dir::Cache::srcpkgcache ""' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' "$suite" "$part" "${lines[@]}" >&2
  mv "$part" "$archive"
}

# built SUITE TAG CONTAINERFILE CONTEXT FINGERPRINT
# Isolation by chroot needs no runtime, cgroup or network namespace. apt's downloads stay in the cache, outside the layer.
built() {
  local apt=$IMAGE_CACHE/apt-$1 before after
  mkdir -p "$apt"/{archives,lists}/partial
  before=$(id_of "$2")
  heavy buildah bud --isolation chroot --network host --layers=false --label "parley.fingerprint=$5" \
    -v "$apt/archives:/var/cache/apt/archives:rw" -v "$apt/lists:/var/lib/apt/lists:rw" \
    -t "$2" -f "$3" "$4" >"$work/build.log" 2>&1 || { tail -30 "$work/build.log" >&2; return 1; }
  # The image that had this name until now would stay without one. It stays all the same while something uses it.
  after=$(id_of "$2")
  if [[ -n $before && $before != "$after" ]]; then buildah rmi "$before" >/dev/null 2>&1 || true; fi
}

# root_image SUITE TAG FINGERPRINT — an image that is nothing but a Debian file system
root_image() {
  mkdir -p "$work/root-$1"
  ln -f "$IMAGE_CACHE/rootfs/$1.tar" "$work/root-$1/rootfs.tar" 2>/dev/null || cp "$IMAGE_CACHE/rootfs/$1.tar" "$work/root-$1/rootfs.tar"
  built "$1" "$2" "$here/context/debian.Containerfile" "$work/root-$1" "$3"
}

# on_base NAME TAG FILE... — an image of one Containerfile and some files on the Debian base
on_base() {
  local name=$1 tag=$2 print
  shift 2
  print=$(inputs_of on_base "$(label_of "$base")" "$name.Containerfile" "$@")
  fresh "$tag" "$print" || built trixie "$tag" "$here/context/$name.Containerfile" "$here/context" "$print"
}
