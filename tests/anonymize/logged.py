# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems whose log must be replayed, and those with old records of fast commits."""

import os

import journals
import live
from builder import copy, sync_log


def replay(new, name, features, options, has_own_checksums=False):
    """Transactions written by debugfs."""
    builder = new(name)
    with builder.tree() as top:
        journals.tree_for_replay(builder, top)
        builder.make(8 * 1024, "-t", "ext4", "-N", "128", "-J", "size=1", "-O", features, block=1024, tree=top)
    journals.transactions(builder, options)
    with builder.disk() as disk:
        if has_own_checksums:
            journals.checksum_transactions(disk)
        journals.log_slack(disk, builder.plants)
        journals.superblock_slack(disk, builder.plants)
    return builder


def dirty(new, name, *mount_options):
    """As after a crash: the kernel committed to the log, and did not write back."""
    builder = new(name)
    plants = builder.plants
    builder.make(16 * 1024, "-t", "ext4", "-N", "512", "-J", "size=4", "-O", "ea_inode,orphan_file,large_dir")
    still = os.path.join(builder.folder, "live.img")
    with builder.mounted("commit=300", *mount_options) as top:
        live.names_of_all_types(builder, top)
        live.large_directory(builder, top, "hashed", 60, 60, "a hashed directory")
        os.sync()
        live.set_label(top, plants.text("label set while mounted"))
        folder_path = os.path.join(top, "new")
        os.mkdir(folder_path)
        live.symlinks(builder, folder_path)
        live.attributes(builder, folder_path, has_large=True)
        path = os.path.join(folder_path, "contents")
        with open(path, "wb") as file:
            file.write(plants.fill("contents of a new file", 9000, held="data=journal" in mount_options))
            os.fsync(file.fileno())
        marker = plants.text("name that only the log has")
        for number in range(160):  # so that leaves split in the log
            os.link(path, os.path.join(top, "hashed", f"{number}-{marker}".ljust(60, "x")))
        with open(os.path.join(folder_path, "orphan"), "wb") as orphan:
            orphan.write(b"x" * 5000)
            os.setxattr(orphan.fileno(), "user.x", plants.fill("attribute of an orphan", 30))
            os.unlink(orphan.name)
            os.fsync(orphan.fileno())
            sync_log(top)
            copy(builder.image, still)
    os.replace(still, builder.image)
    with builder.disk() as disk:
        journals.log_slack(disk, plants)
        journals.superblock_slack(disk, plants)
    return builder


def fast_commits(new, is_clean):
    """Names and inodes in records; after a clean unmount they are still there."""
    builder = new("fast-commits-clean" if is_clean else "fast-commits")
    plants = builder.plants
    builder.make(16 * 1024, "-t", "ext4", "-O", "fast_commit,inline_data", "-N", "256", "-J", "size=4", block=4096)
    still = os.path.join(builder.folder, "live.img")
    with builder.mounted("commit=300") as top:
        path = os.path.join(top, "folder")
        os.mkdir(path)
        sync_log(top)
        names = [os.path.join(path, plants.text(f"fast commit: {what} name")) for what in
                 ("created", "linked", "renamed", "removed")]
        short = [os.path.join(path, name) for name in ("a", "bc", "def")]
        for number, name in enumerate(names[:1] + names[3:] + short):
            with open(name, "wb") as file:
                if number == 0:
                    file.write(plants.fill("fast commit: inline data", 50))
                os.fsync(file.fileno())
        with open(names[0], "rb") as file:
            os.link(names[0], names[1])
            os.fsync(file.fileno())
            os.rename(names[0], names[2])
            os.fsync(file.fileno())
            os.unlink(names[3])
            os.fsync(file.fileno())
        copy(builder.image, still)
    if not is_clean:
        os.replace(still, builder.image)
    with builder.disk() as disk:
        journals.fast_commit_slack(disk, plants)
        journals.superblock_slack(disk, plants)
    return builder
