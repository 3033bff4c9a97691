#!/usr/bin/env bash
# The container images that tests use, under their public names: what is present stays, what can be pulled is pulled, and
# where no registry can be reached a stand-in is built from Debian's packages, the Node that npm installed, Kafka's jars
# (Maven) and toxiproxy's Go module.
# usage: images.sh [--force] [--no-pull] [NAME...]    NAME: node, ryuk, postgres, redis, kafka, toxiproxy (default: all)
#   --force    makes stand-ins anew, even of what is present
#   --no-pull  asks no registry
#   --list     prints the images' names, and makes nothing
# Needs an engine that answers (engine.sh), and for stand-ins root (or sudo) and apt, which also installs Maven where there
# is none. Stand-ins carry the label local.standin=true. What was fetched is kept in OFFLINE_IMAGES_CACHE, default
# ~/.cache/portcullis/offline-images; MIRROR and MIRROR_SECURITY replace the Debian mirrors of the machine's own apt.
set -euo pipefail
# what root's programs need, also where sudo was asked
PATH=$PATH:/usr/sbin:/sbin
# macOS has none
command -v timeout >/dev/null || timeout() { shift; "$@"; }
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
CACHE=${OFFLINE_IMAGES_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/portcullis/offline-images}
POSTGRES=postgres:17 NODE=node:24-bookworm-slim RYUK=testcontainers/ryuk:0.14.0
REDIS=redis:8 KAFKA_VERSION=4.3.1 TOXIPROXY_VERSION=2.12.0
KAFKA=apache/kafka:$KAFKA_VERSION TOXIPROXY=ghcr.io/shopify/toxiproxy:$TOXIPROXY_VERSION
NPM_VERSION=${NPM_VERSION:-11}
PULL_LONGEST=600
# what images are built from, gone when this ends
SCRATCH=$CACHE/run-$$

force='' pull=1 want=()
for word in "$@"; do
  case $word in
    --force) force=1 ;;
    --no-pull) pull='' ;;
    --list) printf '%s\n' "$RYUK" "$NODE" "$POSTGRES" "$REDIS" "$KAFKA" "$TOXIPROXY"; exit 0 ;;
    node | ryuk | postgres | redis | kafka | toxiproxy) want+=("$word") ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
