#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a copy of a file system, and change it as its users would.
    change_copy.py touch_directories|overwrite_files PERCENT FILE COPY
Of so many of its directories the times of all files are changed, or so much of the contents of all files. Needs root,
as it mounts the copy."""

import os
import random
import subprocess
import sys
import tempfile


def touch_directories(place, percent):
    chance = random.Random(1)
    for folder, _, names in os.walk(place):
        if chance.random() * 100 < percent:
            for name in names:
                os.utime(os.path.join(folder, name), follow_symlinks=False)


def overwrite_files(place, percent):
    """A piece of 64 KiB in every so many."""
    number = 0
    for folder, _, names in os.walk(place):
        for name in sorted(names):
            with open(os.path.join(folder, name), "r+b") as file:
                for offset in range(0, os.fstat(file.fileno()).st_size, 1 << 16):
                    if (number := number + 1) % (100 // percent) == 0:
                        file.seek(offset)
                        file.write(os.urandom(1 << 16))


def main():
    how, percent, source, copy = sys.argv[1:]
    change = {"touch_directories": touch_directories, "overwrite_files": overwrite_files}[how]
    subprocess.run(["cp", "--sparse=always", source, copy], check=True)
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["mount", "-o", "loop,noatime", copy, place], check=True)
        try:
            change(place, int(percent))
        finally:
            subprocess.run(["umount", place], check=True)


if __name__ == "__main__":
    main()
