#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows the program at work on a file system made of real files. Usage: quickstart.sh PROGRAM
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
e2qcow=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

echo "An ext4 file system of 2 GiB with the files of /usr/include and /usr/share/doc:"
mkdir files
cp -r /usr/include /usr/share/doc files/ 2>/dev/null || true
mke2fs -q -t ext4 -L quickstart -d files disk.img 2G
ls -lsh disk.img

ln -s "$e2qcow" e2qcow
show ./e2qcow dump disk.img metadata.qcow2
show ./e2qcow info metadata.qcow2
show ./e2qcow restore metadata.qcow2 metadata.img
show qemu-img check metadata.qcow2
show e2fsck -fn metadata.img

show ./e2qcow dump --all disk.img all.qcow2
show ./e2qcow restore all.qcow2 all.img
show qemu-img check all.qcow2
show qemu-img compare -f raw -F qcow2 disk.img all.qcow2
show ls -lsh
