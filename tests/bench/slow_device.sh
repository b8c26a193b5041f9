#!/usr/bin/env bash
# Measure a metadata dump from a device on which every read takes a millisecond: e2qcow against e2image, and against
# reading the same stretches of the disk one at a time. The device is a simulated one: nbdkit with a delay, behind
# nbdfuse.
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

# A disk that was full once: all that is free are single blocks, 32 KiB apart, and 10 000 files of five blocks each have
# to do with them, and with another one for their extents.
if [ ! -e fragmented.img ]; then
  truncate -s 3G fragmented.part
  mke2fs -q -F -t ext4 -m 0 -N 20000 fragmented.part
  mkdir -p mounted
  mount -o loop fragmented.part mounted
  python3 - mounted <<'END'
import ctypes
import errno
import os
import sys

BLOCK, STEP, SIZE, FILES = 4096, 32 << 10, 2 << 30, 10000
KEEP_SIZE, PUNCH_HOLE = 1, 2
fallocate = ctypes.CDLL(None, use_errno=True).fallocate
fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def create(name):
    return os.open(os.path.join(sys.argv[1], name), os.O_CREAT | os.O_RDWR)


os.mkdir(os.path.join(sys.argv[1], "d"))
for i in range(FILES):
    os.close(create(f"d/{i}"))
large, rest = create("large"), create("rest")
os.posix_fallocate(large, 0, SIZE)
length, end = SIZE, 0
while length >= BLOCK:
    try:
        os.posix_fallocate(rest, end, length)
        end += length
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        length //= 2
for offset in range(0, SIZE, STEP):
    if fallocate(large, KEEP_SIZE | PUNCH_HOLE, offset, BLOCK) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")
os.fsync(large)
for i in range(FILES):
    file = create(f"d/{i}")
    for piece in range(5):
        os.posix_fallocate(file, 2 * piece * BLOCK, BLOCK)
    os.close(file)
END
  umount mounted
  rmdir mounted
  mv fragmented.part fragmented.img
fi

# What the dump holds, in the order of the disk, each stretch with a read of its own.
"$e2qcow" dump -q --force --compress none fragmented.img out
"$e2qcow" map --json out >stretches.json
cat >one_at_a_time.py <<'END'
import json
import os
import sys

with open("stretches.json", encoding="ascii") as file:
    stretches = [(entry["start"], entry["length"]) for entry in json.load(file) if entry["data"]]
device = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(device, 0, 0, os.POSIX_FADV_RANDOM)
for start, length in stretches:
    os.pread(device, length, start)
END

mkdir -p device
cleanup() {
  fusermount3 -u device/nbd 2>/dev/null || umount device/nbd 2>/dev/null || true
  rm -rf device out stretches.json one_at_a_time.py
}
trap cleanup EXIT

# The kernel asks a file system in user space for 12 things at once if it is not told otherwise.
allow_many_requests() {
  local connection
  connection=/sys/fs/fuse/connections/$(($(stat -c %d device/nbd) & 0xff))
  mountpoint -q /sys/fs/fuse/connections || mount -t fusectl none /sys/fs/fuse/connections
  echo 128 >"$connection/max_background"
  echo 128 >"$connection/congestion_threshold"
}

# measured COMMAND...: with the device and a file to write as further arguments; prints milliseconds.
measured() {
  touch device/nbd
  nbdfuse -C 16 device/nbd --command nbdkit -s --exit-with-parent -t 64 --filter=delay file fragmented.img rdelay=1ms &
  local fuse=$! begin end
  until [ "$(stat -c %s device/nbd)" != 0 ]; do :; done
  allow_many_requests
  rm -f out
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
  single=$(measured python3 one_at_a_time.py)
  echo "round $round: e2qcow $ours ms; e2image -Q $theirs ms, ratio 1/$((theirs / ours));" \
    "one read at a time $single ms, ratio 1/$((single / ours))"
done
