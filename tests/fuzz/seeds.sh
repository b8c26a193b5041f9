#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Make small images to begin with: seeds.sh DIRECTORY
set -euo pipefail
command -v qemu-img >/dev/null && command -v qemu-io >/dev/null || exit 77
mkdir -p "$1"
cd "$1"
[ ! -e complete ] || exit 0
head -c 20000 /etc/services 2>/dev/null >raw || head -c 20000 "$0" >raw
truncate -s 48k raw
convert() { qemu-img convert -f raw -O qcow2 -o "$2" "${@:3}" raw "$1"; }
convert plain cluster_size=512
convert version2 cluster_size=512,compat=0.10
convert zlib cluster_size=4k -c
convert zstd cluster_size=4k,compression_type=zstd -c
convert refcounts cluster_size=512,refcount_bits=1
qemu-img create -q -f qcow2 -o cluster_size=16k,extended_l2=on extended 64k
qemu-io -f qcow2 -c 'write -P 1 1k 2k' -c 'write -z 8k 1k' extended >/dev/null
qemu-img create -q -f qcow2 -o cluster_size=512 snapshots 32k
qemu-io -f qcow2 -c 'write -P 1 0 4k' snapshots >/dev/null
qemu-img snapshot -c first snapshots
qemu-io -f qcow2 -c 'write -P 2 1k 4k' snapshots >/dev/null
qemu-img create -q -f qcow2 -o cluster_size=512 bitmaps 32k
qemu-img bitmap --add bitmaps one
qemu-img create -q -f qcow2 -b raw -F raw -o cluster_size=512 overlay
rm raw
touch complete
