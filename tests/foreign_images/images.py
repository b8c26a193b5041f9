#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make qcow2 images of every kind, good and bad, and see what e2qcow does with them.

    images.py E2QCOW good|bad [NAME...]

Good images come from qemu-img and qemu-io, or from patching those in ways that QEMU reads; e2qcow has to restore the
bytes that `qemu-img convert` brings. Bad ones have one thing wrong; e2qcow has to refuse them with exit status 1, one
line of text, in 10 seconds of processor time and 512 MiB, and leave no target behind. Names limit the run to images
that begin so.
"""

import itertools
import json
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from trial import fast_folder, status_without  # noqa: E402

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
COPIED, COMPRESSED = 1 << 63, 1 << 62


# --- images as bytes ---------------------------------------------------------

class Image:
    """The bytes of an image, with its fields by name. Source: QEMU's docs/interop/qcow2.txt."""
    FIELDS = {"magic": (0, "I"), "version": (4, "I"), "backing_offset": (8, "Q"), "backing_size": (16, "I"),
              "cluster_bits": (20, "I"), "size": (24, "Q"), "crypt": (32, "I"), "l1_size": (36, "I"),
              "l1_offset": (40, "Q"), "rt_offset": (48, "Q"), "rt_clusters": (56, "I"), "snapshots": (60, "I"),
              "snapshots_offset": (64, "Q"), "incompatible": (72, "Q"), "compatible": (80, "Q"),
              "autoclear": (88, "Q"), "refcount_order": (96, "I"), "header_length": (100, "I"),
              "compression": (104, "B")}

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.bytes = bytearray(file.read())

    def get(self, name):
        offset, kind = self.FIELDS[name]
        return struct.unpack_from(">" + kind, self.bytes, offset)[0]

    def set(self, **fields):
        for name, value in fields.items():
            offset, kind = self.FIELDS[name]
            struct.pack_into(">" + kind, self.bytes, offset, value)
        return self

    def u64(self, offset):
        return struct.unpack_from(">Q", self.bytes, offset)[0]

    def put64(self, offset, value):
        struct.pack_into(">Q", self.bytes, offset, value)
        return self

    def cluster(self):
        return 1 << self.get("cluster_bits")

    def l2(self, index=0):
        return self.u64(self.get("l1_offset") + 8 * index) & 0x00fffffffffffe00

    def entry_offset(self, guest_cluster):
        per_table = self.cluster() // self.entry_bytes()
        return self.l2(guest_cluster // per_table) + guest_cluster % per_table * self.entry_bytes()

    def entry_bytes(self):
        return 16 if self.get("version") == 3 and self.get("incompatible") & 16 else 8

    def entry(self, guest_cluster):
        if self.l2(guest_cluster // (self.cluster() // self.entry_bytes())) == 0:
            return 0
        return self.u64(self.entry_offset(guest_cluster))

    def set_entry(self, guest_cluster, value):
        return self.put64(self.entry_offset(guest_cluster), value)

    def host(self, guest_cluster):
        return self.entry(guest_cluster) & 0x00fffffffffffe00

    def append(self, data):
        """At the end, from a cluster on. Returns the host offset."""
        while len(self.bytes) % self.cluster():
            self.bytes.append(0)
        offset = len(self.bytes)
        self.bytes += data
        return offset

    def extension(self, kind, data, length=None):
        """In front of the other extensions, which move back."""
        start = self.get("header_length") if self.get("version") == 3 else 72
        length = len(data) if length is None else length
        added = struct.pack(">II", kind, length) + data + bytes(-len(data) % 8)
        rest = self.bytes[start:self.cluster() - len(added)]
        self.bytes[start:self.cluster()] = added + rest
        if self.get("backing_offset"):
            self.set(backing_offset=self.get("backing_offset") + len(added))
        return self

    def save(self):
        with open(self.path, "wb") as file:
            file.write(self.bytes)


class Maker:
    """Makes images in a directory, by name."""

    def __init__(self, directory):
        self.directory = directory
        self.random = random.Random(4711)
        self.source = self.path("source.raw")
        self.converted = {}
        self.make_source()

    def path(self, name):
        return os.path.join(self.directory, name)

    def run(self, *words):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=self.directory)

    def make_source(self):
        """A disk of 4 MiB with text, noise, zeros and repetition."""
        text = b"".join(b"line %d of a text that shrinks\n" % i for i in range(20000))
        disk = bytearray(4 * MIB)
        disk[70000:70000 + len(text)] = text
        disk[1 * MIB:1 * MIB + 300000] = self.random.randbytes(300000)
        disk[2 * MIB:2 * MIB + 500000] = b"\x5a" * 500000
        disk[-3000:] = self.random.randbytes(3000)
        with open(self.source, "wb") as file:
            file.write(disk)

    def convert(self, name, *options, source=None, o=""):
        """Converts once with the same options; most images begin as one of a few."""
        path = self.path(name)
        how = (options, source, o)
        if source is None and how in self.converted:
            with open(path, "wb") as file:
                file.write(self.converted[how])
            return Image(path)
        settings = ["-o", o] if o else []
        self.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", *settings, *options, source or self.source, path)
        image = Image(path)
        self.converted[how] = bytes(image.bytes)
        return image

    def create(self, name, size, *options, o=""):
        path = self.path(name)
        settings = ["-o", o] if o else []
        self.run("qemu-img", "create", "-q", "-f", "qcow2", *settings, *options, path, str(size))
        return path

    def io(self, path, *commands):
        words = ["qemu-io", "-f", "qcow2"]
        for command in commands:
            words += ["-c", command]
        self.run(*words, path)

    def plain(self, name, o="cluster_size=4k"):
        """Uncompressed; guest clusters 17 and on are data with 4 KiB clusters."""
        return self.convert(name, o=o)

    def compressed(self, name, o="cluster_size=4k"):
        return self.convert(name, "-c", o=o)


# --- good images -------------------------------------------------------------

def good(maker):
    """Yields (name, options of restore)."""
    for size in ("512", "1k", "4k", "64k", "512k", "2M"):
        for compat in ("0.10", "1.1"):
            maker.convert(f"plain-{size}-{compat}", o=f"cluster_size={size},compat={compat}")
            yield f"plain-{size}-{compat}"
        for kind in ("zlib", "zstd"):
            maker.convert(f"{kind}-{size}", "-c", o=f"cluster_size={size},compression_type={kind}")
            yield f"{kind}-{size}"
    for bits in (1, 2, 4, 8, 16, 32, 64):
        maker.convert(f"refcounts-{bits}", *(["-c"] if bits > 4 else []), o=f"cluster_size=4k,refcount_bits={bits}")
        yield f"refcounts-{bits}"
    yield from good_extended(maker)
    yield from good_made_by_writes(maker)
    yield from good_patched(maker)
    yield from good_streams(maker)


def good_extended(maker):
    for size in ("16k", "64k", "2M"):
        maker.convert(f"extended-{size}", o=f"cluster_size={size},extended_l2=on")
        yield f"extended-{size}"
        maker.convert(f"extended-zstd-{size}", "-c",
                      o=f"cluster_size={size},extended_l2=on,compression_type=zstd")
        yield f"extended-zstd-{size}"
    path = maker.create("extended-written", "9M", o="cluster_size=64k,extended_l2=on")
    maker.io(path, "write -P 1 2k 2k", "write -P 2 10k 30k", "write -z 12k 4k", "write -P 3 63k 5k",
             "write -P 4 1M 64k", "write -z 1M 2k", "write -P 5 8640k 20k", "discard 20k 2k")
    yield "extended-written"


def good_made_by_writes(maker):
    path = maker.create("zeros-of-both-kinds", "8M", o="cluster_size=64k")
    maker.io(path, "write -P 7 0 1M", "write -z 64k 64k", "write -z -u 256k 64k", "write -z 4M 1M", "write -P 9 4200k 3k")
    yield "zeros-of-both-kinds"
    path = maker.create("snapshots", "4M", o="cluster_size=4k")
    maker.io(path, "write -P 1 0 2M")
    maker.run("qemu-img", "snapshot", "-c", "first", path)
    maker.io(path, "write -P 2 1M 2M", "write -z 0 64k")
    maker.run("qemu-img", "snapshot", "-c", "second", path)
    maker.io(path, "write -P 3 100k 5k")
    yield "snapshots"
    path = maker.create("bitmaps", "4M", o="cluster_size=64k")
    maker.run("qemu-img", "bitmap", "--add", path, "one")
    maker.io(path, "write -P 4 1M 700k")
    yield "bitmaps"
    for how in ("metadata", "falloc", "full"):
        path = maker.create(f"preallocated-{how}", "3M", o=f"cluster_size=64k,preallocation={how}")
        maker.io(path, "write -P 6 100k 1000k")
        yield f"preallocated-{how}"
    path = maker.create("grown", "1M", o="cluster_size=512")
    maker.io(path, "write -P 1 0 1M")
    maker.run("qemu-img", "resize", "-q", "-f", "qcow2", path, "40M")
    maker.io(path, "write -P 2 39M 1M")
    yield "grown"
    path = maker.create("shrunk", "40M", o="cluster_size=512")
    maker.io(path, "write -P 1 0 1M", "write -P 2 39M 1M")
    maker.run("qemu-img", "resize", "-q", "-f", "qcow2", "--shrink", path, "3M")
    yield "shrunk"
    path = maker.create("partial-last-cluster", 5 * MIB + 512, o="cluster_size=64k")
    maker.io(path, f"write -P 8 {5 * MIB} 512", "write -P 9 0 3000")
    yield "partial-last-cluster"
    path = maker.create("lazy-refcounts", "4M", o="cluster_size=64k,lazy_refcounts=on")
    maker.io(path, "write -P 3 0 300k")
    yield "lazy-refcounts"
    maker.create("empty", 0)
    yield "empty"
    maker.create("nothing-in-it", "1G")
    yield "nothing-in-it"
    path = maker.create("large-and-sparse", "500T", o="cluster_size=2M")
    maker.io(path, "write -P 3 400T 1k")
    os.rename(path, maker.path("large-and-sparse.huge"))  # only looked at, not restored


def good_patched(maker):
    maker.plain("dirty").set(incompatible=1).save()
    yield "dirty"
    maker.plain("corrupt-bit").set(incompatible=2).save()
    yield "corrupt-bit"
    maker.plain("unknown-compatible-bits").set(compatible=0xfffffffffffffffe).save()
    yield "unknown-compatible-bits"
    maker.plain("unknown-autoclear-bits").set(autoclear=0xfffffffffffffffc).save()
    yield "unknown-autoclear-bits"
    maker.plain("unknown-extension").extension(0x12345678, b"what is this?").save()
    yield "unknown-extension"
    maker.plain("extension-of-no-bytes").extension(0x12345678, b"").save()
    yield "extension-of-no-bytes"
    image = maker.plain("zeros-marked-as-copied")
    image.set_entry(next(i for i in range(1024) if not image.entry(i)), COPIED | 1).save()
    yield "zeros-marked-as-copied"
    image = maker.plain("reserved-bit-in-a-snapshot")
    maker.run("qemu-img", "snapshot", "-c", "one", image.path)
    image = Image(image.path)
    snapshot_l1 = image.u64(image.get("snapshots_offset"))
    image.put64(snapshot_l1, image.u64(snapshot_l1) | 1 << 56).save()
    yield "reserved-bit-in-a-snapshot"
    image = maker.plain("longer-header", o="cluster_size=64k")
    extensions = image.bytes[112:1000]
    image.bytes[112:152] = bytes(40)
    image.bytes[152:1040] = extensions
    image.set(header_length=152).save()
    yield "longer-header"
    image = maker.plain("shortest-header")
    image.bytes[104:1000] = image.bytes[112:1008]
    image.set(header_length=104).save()
    yield "shortest-header"
    image = maker.plain("l1-longer-than-needed", o="cluster_size=64k")
    image.set(l1_size=64).save()
    yield "l1-longer-than-needed"
    image = maker.compressed("last-sector-past-the-end")
    stored = [image.entry(i) for i in range(1024) if image.entry(i) & COMPRESSED]
    last = max(stored, key=lambda e: e & ((1 << 58) - 1))
    offset = last & ((1 << 58) - 1)
    stream = zlib.decompressobj(-15)
    stream.decompress(bytes(image.bytes[offset:]))
    del image.bytes[len(image.bytes) - len(stream.unused_data):]
    image.save()
    yield "last-sector-past-the-end"
    image = maker.plain("refcounts-of-zero")
    block = image.u64(image.get("rt_offset")) & ~0x1ff
    image.bytes[block:block + 4096] = bytes(4096)
    image.save()
    yield "refcounts-of-zero"


def raw_deflate(data, window, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, window)
    return packer.compress(data) + packer.flush()


def put_stream(image, guest_cluster, stream):
    """A compressed cluster of our own making."""
    offset = image.append(stream + bytes(-len(stream) % 512))
    x = 62 - (image.get("cluster_bits") - 8)
    sectors = (offset + len(stream) - 1) // 512 - offset // 512
    image.set_entry(guest_cluster, COMPRESSED | sectors << x | offset)
    return image


def zstd(maker, data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, stdout=subprocess.PIPE, check=True,
                          cwd=maker.directory).stdout


def with_window(frame, log):
    """A frame that says that it needs a window of so many bits. Source: RFC 8878, 3.1.1.1"""
    assert frame[4] & 0x20 == 0
    return frame[:5] + bytes([(log - 10) << 3]) + frame[6:]


def good_streams(maker):
    cluster = (b"a text to be compressed, again and again. " * 2000)[:65536]
    zlib_image = "cluster_size=64k"
    put_stream(maker.plain("deflate-of-32k-window", o=zlib_image), 0, raw_deflate(cluster, -15)).save()
    yield "deflate-of-32k-window"
    put_stream(maker.plain("deflate-stored", o=zlib_image), 0, raw_deflate(cluster, -12, 0)).save()
    yield "deflate-stored"
    put_stream(maker.plain("deflate-longer-than-the-cluster", o=zlib_image), 0, raw_deflate(cluster + b"more", -12)).save()
    yield "deflate-longer-than-the-cluster"
    zstd_image = "cluster_size=64k,compression_type=zstd"
    skippable = struct.pack("<II", 0x184d2a50, 5) + b"skip!"
    streams = {
        "zstd-checksum": zstd(maker, cluster, "--check"),
        "zstd-no-content-size": zstd(maker, cluster, "--no-check"),
        "zstd-two-frames": zstd(maker, cluster[:30000]) + zstd(maker, cluster[30000:]),
        "zstd-skippable-first": skippable + zstd(maker, cluster),
        "zstd-garbage-behind": zstd(maker, cluster) + b"garbage",
        "zstd-ultra": zstd(maker, cluster, "--ultra", "-22"),
    }
    for name, stream in streams.items():
        put_stream(maker.plain(name, o=zstd_image), 0, stream).save()
        yield name


# --- chains ------------------------------------------------------------------

def chains(maker):
    """Yields (name, options that name the backing files)."""
    base = maker.create("base", "6M", o="cluster_size=4k")
    maker.io(base, "write -P 1 0 6M")
    shutil.copy(maker.source, maker.path("base.raw"))
    for name, size, cluster in (("longer", "9M", "64k"), ("shorter", "3M", "64k"), ("smaller-clusters", "6M", "512")):
        path = maker.create(f"overlay-{name}", size, "-b", "base", "-F", "qcow2", o=f"cluster_size={cluster}")
        maker.io(path, "write -P 2 1M 64k", "write -z 2M 128k", "write -P 3 2500k 1k")
        yield f"overlay-{name}", ["--backing", "base:qcow2"]
    path = maker.create("overlay-extended", "6M", "-b", "base", "-F", "qcow2", o="cluster_size=64k,extended_l2=on")
    maker.io(path, "write -P 2 6k 2k", "write -z 1M 4k")
    yield "overlay-extended", ["--backing", "base:qcow2"]
    path = maker.create("overlay-of-raw", "5M", "-b", "base.raw", "-F", "raw", o="cluster_size=64k")
    maker.io(path, "write -P 2 1M 100k", "write -z 70000 1000")
    yield "overlay-of-raw", ["--backing", "base.raw"]
    with open(maker.path("sparse.raw"), "wb") as file:
        for position in (64 * KIB, MIB, 2 * MIB):
            file.seek(position)
            file.write(bytes([8]) * 64 * KIB)
        file.truncate(3 * MIB)
    path = maker.create("overlay-of-sparse-raw", "5M", "-b", "sparse.raw", "-F", "raw", o="cluster_size=64k")
    maker.io(path, "write -P 2 1M 4k", "write -z 2M 64k")
    yield "overlay-of-sparse-raw", ["--backing", "sparse.raw:raw"]
    path = maker.create("overlay-of-overlay", "9M", "-b", "overlay-longer", "-F", "qcow2", o="cluster_size=4k")
    maker.io(path, "write -P 5 2M 8k")
    yield "overlay-of-overlay", ["--backing", "overlay-longer", "--backing", "base:qcow2"]


# --- bad images --------------------------------------------------------------

def bad(maker):
    """Yields names."""
    yield from bad_headers(maker)
    yield from bad_extensions(maker)
    yield from bad_tables(maker)
    yield from data_on_tables_of_others(maker)
    yield from bad_clusters(maker)
    yield from truncated(maker)
    yield from bombs(maker)


def bad_headers(maker):
    fields = {
        "magic": dict(magic=0x514649fa), "version-1": dict(version=1), "version-4": dict(version=4),
        "version-0": dict(version=0), "cluster-bits-8": dict(cluster_bits=8), "cluster-bits-22": dict(cluster_bits=22),
        "cluster-bits-max": dict(cluster_bits=0xffffffff), "size-negative": dict(size=1 << 63),
        "size-beyond-l1": dict(size=1 << 50), "aes": dict(crypt=1), "luks": dict(crypt=2), "crypt-3": dict(crypt=3),
        "l1-size-0": dict(l1_size=0), "l1-size-max": dict(l1_size=0xffffffff), "l1-over-limit": dict(l1_size=4194305),
        "l1-unaligned": dict(l1_offset=0x3008), "l1-past-the-end": dict(l1_offset=1 << 40),
        "l1-negative": dict(l1_offset=(1 << 64) - 4096), "l1-on-the-header": dict(l1_offset=0),
        "rt-unaligned": dict(rt_offset=0x1008), "rt-past-the-end": dict(rt_offset=1 << 40),
        "rt-negative": dict(rt_offset=(1 << 64) - 4096), "rt-0-clusters": dict(rt_clusters=0),
        "rt-max-clusters": dict(rt_clusters=0xffffffff), "snapshots-too-many": dict(snapshots=65537),
        "snapshots-unaligned": dict(snapshots_offset=0x200), "snapshots-past-the-end":
            dict(snapshots=1, snapshots_offset=1 << 40),
        "unknown-feature-5": dict(incompatible=32),
        "unknown-feature-63": dict(incompatible=1 << 63), "compression-without-bit": dict(compression=1),
        "compression-bit-without-type": dict(incompatible=8), "compression-2": dict(incompatible=8, compression=2),
        "compression-255": dict(incompatible=8, compression=255), "raw-data-file-bit": dict(autoclear=2),
        "refcount-order-7": dict(refcount_order=7), "refcount-order-max": dict(refcount_order=0xffffffff),
        "header-length-0": dict(header_length=0), "header-length-103": dict(header_length=103),
        "header-length-beyond": dict(header_length=4104), "header-length-max": dict(header_length=0xffffffff),
        "backing-name-too-long": dict(backing_offset=1024, backing_size=1024),
        "backing-past-the-cluster": dict(backing_offset=4090, backing_size=100),
        "backing-in-the-header": dict(backing_offset=8, backing_size=8),
        "backing-far-away": dict(backing_offset=1 << 40, backing_size=8),
        "extended-l2-with-4k": dict(incompatible=16),
    }
    for name, values in fields.items():
        maker.plain(f"bad-{name}").set(**values).save()
        yield f"bad-{name}"
    maker.plain("bad-backing-file").set(backing_offset=3000, backing_size=11).save()
    with open(maker.path("bad-backing-file"), "r+b") as file:
        file.seek(3000)
        file.write(b"/etc/shadow")
    yield "bad-backing-file"


def bad_extensions(maker):
    cases = {"too-long": (0x1234, b"", 0xffffffff), "past-the-cluster": (0x1234, b"", 5000),
             "crypto": (0x0537be77, bytes(16), None), "wrap": (0x1234, b"", 0xfffffff9)}
    for name, (kind, data, length) in cases.items():
        maker.plain(f"bad-extension-{name}").extension(kind, data, length).save()
        yield f"bad-extension-{name}"
    image = maker.plain("bad-extensions-many")
    image.bytes[112:4096] = struct.pack(">II", 0x1234, 0) * 498
    image.save()
    yield "bad-extensions-many"


def bad_tables(maker):
    def l1(name, change):
        image = maker.plain(f"bad-l1-{name}")
        offset = image.get("l1_offset")
        image.put64(offset, change(image, image.u64(offset))).save()
        return f"bad-l1-{name}"

    def l2(name, change):
        image = maker.plain(f"bad-l2-{name}")
        image.set_entry(17, change(image, image.entry(17))).save()
        return f"bad-l2-{name}"

    for bit in (0, 8, 56, 62):
        yield l1(f"reserved-{bit}", lambda image, entry, bit=bit: entry | 1 << bit)
    yield l1("unaligned", lambda image, entry: entry + 512)
    yield l1("past-the-end", lambda image, entry: COPIED | 1 << 40)
    yield l1("at-the-end", lambda image, entry: COPIED | len(image.bytes))
    yield l1("copied-alone", lambda image, entry: COPIED)
    yield l1("is-l1", lambda image, entry: COPIED | image.get("l1_offset"))
    yield l1("is-rt", lambda image, entry: COPIED | image.get("rt_offset"))
    yield l1("is-rb", lambda image, entry: COPIED | image.u64(image.get("rt_offset")))
    yield l1("is-another-l2", lambda image, entry: COPIED | image.l2(1))
    for bit in (1, 8, 56, 61):
        yield l2(f"reserved-{bit}", lambda image, entry, bit=bit: entry | 1 << bit)
    yield l2("unaligned", lambda image, entry: entry + 512)
    yield l2("past-the-end", lambda image, entry: COPIED | 1 << 40)
    yield l2("largest", lambda image, entry: 0x00fffffffffff000)
    yield l2("copied-alone", lambda image, entry: COPIED)
    yield l2("data-is-l1", lambda image, entry: COPIED | image.get("l1_offset"))
    yield l2("data-is-l2", lambda image, entry: COPIED | image.l2(0))
    yield l2("data-is-rt", lambda image, entry: COPIED | image.get("rt_offset"))
    yield l2("data-is-rb", lambda image, entry: COPIED | image.u64(image.get("rt_offset")))
    image = maker.plain("bad-l2-zero-in-version-2", o="cluster_size=4k,compat=0.10")
    image.set_entry(17, image.entry(17) | 1).save()
    yield "bad-l2-zero-in-version-2"
    for name, value in (("reserved", 0x1001), ("unaligned", 0x1200), ("past-the-end", 1 << 40), ("is-l1", None)):
        image = maker.plain(f"bad-rt-{name}")
        image.put64(image.get("rt_offset") + 8, image.get("l1_offset") if value is None else value).save()
        yield f"bad-rt-{name}"
    for name, offset in (("l1-is-rt", "rt_offset"), ("rt-is-l1", "l1_offset")):
        image = maker.plain(f"bad-{name}")
        target = "l1_offset" if offset == "rt_offset" else "rt_offset"
        image.set(**{target: image.get(offset)}).save()
        yield f"bad-{name}"
    o = "cluster_size=64k,extended_l2=on"
    for name, bitmap in (("both", 1 | 1 << 32), ("no-cluster", None)):
        image = maker.plain(f"bad-subclusters-{name}", o=o)
        guest = next(i for i in range(64) if image.host(i))
        if bitmap is None:
            image.set_entry(guest, 0)
        else:
            image.put64(image.entry_offset(guest) + 8, bitmap)
        image.save()
        yield f"bad-subclusters-{name}"
    image = maker.plain("bad-subclusters-compressed", o=o)
    guest = next(i for i in range(64) if image.host(i))
    put_stream(image, guest, raw_deflate(bytes(65536), -12)).save()
    yield "bad-subclusters-compressed"


def bad_clusters(maker):
    cluster = (b"a text to be compressed, again and again. " * 2000)[:65536]
    o = {"zlib": "cluster_size=64k", "zstd": "cluster_size=64k,compression_type=zstd"}
    broken = bytearray(zstd(maker, cluster, "--check"))
    broken[-1] ^= 0xff
    huge_window = b"\x28\xb5\x2f\xfd\x00\xff" + bytes(50)
    streams = {
        "zlib-short": raw_deflate(cluster[:-1], -12), "zlib-garbage": bytes(range(256)) * 4,
        "zlib-zeros": bytes(600), "zlib-cut": raw_deflate(maker.random.randbytes(30000) + bytes(35536), -12)[:9000],
        "zstd-short": zstd(maker, cluster[:-1]), "zstd-long": zstd(maker, cluster + b"x"),
        "zstd-garbage": bytes(range(256)) * 4, "zstd-zeros": bytes(600), "zstd-checksum": bytes(broken),
        "zstd-window": huge_window, "zstd-window-of-2g": with_window(zstd(maker, cluster), 31), "zstd-deflate": raw_deflate(cluster, -12),
        "zstd-cut": zstd(maker, maker.random.randbytes(30000) + bytes(35536))[:9000],
    }
    for name, stream in streams.items():
        put_stream(maker.plain(f"bad-stream-{name}", o=o[name[:4]]), 0, stream).save()
        yield f"bad-stream-{name}"
    image = maker.compressed("bad-compressed-copied")
    guest = next(i for i in range(1024) if image.entry(i) & COMPRESSED)
    image.set_entry(guest, image.entry(guest) | COPIED).save()
    yield "bad-compressed-copied"
    image = maker.compressed("bad-compressed-past-the-end")
    image.set_entry(guest, COMPRESSED | 1 << 40).save()
    yield "bad-compressed-past-the-end"
    image = maker.compressed("bad-compressed-on-a-table")
    image.set_entry(guest, COMPRESSED | image.l2(0)).save()
    yield "bad-compressed-on-a-table"


def data_on_tables_of_others(maker):
    """The disk's data lies on what snapshots and bitmaps have; and tables of theirs that are not there."""
    def with_snapshots(name, count=1):
        image = maker.plain(name, o="cluster_size=512")
        for i in range(count):
            maker.run("qemu-img", "snapshot", "-c", f"snapshot-{i}-" + "n" * 100, image.path)
        return Image(image.path)

    def with_bitmap(name):
        image = maker.plain(name, o="cluster_size=64k")
        maker.run("qemu-img", "bitmap", "--add", image.path, "bitmap")
        maker.io(image.path, "write 0 1M")
        return Image(image.path)

    def bitmap_directory(image):
        at = image.bytes.index(struct.pack(">II", 0x23852875, 24))
        return image.u64(at + 24)

    def point_there(image, host):
        guest = next(i for i in range(4096) if image.host(i))
        image.set_entry(guest, COPIED | host)
        image.bytes.extend(bytes(-len(image.bytes) % image.cluster()))
        image.save()
        return os.path.basename(image.path)

    image = with_snapshots("bad-data-is-snapshot-l1")
    snapshot_l1 = image.u64(image.get("snapshots_offset"))
    yield point_there(image, snapshot_l1)
    image = with_snapshots("bad-data-is-snapshot-l2")
    l2 = image.u64(snapshot_l1) & 0x00fffffffffffe00
    moved = image.append(image.bytes[l2:l2 + 512])
    image.put64(snapshot_l1, moved)
    yield point_there(image, moved)
    image = with_snapshots("bad-data-is-long-snapshot-table", 12)
    yield point_there(image, image.get("snapshots_offset") + 512)
    image = with_snapshots("bad-snapshot-l1-past-the-end")
    image.put64(image.get("snapshots_offset"), 1 << 40).save()
    yield "bad-snapshot-l1-past-the-end"
    image = with_snapshots("bad-snapshot-table-past-the-end")
    image.set(snapshots_offset=1 << 40).save()
    yield "bad-snapshot-table-past-the-end"
    image = with_bitmap("bad-data-is-bitmap-directory")
    yield point_there(image, bitmap_directory(image))
    image = with_bitmap("bad-data-is-bitmap-table")
    yield point_there(image, image.u64(bitmap_directory(image)))
    image = with_bitmap("bad-bitmap-table-past-the-end")
    image.put64(bitmap_directory(image), 1 << 40).save()
    yield "bad-bitmap-table-past-the-end"
    for name, bit in (("reserved", 8), ("ones-and-an-offset", 0)):
        image = with_bitmap(f"bad-bitmap-entry-{name}")
        table = image.u64(bitmap_directory(image))
        image.put64(table, image.u64(table) | 1 << bit).save()
        yield f"bad-bitmap-entry-{name}"
    image = with_bitmap("bad-bitmap-type")
    image.bytes[bitmap_directory(image) + 16] = 2
    image.save()
    yield "bad-bitmap-type"
    image = maker.plain("bad-bitmaps-extension")
    image.extension(0x23852875, bytes(23)).save()
    yield "bad-bitmaps-extension"


def truncated(maker):
    image = maker.compressed("cut-last-stream", o="cluster_size=64k")
    noise = image.append(bytes(65536))  # a stream that begins in the last cluster and goes on in the next
    guest = next(i for i in range(64) if image.entry(i) & COMPRESSED)
    image.set_entry(guest, COMPRESSED | 200 << 54 | noise + 40000)
    image.bytes = image.bytes[:noise + 41000]
    image.save()
    yield "cut-last-stream"
    for kind in ("plain", "compressed"):
        whole = getattr(maker, kind)(f"cut-{kind}").bytes
        os.unlink(maker.path(f"cut-{kind}"))
        lengths = {0, 3, 71, 103, 111, 112, 4095, 4096, 8192, len(whole) // 2, len(whole) - 4097}
        if kind == "plain":
            lengths.add(len(whole) - 1)
        for length in sorted(lengths):
            with open(maker.path(f"cut-{kind}-{length}"), "wb") as file:
                file.write(whole[:length])
            yield f"cut-{kind}-{length}"


def bombs(maker):
    """Small files that claim huge disks full of data."""
    image = maker.plain("bomb-one-cluster", o="cluster_size=64k")
    guest = next(i for i in range(64) if image.host(i))
    for i in range(8192):
        image.put64(image.l2(0) + 8 * i, image.host(guest))
    image.set(size=512 * MIB).save()
    yield "bomb-one-cluster"
    image = maker.plain("bomb-one-l2", o="cluster_size=64k")
    table = image.append(b"".join(struct.pack(">Q", COPIED | image.host(guest)) for _ in range(8192)))
    l1 = image.append(struct.pack(">Q", COPIED | table) * 8192)
    image.set(l1_offset=l1, l1_size=8192, size=8192 * 512 * MIB).save()
    yield "bomb-one-l2"
    stream = raw_deflate(bytes([7]) * 65536, -12)
    image = maker.plain("bomb-compressed", o="cluster_size=64k")
    put_stream(image, guest, stream)
    tables = [image.append(struct.pack(">Q", image.entry(guest)) * 8192) for _ in range(60)]
    l1 = image.append(b"".join(struct.pack(">Q", COPIED | table) for table in tables))
    image.set(l1_offset=l1, l1_size=60, size=60 * 512 * MIB).save()
    yield "bomb-compressed"
    path = maker.create("bomb-size", "2047P", o="cluster_size=2M")
    yield os.path.basename(path)


# --- judging -----------------------------------------------------------------

class Judge:
    def __init__(self, program, maker, only):
        self.program = os.path.abspath(program)
        self.maker = maker
        self.only = only
        self.count = 0
        self.failures = []

    def wanted(self, name):
        return not self.only or any(name.startswith(prefix) for prefix in self.only)

    def fail(self, name, text):
        self.failures.append(f"{name}: {text}")
        print(f"FAILED {name}: {text}", flush=True)

    def e2qcow(self, *words, stdin=subprocess.DEVNULL):
        # Time of the processors, as other programs may have the machine; sanitizers take more of everything.
        sanitized = "E2QCOW_NO_MEMORY_LIMIT" in os.environ

        def limit():
            seconds = 60 if sanitized else 10
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            if not sanitized:
                resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, 512 * MIB))
        try:
            return subprocess.run([self.program, *words], cwd=self.maker.directory, timeout=120, text=True, stdin=stdin,
                                  errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 124, "", "timeout")

    def same_as_qemu(self, name, options=()):
        if not self.wanted(name):
            return
        self.count += 1
        ours, theirs = self.maker.path("ours.raw"), self.maker.path("theirs.raw")
        done = self.e2qcow("restore", "-q", *options, name, "ours.raw")
        if done.returncode != 0:
            return self.fail(name, f"refused: {done.stderr.strip()}")
        subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", name, "theirs.raw"], check=True,
                       cwd=self.maker.directory)
        if subprocess.run(["cmp", "-s", ours, theirs]).returncode != 0:
            self.fail(name, "restored otherwise than by qemu-img")
        done = self.e2qcow("compare", *(word.replace("--backing", "--backing-a") for word in options),
                           name + ":qcow2", "theirs.raw:raw")
        if done.returncode != 0:
            self.fail(name, f"compare: {done.returncode}: {done.stdout} {done.stderr}")
        self.same_map(name, options)
        self.same_check(name)
        for path in (ours, theirs):
            os.unlink(path)

    def same_map(self, name, options):
        """Each stretch is stored in the way and at the place that QEMU sees."""
        done = self.e2qcow("map", "--json", *options, name)
        if done.returncode != 0:
            return self.fail(name, f"map: {done.stderr.strip()}")
        said = subprocess.run(["qemu-img", "map", "--output=json", "-f", "qcow2", name], check=True, text=True,
                              stdout=subprocess.PIPE, cwd=self.maker.directory).stdout
        ours, theirs = stretches(json.loads(done.stdout)), stretches(json.loads(said))
        for mine, other in itertools.zip_longest(ours, theirs):
            if mine != other:
                return self.fail(name, f"map: {mine} instead of {other}")
        return None

    def same_check(self, name):
        ours = self.e2qcow("check", "--data", name)
        theirs = subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", name], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, cwd=self.maker.directory).returncode
        marked = name in ("dirty", "corrupt-bit")  # QEMU 7.2 does not mind
        if ours.returncode != theirs and not (marked and ours.returncode == 2):
            self.fail(name, f"check: {ours.returncode} instead of {theirs}: {ours.stdout}")

    def read_all_the_same(self, name):
        """What is wrong is nothing that the disk depends on: it is what QEMU reads, if QEMU reads it."""
        if not self.wanted(name):
            return
        self.count += 1
        done = self.e2qcow("restore", "-q", name, "ours.raw")
        if done.returncode not in (0, 3) or (done.returncode == 3) != (done.stderr.count("\n") == 1):
            return self.fail(name, f"status {done.returncode}: {done.stderr}")
        theirs = subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", name, "theirs.raw"], check=False,
                                cwd=self.maker.directory, stderr=subprocess.DEVNULL)
        if theirs.returncode == 0:
            if subprocess.run(["cmp", "-s", "ours.raw", "theirs.raw"], cwd=self.maker.directory).returncode != 0:
                self.fail(name, "restored otherwise than by qemu-img")
            os.unlink(self.maker.path("theirs.raw"))
        os.unlink(self.maker.path("ours.raw"))
        if self.e2qcow("check", "--data", name).returncode not in (1, 2):
            self.fail(name, "check finds nothing")

    def refused(self, name):
        if not self.wanted(name):
            return
        self.count += 1
        target = self.maker.path("ours.raw")
        with open(target, "w", encoding="ascii") as file:
            file.write("older")
        for command in (["restore", "-q", name, "ours.raw"], ["map", name], ["info", name], ["check", "--data", name]):
            done = self.e2qcow(*command)
            if done.returncode not in (0, 1, 2, 3) or len(done.stdout) > 100000:
                self.fail(name, f"{command[0]}: status {done.returncode}")
            if command[0] != "restore":
                continue
            with open(target, encoding="ascii") as file:
                if file.read() != "older":
                    self.fail(name, "has touched the target")
            lines = done.stderr.strip().split("\n")
            if done.returncode != 1 or len(lines) != 1 or not lines[0].startswith("e2qcow: "):
                self.fail(name, f"status {done.returncode}: {done.stderr}")
        if not name.startswith("bomb"):  # how large the file is shows at the end of a pipe
            self.refused_from_a_pipe(name)
        os.unlink(target)

    def refused_from_a_pipe(self, name):
        with open(self.maker.path(name), "rb") as file:
            done = self.e2qcow("restore", "-q", "-", "piped.raw", stdin=file)
        if done.returncode != 1 or os.path.exists(self.maker.path("piped.raw")):
            self.fail(name, f"from a pipe: status {done.returncode}: {done.stderr}")
        if os.path.exists(self.maker.path("piped.raw")):
            os.unlink(self.maker.path("piped.raw"))


