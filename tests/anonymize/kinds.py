# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of file systems, and what is special about some."""

import corrupt
import corrupt_directories
import directories
import full
import layouts
import logged

KINDS = {
    "main": full.main,
    "ext3": full.ext3,
    "two-levels": directories.two_levels,
    "three-levels": directories.three_levels,
    "three-levels-large": directories.three_levels_large,
    "hashes-signed": lambda new: directories.hashes(new, True),
    "hashes-unsigned": lambda new: directories.hashes(new, False),
    "mmp": layouts.mmp,
    "quota": layouts.quota,
    "casefold": directories.casefold,
    "encrypted": directories.encrypted,
    "encrypted-casefold": directories.encrypted_casefold,
    "continued": directories.continued,
    "hashed-root": directories.hashed_root,
    "verity": layouts.verity,
    "no-filetype": lambda new: layouts.of_features(new, "no-filetype", "-O", "^filetype,^metadata_csum,^has_journal"),
    "revision-0": layouts.revision_0,
    "blocks-64k": lambda new: layouts.of_features(new, "blocks-64k", "-O", "^has_journal", block=65536, kib=16384),
    "meta-bg": lambda new: layouts.of_features(new, "meta-bg", "-O", "meta_bg,^resize_inode", "-g", "1024"),
    "bigalloc": lambda new: layouts.of_features(new, "bigalloc", "-O", "bigalloc", "-C", "4096"),
    "sparse-super2": lambda new: layouts.of_features(new, "sparse-super2", "-O", "sparse_super2,^resize_inode", "-g",
                                                "1024"),
    "dirty": lambda new: logged.dirty(new, "dirty"),
    "dirty-data": lambda new: logged.dirty(new, "dirty-data", "data=journal"),
    "replay-plain": lambda new: logged.replay(new, "replay-plain", "^metadata_csum", ""),
    "replay-v1": lambda new: logged.replay(new, "replay-v1", "^metadata_csum,^64bit", "", has_own_checksums=True),
    "replay-v2": lambda new: logged.replay(new, "replay-v2", "metadata_csum", " -c -v 2"),
    "replay-v3": lambda new: logged.replay(new, "replay-v3", "metadata_csum", " -c -v 3"),
    "fast-commits": lambda new: logged.fast_commits(new, False),
    "fast-commits-clean": lambda new: logged.fast_commits(new, True),
    "corrupt-directories": corrupt_directories.directories,
    "corrupt-lengths": corrupt_directories.lengths,
    "corrupt-inodes": corrupt.inodes,
    "corrupt-text": corrupt.text,
    "corrupt-log": lambda new: corrupt.log(logged.replay(new, "corrupt-log", "metadata_csum", " -c -v 3")),
    "lost-log": lambda new: corrupt.lost_log(logged.replay(new, "lost-log", "^metadata_csum", "")),
    "corrupt-superblock": lambda new: corrupt.superblock(layouts.of_features(new, "corrupt-superblock", kib=16384)),
    "lost-superblock": lambda new: corrupt.lost_superblock(layouts.of_features(new, "lost-superblock", kib=16384)),
}
# Privacy wins in these: what does not parse is zero, and e2fsck reports other things than before.
MAY_DIFFER = {"corrupt-text", "corrupt-inodes", "corrupt-lengths"}  # privacy wins: zeros where text was
WALKS_DIFFER = {"corrupt-inodes"}  # the kernel refuses an attribute that is zeros then
DAMAGED = {kind for kind in KINDS if kind.startswith(("corrupt-", "lost-"))}
SLOW = {"mmp"}  # e2fsck -fy waits whether another host uses it
LOGS = {kind for kind in KINDS if kind.startswith(("replay", "dirty"))}
CHANGED = {"main", "ext3"}  # dumped again after a change
STRICT = {"main", "ext3", "encrypted", "quota", "replay-v3", "fast-commits", "dirty", "hashed-root"}
LONG = {"three-levels-large"}  # only judged if they are asked for
