#!/usr/bin/env bash
# Makes the kind node image $NODE_IMAGE from Debian packages and the programs of build-k8s.sh, with the cluster's own images inside.
# An image of the same inputs is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$here/versions.sh"
# shellcheck source=node-parts.sh
source "$here/node-parts.sh"
work=$KIND_CACHE/node
rootfs=$work/rootfs
images=$work/images
packages=systemd,systemd-sysv,dbus,containerd,runc,containernetworking-plugins,iptables,nftables,iproute2,conntrack,ethtool,socat,kmod,ebtables,mount,util-linux,procps,jq,curl,ca-certificates,busybox
base=$KIND_CACHE/node-base-$(sha256sum <<<"$packages" | cut -c1-8).tar

inputs() {
  echo "$KUBE_VERSION $LOCAL_PATH_VERSION $PREFIX $packages"
  (cd "$here" && find node node-image.sh node-parts.sh -type f -exec sha256sum {} + | sort -k2)
  (cd "$BIN" && sha256sum kube etcd coredns local-path-provisioner pause)
}
fingerprint=$(inputs | sha256sum | cut -c1-16)
if podman image exists "$NODE_IMAGE" && [[ $(podman image inspect -f '{{index .Labels "parley.fingerprint"}}' "$NODE_IMAGE") == "$fingerprint" ]]; then
  exit
fi

# kubeadm_image NAME — the full name under which kubeadm expects that image
expected=$(kubeadm config images list --kubernetes-version "v$KUBE_VERSION" 2>/dev/null)
kubeadm_image() { grep -E "(^|/)$1:" <<<"$expected"; }

unpack_base() {
  if [[ ! -e $base ]]; then
    say 'node image: Debian base'
    mkdir -p "$work"
    # shellcheck disable=SC2016 # $1 is the hook's
    heavy mmdebstrap --variant=minbase --include="$packages" \
      --customize-hook='rm -rf "$1"/usr/share/{doc,man,locale,info,lintian} "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
      bookworm "$work/base.tar" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/mmdebstrap.log" 2>&1 || { tail -5 "$work/mmdebstrap.log" >&2; exit 1; }
    mv "$work/base.tar" "$base"
  fi
  rm -rf "$rootfs" "$work/tree" "$images"
  mkdir -p "$rootfs" "$images"
  tar -C "$rootfs" -xf "$base"
}

