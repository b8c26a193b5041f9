# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems for their directories: levels and functions of indices, folded and encrypted names."""

import os

import attribute_slack
import directory_slack
import live
import slack
from builder import command
from disk import INDEX
from full import everywhere_between


def two_levels(new, name="two-levels"):
    """An index with interior nodes, and an extent tree with an interior node."""
    builder = new(name)
    builder.make(16 * 1024, "-t", "ext4", "-N", "256", "-J", "size=2", "-O", "large_dir", block=1024)
    with builder.mounted() as top:
        live.large_directory(builder, top, "hashed", 620, 240, "an index")
        live.sparse_file(os.path.join(top, "extents"), 800, step=2048)
        builder.remember(extents=os.path.join(top, "extents"))
    with builder.disk() as disk:
        plants, inode = builder.plants, builder.inodes["hashed"]
        assert disk.block(disk.blocks(inode)[0])[30] == 1, "the index has one level"
        everywhere_between(builder, disk)
        if name == "two-levels":
            directory_slack.index(disk, plants, inode, "an index of two levels")
        directory_slack.leaf(disk, plants, inode, directory_slack.leaves(disk, inode)[0], "an index")
        slack.extent_blocks(disk, plants, builder.inodes["extents"], "a file")
    return builder


def three_levels(new):
    """A node is put between the root and the others, in a block that debugfs adds."""
    builder = two_levels(new, "three-levels")
    builder.debugfs("expand_dir hashed")
    with builder.disk() as disk:
        directory_slack.add_level(disk, builder.inodes["hashed"])
        directory_slack.index(disk, builder.plants, builder.inodes["hashed"], "an index of three levels")
    return builder


def three_levels_large(new):
    """As the kernel makes them, from 40 000 names."""
    builder = new("three-levels-large")
    builder.make(80 * 1024, "-t", "ext4", "-N", "256", "-J", "size=4", "-O", "large_dir", block=1024)
    with builder.mounted() as top:
        live.large_directory(builder, top, "hashed", 45000, 255, "an index of three levels")
    with builder.disk() as disk:
        assert disk.block(disk.blocks(builder.inodes["hashed"])[0])[30] == 2, "the index has two levels"
        directory_slack.index(disk, builder.plants, builder.inodes["hashed"], "an index of three levels")
        everywhere_between(builder, disk)
    return builder


def hashes(new, signed):
    """A directory for each function, with names that its two kinds differ for."""
    builder = new("hashes-signed" if signed else "hashes-unsigned")
    builder.make(8 * 1024, "-t", "ext4", "-N", "128", "-J", "size=1", block=1024)
    builder.debugfs(f"ssv flags {1 if signed else 2}")
    for function in "legacy", "half_md4", "tea":
        builder.debugfs(f"ssv def_hash_version {function}")
        with builder.mounted() as top:
            live.large_directory(builder, top, function, 130, 50, f"a directory hashed with {function}")
    with builder.disk() as disk:
        for function in "legacy", "half_md4", "tea":
            version = disk.block(disk.blocks(builder.inodes[function])[0])[28]
            assert version == ("legacy", "half_md4", "tea").index(function), "another hash was used"
            directory_slack.index(disk, builder.plants, builder.inodes[function], f"an index with {function}")
    return builder


def continued(new):
    """Boundaries of an index that are hashes of names in the leaf before."""
    builder = new("continued")
    builder.make(8 * 1024, "-t", "ext4", "-N", "128", "-J", "size=1", block=1024)
    with builder.mounted() as top:
        live.large_directory(builder, top, "hashed", 150, 60, "an index with names on its boundaries")
    with builder.disk() as disk:
        directory_slack.continue_leaves(disk, builder.inodes["hashed"])
        everywhere_between(builder, disk)
    return builder


def hashed_root(new):
    """The root has an index, and lost+found must stay in its leaf."""
    builder = new("hashed-root")
    builder.make(8 * 1024, "-t", "ext4", "-N", "400", "-J", "size=1", block=1024)
    with builder.mounted() as top:
        marker = builder.plants.text("name in a hashed root")
        for number in range(250):
            live.write(os.path.join(top, f"{number}-{marker}".ljust(60, "r")), b"")
    with builder.disk() as disk:
        assert disk.flags(2) & INDEX
        everywhere_between(builder, disk)
        directory_slack.index(disk, builder.plants, 2, "the root's index")
    return builder


