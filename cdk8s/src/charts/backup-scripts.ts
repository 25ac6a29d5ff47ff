// The shell scripts that back a database up and put a backup back: bash and coreutils, as the images of all three servers have them.
// Passwords come from a file and go into a file or a variable, never into arguments, which everybody on a node can list.

/** A dump that runs longer is ended, and what it left is removed by a later one. */
export const BACKUP_DEADLINE_SECONDS = 6 * 3600;

export type BackupScripts = Record<'backup-mysql.sh' | 'restore-mysql.sh' | 'backup-postgres.sh' | 'restore-postgres.sh', string>;

export function backupScripts(flavor: 'mysql' | 'mariadb'): BackupScripts {
  return {
    'backup-mysql.sh': backup({ server: mysqlClient, ending: 'sql.gz', dump: mysqlDump(flavor) }),
    'restore-mysql.sh': restore({ server: mysqlClient, ending: 'sql.gz', restore: mysqlRestore(flavor) }),
    'backup-postgres.sh': backup({ server: postgresClient, ending: 'dump', dump: POSTGRES_DUMP }),
    'restore-postgres.sh': restore({ server: postgresClient, ending: 'dump', restore: POSTGRES_RESTORE }),
  };
}

const HEAD = `set -euo pipefail
shopt -s nullglob
export LC_ALL=C
umask 077
cleanup=()
trap 'rm -f -- "\${cleanup[@]}"' EXIT
fail() { echo "$1" >&2; exit 1; }`;

/** One backup: a complete and checked file gets its name, and only then older ones go. */
const backup = ({ server, ending, dump }: { server: string; ending: string; dump: string }): string => `#!/bin/bash
# Needs DATABASE_HOST, DATABASE_PORT, PASSWORD_FILE, BACKUP_DIR and KEEP.
${HEAD}
mkdir -p "$BACKUP_DIR"
cd "$BACKUP_DIR"
# What a run left that was killed; one that still runs is younger.
find . -maxdepth 1 -name '.partial-*' -mmin +${BACKUP_DEADLINE_SECONDS / 60 + 10} -delete
name="$(date -u +%Y%m%dT%H%M%SZ).${ending}"
until [ ! -e "$name" ]; do sleep 1; name="$(date -u +%Y%m%dT%H%M%SZ).${ending}"; done
part=".partial-$name-$HOSTNAME"
cleanup+=("$part" "$part.sha256")
${server}
${dump}
sum="$(sha256sum < "$part")"
echo "\${sum%% *}  $name" > "$part.sha256"
sync "$part" "$part.sha256"
# The sum first: a backup with a name has one.
mv "$part.sha256" "$name.sha256"
mv "$part" "$name"
sync .
files=([0-9]*Z.${ending})
for ((i = 0; i < \${#files[@]} - KEEP; i++)); do rm -f -- "\${files[i]}" "\${files[i]}.sha256"; done
echo "$BACKUP_DIR/$name is complete: $(stat -c %s "$name") bytes"
`;

/** Puts one backup in the place of everything that the database holds. */
const restore = ({ server, ending, restore: body }: { server: string; ending: string; restore: string }): string => `#!/bin/bash
# Needs DATABASE_HOST, DATABASE_PORT, PASSWORD_FILE, BACKUP_DIR and BACKUP: the name of a file, or latest.
${HEAD}
cd "$BACKUP_DIR"
files=([0-9]*Z.${ending})
[ "\${#files[@]}" -gt 0 ] || fail "there is no backup in $BACKUP_DIR"
if [ "$BACKUP" = latest ]; then BACKUP="\${files[\${#files[@]} - 1]}"; fi
[ -f "$BACKUP" ] || fail "there is no $BACKUP in $BACKUP_DIR; there are \${files[*]}"
sha256sum --check --strict "$BACKUP.sha256" || fail "$BACKUP is not what was written: take another one of \${files[*]}"
${server}
${body}
echo "$BACKUP is restored"
`;

/** The generated passwords are base64url; one of somebody's own may need the escapes. */
const mysqlClient = `password="$(cat "$PASSWORD_FILE")"
password="\${password//\\\\/\\\\\\\\}"
client="$(mktemp)"
cleanup+=("$client")
printf '[client]\\nprotocol=tcp\\nhost=%s\\nport=%s\\nuser=parley\\npassword="%s"\\n' \\
  "$DATABASE_HOST" "$DATABASE_PORT" "\${password//\\"/\\\\\\"}" > "$client"`;

const programs = {
  mysql: { dump: 'mysqldump', client: 'mysql', options: ' --set-gtid-purged=OFF --skip-masking-policies' },
  mariadb: { dump: 'mariadb-dump', client: 'mariadb', options: '' },
} as const;

/** --single-transaction: one moment of all tables, without a lock. The last line tells a dump that was cut off. */
const mysqlDump = (flavor: 'mysql' | 'mariadb'): string => `${programs[flavor].dump} --defaults-file="$client" --single-transaction --quick --routines --no-tablespaces \\
  --hex-blob --default-character-set=utf8mb4${programs[flavor].options} parley | gzip > "$part"
last="$(gzip -dc "$part" | tail -n 1)"
case "$last" in
  '-- Dump completed'*) ;;
  *) fail 'the dump was cut off: it does not end with "-- Dump completed"' ;;
esac`;

const mysqlRestore = (flavor: 'mysql' | 'mariadb'): string => `sql() { ${programs[flavor].client} --defaults-file="$client" --default-character-set=utf8mb4 --batch "$@"; }
sessions="$(sql --skip-column-names --execute='SHOW PROCESSLIST' | wc -l)"
[ "$sessions" -le 1 ] || fail "$((sessions - 1)) other sessions use the database: scale chat, core, auth, gateway and worker to 0 first"
{ echo 'DROP DATABASE IF EXISTS parley; CREATE DATABASE parley CHARACTER SET utf8mb4; USE parley;'; gzip -dc "$BACKUP"; } | sql`;

const postgresClient = `PGPASSWORD="$(cat "$PASSWORD_FILE")"
export PGPASSWORD PGHOST="$DATABASE_HOST" PGPORT="$DATABASE_PORT" PGUSER=parley PGDATABASE=parley PGCONNECT_TIMEOUT=10`;

/** The list of contents alone would not tell that the data behind it are cut off: everything is read once. */
const POSTGRES_DUMP = `pg_dump --format=custom --file="$part"
pg_restore --list "$part" > /dev/null
pg_restore --file=/dev/null "$part"`;

/**
 * In one transaction, whose COMMIT is only sent when the whole backup was: what fails leaves the database as it was. Ids of users who
 * registered after the backup are skipped: given out again, they would bring memberships, and tokens that still live, to somebody else.
 */
const POSTGRES_RESTORE = `sql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
sessions="$(sql --tuples-only --no-align --command="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()")"
[ "$sessions" -eq 0 ] || fail "$sessions other sessions use the database: scale core, auth and worker to 0 first"
known="$(sql --tuples-only --no-align --command="SELECT coalesce(pg_sequence_last_value(to_regclass('public.users_id_seq')), 0)")"
{
  echo 'BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;'
  pg_restore --no-owner --no-privileges --file=- "$BACKUP"
  echo "SELECT setval('public.users_id_seq', greatest($known, coalesce(pg_sequence_last_value('public.users_id_seq'), 0)) + \${SKIP_USER_IDS:-1000});"
  echo 'COMMIT;'
} | sql > /dev/null`;
