# SPDX-License-Identifier: GPL-2.0-or-later
"""The file systems with most plants: all that the kernel knows, and the oldest with a journal."""

import os

import attribute_slack
import directory_slack
import journals
import live
import slack
from disk import SUPERBLOCK


def everywhere_between(builder, disk):
    """The places that every file system has."""
    slack.superblocks(disk, builder.plants)
    slack.around_superblocks(disk, builder.plants)


def main(new):
    """All features that the kernel knows, blocks of 4 KiB."""
    builder = new("main")
    builder.make(48 * 1024, "-t", "ext4", "-g", "1024", "-N", "2048", "-J", "size=4", "-O",
                 "inline_data,ea_inode,large_dir,metadata_csum_seed,orphan_file")
    plants = builder.plants
    with builder.mounted() as top:
        live.deleted(builder, top, is_inline=True)
        live.names_of_all_types(builder, top)
        live.short_names(top)
        live.found_again(builder, top)
        live.large_directory(builder, top, "hashed", 260, 60, "a hashed directory")
        live.symlinks(builder, top, is_inline=True)
        live.attributes(builder, top, has_large=True)
        live.inline_contents(builder, top)
        live.file_contents(builder, top)
        live.give_away(top)
        live.write(os.path.join(top, plants.text("name in the root directory")), b"")
        for name in "plain_file", "unknown_fields", "one_extent":
            live.write(os.path.join(top, name), b"x" * 5000)
            builder.remember(**{name: os.path.join(top, name)})
    with builder.disk() as disk:
        everywhere_between(builder, disk)
        inodes = builder.inodes
        directory_slack.lost_and_found(disk, plants)
        directory_slack.leaf(disk, plants, inodes["linear"], disk.blocks(inodes["linear"])[0], "a linear directory")
        directory_slack.pads(disk, plants, inodes["linear"], disk.blocks(inodes["linear"])[0], "a linear directory")
        hashed = directory_slack.leaves(disk, inodes["hashed"])
        directory_slack.leaf(disk, plants, inodes["hashed"], hashed[0], "a hashed directory")
        directory_slack.pads(disk, plants, inodes["hashed"], hashed[1], "a hashed directory")
        directory_slack.index(disk, plants, inodes["hashed"], "an index")
        directory_slack.leaf(disk, plants, inodes["emptied"], disk.blocks(inodes["emptied"])[0], "an emptied directory")
        attribute_slack.inline_directory(disk, plants, inodes["inline_folder"])
        slack.fast_symlink(disk, plants, inodes["fast"])
        slack.slow_symlink(disk, plants, inodes["slow"])
        for what in "fifo", "socket", "character device", "block device":
            slack.special_inode(disk, plants, inodes[what], what)
        slack.extent_root(disk, plants, inodes["one_extent"], "an inode")
        slack.extent_blocks(disk, plants, inodes["extents"], "a file")
        slack.inode_tail(disk, plants, inodes["slow"], "an inode")
        slack.inode_tail(disk, plants, 9, "a reserved inode")
        slack.unknown_fields(disk, plants, inodes["unknown_fields"])
        slack.inode_slots(disk, plants)
        attribute_slack.inode_attributes(disk, plants, inodes["inode_attributes"], "an inode")
        attribute_slack.attribute_block(disk, plants, inodes["block_attributes"], "a file")
        attribute_slack.large_attribute(disk, plants, inodes["large_attribute"])
        slack.deleted_inodes(disk, plants, inodes["deleted"])
        journals.superblock_slack(disk, plants)
    return builder


def ext3(new):
    """Without checksums, extents or large inodes; blocks of 1 KiB."""
    builder = new("ext3")
    builder.make(16 * 1024, "-t", "ext3", "-I", "128", "-g", "4096", "-N", "512", "-J", "size=1", block=1024)
    plants = builder.plants
    with builder.mounted() as top:
        live.deleted(builder, top)
        live.names_of_all_types(builder, top)
        live.short_names(top)
        live.large_directory(builder, top, "hashed", 60, 60, "a hashed directory")
        live.symlinks(builder, top)
        live.attributes(builder, top)
        live.file_contents(builder, top)
        live.give_away(top)
    with builder.disk() as disk:
        everywhere_between(builder, disk)
        disk.write(SUPERBLOCK + 0x1A8, b"ext4_lookup".ljust(32, b"\0"))  # a known name is kept
        plants.forget("first error function in the superblock")
        inodes = builder.inodes
        directory_slack.lost_and_found(disk, plants)
        all_types = inodes["linear"]  # which is hashed as well
        directory_slack.leaf(disk, plants, all_types, directory_slack.leaves(disk, all_types)[0], "all types")
        hashed = directory_slack.leaves(disk, inodes["hashed"])
        directory_slack.leaf(disk, plants, inodes["hashed"], hashed[0], "a hashed directory")
        directory_slack.index(disk, plants, inodes["hashed"], "an index")
        slack.fast_symlink(disk, plants, inodes["fast"])
        slack.slow_symlink(disk, plants, inodes["slow"])
        for what in "fifo", "socket", "character device":
            slack.special_inode(disk, plants, inodes[what], what)
        attribute_slack.attribute_block(disk, plants, inodes["block_attributes"], "a file")
        slack.deleted_inodes(disk, plants, inodes["deleted"])
        journals.superblock_slack(disk, plants)
    return builder
