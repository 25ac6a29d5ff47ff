#!/bin/sh
# usage: enter.sh ROOT VARIABLE=VALUE... COMMAND — runs a shell command as root of a bare machine, as a person at its terminal would.
# It is the first process of namespaces of its own for mounts and processes (unshare): when it ends, by whatever, nothing of it is left.
# A 3 (Ctrl-C) on stdin reaches the command as from a keyboard. What the command leaves running is named on the last lines.
set -eu
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
# script (util-linux) gives the command a terminal of its own; its exit code is the command's.
# shellcheck disable=SC2016 # $command and $process are variables of the inner shell
chroot "$root" env -i "$@" /bin/sh -c '
  cd /root/parley
  status=0
  script --quiet --return --flush --command "$COMMAND" /dev/null || status=$?
  for process in /proc/[0-9]*; do
    line=$(tr "\0" " " <"$process/cmdline" 2>/dev/null) || continue
    # This shell itself and the one above are no more than that; what has no command line has ended already.
    [ "${process#/proc/}" = "$$" ] || [ "${process#/proc/}" = 1 ] || [ -z "$line" ] || echo "left running: $line"
  done
  exit "$status"'
