#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make one data set of the benchmark, unless it is there already.
#
#   make_data.sh NAME DIR     makes DIR/NAME.img
#
#   million  64 GiB ext4 with a million files     million-quick   4 GiB,  50 000
#   huge     64 TiB ext4 with 100 000 files       huge-quick      1 TiB,   5 000
#   full     8 GiB ext4, 90 % full of data        full-quick    256 MiB
#   names    4 GiB ext4, a million files in one directory
#                                                 names-quick  20 000
#   levels   the same with blocks of 1 KiB, so that its index has three levels
#                                                 levels-quick
#   scattered  3 GiB ext4, all metadata of 10 000 files lies apart
#                                                 scattered-quick  500
#
# Exit status 77: cannot be made here; the reason is on standard error.
# The images are sparse files. A complete one is renamed into place at the end.
set -eu

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)

skip() {
    echo "$*" >&2
    exit 77
}

# free_gib DIR: whole GiB free for us on the file system of DIR.
free_gib() {
    echo $(($(df --output=avail -k "$1" | tail -n 1) / 1048576))
}

# memory_gib: whole GiB of memory that can still be used.
memory_gib() {
    awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo
}

need_space() {
    free=$(free_gib "$dir")
    [ "$free" -ge "$1" ] ||
        skip "$name needs $1 GiB free in $dir (there are $free)"
}

# A file of this size is beyond what most file systems can hold, so it has to
# be a tmpfs, and that is memory.
need_tmpfs() {
    [ "$(stat -f -c %T "$dir")" = tmpfs ] ||
        skip "$name needs a tmpfs, and $dir is none"
    need_space "$1"
    free=$(memory_gib)
    [ "$free" -ge "$1" ] ||
        skip "$name needs $1 GiB of memory (there are $free)"
}

make_fs() {
    truncate -s "$1" "$part"
    shift
    mke2fs -q -F -t ext4 -b 4096 "$@" "$part"
}

mount_fs() {
    mkdir -p "$mnt"
    # Without noinit_itable the kernel zeroes inode tables in the background:
    # the result would depend on the time it got, and a huge one would fill up.
    mount -t ext4 -o loop,noatime,noinit_itable "$part" "$mnt" ||
        skip "$name needs a loop mount of ext4, which does not work here"
}

unmount_fs() {
    umount "$mnt"
    rmdir "$mnt"
}

clean_up() {
    if mountpoint -q "$mnt"; then umount "$mnt" || true; fi
    rmdir "$mnt" 2>/dev/null || true
    rm -f "$part"
}

make_files() {
    mount_fs
    python3 "$here/fill.py" files "$mnt" "$1"
    unmount_fs
}

make_full() {
    make_fs "$1"
    mount_fs
    python3 "$here/fill.py" full "$mnt" 90
    unmount_fs
}

make_names() {
    make_fs "$1" -m 0 -N $(($2 + $2 / 10)) -b "$3" -O large_dir
    mount_fs
    python3 "$here/fill.py" names "$mnt" "$2"
    unmount_fs
}

make_scattered() {
    make_fs "$1" -m 0 -N $((2 * $2)) -J size=4
    mount_fs
    python3 "$here/fill.py" scattered "$mnt" "$2"
    unmount_fs
}

check_fs() {
    e2fsck -fn "$part" >/dev/null 2>&1 || {
        echo "$name: e2fsck finds errors in the fresh file system" >&2
        exit 1
    }
}

[ $# -eq 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
name=$1
dir=$2
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
image=$dir/$name.img
part=$dir/$name.part.$$
mnt=$dir/$name.mnt.$$

[ ! -e "$image" ] || exit 0
[ "$(id -u)" -eq 0 ] || skip "$name needs root to make its data (loop mount)"
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

case $name in
million)       need_space 6;  make_fs 64G; make_files 1000; check_fs ;;
million-quick) need_space 1;  make_fs 4G;  make_files 50;   check_fs ;;
huge)          need_tmpfs 6;  make_fs 64T -E lazy_itable_init=1; make_files 100 ;;
huge-quick)    need_tmpfs 1;  make_fs 1T -E lazy_itable_init=1;  make_files 5 ;;
full)          need_space 10; make_full 8G;   check_fs ;;
full-quick)    need_space 1;  make_full 256M; check_fs ;;
names)         need_space 2; make_names 4G 1000000 4096;  check_fs ;;
names-quick)   need_space 1; make_names 1G 20000 4096;    check_fs ;;
levels)        need_space 2; make_names 4G 1000000 1024;  check_fs ;;
levels-quick)  need_space 1; make_names 1G 20000 1024;    check_fs ;;
scattered)     need_space 1;  make_scattered 3G 10000;  check_fs ;;
scattered-quick) need_space 1; make_scattered 256M 500; check_fs ;;
*)             echo "no such data set: $name" >&2; exit 2 ;;
esac

sync -f "$part"
mv "$part" "$image"
