# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants around superblocks, in unused fields of inodes, and in blocks that only the kernel writes."""

import struct

from disk import ATTRIBUTE_MAGIC, EXTENTS, SUPERBLOCK, le16, le32

# Source: struct ext2_super_block
SUPERBLOCK_TEXTS = [(0x78, 16, "label"), (0x88, 64, "last mount"), (0x200, 64, "mount options"),
                    (0x1A8, 32, "first error function"), (0x1E0, 32, "last error function"),
                    (0x258, 16, "encryption salt"), (0x288, 0x3FC - 0x288, "reserved bytes")]


def superblocks(disk, plants):
    """Another text in each field of each copy; and the seed of the hashes, which is private by itself."""
    for at in disk.superblocks():
        where = "the superblock" if at == SUPERBLOCK else f"the superblock at {at}"
        for offset, length, what in SUPERBLOCK_TEXTS:
            disk.write(at + offset, plants.fill(f"{what} in {where}", min(length, 31)))
        disk.seal_superblock(at)
    plants.literal("hash seed", disk.read(SUPERBLOCK + 0xEC, 16))


def around_superblocks(disk, plants):
    disk.write(0, plants.fill("boot sector", 1024))
    for at in disk.superblocks():
        begin = at + 1024
        end = -(-begin // disk.block_size) * disk.block_size
        if end > begin:
            disk.write(begin, plants.fill(f"end of the block of the superblock at {at}", end - begin))
        first = (at // disk.block_size + 1) * disk.block_size
        begin = first + disk.group_count * disk.descriptor_size
        room = -begin % disk.block_size
        if room:
            disk.write(begin, plants.fill(f"end of the descriptors after the superblock at {at}", room))


def fast_symlink(disk, plants, inode):
    size = disk.size(inode)
    disk.write(disk.inode(inode) + 40 + size + 1, plants.fill("behind the target of a fast symlink", 59 - size))
    disk.seal_inode(inode)


def slow_symlink(disk, plants, inode):
    size = disk.size(inode)
    at = disk.blocks(inode)[0] * disk.block_size
    disk.write(at + size + 1, plants.fill("behind the target of a slow symlink", disk.block_size - size - 1))


def special_inode(disk, plants, inode, what):
    """A device's numbers are the first eight bytes; programs want zeros only after the first sixteen."""
    at = disk.inode(inode) + 40
    for offset in (8,) if "device" in what else (0, 8):
        disk.write(at + offset, b"SecretNo")
        plants.cell(f"byte {offset} of the block map of a {what}", at + offset, b"SecretNo")
    disk.seal_inode(inode)


def extent_root(disk, plants, inode, what):
    at = disk.inode(inode) + 40
    assert disk.flags(inode) & EXTENTS
    used = 12 + 12 * le16(disk.bytes, at + 2)
    disk.write(at + used, plants.fill(f"behind the extents in {what}", 60 - used))
    disk.seal_inode(inode)


def extent_blocks(disk, plants, inode, what):
    last = max(disk.extent_nodes(inode), default=None)
    for block in disk.extent_nodes(inode):
        count, limit, depth = struct.unpack_from("<HHH", disk.block(block), 2)
        if count < limit and (depth or block == last):
            disk.write(block * disk.block_size + 12 + 12 * count,
                       plants.fill(f"behind the extents in a block of depth {depth} of {what}", 12 * (limit - count)))
            disk.seal_extents(inode, block)


def unchecked_extent_tail(disk, plants, inode, what):
    """Of a file system without checksums, where nothing is the end of an extent block."""
    block = next(iter(disk.extent_nodes(inode)))
    at = block * disk.block_size
    limit = (disk.block_size - 12) // 12
    rest = disk.block_size - 12 - 12 * limit
    if rest:
        disk.write(at + disk.block_size - rest, b"Tail"[:rest])
        plants.cell(f"the last bytes of an extent block of {what}", at + disk.block_size - rest, b"Tail"[:rest])


def inode_tail(disk, plants, inode, what):
    """Where attributes would be, without their magic."""
    at = disk.extra_end(inode)
    end = disk.inode(inode) + disk.inode_size
    if le32(disk.bytes, at) != ATTRIBUTE_MAGIC:
        disk.write(at, plants.fill(f"tail of {what}", end - at))
        disk.seal_inode(inode)


def unknown_fields(disk, plants, inode):
    """An inode that has more fields than are known."""
    at = disk.extra_end(inode)
    assert le32(disk.bytes, at) != ATTRIBUTE_MAGIC
    disk.write(disk.inode(inode) + 128, struct.pack("<H", 64))
    disk.write(at, plants.fill("fields of an inode that are not known", 32))
    disk.seal_inode(inode)


def inode_slots(disk, plants):
    """Slots that were never used, in a block with used ones and in one without."""
    table = disk.block_size // disk.inode_size
    for group in range(disk.group_count):
        used = disk.inodes_per_group - disk.unused_inodes(group)
        first = group * disk.inodes_per_group + used + 1
        if used % table and disk.unused_inodes(group) > table:
            disk.write(disk.inode(first), plants.fill("inode that was never used", disk.inode_size))
            other = first + table - used % table
            text = plants.fill("block of inodes that were never used", disk.inode_size, held=False)
            disk.write(disk.inode(other), text)
            return


def deleted_inodes(disk, plants, numbers):
    """What others than today's kernel leave in them."""
    free = [number for number in numbers if not le16(disk.bytes, disk.inode(number) + 26)]
    for number, what in zip(free, ("i_block of a deleted inode", "extents of a deleted inode")):
        at = disk.inode(number)
        if what.startswith("extents"):
            disk.write(at + 32, struct.pack("<I", EXTENTS))
            disk.write(at + 40, struct.pack("<HHHHI", 0xF30A, 0, 4, 0, 0) + plants.fill(what, 48))
        else:
            disk.write(at + 32, bytes(4))
            disk.write(at + 40, plants.fill(what, 60))
        if disk.inode_size > 128:
            inode_tail(disk, plants, number, f"inode with the {what}")
        disk.seal_inode(number)


def mmp(disk, plants):
    block = le32(disk.bytes, SUPERBLOCK + 0x168)
    at = block * disk.block_size
    for offset, length, what in ((16, 64, "node"), (80, 32, "device"), (116, 900, "pad")):
        disk.write(at + offset, plants.fill(f"MMP: {what}", length))
    disk.seal_mmp(block)
    if disk.block_size > 1024:
        disk.write(at + 1024, plants.fill("MMP: rest of the block", disk.block_size - 1024))


def quota(disk, plants):
    """Quota files of version 2: the first block begins with 32 bytes; a block of the file system holds several."""
    for inode, what in (3, "users"), (4, "groups"):
        blocks, size = disk.blocks(inode), disk.size(inode)
        disk.write(blocks[0] * disk.block_size + 32, plants.fill(f"slack of the header of the quota of {what}", 900))
        rest = size % disk.block_size
        disk.write(blocks[-1] * disk.block_size + rest, plants.fill(f"past the end of the quota of {what}",
                                                                   disk.block_size - rest))