add_files() {
  local name unit
  cp -a --no-preserve=ownership "$here/node/." "$rootfs/"
  chmod 755 "$rootfs/usr/local/bin/entrypoint"
  grep -rlZ '@[A-Z_]*@' "$rootfs/kind" "$rootfs/etc/containerd" | xargs -0 sed -i \
    "s|@PREFIX@|$PREFIX|g; s|@PAUSE@|$(kubeadm_image pause)|g; s|@KUBE_VERSION@|$KUBE_VERSION|g; s|@LOCAL_PATH_VERSION@|$LOCAL_PATH_VERSION|g"
  printf 'v%s' "$KUBE_VERSION" >"$rootfs/kind/version"
  install -m 755 "$BIN/kube" "$rootfs/usr/bin/kube"
  for name in kubeadm kubelet kubectl; do ln -sfn kube "$rootfs/usr/bin/$name"; done
  mkdir -p "$rootfs"/etc/kubernetes/manifests "$rootfs"/etc/cni/net.d "$rootfs"/opt/cni "$rootfs"/var/lib/kubelet
  ln -sfn /usr/lib/cni "$rootfs/opt/cni/bin"
  # A node needs containerd and kubelet, nothing that Debian starts by itself.
  rm -f "$rootfs"/lib/systemd/system/{multi-user,local-fs,basic}.target.wants/* "$rootfs"/etc/systemd/system/*.wants/* \
    "$rootfs"/lib/systemd/system/sockets.target.wants/{*udev*,*initctl*}
  for unit in kubelet containerd; do ln -sfn "/etc/systemd/system/$unit.service" "$rootfs/etc/systemd/system/multi-user.target.wants/$unit.service"; done
  ln -sfn /dev/null "$rootfs/etc/systemd/system/systemd-binfmt.service"
  mkdir -p "$rootfs/etc/systemd/journald.conf.d"
  printf '[Journal]\nReadKMsg=no\n' >"$rootfs/etc/systemd/journald.conf.d/node.conf"
}

# The four Kubernetes images and kube-net are one image under five names: one program, one layer.
kube_images() {
  local tree=$work/tree/kube name folder modules
  mkdir -p "$tree"/usr/{local/bin,sbin} "$tree/etc" "$tree/tmp" "$tree/run"
  for folder in bin sbin lib lib64; do mkdir -p "$tree/usr/$folder"; ln -s "usr/$folder" "$tree/$folder"; done
  install -m 755 "$BIN/kube" "$tree/usr/local/bin/kube"
  for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kube-net kubectl; do ln -s kube "$tree/usr/local/bin/$name"; done
  mapfile -t modules < <(cd "$rootfs" && printf '/%s\n' usr/lib/*-linux-gnu/xtables/*.so)
  with_libraries "$rootfs" "$tree" /usr/sbin/xtables-nft-multi /usr/sbin/nft /usr/sbin/conntrack /usr/bin/kmod "${modules[@]}"
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do ln -s xtables-nft-multi "$tree/usr/sbin/$name"; done
  ln -s ../bin/kmod "$tree/usr/sbin/modprobe"
  cp "$rootfs"/etc/{protocols,services} "$tree/etc/" 2>/dev/null || true
  image "$images/kube.tar" "$tree" "$(kubeadm_image kube-apiserver)" "$(kubeadm_image kube-controller-manager)" \
    "$(kubeadm_image kube-scheduler)" "$(kubeadm_image kube-proxy)" "$PREFIX/kube-net:v$KUBE_VERSION"
}

single() { # PROGRAM IMAGE
  local tree=$work/tree/$1
  mkdir -p "$tree/usr/local/bin" "$tree/tmp" "$tree/etc"
  install -m 755 "$BIN/$1" "$tree/usr/local/bin/$1"
  ENTRY=/usr/local/bin/$1 image "$images/$1.tar" "$tree" "$2"
}

# The dynamic busybox: a static C library cannot look names up without its shared modules. (Its wget crashes on -T: use timeout.)
busybox_image() {
  local tree=$work/tree/busybox name
  mkdir -p "$tree"/{bin,tmp,etc,root}
  with_libraries "$rootfs" "$tree" /bin/busybox
  for name in $(chroot "$tree" /bin/busybox --list); do if [[ $name != busybox ]]; then ln -s busybox "$tree/bin/$name"; fi; done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
  chmod 1777 "$tree/tmp"
  image "$images/busybox.tar" "$tree" "$PREFIX/busybox:1"
}

before=$(podman image inspect -f '{{.Id}}' "$NODE_IMAGE" 2>/dev/null || true)
say 'node image: files'
unpack_base
add_files
say 'node image: images of the cluster'
kube_images
single etcd "$(kubeadm_image etcd)"
single coredns "$(kubeadm_image coredns)"
single pause "$(kubeadm_image pause)"
single local-path-provisioner "$PREFIX/local-path-provisioner:v$LOCAL_PATH_VERSION"
busybox_image
import_into "$rootfs" "$images"
say 'node image: import'
tar --sort=name -C "$rootfs" -cf - . | heavy podman import -q \
  --change 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]' --change 'ENV container=podman' --change 'STOPSIGNAL SIGRTMIN+3' \
  --change "LABEL parley.fingerprint=$fingerprint" - "$NODE_IMAGE" >/dev/null
rm -rf "$rootfs" "$work/tree" "$work/image" "$images"
# The image of that name until now; it stays while a cluster uses it.
if [[ -n $before ]]; then podman rmi "$before" >/dev/null 2>&1 || true; fi
say "made $NODE_IMAGE"
