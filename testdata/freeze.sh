#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Freezes images of a version, once, when it is released: testdata/freeze.sh BUILD_DIRECTORY
# Makes testdata/e2qcow/VERSION: dumps of the file systems in testdata/ext, what `info --json` says of each, and the
# SHA-256 of the disk in it, as qemu-img reads it.
set -euo pipefail
build=$(realpath "$1")
testdata=$(realpath "$(dirname "$0")")
PATH=$build/bin:$PATH:/usr/sbin:/sbin
version=$(e2qcow --version)
frozen=$testdata/e2qcow/${version#e2qcow }
mkdir "$frozen" # fails if there is one
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for disk in ext2 ext3 ext4 damaged; do xz -dc --no-sparse "$testdata/ext/$disk.img.xz" >"$disk.img"; done

dump() { e2qcow dump -q "$@" 2>/dev/null || [ $? = 3 ]; }
dump ext4.img metadata.qcow2
dump --all ext4.img all.qcow2
dump --all --cluster-size 4k --compress zstd:19 ext4.img all-zstd-4k.qcow2
dump --all --compat 0.10 ext3.img all-version-2.qcow2
dump --all --compress zlib --cluster-size 4k ext2.img all-zlib-4k.qcow2
dump --compress none ext2.img metadata-none.qcow2
dump --compress none --compat 0.10 --cluster-size 2M ext3.img metadata-none-version-2-2M.qcow2
dump --all ext4.img - >stream.qcow2
dump --all damaged.img findings.qcow2
# A block of an inode table and one of /text cannot be read.
cp ext4.img dying.img
LD_PRELOAD=$build/tests/libfaulty_reads.so FAULTY_FILE=dying.img FAULTY_RANGES=14336:1024,63488:1024 \
  dump --all dying.img losses.qcow2
e2qcow exec --overlay overlay.qcow2 -- tune2fs -L changed all.qcow2 >/dev/null

for image in *.qcow2; do
  name=${image%.qcow2}
  e2qcow info --json "$image" >"$frozen/$name.json"
  qemu-img convert -f qcow2 -O raw "$image" disk.raw
  echo "$(sha256sum <disk.raw | cut -d ' ' -f 1)  $name" >>"$frozen/restored.sha256"
  xz -9e -c "$image" >"$frozen/$image.xz"
done
