#!/usr/bin/env bash
# Makes the cluster alone, without Parley in it: up.sh [WORKERS] (default 1). For smoke.sh and for work on the offline path itself;
# `npm run kind` makes the same cluster, or goes on from this one.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
node "$root/kind/tools/build.mjs"
PARLEY_OFFLINE=1 exec node "$root/kind/cluster/dist/main.js" cluster ${1:+--workers "$1"}
