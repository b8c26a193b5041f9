# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants in logs: transactions to be replayed that hold what is nowhere else, slack of the log, fast commits.

Source of the layouts: <linux/jbd2.h> and fs/ext4/fast_commit.h of Linux.
"""

import os
import struct

from builder import copy
from disk import ALL_ONES, SUPERBLOCK, Disk, be32, crc32_be, crc32c, le32
from attribute_slack import attribute_entries, entry_hash

MAGIC = 0xC03B3998
DESCRIPTOR, COMMIT, REVOKE = 1, 2, 5
HAS_64BIT, HAS_CHECKSUMS_2, HAS_CHECKSUMS_3 = 0x2, 0x8, 0x10  # incompatible features
SAME_UUID, LAST = 0x2, 0x8  # flags of tags
PAD, TAIL, HEAD = 7, 8, 9  # records of fast commits


class Journal:
    """The log in inode 8, whose blocks may be edited; seal_...() redo the checksums of what was."""

    def __init__(self, disk):
        self.disk = disk
        self.blocks = disk.blocks(8)
        self.base = self.blocks[0] * disk.block_size  # the offset of its superblock
        sb = disk.read(self.base, 1024)
        self.length, self.first, self.sequence, self.start = struct.unpack_from(">IIII", sb, 16)
        self.compat, self.incompat = struct.unpack_from(">II", sb, 36)
        self.has_checksums = bool(self.incompat & (HAS_CHECKSUMS_2 | HAS_CHECKSUMS_3))
        self.seed = crc32c(ALL_ONES, sb[48:64])
        self.fast_blocks = (be32(sb, 84) or 256) if disk.compat & 0x400 else 0

    def at(self, index):
        """The offset in the disk of a block of the log."""
        return self.blocks[index] * self.disk.block_size

    def seal_superblock(self):
        if self.has_checksums:
            self.disk.write(self.base + 252, bytes(4))
            checksum = crc32c(ALL_ONES, self.disk.read(self.base, 1024))
            self.disk.write(self.base + 252, struct.pack(">I", checksum))

    def seal(self, index, kind):
        if not self.has_checksums:
            return
        at = self.at(index) + (16 if kind == COMMIT else self.disk.block_size - 4)
        self.disk.write(at, bytes(4))
        checksum = crc32c(self.seed, self.disk.read(self.at(index), self.disk.block_size))
        self.disk.write(at, struct.pack(">I", checksum))

    def tags(self, data):
        """The number of tags in a descriptor, and where they end."""
        if self.incompat & HAS_CHECKSUMS_3:
            size, flags_at = 16, 4
        else:
            size, flags_at = 8, 4
            size += (4 if self.incompat & HAS_64BIT else 0) + (2 if self.incompat & HAS_CHECKSUMS_2 else 0)
        at, count = 12, 0
        while at + size <= len(data):
            flags = be32(data, at + flags_at) if size == 16 else struct.unpack_from(">H", data, at + 6)[0]
            count += 1
            at += size + (0 if flags & SAME_UUID else 16)
            if flags & LAST:
                break
        return count, at

    def log(self):
        """(index of the block, what it is, index of the first block and number of blocks that it describes)."""
        index, sequence = self.start, self.sequence
        end = self.length - self.fast_blocks
        while self.start and index < end:
            data = self.disk.block(self.blocks[index])
            magic, kind, number = struct.unpack_from(">III", data)
            if magic != MAGIC or number != sequence:
                return
            count = self.tags(data)[0] if kind == DESCRIPTOR else 0
            yield index, kind, count
            index += 1 + count
            sequence += kind == COMMIT


def superblock_slack(disk, plants):
    journal = Journal(disk)
    disk.write(journal.base + 92, plants.fill("journal superblock: padding", 150))
    disk.write(journal.base + 256, plants.fill("journal superblock: users", 300))
    if disk.block_size > 1024:
        disk.write(journal.base + 1024, plants.fill("journal superblock: rest of the block", disk.block_size - 1024))
    journal.seal_superblock()


def log_slack(disk, plants):
    """Behind the tags of a descriptor, the numbers of a revocation, the fields of a commit; and past the log."""
    journal = Journal(disk)
    size = disk.block_size
    done = set()
    end = journal.start
    for index, kind, count in journal.log():
        end = index + 1 + count
        if kind in done:
            continue
        done.add(kind)
        data = disk.block(journal.blocks[index])
        if kind == DESCRIPTOR:
            begin = journal.tags(data)[1]
            what, text_end = "behind the tags of a descriptor", size - 4
        elif kind == REVOKE:
            begin, what, text_end = be32(data, 12), "behind the numbers of a revocation", size - 4
        else:
            begin, what, text_end = 64, "behind the fields of a commit", size
            disk.write(journal.at(index) + 20, plants.fill("log: unused checksums of a commit", 28))
        disk.write(journal.at(index) + begin, plants.fill(f"log: {what}", text_end - begin))
        journal.seal(index, kind)
    last = journal.length - journal.fast_blocks - 1
    if last > end:
        disk.write(journal.at(last), plants.fill("log: block past its end", size))


def checksum_transactions(disk):
    """The checksums of version 1: of a transaction, in its commit."""
    journal = Journal(disk)
    disk.write(journal.base + 36, struct.pack(">I", journal.compat | 1))
    checksum = ALL_ONES
    for index, kind, count in journal.log():
        if kind == DESCRIPTOR:
            for block in journal.blocks[index:index + 1 + count]:
                checksum = crc32_be(checksum, disk.block(block))
        if kind == COMMIT:
            disk.write(journal.at(index) + 12, struct.pack(">BBHI", 1, 4, 0, checksum))
            checksum = ALL_ONES


# --- transactions made by debugfs ---

def tree_for_replay(builder, top):
    plants = builder.plants
    folder = os.path.join(top, "folder")
    os.mkdir(folder)
    for number in range(8):
        with open(os.path.join(folder, f"{plants.text(f'replay: name {number} at home')}-{number}"), "wb") as file:
            file.write(b"contents" * 300)
    os.symlink(plants.text("replay: fast target at home"), os.path.join(top, "fast"))
    os.symlink(plants.text("replay: slow target at home") * 20, os.path.join(top, "slow"))
    path = os.path.join(top, "attributes")
    with open(path, "wb") as file:
        file.write(b"x" * 3000)
    os.setxattr(path, "user.a", plants.fill("replay: attribute at home", 300))


def replace(disk, block, old, new):
    """Another text of the same length."""
    data = disk.block(block)
    assert len(old) == len(new) and old in data
    disk.write(block * disk.block_size, data.replace(old, new))


class Transactions:
    """What debugfs writes to the log: blocks as they become in a copy of the file system."""

    def __init__(self, builder, options):
        self.builder = builder
        self.commands = ["jo" + options]
        self.count = 0
        self.path = os.path.join(builder.folder, "scratch.img")
        copy(builder.image, self.path)
        self.disk = Disk(self.path)

    def add(self, blocks, words=""):
        self.count += 1
        path = os.path.join(self.builder.folder, f"blocks-{self.count}")
        with open(path, "wb") as file:
            for block in blocks:
                file.write(self.disk.block(block))
        self.commands.append(f"jw {words} -b {','.join(map(str, blocks))} {path}")

    def revoke(self, block):
        self.commands.append(f"jw -r {block}")

    def write(self):
        self.disk.bytes.close()
        os.unlink(self.path)
        self.builder.debugfs(*self.commands, "jc")
        for number in range(1, self.count + 1):
            os.unlink(os.path.join(self.builder.folder, f"blocks-{number}"))


def rename_in_log(log, folder, block, marker):
    """Gives the second name that is not '.' or '..' other characters."""
    entry = [entry for entry in log.disk.entries(folder, block) if entry.inode and not entry.name.startswith(b".")][1]
    replace(log.disk, block, entry.name, marker + entry.name[len(marker):])
    log.disk.seal_leaf(folder, block)


def change_attribute(disk, inode, text):
    block = le32(disk.bytes, disk.inode(inode) + 104)
    entry, _, _, offset, _, size = attribute_entries(disk.block(block), 32)[0][0]
    at = block * disk.block_size
    disk.write(at + offset, text)
    disk.write(at + entry + 12, struct.pack("<I", entry_hash(b"a", text[:size])))
    disk.seal_attributes(block)
    return block


def transactions(builder, options):
    """Three, the last without a commit; the second revokes a block of the first and replaces another."""
    plants = builder.plants
    log = Transactions(builder, options)
    disk = log.disk
    folder, fast, slow, attributes = (disk.lookup(path) for path in ("folder", "fast", "slow", "attributes"))
    names = disk.blocks(folder)[0]
    rename_in_log(log, folder, names, plants.marker("replay: name in a directory"))
    target = plants.marker("replay: target of a fast symlink")
    disk.write(disk.inode(fast) + 40, target)
    disk.seal_inode(fast)
    slow_block = disk.blocks(slow)[0]
    old_target = disk.read(slow_block * disk.block_size, 9)
    replace(disk, slow_block, old_target, plants.marker("replay: target of a slow symlink"))
    attribute_block = change_attribute(disk, attributes, plants.fill("replay: value of an attribute", 300))
    disk.write(SUPERBLOCK + 0x78, plants.marker("replay: label in the superblock"))
    disk.write(SUPERBLOCK + 0x200, plants.marker("replay: mount options in the superblock"))
    disk.seal_superblock()
    data, escaped, revoked = disk.blocks(attributes)[:3]
    disk.write(data * disk.block_size, plants.fill("replay: contents of a file", disk.block_size))
    disk.write(escaped * disk.block_size, struct.pack(">I", MAGIC)
               + plants.fill("replay: contents that begin like a log", disk.block_size - 4))
    disk.write(revoked * disk.block_size, plants.fill("replay: contents that are revoked", disk.block_size))
    free = disk.block_count - 5
    disk.write(free * disk.block_size, plants.fill("replay: block that is free", disk.block_size))
    log.add([disk.first_block if disk.block_size == 1024 else 0, names, disk.inode(fast) // disk.block_size, slow_block,
             attribute_block, data, escaped, revoked, free])
    log.revoke(revoked)
    rename_in_log(log, folder, names, plants.marker("replay: second name in a directory"))
    log.add([names])
    rename_in_log(log, folder, names, plants.marker("replay: name in a transaction without commit"))
    log.add([names], "-c")
    log.write()


# --- fast commits ---

def fast_commit_slack(disk, plants):
    """Behind the tail of a fast commit in its block, and in the padding between blocks."""
    journal = Journal(disk)
    planted = set()
    checksum = 0
    for index in range(journal.length - journal.fast_blocks + 1, journal.length):
        base, at = journal.at(index), 0
        while at + 4 <= disk.block_size:
            tag, length = struct.unpack_from("<HH", disk.bytes, base + at)
            if not HEAD >= tag >= 1 or (tag != TAIL and at + 4 + length > disk.block_size):
                break
            if tag == PAD and length >= 9 and tag not in planted:
                planted.add(tag)
                disk.write(base + at + 4, plants.fill("fast commit: padding", length))
            if tag == TAIL:
                checksum = crc32c(checksum, disk.read(base + at, 8))
                disk.write(base + at + 8, struct.pack("<I", checksum))
                checksum = 0
                room = disk.block_size - at - 12
                if room >= 9 and tag not in planted:
                    planted.add(tag)
                    disk.write(base + at + 12, plants.fill("fast commit: behind the tail", room))
                break
            checksum = crc32c(checksum, disk.read(base + at, 4 + length))
            at += 4 + length
