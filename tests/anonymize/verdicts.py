# SPDX-License-Identifier: GPL-2.0-or-later
"""All judges of a file system and its copy, as far as they apply to its kind."""

import judges
from disk import Disk
from kinds import DAMAGED, LOGS, MAY_DIFFER, SLOW, WALKS_DIFFER


def is_readable(image):
    with open(image, "rb") as file:
        file.seek(1024 + 56)
        return file.read(2) == b"\x53\xef"


def fsck_verdicts(kind, original, copied, folder, is_long):
    problems = judges.same_fsck(original, copied, "-fn", folder)
    if kind not in SLOW or is_long:
        problems += judges.same_fsck(original, copied, "-fy", folder)
    if kind not in DAMAGED | {"main"}:  # whose slots that were never used are judged with the copies of its descriptors
        with Disk(original) as disk:
            for at in disk.superblocks()[1:3]:
                how = f"-fn -b {at // disk.block_size} -B {disk.block_size}"
                problems += judges.same_fsck(original, copied, how, folder)
    return problems


def verdicts(kind, original, copied, folder, with_names, is_long=False, has_times=True):
    """What outside programs say of both; `with_names` also compares names, slack and attributes, whose values a
    plain dump may lack."""
    problems = [] if kind in MAY_DIFFER else fsck_verdicts(kind, original, copied, folder, is_long)
    if not is_readable(original):
        return problems
    if kind in LOGS:
        problems += judges.same_names_in_log(original, copied, folder)
    if kind in WALKS_DIFFER:
        return problems
    has_times = has_times and kind != "fast-commits"  # a replay sets some to the present
    problems += judges.same_walk(judges.walk(original, folder, has_times), judges.walk(copied, folder, has_times),
                                 with_names)
    problems += judges.same_htrees(original, copied)
    if with_names and kind not in DAMAGED:
        problems += judges.same_directories(original, copied)
        problems += judges.superblock_problems(original, copied)
    return problems
