# SPDX-License-Identifier: GPL-2.0-or-later
"""An ext2/3/4 file system as bytes: where its structures are, and their checksums made right after an edit.

Source of the layouts: <ext2fs/ext2_fs.h>, <ext2fs/ext3_extents.h>.
"""

import ctypes
import mmap
import struct

ALL_ONES = 0xFFFFFFFF
SUPERBLOCK = 1024  # offset of the first one
HAS_64BIT, HAS_CHECKSUM_SEED, NEEDS_RECOVERY, HAS_META_BG = 0x80, 0x2000, 0x4, 0x10  # incompatible features
HAS_METADATA_CHECKSUMS, HAS_SPARSE_SUPER = 0x400, 0x1  # read-only compatible ones
HAS_SPARSE_SUPER2 = 0x200  # a compatible one
EXTENTS, INLINE_DATA, INDEX = 0x80000, 0x10000000, 0x1000  # flags of inodes
ENCRYPTED, CASEFOLD = 0x800, 0x40000000
EXTENT_MAGIC, ATTRIBUTE_MAGIC = 0xF30A, 0xEA020000

_libext2fs = None


def libext2fs():
    """The library that the judges have as well; its checksums are quick."""
    global _libext2fs
    if _libext2fs is None:
        _libext2fs = ctypes.CDLL("libext2fs.so.2")
        for name in ("ext2fs_crc32c_le", "ext2fs_crc32_be"):
            function = getattr(_libext2fs, name)
            function.restype = ctypes.c_uint32
            function.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
        _libext2fs.ext2fs_dirhash.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p,
                                              ctypes.POINTER(ctypes.c_uint32), ctypes.POINTER(ctypes.c_uint32)]
    return _libext2fs


def crc32c(crc, data):
    return libext2fs().ext2fs_crc32c_le(crc, bytes(data), len(data))


def crc32_be(crc, data):
    return libext2fs().ext2fs_crc32_be(crc, bytes(data), len(data))


def directory_hash(version, name, seed):
    """Of a name; versions past 2 are those of unsigned characters."""
    major, minor = ctypes.c_uint32(), ctypes.c_uint32()
    libext2fs().ext2fs_dirhash(version, name, len(name), seed, ctypes.byref(major), ctypes.byref(minor))
    return major.value


def le16(data, offset):
    return struct.unpack_from("<H", data, offset)[0]


def le32(data, offset):
    return struct.unpack_from("<I", data, offset)[0]


def be32(data, offset):
    return struct.unpack_from(">I", data, offset)[0]


def needed(name_length):
    """The bytes that an entry with such a name takes."""
    return (8 + name_length + 3) & ~3


class Entry:
    """An entry of a directory, at an offset in the bytes that it was read from."""

    def __init__(self, data, offset):
        self.offset = offset
        self.inode, self.length, self.name_length, self.type = struct.unpack_from("<IHBB", data, offset)
        if self.length in (0, 0xFFFF):
            self.length = 65536
        self.name = bytes(data[offset + 8:offset + 8 + self.name_length])

        self.hash = self.slack = offset + needed(self.name_length)  # a hash, if there is one, is before the slack
        self.end = offset + self.length


def entries(data, begin=0, end=None, hash_length=0):
    """The entries in these bytes, as far as their lengths are valid; with hashes behind names where that is so."""
    end = len(data) if end is None else end
    while begin <= end - 8:
        entry = Entry(data, begin)
        if entry.name not in (b".", b".."):
            entry.slack += hash_length
        if entry.length < 8 or entry.length % 4 or entry.end > end or entry.slack > entry.end:
            return
        yield entry
        begin = entry.end


