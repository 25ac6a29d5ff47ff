// The shell scripts of a Redis with Sentinels: sh and coreutils, as the image has them. Sentinel is the only authority about who is the
// primary: every script asks, none decides. Passwords come from files and from REDISCLI_AUTH, never by arguments, which everybody on a
// node can list.

/** What the Sentinels call the primary. */
export const PRIMARY_NAME = 'parley-primary';
/** Of three: what a failover needs, and what a start believes. */
export const QUORUM = 2;
/** Nobody who deletes a pod with less time than this wants it to hand anything over: KillRedis is a crash. */
const HAND_OVER_AFTER_SECONDS = 2;
const HAND_OVER_SECONDS = 25;

export const redisScripts = {
  'primary.sh': `# Sourced by the others. SENTINELS holds the addresses of all Sentinels.
NAME=${PRIMARY_NAME}

# cli HOST:PORT COMMAND...
cli() {
  address=$1
  shift
  timeout 3 redis-cli -h "\${address%:*}" -p "\${address##*:}" --raw "$@" 2>/dev/null || true
}

# One line "EPOCH HOST PORT" for each of these Sentinels that answers and knows a primary. A higher epoch is a later failover.
# The address is asked for by itself, and after the epoch: in the middle of a failover the fields of the master hold the new epoch with the
# old address. Who believes that pair never changes its mind, because nobody tells it a higher epoch.
answers() {
  for sentinel in $1; do
    epoch=$(cli "$sentinel" sentinel master "$NAME" | grep -x -A 1 config-epoch | tail -n 1)
    primary=$(cli "$sentinel" sentinel get-master-addr-by-name "$NAME" | paste -s -d ' ' -)
    if [ -n "$epoch" ] && [ -n "$primary" ]; then echo "$epoch $primary"; fi
  done
}

newest() { sort -rn | head -n 1; }

others() {
  for sentinel in $SENTINELS; do
    if [ "$sentinel" != "$SELF:$SENTINEL_PORT" ]; then echo "$sentinel"; fi
  done
}
`,

  'start-redis.sh': `# Starts Redis as what the Sentinels say: the primary, or a replica of it. Without a majority it waits: alone it could not know.
set -eu
umask 077
. "\${0%/*}/primary.sh"
trap 'exit 143' TERM
said=
while :; do
  known=$(answers "$SENTINELS")
  count=$(printf '%s' "$known" | grep -c '' || true)
  if [ "$count" -ge ${QUORUM} ]; then break; fi
  if [ "$count" != "$said" ]; then echo "waiting for Sentinels: $count tell who the primary is, ${QUORUM} are needed"; fi
  said=$count
  sleep 1
done
# shellcheck disable=SC2046 # three words
set -- $(printf '%s\\n' "$known" | newest)
# Whom a rolling update replaces last is the first choice of a failover, so that there are few of them.
if [ "$SELF:$REDIS_PORT" = "$FIRST_PRIMARY" ]; then priority=50; else priority=100; fi
{
  cat "$CONFIG_DIR/node.conf"
  echo "dir $DATA_DIR"
  echo "port $REDIS_PORT"
  echo "replica-announce-ip $SELF"
  echo "replica-announce-port $REDIS_PORT"
  echo "replica-priority $priority"
  if [ "$2:$3" != "$SELF:$REDIS_PORT" ]; then echo "replicaof $2 $3"; fi
} >"$RUN_DIR/redis.conf"
if [ "$2:$3" = "$SELF:$REDIS_PORT" ]; then echo "starts as the primary"; else echo "starts as a replica of $2:$3"; fi
exec redis-server "$RUN_DIR/redis.conf"
`,

  'start-sentinel.sh': `# Starts Sentinel with what it knew before, else with what the other Sentinels know. Where nobody knows anything there has never been a
# primary, and the first Redis is it.
set -eu
umask 077
. "\${0%/*}/primary.sh"
trap 'exit 143' TERM
file=$DATA_DIR/sentinel/sentinel.conf
mkdir -p "$DATA_DIR/sentinel"
state=$(grep -E '^sentinel (monitor|config-epoch|leader-epoch|current-epoch|known-replica|known-sentinel) ' "$file" 2>/dev/null || true)
case $state in
  *"sentinel monitor $NAME "*) ;;
  *)
    # shellcheck disable=SC2046 # three words, or none
    set -- $(answers "$(others)" | newest)
    if [ $# != 3 ]; then set -- 0 "\${FIRST_PRIMARY%:*}" "\${FIRST_PRIMARY##*:}"; fi
    state="sentinel monitor $NAME $2 $3 ${QUORUM}
sentinel config-epoch $NAME $1
sentinel current-epoch $1"
    ;;
esac
{
  cat "$CONFIG_DIR/sentinel.conf"
  echo "dir $DATA_DIR/sentinel"
  echo "port $SENTINEL_PORT"
  echo "sentinel announce-ip $SELF"
  echo "sentinel announce-port $SENTINEL_PORT"
  # The same for ever: the others count every id they have seen, and a majority of many is never reached.
  echo "sentinel myid $(printf '%s' "$SELF:$SENTINEL_PORT" | sha1sum | cut -c1-40)"
  echo "$state"
} >"$file.new"
mv "$file.new" "$file"
exec redis-server "$file" --sentinel
`,

  'stop-redis.sh': `# Before Redis ends: a primary has another one made in its place, and waits for it.
set -eu
. "\${0%/*}/primary.sh"
sleep ${HAND_OVER_AFTER_SECONDS}
end=$(($(date +%s) + ${HAND_OVER_SECONDS}))
while [ "$(date +%s)" -lt "$end" ]; do
  # shellcheck disable=SC2046 # three words, or none
  set -- $(answers "$(others)" | newest)
  # All of it goes, or this one is a replica.
  if [ $# != 3 ] || [ "$2:$3" != "$SELF:$REDIS_PORT" ]; then exit 0; fi
  for sentinel in $(others); do
    case $(cli "$sentinel" sentinel failover "$NAME") in
      OK* | INPROG*) break ;;
    esac
  done
  sleep 1
done
`,

  'ready-redis.sh': `# Ready: the primary, or a replica that has the primary's data and its link.
. "\${0%/*}/primary.sh"
# shellcheck disable=SC2046 # words
set -- $(cli "127.0.0.1:$REDIS_PORT" role)
case \${1-} in
  master) exit 0 ;;
  slave) [ "\${4-}" = connected ] ;;
  *) exit 1 ;;
esac
`,

  'ready-sentinel.sh': `# Ready: a failover could be decided and carried out now.
. "\${0%/*}/primary.sh"
case $(cli "127.0.0.1:$SENTINEL_PORT" sentinel ckquorum "$NAME") in
  OK*) ;;
  *) exit 1 ;;
esac
# It hears of replicas by asking the primary, every ten seconds: of one that dies before, nobody would know whom to promote.
cli "127.0.0.1:$SENTINEL_PORT" sentinel master "$NAME" | {
  while read -r key && read -r value; do
    if [ "$key" = num-slaves ] && [ "$value" -ge 1 ]; then exit 0; fi
  done
  exit 1
}
`,
} as const;
