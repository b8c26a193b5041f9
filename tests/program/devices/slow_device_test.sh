#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# On a slow device what lies apart is asked for in many pieces at once. Usage: slow_device_test.sh E2QCOW
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
e2qcow=$1
slow_device=$(dirname "$0")/../../support/slow_device.sh
directory=$(mktemp -d)
device=$directory/device
image=$directory/image
child=
serves=
clean_up() {
  [ -z "$child" ] || kill "$child" || true
  [ -z "$serves" ] || "$slow_device" stop "$device"
  rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

missing() {
  echo "skipped: $1" >&2
  [ -z "${E2QCOW_CI:-}" ] || exit 1
  exit 77
}
for program in mke2fs e2image qemu-img python3; do
  command -v $program >/dev/null || missing "$program is not installed"
done

# Files with more extents than an inode holds: each has a block for them, and that of the next file is farther away
# than the kernel reads ahead.
mkdir "$directory/root" "$directory/device"
python3 - "$directory/root" <<'END'
import os
import sys

PIECE = 64 << 10
for i in range(200):
    with open(os.path.join(sys.argv[1], str(i)), "wb") as file:
        for piece in range(5):
            os.pwrite(file.fileno(), b"x" * PIECE, 2 * piece * PIECE)
END
mke2fs -q -F -t ext4 -d "$directory/root" "$directory/disk" 128M 2>/dev/null

# log_reads COMMAND...: run it with a log of what the device is asked for.
log_reads() {
  log=$directory/log-of-${1##*/}
  serves=yes
  "$slow_device" start "$directory/disk" "$device" 20ms "$log" || missing "no slow device"
  "$@" &
  child=$!
  wait $child
  child=
  "$slow_device" stop "$device"
  serves=
}

# together BYTES: of reads of so many bytes, how many have begun and not ended when one begins; the median.
together() {
  awk -v count="count=$1" '
    / Read id=/ && $7 == count { now[$3 $5]; print length(now) }
    /\.\.\.Read id=/ { delete now[$3 $5] }' "$log" |
    sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# nbdfuse serves ten requests at once; with a few nodes or none asked for ahead it is one or two.
log_reads e2image -Q "$device/nbd" "$image"
echo "e2image: reads at once: $(together 0x1000)"
[ "$(together 0x1000)" -lt 4 ]
rm "$image"
log_reads "$e2qcow" dump -q "$device/nbd" "$image" # each block is read when it is written
echo "dump: $(together 0x1000)"
[ "$(together 0x1000)" -ge 4 ]
qemu-img check -q "$image"
log_reads "$e2qcow" measure --all "$device/nbd" # each block is read for what it names
echo "measure: $(together 0x1000)"
[ "$(together 0x1000)" -ge 4 ]
