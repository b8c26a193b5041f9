# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged inodes, logs and superblocks: text where a structure is not valid, and so cannot be told from content."""

import os
import struct

import journals
import live
import slack
from disk import ATTRIBUTE_MAGIC, EXTENTS, SUPERBLOCK, le16, le32


def text_in_map(disk, plants, inode, what, flags=0):
    disk.write(disk.inode(inode) + 32, struct.pack("<I", flags))
    disk.write(disk.inode(inode) + 40, plants.fill(what, 60))
    disk.seal_inode(inode)


def symlinks(disk, plants, inodes):
    disk.write(disk.inode(inodes["fast"]) + 4, struct.pack("<I", 30))  # longer than the text
    disk.seal_inode(inodes["fast"])
    disk.write(disk.inode(inodes["fast_full"]) + 4, struct.pack("<I", 5000))
    disk.seal_inode(inodes["fast_full"])
    at = disk.blocks(inodes["slow"])[0] * disk.block_size
    disk.write(at, plants.fill("target without an end", disk.block_size))


def attributes(disk, plants, inodes):
    at = disk.inode(inodes["inode_attributes"])
    magic = disk.extra_end(inodes["inode_attributes"])
    disk.write(magic + 6, struct.pack("<H", 0x7000))  # offset of the first value
    disk.seal_inode(inodes["inode_attributes"])
    assert le32(disk.bytes, magic) == ATTRIBUTE_MAGIC and magic > at
    block = le32(disk.bytes, disk.inode(inodes["block_attributes"]) + 104)
    disk.write(block * disk.block_size + 32, b"\xff")  # length of the first name
    disk.seal_attributes(block)


def maps(disk, plants, inodes):
    text_in_map(disk, plants, inodes["map-0"], "text in a block map")
    text_in_map(disk, plants, inodes["map-1"], "text in an extent root", EXTENTS)
    text_in_map(disk, plants, inodes["map-2"], "text in a directory's block map")
    at = disk.inode(inodes["map-3"])  # an indirect block of text
    block = disk.blocks(inodes["map-3"])[0]
    disk.write(at + 32, bytes(4))
    disk.write(at + 40, bytes(48) + struct.pack("<III", block, 0, 0))
    disk.write(block * disk.block_size, plants.fill("text in an indirect block", disk.block_size))
    disk.seal_inode(inodes["map-3"])
    at = disk.inode(inodes["map-4"]) + 40  # more extents than there is room for
    disk.write(at + 2, struct.pack("<H", 9))
    disk.seal_inode(inodes["map-4"])
    block = next(disk.extent_nodes(inodes["extents"]))
    disk.write(block * disk.block_size, plants.fill("text in an extent block", disk.block_size))


def odd_inodes(disk, plants, inodes):
    for what in "character device", "fifo":
        text_in_map(disk, plants, inodes[what], f"text in the block map of a {what}")
    text_in_map(disk, plants, inodes["map-5"], "text in the block map of an inode without a type")
    disk.write(disk.inode(inodes["map-5"]), struct.pack("<H", 0o644))
    disk.seal_inode(inodes["map-5"])
    disk.write(disk.inode(inodes["map-6"]) + 128, struct.pack("<H", 250))  # size of the fields past the first 128 bytes
    disk.write(disk.inode(inodes["map-6"]) + 160, plants.fill("tail of an inode with an invalid size", 90))
    disk.seal_inode(inodes["map-6"])
    disk.write(disk.inode(inodes["map-7"]) + 124, b"Ab")  # checksum
    slack.extent_root(disk, plants, inodes["map-8"], "an inode with an extent root and another type")
    disk.write(disk.inode(inodes["map-8"]), struct.pack("<H", 0o120777))
    disk.seal_inode(inodes["map-8"])


def unbelieved_slots(disk, plants):
    """A wrong checksum of a descriptor: what it says of unused inodes is not believed."""
    group = disk.group_count - 1
    number = group * disk.inodes_per_group + disk.inodes_per_group - 4
    disk.write(disk.inode(number) + 40, plants.fill("slot of a group with a wrong checksum", 60))
    disk.write(disk.descriptor(group) + 0x1E, b"Ab")


