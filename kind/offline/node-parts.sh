# shellcheck shell=bash
# Sourced by node-image.sh: container images as archives, made by tar and jq alone.

# image ARCHIVE FOLDER TAG... — one image of one layer, under several names if need be. $work is the folder to work in.
# shellcheck disable=SC2154 # work is assigned where this is sourced
image() {
  local archive=$1 folder=$2 t=$work/image layer config
  shift 2
  rm -rf "$t"
  mkdir -p "$t"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$folder" -cf "$t/layer.tar" .
  layer=sha256:$(sha256sum <"$t/layer.tar" | cut -d' ' -f1)
  config=$(jq -nc --arg entry "${ENTRY:-}" --arg layer "$layer" --arg arch "$(dpkg --print-architecture)" '{
    architecture: $arch, os: "linux", created: "1970-01-01T00:00:00Z",
    config: {Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], Entrypoint: (if $entry == "" then null else [$entry] end), WorkingDir: "/"},
    rootfs: {type: "layers", diff_ids: [$layer]}, history: [{created: "1970-01-01T00:00:00Z"}]}')
  printf '%s' "$config" >"$t/config.json"
  # shellcheck disable=SC2016 # $ARGS is jq's
  jq -nc '[{Config: "config.json", RepoTags: $ARGS.positional, Layers: ["layer.tar"]}]' --args "$@" >"$t/manifest.json"
  tar -C "$t" -cf "$archive" manifest.json config.json layer.tar
}

# with_libraries ROOTFS FOLDER FILE... — copies programs of a root file system and the shared libraries they need
with_libraries() {
  local rootfs=$1 folder=$2 file files
  shift 2
  mapfile -t files < <(chroot "$rootfs" ldd "$@" 2>/dev/null | grep -o '/[^ :]*\.so[^ :]*' | sort -u)
  for file in "$@" "${files[@]}"; do
    mkdir -p "$folder$(dirname "$file")"
    cp -L "$rootfs$file" "$folder$file"
  done
}

# import_into ROOTFS FOLDER — loads all archives of FOLDER into the containerd of ROOTFS, which runs in a chroot meanwhile.
# The image's /var is a volume of the node: podman copies what is in the image into it.
import_into() {
  unshare --mount --pid --fork --kill-child bash -euo pipefail -s "$1" "$2" <<'INNER'
rootfs=$1
mkdir -p "$rootfs/images"
mount --bind "$2" "$rootfs/images"
mount -t tmpfs tmpfs "$rootfs/run"
mount -t proc proc "$rootfs/proc"
mount --rbind /sys "$rootfs/sys"
mount --rbind /dev "$rootfs/dev"
chroot "$rootfs" containerd >"$rootfs/run/log" 2>&1 &
containerd=$!
for _ in $(seq 100); do if chroot "$rootfs" ctr version >/dev/null 2>&1; then break; fi; sleep 0.1; done
for archive in "$rootfs"/images/*.tar; do
  chroot "$rootfs" ctr -n k8s.io images import "/images/${archive##*/}" >/dev/null || { tail -5 "$rootfs/run/log" >&2; exit 1; }
done
kill "$containerd"
wait "$containerd" || true
INNER
  rmdir "$1/images"
}
