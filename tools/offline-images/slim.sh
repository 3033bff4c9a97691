#!/usr/bin/env bash
# Makes a fresh root file system what the public slim images are: no documentation, no translations, no package lists.
# usage: slim.sh ROOT SUITE MIRROR [MIRROR_OF_SECURITY]
set -euo pipefail
root=$1 suite=$2 main=$3 security=${4:-}

{
  echo force-unsafe-io
  echo 'path-exclude /usr/share/doc/*'
  echo 'path-include /usr/share/doc/*/copyright'
  for folder in man info locale groff lintian; do echo "path-exclude /usr/share/$folder/*"; done
} >"$root/etc/dpkg/dpkg.cfg.d/docker"
cat >"$root/etc/apt/apt.conf.d/docker-clean" <<'Y'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Apt::AutoRemove::SuggestsImportant "false";
Y
# nothing that a package installs is started
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

rm -f "$root"/etc/apt/sources.list.d/*
{
  echo "deb $main $suite main"
  echo "deb $main $suite-updates main"
  if [ -n "$security" ]; then echo "deb $security $suite-security main"; fi
} >"$root/etc/apt/sources.list"

: >"$root/etc/resolv.conf"
chmod 644 "$root/etc/resolv.conf"
rm -f "$root/etc/hostname"
find "$root/usr/share/doc" -depth -type f ! -name copyright -delete
find "$root/usr/share/doc" -depth -type d -empty -delete || true
for folder in man info locale groff lintian; do rm -rf "$root/usr/share/$folder"/*; done
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/log/*.log \
  "$root"/var/log/apt/* "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