def bitmap_padding(disk, plants):
    """The bits past a group's inodes should be ones."""
    bitmap = disk.descriptor_field(0, 4, 0x24) * disk.block_size
    begin = disk.inodes_per_group // 8
    disk.write(bitmap + begin, plants.fill("padding of an inode bitmap", disk.block_size - begin))


def inodes(new):
    builder = new("corrupt-inodes")
    builder.make(16 * 1024, "-t", "ext4", "-N", "512", "-J", "size=1", "-g", "4096", block=1024)
    plants = builder.plants
    with builder.mounted() as top:
        live.names_of_all_types(builder, top)
        live.symlinks(builder, top)
        live.attributes(builder, top)
        for number in range(9):
            path = os.path.join(top, f"map-{number}")
            if number == 2:
                os.mkdir(path)
            else:
                live.write(path, b"x" * 3000)
            builder.remember(**{f"map-{number}": path})
        live.sparse_file(os.path.join(top, "extents"), 20)
        builder.remember(extents=os.path.join(top, "extents"))
        unlike = os.path.join(top, "wrong checksum")
        os.symlink(plants.text("target in an inode with a wrong checksum"), unlike)
        builder.remember(unlike=unlike)
    with builder.disk() as disk:
        for part in symlinks, attributes, maps, odd_inodes:
            part(disk, plants, builder.inodes)
        disk.write(disk.inode(builder.inodes["unlike"]) + 124, b"Ab")
        unbelieved_slots(disk, plants)
        bitmap_padding(disk, plants)
        at = disk.superblocks()[1]
        slack.superblocks(disk, plants)
        disk.write(at + 1020, b"Abcd")
    return builder


def text(new):
    """Blocks of a file's contents that are named as another thing: privacy wins."""
    builder = new("corrupt-text")
    builder.make(8 * 1024, "-t", "ext4", "-N", "128", "-J", "size=1", block=1024)
    plants = builder.plants
    with builder.mounted() as top:
        live.attributes(builder, top)
        for what in "attributes", "directory", "target":
            path = os.path.join(top, what)
            live.write(path, b"x" * 3000)
            builder.remember(**{what: path})
    with builder.disk() as disk:
        for what in "attributes", "directory", "target":
            for block in disk.blocks(builder.inodes[what])[:1]:
                disk.write(block * disk.block_size, plants.fill(f"contents of a file as {what}", disk.block_size))
        sharer = builder.inodes["first_sharer"]
        disk.write(disk.inode(sharer) + 104, struct.pack("<I", disk.blocks(builder.inodes["attributes"])[0]))
        disk.seal_inode(sharer)
        for what, mode in ("directory", 0o40755), ("target", 0o120777):
            disk.write(disk.inode(builder.inodes[what]), struct.pack("<H", mode))
            disk.seal_inode(builder.inodes[what])
        slack.superblocks(disk, plants)
    return builder


def log(builder):
    """Wrong checksums: of a block in the first transaction, and of the second one's commit."""
    with builder.disk() as disk:
        journal = journals.Journal(disk)
        commits = [index for index, kind, _ in journal.log() if kind == journals.COMMIT]
        disk.write(journal.at(journal.start) + 12 + 12, b"Abcd")
        journal.seal(journal.start, journals.DESCRIPTOR)
        disk.write(journal.at(commits[1]) + 16, b"Abcd")
    return builder


def lost_log(builder):
    """Text in place of the journal's superblock; the log is still there."""
    with builder.disk() as disk:
        at = disk.blocks(8)[0] * disk.block_size
        builder.plants.forget("journal superblock: padding")
        builder.plants.forget("journal superblock: users")
        disk.write(at, builder.plants.fill("text in the journal's superblock", 1024))
    return builder


def superblock(builder):
    """Without its magic, but with all texts."""
    with builder.disk() as disk:
        disk.write(SUPERBLOCK + 56, b"no")
    return builder


def lost_superblock(builder):
    """Text in place of the superblock, and of what is before it."""
    with builder.disk() as disk:
        assert le16(disk.bytes, SUPERBLOCK + 56) == 0xEF53
        builder.plants.forget("in the superblock")
        disk.write(0, builder.plants.fill("text in place of a boot sector and a superblock", 2048))
    return builder
