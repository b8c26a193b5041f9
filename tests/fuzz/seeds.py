#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make what the fuzz targets begin with: a folder for each target.

usage: seeds.py FOLDER [DAMAGED]

DAMAGED is a folder of file systems that others damaged, loose or as in the
sources of e2fsprogs; the small ones are added. Does nothing where FOLDER is
complete. Exit status: 0 made, 77 a program is missing.
"""

import gzip
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

PROGRAMS = ("qemu-img", "qemu-io", "mke2fs", "debugfs", "zstd")
ENVIRONMENT = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1700000000"}
MAX_BYTES = 400 << 10
KIB = 1024

# name, mke2fs options, size in KiB
DISKS = [
    ("ext2", "-t ext2 -b 1024 -N 32", 64),
    ("ext2-old", "-r 0 -b 1024 -N 32", 64),
    ("ext2-4k", "-t ext2 -b 4096 -N 32", 256),
    ("ext4", "-t ext4 -b 1024 -N 32 -O ^has_journal,^resize_inode,metadata_csum,64bit", 64),
    ("ext4-4k", "-t ext4 -b 4096 -N 32 -O ^has_journal,^resize_inode,metadata_csum,64bit", 256),
    ("ext4-32bit", "-t ext4 -b 1024 -N 32 -O ^has_journal,^metadata_csum,uninit_bg,^64bit", 64),
    ("inline", "-t ext4 -b 1024 -N 32 -I 256 -O ^has_journal,^resize_inode,inline_data", 64),
    ("bigalloc", "-t ext4 -b 1024 -C 4096 -N 32 -O ^has_journal,^resize_inode,bigalloc", 128),
    ("mmp", "-t ext4 -b 1024 -N 32 -O ^has_journal,^resize_inode,mmp -E mmp_update_interval=1", 64),
    ("quota", "-t ext4 -b 1024 -N 32 -I 256 -O ^has_journal,^resize_inode,quota,project", 128),
    ("groups", "-t ext2 -b 1024 -g 256 -N 64", 400),
    ("flex", "-t ext4 -b 1024 -g 256 -G 2 -N 32 -O ^has_journal,^resize_inode,flex_bg", 400),
    ("meta-bg", "-t ext4 -b 1024 -g 256 -N 64 -O ^has_journal,^resize_inode,meta_bg,64bit", 400),
    ("sparse-super2", "-t ext4 -b 1024 -g 256 -N 64 -O ^has_journal,^resize_inode,sparse_super2", 400),
]

MAPS = [
    "# Mapfile. Created by GNU ddrescue version 1.27\n# current_pos  current_status  current_pass\n"
    "0x00001000     ?               1\n#      pos        size  status\n"
    "0x00000000  0x00001000  +\n0x00001000  0x00000200  -\n0x00001200  0x00000E00  /\n0x00002000  0x7000  *\n",
    "0 512 ?\n512 0777 +\n1023 1 -\n",
    "0x7FFFFFFFFFFFF000 0xFFF -\n",
]


def run(words, folder, stdin=None):
    done = subprocess.run(words, cwd=folder, env=ENVIRONMENT, input=stdin, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {done.stdout.decode(errors='replace')}")
    return done.stdout


class Seeds:
    def __init__(self, folder):
        self.folder = folder

    def add(self, target, name, data):
        os.makedirs(os.path.join(self.folder, target), exist_ok=True)
        with open(os.path.join(self.folder, target, name), "wb") as file:
            file.write(data)


# --- images ------------------------------------------------------------------

def make_images(seeds, folder):
    with open(os.path.join(folder, "raw"), "wb") as file:
        file.write("".join(f"line {number} of a text\n" for number in range(800)).encode()[:20000])
        file.truncate(48 * KIB)
    for name, options in [("plain", "cluster_size=512"), ("version2", "cluster_size=512,compat=0.10"),
                          ("zlib", "cluster_size=4k"), ("zstd", "cluster_size=4k,compression_type=zstd"),
                          ("refcounts", "cluster_size=512,refcount_bits=1")]:
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", options] + ["-c"] * name.startswith("z") +
            ["raw", name + ".qcow2"], folder)
    for line in ["qemu-img create -q -f qcow2 -o cluster_size=16k,extended_l2=on extended.qcow2 64k",
                 "qemu-img create -q -f qcow2 -o cluster_size=512 snapshots.qcow2 32k",
                 "qemu-img create -q -f qcow2 -o cluster_size=512 bitmaps.qcow2 32k",
                 "qemu-img create -q -f qcow2 -b raw -F raw -o cluster_size=512 overlay.qcow2",
                 "qemu-img snapshot -c first snapshots.qcow2", "qemu-img bitmap --add bitmaps.qcow2 one"]:
        run(line.split(), folder)
    for name, command in [("extended", "write -P 1 1k 2k"), ("extended", "write -z 8k 1k"),
                          ("snapshots", "write -P 2 1k 4k")]:
        run(["qemu-io", "-f", "qcow2", "-c", command, name + ".qcow2"], folder)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".qcow2"):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            for target in ("header", "check", "restore"):
                seeds.add(target, name, data)


def make_clusters(seeds, folder):
    text = "".join(f"{number} bottles\n" for number in range(8000)).encode()[:65536]
    for name, data in [("text", text), ("zeros", bytes(65536))]:
        packer = zlib.compressobj(9, zlib.DEFLATED, -12)
        seeds.add("cluster", name + ".deflate", packer.compress(data) + packer.flush())
        seeds.add("cluster", name + ".zst", run(["zstd", "-q", "-c"], folder, stdin=data))


def make_record(seeds):
    fields = [(1, b"\0"), (2, b"0.1.0"), (3, bytes(range(16))), (4, struct.pack(">I", 1024)),
              (5, struct.pack(">BQ", 4, 4096)), (6, struct.pack(">Q", 0)), (7, struct.pack(">Q", 1)),
              (8, struct.pack(">BI", 3, 1))]
    seeds.add("record", "all", b"".join(struct.pack(">HH", tag, len(data)) + data for tag, data in fields))


def make_digests(seeds):
    for name, runs in [("two-runs", [(3, 2), (9, 1)]), ("one", [(0, 20)]), ("none", [])]:
        clusters = 0
        table = b""
        for first, count in runs:
            table += struct.pack(">QQ", first, clusters)
            clusters += count
        seeds.add("digests", name, struct.pack(">QQ", len(runs), clusters) + table + bytes(16 * clusters))


# --- file systems ------------------------------------------------------------

def make_tree(top):
    """Directories, links, and files with holes, so that their block maps have nodes; about 20 KiB."""
    os.makedirs(os.path.join(top, "folder"))
    os.symlink("long/" * 15, os.path.join(top, "folder", "link"))
    for number in range(8):
        os.mkfifo(os.path.join(top, "folder", f"fifo-{number}-{'x' * number}"))
    for name, places in [("pieces", range(0, 40 * KIB, 8 * KIB)), ("sparse", [0, 14 * KIB, 300 * KIB, 70 << 20])]:
        with open(os.path.join(top, name), "wb") as file:
            for place in places:
                file.seek(place)
                file.write(name.encode() * 100)


def make_disk(folder, name, options, kib):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.truncate(kib * KIB)
    uuid = "00000000-0000-0000-0000-000000000002"
    extended = ["-E", "hash_seed=" + uuid] if "-E" not in options else []
    run(["mke2fs", "-q", "-F", "-U", uuid, "-d", "tree"] + extended + options.split() + [path], folder)
    return path


def debugfs(path, *commands):
    return run(["debugfs", "-w", "-f", "-", path], os.path.dirname(path), stdin="\n".join(commands).encode())


def add_xattr_block(path):
    value = os.path.join(os.path.dirname(path), "value")
    with open(value, "wb") as file:
        file.write(b"value" * 100)
    debugfs(path, f"ea_set -f {value} /folder user.long")


def journal_header(kind, sequence):
    return struct.pack(">III", 0xC03B3998, kind, sequence)


def make_journal(writes, fast_inodes, length=24, area=8, has_64bit=False):
    """A log of one transaction, behind it an area of fast commits. Blocks of 1 KiB.

    Sources of the format: the kernel's include/linux/jbd2.h and fs/ext4/fast_commit.h
    """
    incompat = 0x20 | (2 if has_64bit else 0)
    superblock = journal_header(4, 0) + struct.pack(">IIIIIIII", KIB, length, 1, 7, 1, 0, 0, incompat)
    superblock = superblock.ljust(0x54, b"\0") + struct.pack(">I", area)
    tags = b""
    for index, (block, _) in enumerate(writes):
        flags = (2 if index else 0) | (8 if index + 1 == len(writes) else 0)
        tags += struct.pack(">IHH", block, 0, flags) + (bytes(4) if has_64bit else b"") + (b"" if index else bytes(16))
    width = 8 if has_64bit else 4
    log = [superblock, journal_header(1, 7) + tags] + [data for _, data in writes]
    log += [journal_header(5, 7) + struct.pack(">I", 16 + width) + (999).to_bytes(width, "big"), journal_header(2, 7)]
    fast = struct.pack("<HHII", 9, 8, 0, 8)
    for number, inode in fast_inodes:
        fast += struct.pack("<HHI", 6, 4 + len(inode), number) + inode
    fast += struct.pack("<HHII", 8, 8, 8, 0)
    blocks = log + [b""] * (length - area + 1 - len(log)) + [fast]
    return b"".join(block.ljust(KIB, b"\0") for block in blocks).ljust(length * KIB, b"\0")


def put_journal(path):
    """Makes a file the journal; mke2fs makes none that is as small."""
    with open(path, "rb") as file:
        disk = file.read()
    root = int(run(["debugfs", "-R", "blocks /", path], None).split()[-1])
    block = bytearray(disk[root * KIB:(root + 1) * KIB])
    block[block.index(b"pieces")] = ord("P")
    inodes = inode_tables(disk)
    with open(path + ".journal", "wb") as file:
        file.write(make_journal([(root, bytes(block)), (40, b"data" * 10)], [(12, inodes[11]), (13, inodes[12])]))
    debugfs(path, f"write {path}.journal journal", "stat journal")
    text = run(["debugfs", "-R", "stat journal", path], None).decode()
    number = text.split("Inode: ")[1].split()[0]
    debugfs(path, f"ssv journal_inum {number}", "feature has_journal fast_commit needs_recovery")


def inode_tables(disk):
    """The first 128 bytes of the inodes of the first group."""
    block_size = KIB << struct.unpack_from("<I", disk, 1024 + 24)[0]
    count = struct.unpack_from("<I", disk, 1024 + 40)[0]
    revision, inode_size = struct.unpack_from("<I", disk, 1024 + 76)[0], struct.unpack_from("<H", disk, 1024 + 88)[0]
    table = struct.unpack_from("<I", disk, max(2048, block_size) + 8)[0] * block_size
    size = inode_size if revision else 128
    return [disk[table + size * number:table + size * number + 128] for number in range(count)]


def add_block_maps(seeds, name, disk):
    log = struct.unpack_from("<I", disk, 1024 + 24)[0]
    for number, inode in enumerate(inode_tables(disk), 1):
        mode, flags = struct.unpack_from("<H", inode, 0)[0], struct.unpack_from("<I", inode, 32)[0]
        has_nodes = inode[46:48] != b"\0\0" if flags & 0x80000 else inode[88:100] != bytes(12)
        if mode >> 12 in (4, 8) and (has_nodes or number == 2):
            front = bytes([1 if flags & 0x80000 else 0, log, 0, 0])
            seeds.add("block_map", f"{name}-{number}", front + inode[40:100] + disk)


def make_disks(seeds, folder):
    make_tree(os.path.join(folder, "tree"))
    for name, options, kib in DISKS:
        path = make_disk(folder, name, options, kib)
        if name in ("ext2", "ext4"):
            add_xattr_block(path)
        if name == "ext4-32bit":
            put_journal(path)
        with open(path, "rb") as file:
            disk = file.read()
        seeds.add("dump", name, disk)
        seeds.add("anonymize", name, disk)
        seeds.add("dump", name + "-other-options", bytes([4, 1 + len(name) % 2, 3]) + disk[3:])
        seeds.add("superblock", name, disk)
        if len(disk) <= 64 * KIB:
            add_block_maps(seeds, name, disk)
            seeds.add("directory", name, run(["debugfs", "-R", "cat /folder", path], None))
    for has_64bit in (False, True):
        seeds.add("journal", f"journal-{has_64bit}",
                  make_journal([(17, b"a" * KIB), (18, b"b" * KIB)], [(12, bytes(160))], has_64bit=has_64bit))


def add_damaged(seeds, top):
    for parent, _, names in os.walk(top):
        for name in names:
            path = os.path.join(parent, name)
            if not name.endswith((".gz", ".zst", ".img")):
                continue
            if name.endswith(".zst"):
                disk = run(["zstd", "-dcq", path], None)
            else:
                with (gzip.open if name.endswith(".gz") else open)(path) as file:
                    disk = file.read()
            if len(disk) <= MAX_BYTES:
                for target in ("dump", "anonymize"):
                    seeds.add(target, "damaged-" + os.path.relpath(path, top).replace("/", "-"), disk)


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    missing = [name for name in PROGRAMS if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    if missing:
        print("missing:", ", ".join(missing), file=sys.stderr)
        return 1 if os.environ.get("E2QCOW_CI") else 77
    seeds = Seeds(sys.argv[1])
    complete = os.path.join(seeds.folder, "complete")
    if not os.path.exists(complete):
        with tempfile.TemporaryDirectory() as folder:
            make_images(seeds, folder)
            make_clusters(seeds, folder)
            make_record(seeds)
            make_digests(seeds)
            make_disks(seeds, folder)
        for number, text in enumerate(MAPS):
            seeds.add("rescue_map", str(number), text.encode())
        with open(complete, "wb"):
            pass
    if len(sys.argv) == 3:
        add_damaged(seeds, sys.argv[2])
    return 0


sys.exit(main())
