#!/usr/bin/env bash
# Measure a metadata dump from a device on which every read takes a millisecond: e2image, which waits for one block at
# a time, against e2qcow. The device is a simulated one: nbdkit with a delay, behind nbdfuse.
#
#   slow_device.sh E2QCOW DIRECTORY
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
e2qcow=$(realpath "$1")
mkdir -p "$2"
cd "$2"
for program in nbdkit nbdfuse e2image; do
  command -v "$program" >/dev/null || { echo "needs $program (packages nbdkit, nbdfuse, fuse3)" >&2; exit 77; }
done

# 10 000 files of 400 KiB with indirect blocks, written in turns, so that no file lies in one piece.
if [ ! -e fragmented.img ]; then
  truncate -s 6G fragmented.part
  mke2fs -q -F -t ext2 -b 1024 -N 20000 fragmented.part
  mkdir -p mounted
  mount -o loop fragmented.part mounted
  python3 - mounted <<'END'
import os
import sys

ROUNDS, PIECE = 4, b"x" * (100 << 10)
os.makedirs(os.path.join(sys.argv[1], "d"))
for _ in range(ROUNDS):
    for i in range(10000):
        with open(os.path.join(sys.argv[1], "d", str(i)), "ab") as file:
            file.write(PIECE)
END
  umount mounted
  rmdir mounted
  mv fragmented.part fragmented.img
fi

mkdir -p device
cleanup() {
  fusermount3 -u device/nbd 2>/dev/null || umount device/nbd 2>/dev/null || true
  rm -rf device out
}
trap cleanup EXIT

measured() {
  touch device/nbd
  nbdfuse -C 16 device/nbd --command nbdkit -s --exit-with-parent --filter=delay file fragmented.img rdelay=1ms &
  local fuse=$!
  until [ "$(stat -c %s device/nbd)" != 0 ]; do :; done
  rm -f out
  local begin end
  begin=$(date +%s%N)
  "$@" device/nbd out >/dev/null 2>&1
  end=$(date +%s%N)
  fusermount3 -u device/nbd || umount device/nbd
  wait $fuse || true
  echo $(((end - begin) / 1000000))
}

cat fragmented.img >/dev/null
for round in 1 2 3; do
  ours=$(measured "$e2qcow" dump -q --compress none)
  theirs=$(measured e2image -Q)
  echo "round $round: e2qcow $ours ms, e2image -Q $theirs ms, ratio 1/$((theirs / ours))"
done
