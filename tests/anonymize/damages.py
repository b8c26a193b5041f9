# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems with plants, damaged at random: nothing leaks, and e2fsck reports the same."""

import mmap
import os
import random
import tempfile
import time

import judges
from disk import SUPERBLOCK, Disk
from plants import data_in
from trial import fast_folder

NO_FILE_SYSTEM = "without a file system, nothing is known of what is private"  # so nothing is dumped
PIECE = 64
LIMIT = 10  # seconds for a dump


def pieces_of(path):
    """Offsets of the pieces of a restored dump that are neither zero nor only markers."""
    found = []
    for begin, data in data_in(path):
        for at in range(0, len(data), PIECE):
            piece = data[at:at + PIECE]
            if any(piece) and piece.count(b"VkjX") < 6:
                found.append(begin + at)
    return found


def copy_extents(source, target):
    with open(target, "wb") as file:
        for begin, data in data_in(source):
            os.pwrite(file.fileno(), data, begin)
        file.truncate(os.path.getsize(source))


def targets(image, restored):
    """Offsets by what is there, so that small structures are hit as often as large ones."""
    if not os.path.exists(restored):
        return []
    found = [pieces_of(restored), list(range(SUPERBLOCK, SUPERBLOCK + 768, PIECE))]
    with open(image, "rb") as file:
        file.seek(SUPERBLOCK + 56)
        if file.read(2) != b"\x53\xef":
            return found
    with Disk(image) as disk:
        found.append([disk.descriptor(group) for group in range(disk.group_count)])
        inodes = list(disk.inodes_in_use())[:300]
        found.append([disk.inode(number) + at for number in inodes for at in range(0, disk.inode_size, PIECE)])
    return found


def hits(data, offsets, rng):
    """(offset, bytes) of one to four hits of 1 to 16 bytes."""
    for _ in range(rng.randint(1, 4)):
        at = rng.choice(rng.choice(offsets)) + rng.randrange(PIECE)
        length = min(rng.choice([1, 1, 2, 4, rng.randint(1, 16)]), len(data) - at)
        other = rng.choice(offsets[0])
        yield at, rng.choice([
            bytes(length), b"\xff" * length, rng.randbytes(length), data[other:other + length],
            bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:at + length]])


class Damages:
    """Judges a damage by its number; `make_dumper` gives the ways to dump into a folder."""

    def __init__(self, built, seed, make_dumper, options):
        self.built = {kind: (made.image, made.plants) for kind, made in built.items()}
        self.seed = seed
        self.make_dumper = make_dumper
        self.options = options
        self.targets = {}
        for kind, (image, _) in self.built.items():
            dumper = make_dumper(os.path.dirname(image))
            dumper.e2qcow(image, "plain-" + kind)
            self.targets[kind] = targets(image, dumper.path(f"plain-{kind}.img"))

    def judge(self, number, keep=None):
        """(kind, what is wrong)."""
        rng = random.Random(self.seed * 1_000_003 + number)
        kind = rng.choice([kind for kind in sorted(self.built) if self.targets[kind]])
        image, plants = self.built[kind]
        with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
            path = os.path.join(folder, "fs.img")
            copy_extents(image, path)
            with open(image, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
                damage = list(hits(data, self.targets[kind], rng))
            with open(path, "r+b") as file:
                for at, new in damage:
                    os.pwrite(file.fileno(), new, at)
            problems = self.problems(path, plants, self.make_dumper(folder))
            if problems and keep:
                os.makedirs(keep, exist_ok=True)
                copy_extents(path, os.path.join(keep, f"{self.seed}-{number}-{kind}.img"))
        return kind, problems

    def problems(self, path, plants, dumper):
        begin = time.monotonic()
        problems = dumper.e2qcow(path, "dumped", *self.options)
        if time.monotonic() - begin > LIMIT:
            problems.append(f"the dump takes longer than {LIMIT} seconds")
        if not os.path.exists(dumper.path("dumped.img")):
            return [problem for problem in problems if NO_FILE_SYSTEM not in problem]
        if "--anonymize" in self.options:
            problems += [f"leak: {place}" for place in sorted(dumper.leaks(plants, "dumped", is_disk=False))]
        differing = judges.same_fsck(path, dumper.path("dumped.img"), "-fn", dumper.folder)
        return problems + (differing and judges.same_fsck(path, dumper.path("dumped.img"), "-fn", dumper.folder))
