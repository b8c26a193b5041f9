# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems for their layouts, with a simple tree."""

import os

import live
import slack
from builder import command


def simple_tree(builder, top, name_count=40):
    """Names, targets and attributes for mke2fs -d."""
    plants = builder.plants
    folder = os.path.join(top, plants.text("name of a directory"))
    os.mkdir(folder)
    marker = plants.text("name of a file")
    for number in range(name_count):
        live.write(os.path.join(folder, f"{marker}-{number}"), b"")
    os.symlink(plants.text("target of a fast symlink"), os.path.join(top, "fast"))
    os.symlink(plants.text("target of a slow symlink") * 20, os.path.join(top, "slow"))
    path = os.path.join(top, "file")
    live.write(path, plants.fill("contents of a file", 9000, held=False))
    live.give_away(top)
    os.setxattr(path, "user." + plants.text("name of an attribute"), plants.fill("value of an attribute", 100))


def of_features(new, name, *options, block=1024, kib=8192, version="ext4"):
    """A layout of its own, with a simple tree."""
    builder = new(name)
    with builder.tree() as top:
        simple_tree(builder, top)
        builder.make(kib, "-t", version, *options, block=block, tree=top)
    if "quota" in options:
        command("e2fsck", "-fy", builder.image, allowed=(0, 1))  # counts what mke2fs -d did not
    with builder.disk() as disk:
        slack.superblocks(disk, builder.plants)
    return builder


def revision_0(new):
    """The first format, which has no attributes."""
    builder = of_features(new, "revision-0", "-r", "0", version="ext2")
    builder.plants.forget("of an attribute")
    return builder


def mmp(new):
    builder = of_features(new, "mmp", "-O", "mmp", block=4096)
    with builder.disk() as disk:
        slack.mmp(disk, builder.plants)
    return builder


def quota(new):
    builder = of_features(new, "quota", "-O", "quota", block=4096)
    with builder.disk() as disk:
        slack.quota(disk, builder.plants)
    return builder


def verity(new):
    """The descriptor and the hashes are past a file's end, as contents."""
    builder = of_features(new, "verity", "-O", "verity")
    builder.debugfs("sif file flags 0x180000", "sif file size 3000")
    return builder