done
((${#want[@]})) || want=(ryuk node postgres redis kafka toxiproxy)

SECONDS=0
# what this run made: with --force too, once is enough
fresh=''
say() { printf 'images: [%3d s] %s\n' "$SECONDS" "$*"; }
fail() { echo "images: $*" >&2; exit 1; }
present() { docker image inspect "$1" >/dev/null 2>&1; }
made() { fresh+=" $1 "; say "built   $1 ($(docker image inspect -f '{{.Size}}' "$1" | awk '{ printf "%.0f MB", $1 / 1e6 }'))"; }

if [ "$(id -u)" = 0 ]; then as_root() { "$@"; }; else as_root() { sudo -n "$@"; }; fi

# A stand-in is no reason to ask a registry again; only --force makes it anew.
settled() {
  case $fresh in *" $1 "*) return 0 ;; esac
  if [ -z "$force" ] && present "$1"; then say "present $1"; return 0; fi
  if [ -n "$force" ] || [ -z "$pull" ]; then return 1; fi
  say "pulling $1"
  if timeout "$PULL_LONGEST" docker pull -q "$1" >/dev/null 2>"$CACHE/pull.log"; then say "pulled  $1"; return 0; fi
  say "no registry gave $1: a stand-in is built"
  pull=''
  return 1
}

# Host networking: the names that this machine resolves are resolved inside, whatever its resolver is.
build() { # tag, folder, arguments of docker build
  local tag=$1 folder=$2 log
  shift 2
  log=$CACHE/build-${tag//[:\/]/-}.log
  say "building $tag"
  docker build --network host --label local.standin=true "$@" -t "$tag" "$folder" >"$log" 2>&1 || { tail -40 "$log" >&2; fail "docker build of $tag failed; the end of $log is above"; }
  made "$tag"
}

# The machine's own Debian mirrors, as apt knows them.
mirror() { apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk -v path="$1" '$1 ~ path && $2 == "main" { print $1; exit }'; }

needs() { # command, the package that has it
  if command -v "$1" >/dev/null; then return; fi
  say "installing $2"
  command -v apt-get >/dev/null || fail "there is no $1, and no apt-get to install it: install $2, or let the engine reach a registry"
  # a slim machine has no folder for manuals, and Java's packages fail without one
  as_root mkdir -p /usr/share/man/man1
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >"$CACHE/apt.log" 2>&1 || { tail -20 "$CACHE/apt.log" >&2; fail "apt-get cannot install $2; the end of $CACHE/apt.log is above"; }
}

debian() { # suite -> debian:SUITE-slim
  local suite=$1 tag=debian:$1-slim tar=$CACHE/debian-$1-slim-$(dpkg --print-architecture).tar.gz
  if settled "$tag"; then return; fi
  if [ ! -s "$tar" ]; then make_root "$suite" "$tar"; fi
  docker import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'CMD ["bash"]' -c 'LABEL local.standin=true' "$tar" "$tag" >/dev/null
  made "$tag"
}

make_root() { # suite, file for the slimmed root file system
  local suite=$1 tar=$2 root=$CACHE/root-$1 main security script=/usr/share/debootstrap/scripts/$1
  command -v apt-get >/dev/null || fail "stand-ins are made from Debian's packages, and there is no apt-get here: let the engine reach a registry"
  as_root true 2>/dev/null || fail "stand-ins need root or sudo: run as root, or let the engine reach a registry"
  main=${MIRROR:-$(mirror '/debian/?$')} security=${MIRROR_SECURITY:-$(mirror '/debian-security/?$')}
  if [ -z "$main" ]; then as_root apt-get update -qq; main=$(mirror '/debian/?$') security=$(mirror '/debian-security/?$'); fi
  [ -n "$main" ] || fail "apt knows no Debian mirror: set MIRROR=URL, or let the engine reach a registry"
  needs debootstrap debootstrap
  [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
  say "debootstrap $suite (about 40 s)"
  as_root rm -rf "$root"
  as_root debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$main" "$script" >"$CACHE/debootstrap-$suite.log" 2>&1 \
    || { tail -20 "$CACHE/debootstrap-$suite.log" >&2; fail "debootstrap $suite failed; the end of its log is above"; }
  as_root bash "$HERE/slim.sh" "$root" "$suite" "$main" "$security"
  as_root tar -C "$root" --numeric-owner --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c . | gzip -1 >"$tar.part"
  mv "$tar.part" "$tar"
  as_root rm -rf "$root"
}

node() {
  if settled "$NODE"; then docker tag "$NODE" node:24; return; fi
  local arch context usr packed
  arch=$(case $(uname -m) in x86_64) echo x64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac)
  local binary=$ROOT/node_modules/node-linux-$arch/bin/node
  [ -x "$binary" ] || fail "there is no $binary: run 'npm run bootstrap' first"
  debian bookworm
  packed=$CACHE/npm-$NPM_VERSION
  mkdir -p "$packed"
  ls "$packed"/npm-*.tgz >/dev/null 2>&1 || (cd "$packed" && npm pack --silent "npm@$NPM_VERSION" >/dev/null)
  context=$SCRATCH/node
  mkdir "$context"
  usr=$context/files/usr/local
  mkdir -p "$usr/bin" "$usr/lib/node_modules/npm"
  cp "$HERE/images/node/Dockerfile" "$context/"
  install -m 755 "$binary" "$HERE/images/node/docker-entrypoint.sh" "$usr/bin/"
  tar -xzf "$packed"/npm-*.tgz -C "$usr/lib/node_modules/npm" --strip-components=1 --no-same-owner
  chmod 755 "$usr"/lib/node_modules/npm/bin/*.js
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$usr/bin/npx"
  build "$NODE" "$context"
  docker tag "$NODE" node:24
}

postgres() {
  if settled "$POSTGRES"; then return; fi
  debian trixie
  build "$POSTGRES" "$HERE/images/postgres" --build-arg PG_MAJOR=17
}

ryuk() {
  if settled "$RYUK"; then return; fi
  node
  build "$RYUK" "$HERE/images/ryuk" --build-arg "NODE_IMAGE=$NODE"
}

redis() {
  if settled "$REDIS"; then return; fi
  debian trixie
  build "$REDIS" "$HERE/images/redis"
}

kafka() {
  if settled "$KAFKA"; then return; fi
  local jars=$CACHE/kafka-$KAFKA_VERSION context
  debian trixie
  if [ ! -d "$jars" ]; then
    needs mvn maven
    say "fetching the jars of Kafka $KAFKA_VERSION"
    rm -rf "$jars.part"
    mvn -B -q -f "$HERE/images/kafka/pom.xml" "-Dkafka.version=$KAFKA_VERSION" \
      org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DincludeScope=runtime \
      "-DoutputDirectory=$jars.part" -Dmdep.useBaseVersion=true >"$CACHE/maven.log" 2>&1 || { tail -20 "$CACHE/maven.log" >&2; fail "Maven cannot fetch Kafka's jars; the end of $CACHE/maven.log is above"; }
    mv "$jars.part" "$jars"
  fi
  context=$SCRATCH/kafka
  mkdir "$context"
  cp -r "$HERE/images/kafka/." "$context/"
  cp -rl "$jars" "$context/libs" 2>/dev/null || { rm -rf "$context/libs"; cp -r "$jars" "$context/libs"; }
  chmod -R u+w,a+rX "$context"
  build "$KAFKA" "$context"
}

toxiproxy() {
  if settled "$TOXIPROXY"; then return; fi
  local context certificates=/etc/ssl/certs/ca-certificates.crt
  debian trixie
  context=$SCRATCH/toxiproxy
  mkdir "$context"
  cp "$HERE/images/toxiproxy/Dockerfile" "$context/"
  if [ -r "$certificates" ]; then cp -L "$certificates" "$context/certificates.crt"; else : >"$context/certificates.crt"; fi
  # without a value docker takes the variable of the environment, if there is one
  build "$TOXIPROXY" "$context" --build-arg "TOXIPROXY_VERSION=$TOXIPROXY_VERSION" --build-arg GOPROXY --build-arg GOSUMDB
  # the compiler, half a gigabyte
  docker image prune -f --filter label=local.standin.stage=toxiproxy >/dev/null || true
}

timeout 10 docker version >/dev/null 2>&1 || fail "no container engine answers: run $HERE/engine.sh"
mkdir -p "$CACHE"
exec 8>"$CACHE/lock"
if command -v flock >/dev/null; then flock 8; fi
mkdir "$SCRATCH"
trap 'rm -rf "$SCRATCH"' EXIT
for name in "${want[@]}"; do "$name"; done
