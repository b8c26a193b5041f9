#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Damage small file systems at random; a dump must tell the truth about each.

For each damage: dump, restore, and e2fsck -fn must say the same of the restored
file system as of the damaged one; where it repairs (-fy), the same, too. The
dump ends with 0 or 3 within ten seconds, and its source is not written. With
--all, the blocks that the bitmaps say are in use come back as they were.

The seed is printed; `--seed S --first N --count 1` does one damage again.
Exit status: 0 all well, 1 something was not, 77 a program is missing.
"""

import argparse
import os
import random
import re
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import trial  # noqa: E402
from trial import fast_folder, judge, run, status_without  # noqa: E402

JUDGES = ("mke2fs", "e2fsck", "debugfs", "dumpe2fs", "setarch")
KINDS = [
    # name, mke2fs options, size in KiB, journal to be replayed
    ("ext2-1k", ["-t", "ext2", "-b", "1024", "-g", "1024", "-N", "512"], 4096, False),
    ("ext3-1k", ["-t", "ext3", "-b", "1024", "-J", "size=1", "-N", "512"], 4096, False),
    ("ext4-1k", ["-t", "ext4", "-b", "1024", "-J", "size=1", "-N", "512", "-O", "^64bit"], 8192, False),
    ("ext4-4k", ["-t", "ext4", "-b", "4096", "-N", "512"], 16384, False),
    ("ext4-no-csum", ["-t", "ext4", "-b", "1024", "-J", "size=1", "-N", "512", "-O", "^metadata_csum,uninit_bg"], 8192,
     False),
    ("ext4-groups", ["-t", "ext4", "-b", "1024", "-g", "1024", "-J", "size=1", "-N", "512", "-O", "^flex_bg"], 8192,
     False),
    ("meta-bg", ["-t", "ext4", "-b", "1024", "-g", "512", "-N", "512", "-O", "meta_bg,^resize_inode,^has_journal"],
     8192, False),
    ("bigalloc", ["-t", "ext4", "-b", "1024", "-C", "4096", "-J", "size=1", "-N", "512", "-O", "bigalloc"], 8192,
     False),
    ("inline", ["-t", "ext4", "-b", "1024", "-I", "256", "-J", "size=1", "-N", "512", "-O", "inline_data"], 8192,
     False),
    ("sparse-super2", ["-t", "ext4", "-b", "1024", "-g", "1024", "-N", "512", "-O", "sparse_super2,^resize_inode"], 8192,
     False),
    ("quota", ["-t", "ext4", "-b", "1024", "-I", "256", "-J", "size=1", "-N", "512", "-O", "quota,project"], 8192, False),
    ("replay", ["-t", "ext4", "-b", "1024", "-J", "size=1", "-N", "512"], 8192, True),
    ("replay-csum-v3", ["-t", "ext4", "-b", "1024", "-J", "size=1", "-N", "512", "-O", "64bit"], 8192, True),
]
# (offset, width) of fields by which others find their way, and bits of flags. Source: <ext2fs/ext2_fs.h>
SUPERBLOCK_FIELDS = [(0, 4), (4, 4), (20, 4), (24, 4), (28, 4), (32, 4), (36, 4), (40, 4), (58, 2), (76, 4), (84, 4),
                     (88, 2), (92, 4), (96, 4), (100, 4), (206, 2), (224, 4), (228, 4), (232, 4), (253, 1), (254, 2),
                     (260, 4), (268, 4), (336, 4), (348, 2), (360, 8), (576, 4), (580, 4), (588, 4), (592, 4), (620, 4)]
INODE_FIELDS = [(0, 2), (4, 4), (20, 4), (26, 2), (28, 4), (32, 4), (40, 2), (42, 2), (44, 2), (46, 2), (52, 4), (56, 2),
                (58, 2), (60, 4), (88, 4), (92, 4), (96, 4), (104, 4), (108, 4), (118, 2), (128, 2)]
INODE_FLAGS = [0x800, 0x1000, 0x40000, 0x80000, 0x200000, 0x10000000, 0x20000000, 0x40000000]


# --- file systems ------------------------------------------------------------

def make_tree(top, rng):
    os.makedirs(top)
    for number in range(6):
        folder = os.path.join(top, f"folder-{number}")
        os.mkdir(folder)
        for name in range(rng.randrange(5, 60)):
            with open(os.path.join(folder, f"file-{name}-{'x' * rng.randrange(40)}"), "wb") as file:
                file.write(bytes([rng.randrange(1, 256)]) * rng.choice([0, 20, 500, 3000]))
    for number in range(4):  # with many extents, or indirect blocks
        with open(os.path.join(top, f"holes-{number}"), "wb") as file:
            for _ in range(rng.randrange(5, 60)):
                file.seek(rng.randrange(600) * 4096)
                file.write(b"data" * 256)
    os.symlink("short", os.path.join(top, "short-link"))
    os.symlink("long/" * 40, os.path.join(top, "long-link"))
    os.mkfifo(os.path.join(top, "fifo"))


def leave_journal_to_replay(image, folder, rng):
    """Two transactions that change blocks of directories, bitmaps and inode tables, not written back."""
    size = os.path.getsize(image)
    blocks = [rng.randrange(3, size // 1024) for _ in range(12)]
    with open(os.path.join(folder, "blocks"), "wb") as file:
        with open(image, "rb") as disk:
            for block in blocks[:6]:
                disk.seek(block * 1024)
                file.write(bytes(byte ^ (rng.random() < 0.02) for byte in disk.read(1024)))
    numbers = ",".join(map(str, blocks[:6]))
    commands = f"jo\njw -b {numbers} {os.path.join(folder, 'blocks')}\njw -r {','.join(map(str, blocks[6:9]))}\njc\n"
    run(["debugfs", "-w", "-f", "-", image], folder, stdin=commands.encode())


def make_file_systems(folder, rng):
    images = {}
    for name, options, kib, replay in KINDS:
        tree = os.path.join(folder, "tree")
        make_tree(tree, rng)
        image = os.path.join(folder, name + ".img")
        with open(image, "wb") as file:
            file.truncate(kib * 1024)
        output, status = run(["mke2fs", "-q", "-F", "-E", "hash_seed=00000000-0000-0000-0000-000000000001", "-U",
                              "00000000-0000-0000-0000-000000000002", "-d", tree] + options + [image], folder)
        if status != 0:
            raise SystemExit(f"{name}: mke2fs: {output.decode(errors='replace')}")
        if replay:
            leave_journal_to_replay(image, folder, rng)
        shutil.rmtree(tree)
        with open(image, "rb") as file:
            images[name] = file.read()
    return images


# --- damages -----------------------------------------------------------------

def metadata_places(image, folder):
    """(offset, length) of what dumpe2fs names: tables, bitmaps, descriptors, superblocks; then of tables alone."""
    path = os.path.join(folder, "places.img")
    with open(path, "wb") as file:
        file.write(image)
    text = run(["dumpe2fs", path], folder)[0].decode(errors="replace")
    block = int(re.search(r"Block size: +(\d+)", text).group(1))
    places = [(1024, 1024)]
    tables = []
    for match in re.finditer(r"(superblock|bitmap|descriptors|table) at (\d+)(?:-(\d+))?", text):
        first = int(match.group(2))
        last = int(match.group(3) or first)
        places.append((first * block, (last - first + 1) * block))
        if match.group(1) == "table":
            tables.append(places[-1])
    return places, tables, block


def in_use(image, places):
    """A random place that is not zero, for tables are mostly so."""
    def pick(rng):
        for _ in range(200):
            offset, length = rng.choice(places)
            position = offset + rng.randrange(length)
            if any(image[position & ~63:(position & ~63) + 64]):
                return position
        return position
    return pick


def damage_field(damaged, position, width, blocks, rng):
    """Puts another number there: at the ends of what fits, near the old one, a block, or any."""
    top = (1 << 8 * width) - 1
    old = int.from_bytes(damaged[position:position + width], "little")
    new = rng.choice([0, top, top >> 1, old + 1, old ^ (1 << rng.randrange(8 * width)), rng.randrange(top + 1),
                      rng.randrange(blocks), rng.randrange(16)])
    damaged[position:position + width] = (new & top).to_bytes(width, "little")


def damage_inode(damaged, inode, blocks, rng):
    """A field; often a flag or the type, which say how the others are read."""
    kind = rng.random()
    if kind < 0.2:
        flags = struct.unpack_from("<I", damaged, inode + 32)[0]
        struct.pack_into("<I", damaged, inode + 32, flags ^ rng.choice(INODE_FLAGS))
    elif kind < 0.3:
        mode = struct.unpack_from("<H", damaged, inode)[0]
        struct.pack_into("<H", damaged, inode, mode & 0o7777 | rng.randrange(16) << 12)
    else:
        offset, width = rng.choice(INODE_FIELDS)
        damage_field(damaged, inode + offset, width, blocks, rng)


def damage(image, places, tables, block, rng):
    """Bytes, fields or whole blocks, one to eight of them."""
    damaged = bytearray(image)
    inode_size = struct.unpack_from("<H", image, 1024 + 88)[0]
    pick_inode = in_use(image, tables)
    pick_metadata = in_use(image, places)
    anywhere = in_use(image, [(0, len(image))])
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        pick = rng.choice([pick_metadata, pick_metadata, anywhere, lambda r: 1024 + r.randrange(1024)])
        position = min(pick(rng), len(image) - 4)
        kind = rng.random()
        if kind < 0.15:
            offset, width = rng.choice(SUPERBLOCK_FIELDS)
            damage_field(damaged, 1024 + offset, width, len(image) // block, rng)
        elif kind < 0.4:
            inode = pick_inode(rng) // inode_size * inode_size
            damage_inode(damaged, inode, len(image) // block, rng)
        elif kind < 0.6:
            damaged[position] = rng.randrange(256)
        elif kind < 0.8:
            position &= ~3
            old = struct.unpack_from("<I", damaged, position)[0]
            new = rng.choice([0, 0xFFFFFFFF, old + 1, old ^ (1 << rng.randrange(32)), rng.randrange(1 << 32),
                              rng.randrange(len(image) // block)])
            struct.pack_into("<I", damaged, position, new & 0xFFFFFFFF)
        else:
            begin = position // block * block
            other = rng.randrange(len(image) // block) * block
            damaged[begin:begin + block] = rng.choice([bytes(block), bytes(image[other:other + block]),
                                                       rng.randbytes(block)])
    return bytes(damaged)


# --- judging -----------------------------------------------------------------

def blocks_in_use(text, size):
    """Numbers of the blocks in use as dumpe2fs prints the bitmaps, and their size; None where it cannot."""
    block = re.search(r"^Block size: +(\d+)", text, re.M)
    count = re.search(r"^Block count: +(\d+)", text, re.M)
    groups = len(re.findall(r"^Group \d+:", text, re.M))
    free = re.findall(r"^  Free blocks:(.*)", text, re.M)
    if not block or not count or not groups or len(free) != groups or re.search(r"checksum does not match|while|Corr", text):
        return None
    numbers = set(range(min(int(count.group(1)), size // int(block.group(1)))))
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", " ".join(free)):
        numbers.difference_update(range(int(first), int(last or first) + 1))
    return numbers, int(block.group(1))


class Trial(trial.Trial):
    def lost_block(self, image):
        """The first block in use that did not come back."""
        text = judge(["dumpe2fs", self.path("fs.img")], self.folder)[0].decode(errors="replace")
        in_use_now = blocks_in_use(text, len(image))
        if not in_use_now:
            return None
        with open(self.path("restored.img"), "rb") as file:
            restored = file.read()
        numbers, size = in_use_now
        for number in sorted(numbers):
            if image[number * size:(number + 1) * size] != restored[number * size:(number + 1) * size]:
                return f"--all: block {number} is in use and lost"
        return None

    def problem(self, image):
        with open(self.path("fs.img"), "wb") as file:
            file.write(image)
        problem = self.dump_and_restore(["--force"])
        for how in ("-fn", "-fy"):
            problem = problem or self.compare(how)
        problem = problem or self.dump_and_restore(["--force", "--all"])
        problem = problem or self.compare("-fn") and "with --all, e2fsck differs"
        problem = problem or self.lost_block(image)
        with open(self.path("fs.img"), "rb") as file:
            if file.read() != image:
                return "the source was written"
        return problem


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("e2qcow")
    parser.add_argument("--count", type=int, default=40 * int(os.environ.get("E2QCOW_ROUNDS", "1")))
    parser.add_argument("--first", type=int, default=0)
    # In CI the same damages each time, so that what lands does not depend on luck.
    chosen = 1 if os.environ.get("E2QCOW_CI") else random.SystemRandom().randrange(1 << 32)
    parser.add_argument("--seed", type=int, default=chosen)
    parser.add_argument("--keep", metavar="DIR", help="keep the file systems that gave trouble")
    arguments = parser.parse_args()
    if status := status_without(JUDGES):
        return status
    print(f"seed {arguments.seed}, {arguments.count} damages from {arguments.first} on", flush=True)
    failures = 0
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        images = make_file_systems(folder, random.Random(arguments.seed))
        places = {name: metadata_places(image, folder) for name, image in images.items()}
        judged = Trial(os.path.abspath(arguments.e2qcow), folder)
        for number in range(arguments.first, arguments.first + arguments.count):
            rng = random.Random(arguments.seed * 1_000_003 + number)
            name = rng.choice(sorted(images))
            damaged = damage(images[name], *places[name], rng)
            problem = judged.problem(damaged)
            if not problem:
                continue
            failures += 1
            print(f"{number} ({name}): {problem}", flush=True)
            if arguments.keep:
                os.makedirs(arguments.keep, exist_ok=True)
                with open(os.path.join(arguments.keep, f"{arguments.seed}-{number}-{name}.img"), "wb") as file:
                    file.write(damaged)
    print(f"{arguments.count - failures} of {arguments.count} told the truth")
    return 1 if failures else 0


sys.exit(main())
