# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants in directories that no program sees, and edits of their indices."""

import struct

from disk import CASEFOLD, INDEX, SUPERBLOCK, directory_hash, le32, needed


def deleted_entry(room, text):
    """What an entry leaves that was merged into the one before."""
    return (struct.pack("<IHBB", 12, room, min(len(text), room - 8, 255), 1) + text)[:room].ljust(room, b"\0")


def leaf(disk, plants, inode, block, what):
    """Behind the names of a block of a directory: where the last one ends, and between others."""
    end = disk.block_size - (12 if disk.has_checksums else 0)
    last = between = None
    for entry in disk.entries(inode, block):
        room = entry.end - entry.slack
        if room < 20:
            continue
        if entry.end == end:
            last = last or plants.marker(f"slack behind the last name of {what}")
            text = last
        else:
            between = between or plants.marker(f"slack between names of {what}")
            text = between
        disk.write(block * disk.block_size + entry.slack, deleted_entry(room, text * (room // len(text))))
    disk.seal_leaf(inode, block)


def pads(disk, plants, inode, block, what):
    """The bytes that fill a name's last four; of '.' and '..' the ones after a NUL."""
    planted = set()
    for entry in disk.entries(inode, block):
        at = block * disk.block_size + entry.offset + 8 + entry.name_length
        count = -entry.name_length % 4
        if entry.name in (b".", b".."):
            at, count, name = at + 1, count - 1, entry.name.decode()
        else:
            name = "a name"
        if count and entry.inode and name not in planted:
            planted.add(name)
            disk.write(at, b"\xa5\x5a\xc3"[:count])
            plants.cell(f"pad of {name} in {what}", at, b"\xa5\x5a\xc3"[:count])
    disk.seal_leaf(inode, block)


def hashes_behind_names(disk, inode, rng):
    """Lays out a directory's first block anew, with eight bytes behind each name, and flags it as casefolded."""
    block = disk.blocks(inode)[0]
    end = disk.block_size - (12 if disk.has_checksums else 0)
    found = [entry for entry in disk.entries(inode, block) if entry.inode]
    at, data = 0, bytearray(disk.block(block))
    for entry in found:
        dots = entry.name in (b".", b"..")
        length = needed(entry.name_length) + (0 if dots else 8)
        if entry is found[-1]:
            length = end - at
        data[at:end] = bytes(end - at)
        struct.pack_into("<IHBB", data, at, entry.inode, length, entry.name_length, entry.type)
        data[at + 8:at + 8 + entry.name_length] = entry.name
        if not dots:
            data[at + needed(entry.name_length):at + needed(entry.name_length) + 8] = rng.randbytes(8)
        at += length
    disk.write(block * disk.block_size, data)
    disk.write(disk.inode(inode) + 32, struct.pack("<I", disk.flags(inode) | CASEFOLD))
    disk.seal_inode(inode)
    disk.seal_leaf(inode, block)


def index_blocks(disk, inode):
    """The blocks of an index that have cells; the root first."""
    blocks = disk.blocks(inode)
    root = disk.block(blocks[0])
    levels = root[30]
    found = [blocks[0]]
    below = [blocks[0]]
    for _ in range(levels):
        above, below = below, []
        for block in above:
            first, count, _ = disk.index_cells(block)
            data = disk.block(block)
            below += [blocks[le32(data, first + 8 * cell + 4) & 0xFFFFFFF] for cell in range(count)]
        found += below
    return found


def leaves(disk, inode):
    """The blocks of a directory that have entries."""
    if not disk.flags(inode) & INDEX:
        return disk.blocks(inode)
    above = set(index_blocks(disk, inode))
    return [block for block in disk.blocks(inode) if block not in above]


def index(disk, plants, inode, what):
    """Behind the cells of a directory's index, and in the reserved bytes of the checksums."""
    blocks = index_blocks(disk, inode)
    root = blocks[0] * disk.block_size
    for at, length, name in (root + 10, 2, "."), (root + 23, 1, ".."):
        disk.write(at, b"\xa5\x5a"[:length])
        plants.cell(f"pad of {name} in the root of {what}", at, b"\xa5\x5a"[:length])
    for block, role in [(blocks[0], "root"), (blocks[-1], "last node")][:len(blocks)]:
        first, count, limit = disk.index_cells(block)
        room = 8 * (limit - count)
        if room >= 9:
            disk.write(block * disk.block_size + first + 8 * count,
                       plants.fill(f"behind the cells of the {role} of {what}", room))
        if disk.has_checksums:
            at = block * disk.block_size + first + 8 * limit
            disk.write(at, b"Resv")
            plants.cell(f"reserved bytes of the {role} of {what}", at, b"Resv")
        disk.seal_index(inode, block)


def add_level(disk, inode):
    """Makes a copy of the index's root the only node below it, in the last block of the directory."""
    blocks = disk.blocks(inode)
    root, new = blocks[0] * disk.block_size, blocks[-1] * disk.block_size
    first, count, limit = disk.index_cells(blocks[0])
    cells = disk.read(root + first + 4, 8 * count - 4)
    node_limit = (disk.block_size - 8 - (8 if disk.has_checksums else 0)) // 8
    disk.write(new, struct.pack("<IHH", 0, disk.block_size, 0) + struct.pack("<HH", node_limit, count) + cells)
    disk.write(new + 8 + 8 * count, bytes(disk.block_size - 8 - 8 * count))
    disk.write(root + 30, b"\2")
    disk.write(root + first, struct.pack("<HHI", limit, 1, len(blocks) - 1))
    disk.write(root + first + 8, bytes(8 * (limit - 1)))
    disk.seal_index(inode, blocks[0])
    disk.seal_index(inode, blocks[-1])


def continue_leaves(disk, inode):
    """Moves boundaries of an index of one level down, so that the last name of the leaf before is on the boundary."""
    root = disk.blocks(inode)[0]
    at = root * disk.block_size
    signed = le32(disk.bytes, SUPERBLOCK + 0x160) & 1
    version = disk.bytes[at + 28] + (0 if signed else 3)
    seed = disk.read(SUPERBLOCK + 0xEC, 16)
    first, count, _ = disk.index_cells(root)
    blocks = disk.blocks(inode)
    for cell in range(1, count, 2):
        before = blocks[le32(disk.bytes, at + first + 8 * (cell - 1) + 4)]
        last = max(directory_hash(version, entry.name, seed) for entry in disk.entries(inode, before) if entry.inode)
        disk.write(at + first + 8 * cell, struct.pack("<I", last & ~1 | 1))
    disk.seal_index(inode, root)


def lost_and_found(disk, plants):
    """Its blocks are one unused entry each."""
    inode = 11
    block = disk.blocks(inode)[1]
    at = block * disk.block_size
    name = plants.marker("name of an unused entry")
    disk.write(at + 6, struct.pack("<BB", len(name), 1) + name + bytes(3))
    disk.write(at + 24, plants.fill("slack behind an unused entry", 900))
    disk.seal_leaf(inode, block)
