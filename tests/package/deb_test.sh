#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The packages, installed, tried, upgraded, removed and purged in a copy of this machine's file system that is thrown away
# (an overlay in memory). Usage: deb_test.sh FOLDER, with the packages and the tree that they were built from.
set -eu
folder=$(realpath "$1")
PATH=$PATH:/usr/sbin:/sbin
if [ "${2:-}" = inside ]; then
  # Installed again, it is an upgrade.
  list() {
    find /etc /usr /var/lib /var/cache -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/cache/ldconfig/*' ! -path '/var/cache/man/*' \
      ! -path '/etc/ld.so.cache' | sort
  }
  list >/tmp/before
  original=$(sha256sum </sbin/e2image)
  dpkg -i "$folder"/e2qcow_*.deb "$folder"/e2qcow-e2image_*.deb
  dpkg -i "$folder"/e2qcow_*.deb "$folder"/e2qcow-e2image_*.deb
  dpkg --verify e2qcow e2qcow-e2image
  cd "$folder"/e2qcow-*/
  for test in quickstart e2image; do
    "debian/tests/$test" >/tmp/log 2>&1 || { cat /tmp/log; echo "debian/tests/$test failed" >&2; exit 1; }
  done
  man -w e2qcow | grep -q /usr/share/man/man8/e2qcow.8
  dpkg -r e2qcow-e2image e2qcow
  dpkg -P e2qcow-e2image e2qcow
  [ "$original" = "$(sha256sum </sbin/e2image)" ]
  list >/tmp/after
  diff /tmp/before /tmp/after
  exit
fi

[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 77; }
work=$(mktemp -d)
cleanup() {
  umount "$work/root/proc" "$work/root/dev" "$work/root/tmp" "$work/root$folder" "$work/root" 2>/dev/null
  umount "$work" && rmdir "$work"
}
mount -t tmpfs none "$work"
trap cleanup EXIT
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
mount -t tmpfs none "$work/root/tmp"
mount --bind /proc "$work/root/proc"
mount --bind /dev "$work/root/dev"
mkdir -p "$work/root$folder"
mount --bind "$folder" "$work/root$folder"
cp "$0" "$work/root/tmp/deb_test.sh"
chroot "$work/root" /tmp/deb_test.sh "$folder" inside
