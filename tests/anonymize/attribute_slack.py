# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants between attributes, in inodes and in blocks; inline directories are attributes as well."""

import struct

from disk import ALL_ONES, ATTRIBUTE_MAGIC, INLINE_DATA, entries, le32


def attribute_entries(data, begin):
    """(offset, length of the name, index, offset of the value, inode of the value, size) of each, and their end."""
    found = []
    while begin + 16 <= len(data) and le32(data, begin):
        length, number = data[begin], data[begin + 1]
        found.append((begin, length, number) + struct.unpack_from("<HII", data, begin + 2))
        begin += (16 + length + 3) & ~3
    return found, begin


def entry_hash(name, value):
    """Of an attribute, as in ext2fs_ext_attr_hash_entry(); the bytes that fill the value's last four count as well."""
    result = 0
    for byte in name:
        result = (result << 5 ^ result >> 27 ^ byte) & ALL_ONES
    for (word,) in struct.iter_unpack("<I", value + bytes(-len(value) % 4)):
        result = (result << 16 ^ result >> 16 ^ word) & ALL_ONES
    return result


def attribute_gap(found, end, base, size):
    """(begin, end) of the bytes between the entries and their values."""
    values = [base + offset for _, _, _, offset, inode, length in found if length and not inode]
    return end + 4, min(values, default=size)


def inode_attributes(disk, plants, inode, what):
    at = disk.inode(inode)
    data = disk.read(at, disk.inode_size)
    magic = disk.extra_end(inode) - at
    assert le32(data, magic) == ATTRIBUTE_MAGIC, what
    found, end = attribute_entries(data, magic + 4)
    begin, end = attribute_gap(found, end, magic + 4, disk.inode_size)
    if end - begin >= 9:
        disk.write(at + begin, plants.fill(f"gap between attributes in {what}", end - begin))
    disk.seal_inode(inode)


def attribute_block(disk, plants, inode, what):
    block = le32(disk.bytes, disk.inode(inode) + 104)
    data = disk.block(block)
    assert le32(data, 0) == ATTRIBUTE_MAGIC, what
    found, end = attribute_entries(data, 32)
    begin, end = attribute_gap(found, end, 0, disk.block_size)
    at = block * disk.block_size
    disk.write(at + begin, plants.fill(f"gap in the attribute block of {what}", end - begin))
    disk.write(at + 20, plants.fill(f"reserved bytes of the attribute block of {what}", 12))
    for entry, length, _, offset, value_inode, size in found:
        if size % 4 and not value_inode:
            pad = b"\xa5\x5a\xc3"[:-size % 4]
            disk.write(at + offset + size, pad)
            plants.cell(f"pad of the value at {offset} of {what}", at + offset + size, pad)
            name, value = data[entry + 16:entry + 16 + length], data[offset:offset + size]
            disk.write(at + entry + 12, struct.pack("<I", entry_hash(name, value + pad)))
        name_end = entry + 16 + length
        if length % 4:
            disk.write(at + name_end, b"\xa5\x5a\xc3"[:-length % 4])
            plants.cell(f"pad of the attribute name at {entry} of {what}", at + name_end, b"\xa5\x5a\xc3"[:-length % 4])
    disk.seal_attributes(block)


def large_attribute(disk, plants, inode):
    """The checksum of the value is in an inode's time and in the entry's hash."""
    data = disk.read(disk.inode(inode), disk.inode_size)
    found, _ = attribute_entries(data, disk.extra_end(inode) - disk.inode(inode) + 4)
    entry, _, _, _, value_inode, _ = next(entry for entry in found if entry[4])
    at = disk.inode(inode) + entry + 12
    plants.cell("hash of an attribute in an inode of its own", at, disk.read(at, 4))
    at = disk.inode(value_inode) + 8
    plants.cell("checksum of an attribute in an inode of its own", at, disk.read(at, 4))


def inline_directory(disk, plants, inode):
    """Both parts are sequences of entries."""
    at = disk.inode(inode)
    assert disk.flags(inode) & INLINE_DATA
    parts = [("in the inode", at + 44, 56)]
    data = disk.read(at, disk.inode_size)
    magic = disk.extra_end(inode) - at + 4
    for _, _, number, offset, _, size in attribute_entries(data, magic)[0]:
        if number == 7 and size:
            parts.append(("in the attribute", at + magic + offset, size))
    for where, begin, size in parts:
        for entry in entries(disk.read(begin, size)):
            room = entry.end - entry.slack
            if room >= 9:
                disk.write(begin + entry.slack, plants.fill(f"slack of an inline directory {where}", room))
                break
    disk.seal_inode(inode)