def casefold(new):
    """Names that fold; a linear directory and, by e2fsck -D, one with an index."""
    builder = new("casefold")
    plants = builder.plants
    with builder.tree() as top:
        for name, count in ("linear", 6), ("hashed", 150):
            path = os.path.join(top, name)
            os.mkdir(path)
            marker = plants.text(f"name in a casefolded {name} directory")
            for number in range(count):
                live.write(os.path.join(path, f"{marker}-Straße-Ä{number}"), b"")
        builder.make(8 * 1024, "-t", "ext4", "-O", "casefold", "-N", "400", block=1024, tree=top)
    builder.debugfs("sif linear flags 0x40080000", "sif hashed flags 0x40080000")
    command("e2fsck", "-fyD", builder.image, allowed=(0, 1))
    with builder.disk() as disk:
        everywhere_between(builder, disk)
        inode = disk.lookup("hashed")
        directory_slack.leaf(disk, plants, inode, directory_slack.leaves(disk, inode)[0], "a casefolded directory")
        directory_slack.index(disk, plants, inode, "a casefolded index")
    return builder


def encrypted(new, name="encrypted"):
    """Made by the kernel with a key; what it writes to disk is what must not stay."""
    builder = new(name)
    builder.make(16 * 1024, "-t", "ext4", "-O", "encrypt", "-N", "512", "-J", "size=1", block=1024)
    with builder.mounted() as top:
        path, identifier = live.encrypted_folder(top, "encrypted", 7)
        os.mkdir(os.path.join(path, "linear"))
        os.mkdir(os.path.join(path, "hashed"))
        for number in range(5):
            live.write(os.path.join(path, "linear", f"secret-{number}"), b"")
        for number in range(150):
            live.write(os.path.join(path, "hashed", f"secret name {number}"), b"")
        os.symlink("short", os.path.join(path, "fast"))
        os.symlink("long/" * 60, os.path.join(path, "slow"))
        builder.remember(linear=os.path.join(path, "linear"), hashed=os.path.join(path, "hashed"),
                         fast=os.path.join(path, "fast"), slow=os.path.join(path, "slow"))
    builder.plants.literal("identifier of a key", identifier)
    with builder.disk() as disk:
        plants, inodes = builder.plants, builder.inodes
        everywhere_between(builder, disk)
        for name in "linear", "hashed":
            block = directory_slack.leaves(disk, inodes[name])[0]
            found = [entry.name for entry in disk.entries(inodes[name], block) if entry.inode and len(entry.name) >= 16]
            plants.literal(f"encrypted name in a {name} directory", found[0][:16])
        plants.literal("encrypted target of a fast symlink", disk.read(disk.inode(inodes["fast"]) + 42, 16))
        plants.literal("encrypted target of a slow symlink", disk.block(disk.blocks(inodes["slow"])[0])[2:18])
        plants.literal("nonce of an encrypted directory", nonce(disk, inodes["linear"]))
        plants.literal("nonce of an encrypted symlink", nonce(disk, inodes["fast"]))
    return builder


def encrypted_casefold(new):
    """The kernel here cannot fold; so an encrypted directory gets the flag, and hashes behind the names."""
    builder = encrypted(new, "encrypted-casefold")
    builder.debugfs("feature casefold", "ssv encoding 1")
    with builder.disk() as disk:
        inode = builder.inodes["linear"]
        directory_slack.hashes_behind_names(disk, inode, builder.random)
        directory_slack.leaf(disk, builder.plants, inode, disk.blocks(inode)[0], "an encrypted, casefolded directory")
    return builder


def nonce(disk, inode):
    """Of the context in the inode's attributes: the last 16 of 40 bytes."""
    at = disk.inode(inode)
    data = disk.read(at, disk.inode_size)
    begin = disk.extra_end(inode) - at + 4
    found, _ = attribute_slack.attribute_entries(data, begin)
    offset = next(offset for _, _, number, offset, _, _ in found if number == 9)
    return data[begin + offset + 24:begin + offset + 40]
