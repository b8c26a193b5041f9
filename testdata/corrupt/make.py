#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the images of this directory and what is expected of each: make.py DIRECTORY

Each image is one that is valid, made by hand from the qcow2 specification (QEMU's docs/interop/qcow2.txt), with one
thing changed. NAME.expected has the exit status and each message of `e2qcow check --data` and of `e2qcow restore`,
without the name of the image. Images of more than 16 KiB are packed by xz.
"""

import lzma
import os
import struct
import sys
import zlib

COPIED, COMPRESSED, ZERO = 1 << 63, 1 << 62, 1
CLUSTER = 512
# Where the tables of every image here are: one cluster each.
REFCOUNT_TABLE, REFCOUNT_BLOCK, L1, L2, DATA, MORE_DATA, STREAM, END = (CLUSTER * i for i in range(1, 9))
ALLOCATED, ZEROS = 0xFFFFFFFF, 0xFFFFFFFF << 32  # all subclusters of a cluster
FAR = 1 << 40  # past the end of each file
DAMAGED = "damaged qcow2 header: "
BITMAPS = 0x23852875
FIELDS = {"magic": (0, "I"), "version": (4, "I"), "backing_offset": (8, "Q"), "backing_size": (16, "I"),
          "cluster_bits": (20, "I"), "size": (24, "Q"), "crypt": (32, "I"), "l1_size": (36, "I"), "l1": (40, "Q"),
          "refcount_table": (48, "Q"), "refcount_table_clusters": (56, "I"), "snapshots": (60, "I"),
          "snapshot_table": (64, "Q"), "incompatible": (72, "Q"), "compatible": (80, "Q"), "autoclear": (88, "Q"),
          "refcount_order": (96, "I"), "header_length": (100, "I"), "compression_type": (104, "B")}


class Image:
    """A disk of 64 KiB: clusters 0 and 1 are stored, 2 is compressed, 3 reads as zeros, the others are not there."""

    def __init__(self, version=3, cluster_bits=9):
        self.cluster = 1 << cluster_bits
        self.l2_entry_bytes = 8
        table, block, l1, self.l2, data, more_data, stream, end = (self.cluster * i for i in range(1, 9))
        self.bytes = bytearray(end)
        self.set(magic=0x514649FB, version=version, cluster_bits=cluster_bits, size=65536, l1_size=2, l1=l1,
                 refcount_table=table, refcount_table_clusters=1)
        if version == 3:
            self.set(refcount_order=4, header_length=112)
        self.put64(table, block)
        for offset in range(0, end, self.cluster):
            self.set_refcount(offset, 1)
        self.put64(l1, COPIED | self.l2)
        for index, entry in enumerate((COPIED | data, COPIED | more_data, COMPRESSED | stream, ZERO)):
            self.set_l2(index, entry if version == 3 else entry & ~ZERO)
        self.bytes[data:stream] = b"data" * (self.cluster // 2)
        packer = zlib.compressobj(9, zlib.DEFLATED, -12)
        packed = packer.compress(b"text" * (self.cluster // 4)) + packer.flush()
        self.bytes[stream:stream + len(packed)] = packed

    def put(self, offset, form, *values):
        struct.pack_into(">" + form, self.bytes, offset, *values)
        return self

    def put64(self, offset, value):
        return self.put(offset, "Q", value)

    def set(self, **fields):
        for name, value in fields.items():
            self.put(FIELDS[name][0], FIELDS[name][1], value)
        return self

    def set_l2(self, index, entry):
        return self.put64(self.l2 + self.l2_entry_bytes * index, entry)

    def set_refcount(self, offset, count):
        return self.put(2 * self.cluster + offset // self.cluster * 2, "H", count)

    def append(self, data):
        """In clusters of its own, which are counted. Returns where."""
        offset = len(self.bytes)
        self.bytes += data + bytes(-len(data) % self.cluster)
        for cluster in range(offset, len(self.bytes), self.cluster):
            self.set_refcount(cluster, 1)
        return offset

    def cut(self, length):
        del self.bytes[length:]
        return self

    def with_extension(self, kind, data, length=None):
        self.put(112, "II", kind, len(data) if length is None else length)
        self.bytes[120:120 + len(data)] = data
        return self

    def with_snapshot(self, extra=16, l1_size=2, l1=END, name=b"one"):
        """A snapshot of an empty disk, whose L1 table is at END; the snapshot table follows."""
        self.append(bytes(16))
        table = struct.pack(">QIHHIIQII", l1, l1_size, 1, len(name), 0, 0, 0, 0, extra)
        table += struct.pack(">QQ", 0, 65536)[:extra] + b"1" + name
        return self.set(snapshots=1, snapshot_table=self.append(table))

    def with_bitmap(self, table_offset=END + CLUSTER, table_size=1, flags=0, kind=1, granularity=9, name=b"one",
                    entry=0, bitmaps=1, reserved=0, directory=None):
        """A bitmap of zeros; its directory is at END, its table follows."""
        directory = directory or struct.pack(">QIIBBHI", table_offset, table_size, flags, kind, granularity,
                                             len(name), 0) + name + bytes(-len(name) % 8)
        self.append(directory)
        self.append(struct.pack(">Q", entry))
        self.set(autoclear=1)
        return self.with_extension(BITMAPS, struct.pack(">IIQQ", bitmaps, reserved, len(directory), END))


class SubclusterImage(Image):
    """The same with subclusters. Source: "Extended L2 Entries" """

    def __init__(self):
        super().__init__(cluster_bits=14)
        self.set(incompatible=1 << 4)
        data, more_data, stream = (self.cluster * i for i in range(5, 8))
        self.l2_entry_bytes = 16
        self.bytes[self.l2:self.l2 + 32] = bytes(32)
        self.set_l2(0, COPIED | data, ALLOCATED)
        self.set_l2(1, COPIED | more_data, ALLOCATED)
        self.set_l2(2, COMPRESSED | stream)
        self.set_l2(3, 0, ZEROS)

    def set_l2(self, index, entry, bitmap=0):
        super().set_l2(index, entry)
        return self if self.l2_entry_bytes == 8 else self.put64(self.l2 + 16 * index + 8, bitmap)


class Case:
    def __init__(self, name, image, check, restore):
        self.name, self.image, self.check, self.restore = name, image, check, restore

    def expected(self):
        lines = []
        for command, (status, *messages) in (("check", self.check), ("restore", self.restore)):
            lines.append(f"{command}: {status}")
            lines += [f"{command}: {message}" for message in messages]
        return "\n".join(lines) + "\n"


def refused(name, image, message):
    """No part of it can be used."""
    return Case(name, image, (1, message), (1, message))


def header(name, image, what):
    return refused("header-" + name, image, DAMAGED + what)


def impossible_table(name, image, text):
    """One that the disk depends on."""
    return Case("header-" + name, image, (2, "corruption: header: " + text), (1, DAMAGED + text))


def unsupported(name, image, what):
    return refused("unsupported-" + name, image, what + " is not supported")


def found(name, image, corruptions, restore=None):
    """Corruptions; `restore` stops at the first one, if no other text is given."""
    return Case(name, image, (2, *("corruption: " + text for text in corruptions)), (1, restore or corruptions[0]))


def harmless(name, image, *corruptions):
    """Corruptions that leave the disk as it is."""
    return Case(name, image, (2, *("corruption: " + text for text in corruptions)), (0,))


def contradicts(text):
    return f"contradicts itself ({text}), but not in what its disk is read from"


def of_others(name, image, check, text):
    """A fault of something that the disk does not depend on; `restore` names the first."""
    return Case(name, image, check, (3, contradicts(text)))


def header_of_others(name, image, text):
    return of_others("header-" + name, image, (2, "corruption: header: " + text), DAMAGED + text)


def found_in_others(name, image, corruptions, first=None):
    return of_others(name, image, (2, *("corruption: " + text for text in corruptions)), first or corruptions[0])


def leak(name, image, *leaks):
    return Case(name, image, (3, *("leak: " + text for text in leaks)), (0,))


def headers():
    yield Case("valid", Image(), (0,), (0,))
    yield Case("valid-version-2", Image(2), (0,), (0,))
    yield refused("no-magic", Image().set(magic=0x514649FC), "not a qcow2 image")
    yield refused("empty", Image().cut(0), "not a qcow2 image; it is empty")
    inside = "it ended early, inside the qcow2 header"
    yield refused("cut-in-header-of-version-2", Image(2).cut(71), inside)
    yield refused("cut-in-header-of-version-3", Image().cut(103), inside)
    yield refused("cut-before-compression-type", Image().cut(104), inside)
    yield unsupported("version", Image().set(version=4), "qcow2 version 4")
    yield unsupported("feature", Image().set(incompatible=1 << 5), "incompatible feature bit 5")
    yield unsupported("compression", Image().set(incompatible=1 << 3, compression_type=2), "compression type 2")
    for method, name in ((1, "AES"), (2, "LUKS"), (3, "unknown")):
        yield unsupported(f"encryption-{name.lower()}", Image().set(crypt=method),
                          f"encryption (method {method}: {name})")
    external = [f"leak: cluster at {offset}: its refcount is 1, its references are 0"
                for offset in (DATA, MORE_DATA, STREAM)]
    yield Case("needs-a-data-file", Image().set(incompatible=1 << 2),
               (2, "corruption: guest offset 1024: a compressed cluster in an image with an external data file", *external),
               (1, "needs its external data file; name it with --data-file FILE if you trust it"))
    yield header("raw-data-file-without-one", Image().set(autoclear=2),
                 "it is marked as having a raw external data file, but has none")
    yield header("compression-type-without-feature", Image().set(compression_type=1),
                 "compression type 1 contradicts feature bit 3")
    yield header("feature-without-compression-type", Image().set(incompatible=1 << 3),
                 "compression type 0 contradicts feature bit 3")
    for bits in (8, 22):
        yield header(f"cluster-bits-{bits}", Image().set(cluster_bits=bits), f"clusters of 2^{bits} bytes")
    yield header("refcount-order", Image().set(refcount_order=7), "refcounts of 2^7 bits")
    for length in (103, 513):
        yield header(f"length-{length}", Image().set(header_length=length), f"its length is {length}")
    yield header("small-clusters-with-subclusters", Image().set(incompatible=1 << 4),
                 "subclusters of clusters of 2^9 bytes")
    yield header("disk-size", Image().set(size=1 << 63), f"the disk has {1 << 63} bytes")
    yield impossible_table("l1-too-small", Image().set(l1_size=1),
                 "an L1 table of 1 entries is too small for the disk, which needs 2")
    yield impossible_table("l1-too-large", Image().set(l1_size=(32 << 17) + 1),
                 f"an L1 table of {(32 << 17) + 1} entries is too large")
    yield header_of_others("no-refcount-table", Image().set(refcount_table_clusters=0), "there is no refcount table")
    yield header_of_others("refcount-table-too-large", Image().set(refcount_table_clusters=(8 << 11) + 1),
                 f"a refcount table of {(8 << 11) + 1} clusters is too large")
    yield header_of_others("snapshot-count", Image().set(snapshots=65537, snapshot_table=END),
                           "a snapshot table of 65537 entries is too large")
    for table, field, length in (("L1 table", "l1", 16), ("refcount table", "refcount_table", 512),
                                 ("snapshot table", "snapshot_table", 40)):
        name = field.replace("_", "-")
        image = lambda value: Image().with_snapshot().set(**{field: value})
        part = impossible_table if field == "l1" else header_of_others
        yield part(f"{name}-unaligned", image(END + 8), f"the {table} at {END + 8} is not aligned to a cluster")
        yield part(f"{name}-on-header", image(0), f"the {table} lies on the header")
        past = f"the {table} ({length} bytes at {FAR}) runs past the end of the file ({END + 1024} bytes)"
        yield Case(f"{name}-past-the-end", image(FAR), (2, "corruption: header: " + past),
                   (1, past) if field == "l1" else (3, contradicts(past)))
    for name, offset, size in (("too-long", 112, 1024), ("past-first-cluster", 500, 13), ("in-header", 104, 4)):
        yield header(f"backing-name-{name}", Image().set(backing_offset=offset, backing_size=size),
                     f"a backing file name of {size} bytes at {offset}")
    image = Image(cluster_bits=12)
    for index in range(65):
        image.put(112 + 8 * index, "II", 0x12345678, 0)
    yield of_others("header-too-many-extensions", image, (2, "corruption: header: too many extensions"),
                    "too many extensions")
    name = b"base.img"
    image = Image().set(backing_offset=200, backing_size=len(name))
    image.bytes[200:200 + len(name)] = name
    yield Case("needs-a-backing-file", image, (0,),
               (1, "needs a backing file ('base.img'); name it with --backing FILE:raw or FILE:qcow2 "
                   "if you trust it"))
    past = "an extension (type 0x12345678) of 393 bytes runs past its end"
    yield of_others("header-extension-past-the-end", Image().with_extension(0x12345678, b"", 393),
                    (2, "corruption: header: " + past), past)


def tables():
    """Of the active disk. What is wrong in the L1 table stops the reader before it looks at anything else."""
    def l1_stops(name, entry, *corruptions, index=0):
        return found(name, Image().put64(L1 + 8 * index, entry), corruptions)

    lost = [f"leak: cluster at {offset}: its refcount is 1, its references are 0"
            for offset in (L2, DATA, MORE_DATA, STREAM)]
    entry = COPIED | L2 | 2
    yield l1_stops("l1-entry-reserved-bits", entry, f"L1 entry 0: {entry:#x} has reserved bits set")
    yield l1_stops("l1-entry-copied-without-table", COPIED,
                   "L1 entry 1: it is marked as copied, but has no L2 table", index=1)
    yield harmless("l1-entry-not-copied", Image().put64(L1, L2),
                   f"L1 entry 0: it is not marked as copied, but the refcount of the cluster at {L2} is 1")
    yield Case("l1-entry-past-the-end", Image().put64(L1, COPIED | FAR),
               (2, f"corruption: L1 entry 0: the L2 table at {FAR} runs past the end of the file", *lost),
               (1, f"L1 entry 0: the L2 table at {FAR} runs past the end of the file"))
    yield Case("l1-entry-on-refcount-table", Image().put64(L1, COPIED | REFCOUNT_TABLE),
               (2, f"corruption: L1 entry 0: the L2 table at {REFCOUNT_TABLE} overlaps the refcount table at "
                   f"{REFCOUNT_TABLE}", *lost), (0,))
    yield found("l1-entries-with-one-table", Image().put64(L1 + 8, COPIED | L2),
                [f"L1 table at {L1}: several of its entries have the L2 table at {L2}",
                 *(f"cluster at {offset}: its refcount is 1, its references are 2"
                   for offset in (L2, DATA, MORE_DATA, STREAM))], f"two of its tables overlap at {L2}")
    yield found_in_others("refcount-block-past-the-end", Image().put64(REFCOUNT_TABLE + 8, FAR),
                [f"refcount table entry 1: the refcount block at {FAR} runs past the end of the file"])
    # Refcount blocks come first, and nothing in an L1 table that is one can be believed.
    yield Case("refcount-block-on-l1-table", Image().put64(REFCOUNT_TABLE + 8, L1),
               (2, f"corruption: L1 table at {L1}: the L1 table at {L1} overlaps the refcount block at {L1}", *lost),
               (0,))
    # With the only block all refcounts are gone; the block's own cluster is nobody's, and has none either.
    yield found_in_others("refcount-table-reserved-bits", Image().put64(REFCOUNT_TABLE, REFCOUNT_BLOCK | 1),
                [f"refcount table entry 0: {REFCOUNT_BLOCK | 1:#x} has reserved bits set",
                 *(f"{place}: it is marked as copied, but the refcount of the cluster at {offset} is not 1" for
                   place, offset in (("L1 entry 0", L2), ("guest offset 0", DATA), ("guest offset 512", MORE_DATA))),
                 *(f"cluster at {offset}: its refcount is 0, its references are 1"
                   for offset in (0, REFCOUNT_TABLE, L1, L2, DATA, MORE_DATA, STREAM))])


def entries():
    def l2(name, index, entry, corruptions, restore=None, image=None):
        return found("l2-entry-" + name, (image or Image()).set_l2(index, entry), corruptions, restore)

    entry = COPIED | DATA | 2
    yield l2("reserved-bits", 0, entry, [f"guest offset 0: L2 entry {entry:#x} has reserved bits set"])
    yield l2("zero-in-version-2", 0, COPIED | DATA | ZERO, ["guest offset 0: a zero cluster in a version 2 image"],
             image=Image(2))
    yield l2("copied-without-cluster", 4, COPIED, ["guest offset 2048: it is marked as copied, but has no cluster"])
    yield harmless("l2-entry-not-copied", Image().set_l2(0, DATA),
                   f"guest offset 0: it is not marked as copied, but the refcount of the cluster at {DATA} is 1")
    yield harmless("l2-entry-copied-though-shared", Image().set_l2(4, COPIED | DATA).set_refcount(DATA, 2),
                   f"guest offset 0: it is marked as copied, but the refcount of the cluster at {DATA} is not 1",
                   f"guest offset 2048: it is marked as copied, but the refcount of the cluster at {DATA} is not 1")
    yield l2("past-the-end", 4, COPIED | FAR, [f"guest offset 2048: the data at {FAR} runs past the end of the file"])
    yield l2("on-l1-table", 4, COPIED | L1, [f"guest offset 2048: the data at {L1} overlaps the L1 table at {L1}"],
             f"guest offset 2048: the data at {L1} overlaps a table")
    entry = COPIED | DATA | 0x100
    yield l2("unaligned", 4, entry, [f"guest offset 2048: L2 entry {entry:#x} has reserved bits set",
                                     f"cluster at {DATA}: its refcount is 1, its references are 2"])
    yield harmless("l2-entries-with-one-cluster", Image().set_l2(4, COPIED | DATA),
                   f"cluster at {DATA}: its refcount is 1, its references are 2")
    copied = "guest offset 1024: a compressed cluster is marked as copied"
    yield found_in_others("compressed-copied", Image().set_l2(2, COPIED | COMPRESSED | STREAM), [copied])
    yield found("compressed-past-the-end", Image().set_l2(4, COMPRESSED | FAR),
                [f"guest offset 2048: the compressed data at {FAR} runs past the end of the file"])
    image = Image()
    image.bytes[STREAM:STREAM + 8] = b"\xff" * 8
    garbage = "guest offset 1024: the compressed cluster cannot be decompressed"
    yield found("compressed-garbage", image, [garbage])
    image = Image().set_refcount(DATA, 64)
    for index in range(64):
        image.set_l2(index, DATA)
    image.set_refcount(MORE_DATA, 0).set_refcount(STREAM, 0)
    yield Case("implausible-amount-of-data", image, (0,),
               (1, f"claims at least {END + CLUSTER} bytes of data and has only {END}, which is not plausible; "
                   "--max-ratio N accepts it"))


def subclusters():
    data, stream = SubclusterImage().cluster * 5, SubclusterImage().cluster * 7
    yield Case("valid-with-subclusters", SubclusterImage(), (0,), (0,))
    yield found("subclusters-of-compressed-cluster", SubclusterImage().set_l2(2, COMPRESSED | stream, 1),
                ["guest offset 32768: a compressed cluster has subclusters (0x1)"])
    both = f"subclusters {1 << 32 | 1:#x} are allocated and zero at once"
    yield found("subclusters-allocated-and-zero", SubclusterImage().set_l2(0, COPIED | data, 1 << 32 | 1),
                ["guest offset 0: " + both])
    yield found("subclusters-without-cluster", SubclusterImage().set_l2(3, 0, 1),
                ["guest offset 49152: subclusters 0x1 are allocated in no cluster"])


def refcounts():
    yield harmless("refcount-too-low", Image().set_refcount(STREAM, 0),
                   f"cluster at {STREAM}: its refcount is 0, its references are 1")
    yield leak("refcount-too-high", Image().set_refcount(STREAM, 2),
               f"cluster at {STREAM}: its refcount is 2, its references are 1")
    image = Image()
    image.append(b"lost")
    yield leak("leaked-cluster", image, f"cluster at {END}: its refcount is 1, its references are 0")
    yield Case("marked-dirty", Image().set(incompatible=1),
               (2, "corruption: header: the image is marked as dirty: its refcounts may be out of date"),
               (0, "is marked as dirty: it was not closed properly; its data is read as it is"))
    yield Case("marked-corrupt", Image().set(incompatible=2), (2, "corruption: header: the image is marked as corrupt"),
               (0, "is marked as corrupt by QEMU; its data is read as it is"))


def snapshots():
    yield Case("valid-with-snapshot", Image().with_snapshot(), (0,), (0,))
    yield harmless("snapshot-extra-data", Image().with_snapshot(extra=8),
                   "snapshot table entry 1: it has 8 bytes of extra data and needs 16")
    snapshot_table = END + CLUSTER
    table_lost = f"leak: cluster at {snapshot_table}: its refcount is 1, its references are 0"
    l1_lost = f"leak: cluster at {END}: its refcount is 1, its references are 0"
    size = "snapshot table entry 1: its size, 1069 bytes, is not valid"
    yield of_others("snapshot-size", Image().with_snapshot(extra=1025),
                    (2, "corruption: " + size, l1_lost, table_lost), size)
    yield found_in_others("snapshot-table-cut", Image().with_snapshot(name=b"n" * 447).set(snapshots=2),
                ["snapshot table entry 2: it runs past the end of the file"])
    entries_in_l1 = (32 << 17) + 1
    large = f"snapshot 1: an L1 table of {entries_in_l1} entries is too large"
    yield of_others("snapshot-l1-too-large", Image().with_snapshot(l1_size=entries_in_l1),
                    (2, "corruption: " + large, l1_lost), large)
    past = f"snapshot 1: L1 table at {FAR}: the L1 table at {FAR} runs past the end of the file"
    yield of_others("snapshot-l1-past-the-end", Image().with_snapshot(l1=FAR), (2, "corruption: " + past, l1_lost), past)


def bitmaps():
    """QEMU opens no image with a bitmap that is not valid; the disk does not depend on it."""
    def case(name, image, text, lost=()):
        leaks = (f"leak: cluster at {offset}: its refcount is 1, its references are 0" for offset in lost)
        return of_others(name, image, (2, "corruption: " + text, *leaks), text)

    directory, table = END, END + CLUSTER
    yield Case("valid-with-bitmap", Image().with_bitmap(), (0,), (0,))
    invalid = "bitmaps extension: it is not valid"
    yield case("bitmaps-extension-size", Image().with_extension(BITMAPS, bytes(23)), invalid)
    yield case("bitmaps-extension-of-none", Image().with_bitmap(bitmaps=0), invalid, (directory, table))
    yield case("bitmaps-extension-reserved", Image().with_bitmap(reserved=1), invalid, (directory, table))
    yield case("bitmap-directory-count", Image().with_bitmap(bitmaps=2),
               "bitmap directory: it has 1 entries, but the extension has another number")
    yield case("bitmap-directory-cut", Image().with_bitmap(directory=bytes(16)),
               "bitmap directory: it ends inside an entry", (table,))
    entry = "bitmap 1: its entry in the bitmap directory is not valid"
    for name, options in (("type", {"kind": 2}), ("granularity", {"granularity": 8}), ("flags", {"flags": 8}),
                          ("without-name", {"name": b""}), ("table-size", {"table_size": 2})):
        yield case("bitmap-" + name, Image().with_bitmap(**options), entry, (table,))
    yield case("bitmap-table-past-the-end", Image().with_bitmap(table_offset=FAR),
               f"bitmap 1: the bitmap table at {FAR} runs past the end of the file", (table,))
    yield case("bitmap-entry-reserved-bits", Image().with_bitmap(entry=3),
               "bitmap table entry 0: 0x3 has reserved bits set")
    yield harmless("bitmap-data-on-l1-table", Image().with_bitmap(entry=L1),
                   f"bitmap table entry 0: the bitmap data at {L1} overlaps the L1 table at {L1}")


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for group in (headers, tables, entries, subclusters, refcounts, snapshots, bitmaps):
        for case in group():
            path = os.path.join(sys.argv[1], case.name)
            is_large = len(case.image.bytes) > 16384
            with open(path + (".qcow2.xz" if is_large else ".qcow2"), "wb") as file:
                file.write(lzma.compress(case.image.bytes, preset=9) if is_large else case.image.bytes)
            with open(path + ".expected", "w", encoding="ascii") as file:
                file.write(case.expected())
    return 0


if __name__ == "__main__":
    sys.exit(main())