def stretches(entries):
    """What `map --json` says, in the longest pieces. Data that QEMU calls zero lies in a hole of the image's file."""
    result = []
    for entry in entries:
        if entry["length"] == 0:
            continue  # how QEMU says that a disk is empty
        piece = {key: entry.get(key) for key in ("start", "length", "depth", "present", "data", "offset")}
        last = result[-1] if result else None
        moved = last and {**piece, "start": last["start"], "length": last["length"],
                          "offset": None if piece["offset"] is None else piece["offset"] - last["length"]}
        if last and moved == last:
            last["length"] += piece["length"]
        else:
            result.append(piece)
    return result


def judge_good(judge, maker):
    for name in good(maker):
        judge.same_as_qemu(name)
    for name, options in chains(maker):
        judge.same_as_qemu(name, options)
        if judge.wanted(name):
            judge.refused(name)  # without naming what it is based on


# Faults of refcounts, snapshots, bitmaps and extensions.
OF_OTHERS = re.compile("bad-(rt-|rb-|snapshot|bitmap|extension-(?!crypto)|extensions-|refcount-table|compressed-copied|l[12]-(data-)?is-r[tb]|"
                       "data-is-(snapshot|long|bitmap))")


def judge_bad(judge, maker):
    for name in bad(maker):
        if OF_OTHERS.match(name):
            judge.read_all_the_same(name)
        else:
            judge.refused(name)


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("good", "bad"):
        print(__doc__, file=sys.stderr)
        return 2
    status = status_without(("qemu-img", "qemu-io", "zstd"))
    if status != 0:
        return status
    with tempfile.TemporaryDirectory(dir=fast_folder()) as directory:
        maker = Maker(directory)
        judge = Judge(sys.argv[1], maker, sys.argv[3:])
        if sys.argv[2] == "good":
            judge_good(judge, maker)
        else:
            judge_bad(judge, maker)
    print(f"{judge.count} images, {len(judge.failures)} failures")
    return 1 if judge.failures or judge.count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
