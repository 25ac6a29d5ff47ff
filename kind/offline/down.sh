#!/usr/bin/env bash
# Deletes the cluster; images and programs stay in the cache.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
node "$root/kind/tools/build.mjs"
exec node "$root/kind/cluster/dist/main.js" down
