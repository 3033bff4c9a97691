#!/usr/bin/env bash
# Makes a container engine answer: asks the one there is, starts Docker Engine where it is installed but not running, and
# installs it from Debian's packages where it is missing. Needs root (or sudo without a password) only to install or start.
# usage: engine.sh [--no-install]     exit 0 = an engine answers, 3 = none does and none may be installed
set -euo pipefail
# what root's programs need, also where sudo was asked
PATH=$PATH:/usr/sbin:/sbin
# macOS has none
command -v timeout >/dev/null || timeout() { shift; "$@"; }
LOG=${DOCKERD_LOG:-/var/log/portcullis-dockerd.log}
LONGEST=60

answers() { command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
fail() { echo "container engine: $*" >&2; exit 1; }

if answers; then
  echo "container engine: $(docker version --format '{{.Server.Version}}') answers"
  exit 0
fi
if [ -n "${DOCKER_HOST:-}" ]; then fail "DOCKER_HOST is set, but nothing answers there; start it, or unset DOCKER_HOST"; fi
if [ "$(uname -s)" != Linux ]; then fail "none answers; start Docker Desktop, Colima or another one and run this again"; fi

if [ "$(id -u)" = 0 ]; then
  as_root() { "$@"; }
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root() { sudo -n "$@"; }
else
  fail "none answers for $(id -un), who may not start one: run this as root, or start Docker and join the group 'docker'"
fi

if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
  if [ "${1:-}" = --no-install ]; then echo "container engine: none is installed" >&2; exit 3; fi
  command -v apt-get >/dev/null || fail "none is installed, and this is not Debian or Ubuntu: install Docker Engine (https://docs.docker.com/engine/install/)"
  echo "container engine: installing docker.io from the machine's own package sources"
  install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
  as_root apt-get update -qq
  install docker.io iptables ca-certificates
  # from Debian 13 on the client is a package of its own
  command -v docker >/dev/null || install docker-cli
fi
if answers; then echo "container engine: installed and running"; exit 0; fi

# One daemon, however many call this at once; a pid file that a killed daemon left behind makes the next refuse to start.
as_root bash -s -- "$LOG" <<'ROOT'
set -eu
LOG=$1
exec 9>/run/portcullis-engine.lock
flock -w 120 9
if timeout 10 docker version >/dev/null 2>&1; then exit 0; fi
# The pid file counts only when it names a daemon that lives: a number may be another's by now, or a zombie's.
pid=$(cat /var/run/docker.pid 2>/dev/null || true)
if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && ! grep -q '^State:.*Z' "/proc/$pid/status"; then exit 0; fi
rm -f /var/run/docker.pid
if [ -d /run/systemd/system ] && systemctl start docker 2>/dev/null; then exit 0; fi
setsid dockerd --host unix:///var/run/docker.sock ${DOCKERD_ARGS:-} >>"$LOG" 2>&1 </dev/null 9>&- &
ROOT

end=$((SECONDS + LONGEST))
until answers; do
  # a daemon that gave up takes its pid file along
  if ((SECONDS >= end)) || { ((SECONDS > end - LONGEST + 10)) && [ ! -e /var/run/docker.pid ]; }; then
    as_root tail -20 "$LOG" >&2 || true
    fail "dockerd does not answer; the end of its log is above ($LOG)"
  fi
  sleep 0.3
done
echo "container engine: $(docker version --format '{{.Server.Version}}') started"
