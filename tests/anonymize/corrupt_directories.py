# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged directories: entries, lengths, indices and their checksums."""

import os
import struct

import directory_slack
import live
import slack


def folder_of_files(builder, top, what, count=8, length=40):
    """Named like what will be damaged in it."""
    path = os.path.join(top, what.replace(" ", "-"))
    os.mkdir(path)
    marker = builder.plants.text(f"name in a directory with {what}")
    for number in range(count):
        live.write(os.path.join(path, f"{marker}-{number}".ljust(length, "n")), b"")
    builder.remember(**{what: path})


class Block:
    """A block of a directory, its entries edited by number."""

    def __init__(self, disk, inode, block=None):
        self.disk, self.inode = disk, inode
        self.block = block if block is not None else directory_slack.leaves(disk, inode)[0]
        self.base = self.block * disk.block_size
        self.entries = [entry for entry in disk.entries(inode, self.block) if entry.inode]

    def edit(self, number, offset, data):
        """Offsets: inode 0, length 4, length of the name 6, type 7, name 8."""
        self.disk.write(self.base + self.entries[number].offset + offset, data)
        self.disk.seal_leaf(self.inode, self.block)


def length_invalid(block):
    block.edit(4, 4, struct.pack("<H", 0xFFF1))


def length_short(block):
    block.edit(5, 4, struct.pack("<H", 12))


def name_twice(block):
    block.edit(4, 8, block.entries[3].name)


def slash_in_name(block):
    block.edit(3, 18, b"/")
    block.edit(4, 20, b"\0")


def name_empty(block):
    block.edit(4, 6, b"\0")


def second_dot(block):
    block.edit(5, 6, b"\1\1.")
    block.edit(6, 6, b"\2\2..")


def dot_unterminated(block):
    block.edit(0, 9, b"abc")
    block.edit(1, 10, b"ab")
    block.disk.write(block.base + 9, b"abc")


def dot_missing(block):
    block.edit(0, 0, struct.pack("<IHBB", block.entries[2].inode, 12, 4, 1) + b"Zq4V")


def checksum_wrong(block):
    block.disk.write(block.base + block.disk.block_size - 4, b"Abcd")


def inode_of_entry_invalid(block):
    block.edit(3, 0, struct.pack("<I", 0x7654321))
    block.edit(4, 0, struct.pack("<I", block.disk.inode_count - 3))


def type_wrong(block):
    block.edit(3, 7, b"\2")
    block.edit(4, 7, b"\x77")


def contents_text(block):
    """Nothing in it is an entry."""
    return "text in a block of a directory"


def unused_first(block):
    block.edit(2, 0, bytes(4))


DAMAGES = [name_twice, slash_in_name, name_empty, second_dot, dot_unterminated, dot_missing, checksum_wrong,
           inode_of_entry_invalid, type_wrong, unused_first]
DAMAGES_OF_LENGTHS = [length_invalid, length_short, contents_text]  # e2fsck -n gives up at the first


def name_out_of_range(disk, inode):
    """Exchanges names between leaves, so that hashes are not where the index says."""
    blocks = directory_slack.leaves(disk, inode)
    first, last = (Block(disk, inode, block) for block in (blocks[0], blocks[-1]))
    for number in range(min(len(first.entries), len(last.entries), 3)):
        one, other = first.entries[number], last.entries[number]
        size = min(len(one.name), len(other.name))
        first.edit(number, 8, other.name[:size])
        last.edit(number, 8, one.name[:size])


def damage_folders(builder, damages):
    with builder.mounted() as top:
        for damage in damages:
            folder_of_files(builder, top, damage.__name__.replace("_", " "))
    with builder.disk() as disk:
        for damage in damages:
            what = damage.__name__.replace("_", " ")
            block = Block(disk, builder.inodes[what])
            directory_slack.leaf(disk, builder.plants, block.inode, block.block, f"a directory with {what}")
            text = damage(block)
            if text:
                builder.plants.forget(f"a directory with {what}")
                disk.write(block.base, builder.plants.fill(text, disk.block_size))


def damage_indices(builder):
    damages = (("limit invalid", 32, struct.pack("<H", 99)), ("hash invalid", 28, b"\x77"),
               ("index checksum wrong", 1020, b"Abcd"), ("hashes exchanged", 0, b""))
    with builder.mounted() as top:
        for what, _, _ in damages:
            live.large_directory(builder, top, what, 60, 60, f"an index with {what}")
    with builder.disk() as disk:
        for what, offset, data in damages:
            inode = builder.inodes[what]
            root = disk.blocks(inode)[0]
            directory_slack.index(disk, builder.plants, inode, f"an index with {what}")
            disk.write(root * disk.block_size + offset, data)
            if what == "hash invalid":
                disk.seal_index(inode, root)
        name_out_of_range(disk, builder.inodes["hashes exchanged"])


def directories(new):
    builder = new("corrupt-directories")
    builder.make(16 * 1024, "-t", "ext4", "-N", "512", "-J", "size=1", block=1024)
    damage_folders(builder, DAMAGES)
    damage_indices(builder)
    with builder.disk() as disk:
        slack.superblocks(disk, builder.plants)
    return builder


def lengths(new):
    builder = new("corrupt-lengths")
    builder.make(16 * 1024, "-t", "ext4", "-N", "512", "-J", "size=1", "-O", "inline_data", block=1024)
    damage_folders(builder, DAMAGES_OF_LENGTHS)
    with builder.mounted() as top:
        live.inline_contents(builder, top)
    with builder.disk() as disk:
        at = disk.inode(builder.inodes["inline_folder"])
        disk.write(at + 44 + 4, struct.pack("<H", 7))  # the length of the first entry
        disk.seal_inode(builder.inodes["inline_folder"])
        slack.superblocks(disk, builder.plants)
    return builder
