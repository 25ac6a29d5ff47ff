#!/usr/bin/env bash
# Shows which chat instances answer behind HAProxy, by HTTP and by WebSocket, and ends with 1 when one of them got nothing.
# Needs curl, and for the WebSockets Node and the packages of this repository (npm ci). Bash 3.2 is enough, so macOS has it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

usage() {
  cat <<END
usage: test/test-load-balance.sh [options]

  --url URL        entry of chat (default: that of the running npm start, or http://localhost:8085)
  --requests N     ask /api/health N times, 0 to leave it out (default: 60)
  --sockets N      hold N WebSockets at a time, 0 to leave them out (default: 9)
  --instances N    how many instances have to answer (default: those of the running npm start, or 2)
  --data DIR       data folder of npm start (default: .parley in the repository)
  --help           this text

The WebSockets need a token: PARLEY_TOKEN, or several in it with spaces between, one for each user. Without it those of the demo
users of the running npm start are taken, for its own entry only. A user has at most ten sockets at a time unless configured otherwise.

Ends with 0 when every instance got a part, 1 when one got nothing, 2 when it could not be tested.
END
}

fail() {
  printf 'test-load-balance: %s\n' "$1" >&2
  exit 2
}

number() { # option, value, least
  case $2 in '' | *[!0-9]*) fail "$1 needs a whole number, not '$2'" ;; esac
  ((${#2} <= 6 && 10#$2 >= $3)) || fail "$1 must be from $3 to 999999"
}

url='' requests=60 sockets=9 instances='' data=$root/.parley
while (($# > 0)); do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --url | --requests | --sockets | --instances | --data) (($# > 1)) || fail "$1 needs a value; --help shows the options" ;;
    *) fail "unknown option $1; --help shows the options" ;;
  esac
  case $1 in
    --url) url=${2%/} ;;
    --requests) number "$1" "$2" 0 && requests=$((10#$2)) ;;
    --sockets) number "$1" "$2" 0 && sockets=$((10#$2)) ;;
    --instances) number "$1" "$2" 1 && instances=$((10#$2)) ;;
    --data) data=$2 ;;
  esac
  shift 2
done
((requests + sockets > 0)) || fail 'nothing to do: --requests and --sockets are both 0'

# What the running npm start says about itself counts for its own entry only: its tokens are for nobody else.
local_file=$data/local.json expected='' tokens=${PARLEY_TOKEN:-}
fact() { node -p "const local = JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8')); $1" "$local_file"; }
if [[ -f $local_file ]]; then
  command -v node >/dev/null || fail "node is not installed, and $local_file cannot be read without it"
  local_url=$(fact 'local.urls.chat') || fail "$local_file cannot be read"
  if [[ -z $url || $url == "$local_url" ]]; then
    url=$local_url
    [[ -n $instances ]] || expected=$(fact "local.chatInstances.map(({ name }) => name).join(' ')")
    [[ -n $tokens ]] || tokens=$(fact "local.users.map(({ token }) => token).join(' ')")
  fi
fi
url=${url:-http://localhost:8085}
case $url in
  http://* | https://*) ;;
  *) fail "--url must begin with http:// or https://, not '$url'" ;;
esac

# Names on standard input, one a line. Prints how often each came; an expected one that did not come has 0.
shares() {
  awk -v expected="$expected" '
    NF { count[$1]++; total++ }
    END {
      split(expected, names, " ")
      for (i in names) count[names[i]] += 0
      for (name in count) printf "  %-28s %6d %4d %%\n", name, count[name], total ? 100 * count[name] / total + 0.5 : 0
    }' | sort
}

failed=''
judge() { # what, lines of shares
  local idle reached
  idle=$(awk '$2 == 0 { print $1 }' <<<"$2")
  reached=$(awk '$2 > 0' <<<"$2" | grep -c . || true)
  if [[ -n $idle ]]; then
    failed="$failed$1: nothing reached $(tr '\n' ' ' <<<"$idle")"$'\n'
  elif ((reached < ${instances:-2})) && [[ -z $expected ]]; then
    failed="$failed$1: $reached of ${instances:-2} instances got a part"$'\n'
  fi
}

by_http() {
  command -v curl >/dev/null || fail 'curl is not installed'
  local answers lines
  printf '%s requests to %s/api/health\n' "$requests" "$url"
  answers=$(curl --silent --show-error --fail --fail-early --max-time 10 --write-out '\n' "$url/api/health?n=[1-$requests]" 2>&1) ||
    fail "$url/api/health does not answer as it should: $(grep '^curl:' <<<"$answers" | head -n 1)
Start it with npm start, or on Kubernetes: kubectl port-forward service/demo-haproxy 8085:8085"
  lines=$(sed -n 's/.*"instance":"\([^"]*\)".*/\1/p' <<<"$answers" | shares)
  [[ -n $lines ]] || fail "$url/api/health answers, but names no instance: is this the entry of chat (8085)?"
  printf '%s\n' "$lines"
  judge HTTP "$lines"
}

by_socket() {
  local names lines
  command -v node >/dev/null || fail 'node is not installed: it opens the WebSockets. --sockets 0 leaves them out'
  [[ -d $root/node_modules/ws ]] || fail "the package ws is missing: npm ci in $root. --sockets 0 leaves the WebSockets out"
  [[ -n $tokens ]] || fail 'no token for the WebSockets: set PARLEY_TOKEN, or start npm start. --sockets 0 leaves them out'
  printf '%s WebSockets to ws%s/api/ws\n' "$sockets" "${url#http}"
  names=$(PARLEY_TOKEN=$tokens node "$here/load-balance-sockets.mjs" "ws${url#http}/api/ws" "$sockets") || exit 2
  lines=$(shares <<<"$names")
  printf '%s\n' "$lines"
  judge WebSocket "$lines"
}

((requests == 0)) || by_http
((sockets == 0)) || by_socket

if [[ -n $failed ]]; then
  printf '%s' "$failed" >&2
  printf 'Is an instance DOWN on the statistics page (8404)? Look at its log, or at kubectl get pods. One that has many more sockets than the\n' >&2
  printf 'others gets no new ones until they have as many: open more, or look at the requests alone with --sockets 0.\n' >&2
  exit 1
fi
printf 'Every instance got a part.\n'
