#!/usr/bin/env bash
# Takes the server of the image mysql:9.7, with the libraries it needs, into a new folder: where no package of MySQL can be installed,
# tests run it from there. The image is built when it is not there yet.
# usage: mysql-program.sh FOLDER   makes FOLDER/mysqld, and mysqldump and mysql beside it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$here/versions.sh"
folder=${1:?usage: mysql-program.sh FOLDER}
image=docker.io/library/mysql:9.7
loader=/lib64/ld-linux-x86-64.so.2
if [[ $(uname -m) == aarch64 ]]; then loader=/lib/ld-linux-aarch64.so.1; fi

command -v buildah >/dev/null || "$here/install-tools.sh"
"$here/build-images.sh" mysql
container=$(buildah from --pull-never "$image")
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")

mkdir -p "$folder/lib" "$folder/share" "$folder/plugin"
cp -L "$root$loader" "$folder/lib/loader"
cp "$root/usr/sbin/mysqld" "$folder/server"
mkdir -p "$folder/client"
cp "$root/usr/bin/mysql" "$root/usr/bin/mysqldump" "$folder/client/"
cp -r "$root"/usr/share/mysql/. "$folder/share/"
plugins=$(find "$root/usr/lib/mysql" -type d -name plugin)
if [[ -n $plugins ]]; then cp -r "$plugins"/. "$folder/plugin/"; fi
# What the server and its plugins are linked with, by the image's own loader.
# shellcheck disable=SC2016 # for the shell inside
chroot "$root" sh -c 'ldd /usr/sbin/mysqld /usr/bin/mysql /usr/bin/mysqldump $(find /usr/lib/mysql -name "*.so")' | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u |
  while read -r library; do cp -L "$root$library" "$folder/lib/"; done

cat >"$folder/mysqld" <<'EOF'
#!/bin/sh
# The options at the end belong to where the program lies; --defaults-file and --no-defaults have to come first.
here=$(dirname "$0")
exec "$here/lib/loader" --library-path "$here/lib" "$here/server" "$@" --basedir="$here" --lc-messages-dir="$here/share" --plugin-dir="$here/plugin"
EOF
for program in mysql mysqldump; do
  cat >"$folder/$program" <<'EOF'
#!/bin/sh
here=$(dirname "$0")
exec "$here/lib/loader" --library-path "$here/lib" "$here/client/${0##*/}" "$@"
EOF
done
chmod 755 "$folder/mysqld" "$folder/mysql" "$folder/mysqldump" "$folder"/client/* "$folder/server" "$folder/lib/loader"
chmod -R a+rX "$folder"
