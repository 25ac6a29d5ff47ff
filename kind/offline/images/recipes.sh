# shellcheck shell=bash
# Sourced by build-images.sh: one function for each stand-in. The tags are those of the public images.
# shellcheck disable=SC2154 # here, work and base are assigned where this is sourced

debian() {
  local print archive
  archive=$(rootfs trixie)
  print=$(inputs_of debian "$(stat -c '%s %Y' "$archive")" debian.Containerfile)
  fresh "$base" "$print" || root_image trixie "$base" "$print"
}

redis() { on_base redis docker.io/library/redis:8.0 redis-entrypoint.sh; }
haproxy() { on_base haproxy docker.io/library/haproxy:3.0 haproxy-entrypoint.sh; }
postgres() { on_base postgres docker.io/library/postgres:17 postgres-entrypoint.sh; }
mariadb() { on_base mariadb docker.io/library/mariadb:11.8 mysql-entrypoint.sh; }
prometheus() { on_base prometheus docker.io/prom/prometheus:v2.53.3; }

# Node's own program comes as an npm package for each platform.
node() {
  local tag=docker.io/library/node:24-trixie-slim context=$work/node-context print arch=x64
  if [[ $(uname -m) == aarch64 ]]; then arch=arm64; fi
  print=$(inputs_of node "$(label_of "$base") $NODE_VERSION $NPM_VERSION" node.Containerfile node-entrypoint.sh)
  if fresh "$tag" "$print"; then return; fi
  mkdir -p "$context/lib"
  npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error --prefix "$work/node" \
    "node-linux-$arch@$NODE_VERSION" "npm@$NPM_VERSION" >/dev/null
  install -m 755 "$work/node/node_modules/node-linux-$arch/bin/node" "$context/node"
  strip "$context/node"
  cp -r "$work/node/node_modules/npm" "$context/lib/npm"
  cp "$here/context/node-entrypoint.sh" "$context/docker-entrypoint.sh"
  sed "s/@NODE_VERSION@/$NODE_VERSION/" "$here/context/node.Containerfile" >"$work/node.Containerfile"
  built trixie "$tag" "$work/node.Containerfile" "$context" "$print"
}

# MySQL needs sid's libraries, so it stands on a file system of its own.
mysql() {
  local tag=docker.io/library/mysql:9.7 sid=localhost/parley/debian:sid print archive
  archive=$(rootfs sid)
  print=$(inputs_of mysql "$(stat -c '%s %Y' "$archive")" debian.Containerfile mysql.Containerfile mysql-entrypoint.sh)
  if fresh "$tag" "$print"; then return; fi
  root_image sid "$sid" "$print"
  built sid "$tag" "$here/context/mysql.Containerfile" "$here/context" "$print"
}

kafka() {
  local tag=docker.io/apache/kafka:$KAFKA_VERSION dist=$PARLEY_CACHE/kafka-$KAFKA_VERSION context=$work/kafka-context print
  kafka_jars "$dist/libs"
  java_runtime "$dist/jre"
  print=$(inputs_of kafka "$(label_of "$base") $KAFKA_VERSION" kafka kafka.Containerfile)
  if fresh "$tag" "$print"; then return; fi
  mkdir -p "$context"
  cp -r "$dist/libs" "$dist/jre" "$here"/context/kafka/* "$context/"
  built trixie "$tag" "$here/context/kafka.Containerfile" "$context" "$print"
}

# The broker's jars, in the folder where `npm start` looks for them, too.
kafka_jars() {
  if [[ -d $1 ]]; then return; fi
  mkdir -p "$work/pom" "${1%/*}"
  sed "s/@VERSION@/$KAFKA_VERSION/" "$here/context/kafka-pom.xml" >"$work/pom/pom.xml"
  (cd "$work/pom" && mvn -q -B -ntp dependency:copy-dependencies -DoutputDirectory="$work/libs" -DincludeScope=runtime)
  rm -rf "$1.part"
  cp -r "$work/libs" "$1.part"
  mv "$1.part" "$1"
}

# A small Java. log4j-core needs java.desktop; jlink leaves out the default class-data archive, so it is dumped.
java_runtime() {
  local modules=java.base,java.desktop,java.logging,java.management,java.management.rmi,java.naming,java.net.http,java.rmi,java.scripting
  modules+=,java.security.jgss,java.security.sasl,java.sql,java.xml,jdk.crypto.ec,jdk.management,jdk.unsupported,jdk.zipfs,jdk.net
  if [[ -d $1 ]]; then return; fi
  rm -rf "$1.part"
  heavy jlink --add-modules "$modules" --strip-debug --no-man-pages --no-header-files --output "$1.part"
  "$1.part/bin/java" -Xshare:dump >/dev/null
  mv "$1.part" "$1"
}