class Disk:
    """A file system in a file that may be edited; seal_...() redo the checksums of what was."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 0)
        sb = self.bytes[SUPERBLOCK:SUPERBLOCK + 1024]
        self.block_size = 1024 << le32(sb, 24)
        self.block_count = le32(sb, 4)
        self.first_block = le32(sb, 20)
        self.blocks_per_group, self.inodes_per_group = le32(sb, 32), le32(sb, 40)
        self.inode_count = le32(sb, 0)
        self.inode_size = le16(sb, 88)
        self.compat, self.incompat, self.ro_compat = struct.unpack_from("<III", sb, 92)
        self.descriptor_size = le16(sb, 254) if self.incompat & HAS_64BIT else 32
        self.group_count = -(-(self.block_count - self.first_block) // self.blocks_per_group)
        self.uuid = sb[104:120]
        self.has_checksums = bool(self.ro_compat & HAS_METADATA_CHECKSUMS)
        self.seed = le32(sb, 0x270) if self.incompat & HAS_CHECKSUM_SEED else crc32c(ALL_ONES, self.uuid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bytes.close()

    def write(self, offset, data):
        self.bytes[offset:offset + len(data)] = data

    def read(self, offset, length):
        return self.bytes[offset:offset + length]

    def block(self, number):
        return self.read(number * self.block_size, self.block_size)

    # --- where things are ---

    def groups_with_superblock(self):
        if self.compat & HAS_SPARSE_SUPER2:
            return sorted({0} | {group for group in struct.unpack_from("<II", self.bytes, SUPERBLOCK + 0x24C) if group})
        if not self.ro_compat & HAS_SPARSE_SUPER:
            return list(range(self.group_count))
        powers = {base ** power for base in (3, 5, 7) for power in range(20)}
        return [0] + sorted(group for group in powers if group < self.group_count)

    def superblocks(self):
        """The offset of each copy; the first one's first."""
        offsets = [(self.first_block + group * self.blocks_per_group) * self.block_size
                   for group in self.groups_with_superblock()]
        return [SUPERBLOCK] + offsets[1:]

    def descriptor(self, group):
        per_block = self.block_size // self.descriptor_size
        meta_group, index = divmod(group, per_block)
        if self.incompat & HAS_META_BG and meta_group >= le32(self.bytes, SUPERBLOCK + 0x104):
            first = meta_group * per_block
            block = self.first_block + first * self.blocks_per_group + (first in self.groups_with_superblock())
            return block * self.block_size + index * self.descriptor_size
        return (SUPERBLOCK // self.block_size + 1) * self.block_size + group * self.descriptor_size

    def descriptor_field(self, group, low, high):
        at = self.descriptor(group)
        value = le32(self.bytes, at + low)
        return value | le32(self.bytes, at + high) << 32 if self.descriptor_size >= 64 else value

    def inode(self, number):
        """Its offset."""
        group, index = divmod(number - 1, self.inodes_per_group)
        return self.descriptor_field(group, 8, 0x28) * self.block_size + index * self.inode_size

    def unused_inodes(self, group):
        at = self.descriptor(group)
        low = le16(self.bytes, at + 0x1C)
        return low | le16(self.bytes, at + 0x32) << 16 if self.descriptor_size >= 64 else low

    def inodes_in_use(self):
        """Numbers of all with a mode and links."""
        for group in range(self.group_count):
            for index in range(self.inodes_per_group):
                number = group * self.inodes_per_group + index + 1
                at = self.inode(number)
                if le16(self.bytes, at) and le16(self.bytes, at + 26):
                    yield number

    def mode(self, number):
        return le16(self.bytes, self.inode(number))

    def flags(self, number):
        return le32(self.bytes, self.inode(number) + 32)

    def entries(self, number, block):
        """Those of a directory in one of its blocks."""
        end = self.block_size - (12 if self.has_checksums else 0)
        both = ENCRYPTED | CASEFOLD
        return list(entries(self.block(block), 0, end, 8 if self.flags(number) & both == both else 0))

    def size(self, number):
        return le32(self.bytes, self.inode(number) + 4)

    def extra_end(self, number):
        """The offset of what follows the fields of an inode, where its attributes are."""
        at = self.inode(number)
        return at + 128 + (le16(self.bytes, at + 128) if self.inode_size > 128 else 0)

    def extent_nodes(self, number):
        """The blocks of an inode's extent tree, the upper ones first."""
        if self.flags(number) & EXTENTS:
            yield from self._nodes_below(self.read(self.inode(number) + 40, 60))

    def _nodes_below(self, node):
        magic, count, _, depth = struct.unpack_from("<HHHH", node)
        if magic != EXTENT_MAGIC or depth == 0:
            return
        for index in range(count):
            block = le32(node, 12 + 12 * index + 4)
            yield block
            yield from self._nodes_below(self.block(block))

    def blocks(self, number):
        """The blocks of an inode's contents, in order; holes left out."""
        root = self.read(self.inode(number) + 40, 60)
        if self.flags(number) & INLINE_DATA:
            return []
        if self.flags(number) & EXTENTS:
            return list(self._extent_blocks(root))
        pointers = struct.unpack("<15I", root)
        found = [block for block in pointers[:12] if block]
        for depth, pointer in enumerate(pointers[12:], 1):
            found += self._indirect_blocks(pointer, depth)
        return found

    def _extent_blocks(self, node):
        magic, count, _, depth = struct.unpack_from("<HHHH", node)
        if magic != EXTENT_MAGIC:
            return
        for index in range(count):
            at = 12 + 12 * index
            if depth:
                yield from self._extent_blocks(self.block(le32(node, at + 4)))
            else:
                first, length = le32(node, at + 8), le16(node, at + 4)
                yield from range(first, first + (length if length <= 32768 else length - 32768))

    def _indirect_blocks(self, pointer, depth):
        if not 0 < pointer < self.block_count:
            return []
        if depth == 0:
            return [pointer]
        pointers = struct.unpack(f"<{self.block_size // 4}I", self.block(pointer))
        return [block for child in pointers if child for block in self._indirect_blocks(child, depth - 1)]

    def lookup(self, path):
        """The inode of a path; directories are read block by block."""
        inode = 2
        for name in path.strip("/").encode().split(b"/"):
            inode = next(entry.inode for block in self.blocks(inode) for entry in self.entries(inode, block)
                         if entry.inode and entry.name == name)
        return inode

    # --- checksums ---

    def inode_seed(self, number):
        generation = self.read(self.inode(number) + 100, 4)
        return crc32c(crc32c(self.seed, struct.pack("<I", number)), generation)

    def seal_superblock(self, at=SUPERBLOCK):
        if self.has_checksums:
            self.write(at + 1020, struct.pack("<I", crc32c(ALL_ONES, self.read(at, 1020))))

    def seal_inode(self, number):
        if not self.has_checksums:
            return
        at = self.inode(number)
        body = bytearray(self.read(at, self.inode_size))
        wide = self.inode_size > 128 and le16(body, 128) >= 4
        body[124:126] = bytes(2)
        if wide:
            body[130:132] = bytes(2)
        checksum = crc32c(self.inode_seed(number), body)
        self.write(at + 124, struct.pack("<H", checksum & 0xFFFF))
        if wide:
            self.write(at + 130, struct.pack("<H", checksum >> 16))

    def seal_leaf(self, number, block):
        """A block of a directory that has entries."""
        if self.has_checksums:
            end = self.block_size - 12
            checksum = crc32c(self.inode_seed(number), self.block(block)[:end])
            self.write(block * self.block_size + end + 8, struct.pack("<I", checksum))

    def index_cells(self, block):
        """(offset in the block of the first cell, count, limit) of a block of a directory's index."""
        data = self.block(block)
        first = 8 if le16(data, 4) == self.block_size % 65536 else 32
        return first, le16(data, first + 2), le16(data, first)

    def seal_index(self, number, block):
        if self.has_checksums:
            first, count, limit = self.index_cells(block)
            data = self.block(block)
            tail = first + 8 * limit
            checksum = crc32c(self.inode_seed(number), data[:first + 8 * count])
            checksum = crc32c(checksum, data[tail:tail + 4] + bytes(4))
            self.write(block * self.block_size + tail + 4, struct.pack("<I", checksum))

    def seal_extents(self, number, block):
        if self.has_checksums:
            data = self.block(block)
            tail = 12 + 12 * le16(data, 4)
            self.write(block * self.block_size + tail, struct.pack("<I", crc32c(self.inode_seed(number), data[:tail])))

    def seal_attributes(self, block):
        if self.has_checksums:
            data = bytearray(self.block(block))
            data[16:20] = bytes(4)
            checksum = crc32c(crc32c(self.seed, struct.pack("<Q", block)), data)
            self.write(block * self.block_size + 16, struct.pack("<I", checksum))

    def seal_mmp(self, block):
        if self.has_checksums:
            at = block * self.block_size
            self.write(at + 1020, struct.pack("<I", crc32c(self.seed, self.read(at, 1020))))

    def seal_descriptor(self, group):
        if self.has_checksums:
            at = self.descriptor(group)
            body = bytearray(self.read(at, self.descriptor_size))
            body[0x1E:0x20] = bytes(2)
            checksum = crc32c(crc32c(self.seed, struct.pack("<I", group)), body)
            self.write(at + 0x1E, struct.pack("<H", checksum & 0xFFFF))
