#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Read stretches of a disk in their order, each with a read of its own.

    one_at_a_time.py DISK STRETCHES     STRETCHES: what `e2qcow map --json` says of a dump
"""

import json
import os
import sys

with open(sys.argv[2], encoding="ascii") as file:
    stretches = [(entry["start"], entry["length"]) for entry in json.load(file) if entry["data"]]
disk = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(disk, 0, 0, os.POSIX_FADV_RANDOM)
for start, length in stretches:
    os.pread(disk, length, start)
