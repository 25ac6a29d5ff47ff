#!/usr/bin/env bash
# Installs what the offline path needs from Debian, and the podman settings that a privileged systemd container needs where CAP_SYS_RESOURCE is missing.
set -euo pipefail

# package:command
wanted=(podman:podman buildah:buildah runc:runc mmdebstrap:mmdebstrap jq:jq iptables:iptables maven:mvn default-jdk-headless:jlink binutils:strip)
missing=()
for pair in "${wanted[@]}"; do command -v "${pair#*:}" >/dev/null || missing+=("${pair%:*}"); done
# Names of containers on podman's network; it is no program on the PATH.
[[ -x /usr/lib/podman/aardvark-dns ]] || missing+=(aardvark-dns)

if ((${#missing[@]} > 0)); then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]}. Install these Debian packages (as root: apt-get install ${missing[*]}) and start again." >&2
    exit 1
  fi
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
[[ $(id -u) == 0 ]] || { echo 'the offline path makes file systems and mounts: run it as root' >&2; exit 1; }

# runc: crun refuses hybrid cgroups. No default ulimits: raising them needs CAP_SYS_RESOURCE. No pids limit: a node is many processes.
settings=/etc/containers/containers.conf.d/parley.conf
mkdir -p "${settings%/*}"
cat >"$settings" <<'CONF'
# Written by Parley's kind/offline/install-tools.sh.
[containers]
default_ulimits = []
pids_limit = 0

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
# kind mounts this folder into every node; a kernel without modules has none.
mkdir -p /lib/modules
