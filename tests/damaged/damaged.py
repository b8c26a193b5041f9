#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dump and restore file systems that others damaged.

usage: damaged.py E2QCOW FOLDER [NAME...]

FOLDER holds file systems: the folder tests in the sources of e2fsprogs
(NAME/image.gz), or loose ones (NAME.img, NAME.img.gz, .bz2, .xz, .zst). Each is
dumped without and with --all. For what is restored, `e2fsck -fn` and, on a copy,
`e2fsck -fy` must report the same as for the original.

Exit status: 0 all did, 1 not all, 77 a program is missing.
"""

import bz2
import concurrent.futures
import gzip
import lzma
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from trial import Trial, copy_with_holes, fast_folder, run, status_without  # noqa: E402

FILE_SYSTEM = re.compile(r"(?:image|(?P<name>.+)\.img)(?:\.(?:gz|bz2|xz|zst))?")
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def find_file_systems(top):
    """(name, path) of each."""
    found = []
    for parent, _, files in os.walk(top):
        for file in files:
            match = FILE_SYSTEM.fullmatch(file)
            if match:
                found.append((match["name"] or os.path.basename(parent), os.path.join(parent, file)))
    return sorted(found)


def unpack(path, target):
    suffix = os.path.splitext(path)[1]
    if suffix == ".zst":
        run(["zstd", "-dqf", "--sparse", path, "-o", target], None)
        return
    with OPENERS.get(suffix, open)(path, "rb") as packed:
        copy_with_holes(packed, target)


def judge(program, name, path):
    """Whether it passed, and a line about it."""
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        trial = Trial(program, folder)
        unpack(path, trial.path("fs.img"))
        for options in [], ["--all"]:
            problem = trial.dump_and_restore(options)
            for how in ("-fn", "-fy"):
                problem = problem or trial.compare(how)
            if problem:
                return False, f"failed  {name}, {' '.join(['dump'] + options)}: {problem}"
    doubts = f" (e2fsck gives no steady answer: {', '.join(trial.undecided)})" if trial.undecided else ""
    return True, f"passed  {name}{doubts}"


def main():
    if len(sys.argv) < 3 or not os.path.isdir(sys.argv[2]):
        print(__doc__, file=sys.stderr)
        return 2
    if status := status_without(["e2fsck", "setarch", "zstd"]):
        return status
    program, top, names = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    file_systems = [(name, path) for name, path in find_file_systems(top) if not names or name in names]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = []
        for passed, line in pool.map(lambda found: judge(program, *found), file_systems):
            print(line, flush=True)
            results.append(passed)
    print(f"{sum(results)} of {len(results)} passed")
    return 0 if results and all(results) else 1


sys.exit(main())
