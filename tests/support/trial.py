# SPDX-License-Identifier: GPL-2.0-or-later
"""Dump a file system and restore it; e2fsck must report the same for both."""

import os
import re
import shutil
import subprocess
import sys

# As in e2fsprogs' own tests; a fixed fill of memory, because e2fsck prints uninitialised bytes of some.
ENVIRONMENT = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "TZ": "GMT0", "LC_ALL": "C",
               "E2FSCK_CONFIG": "/dev/null", "BLKID_FILE": "/dev/null",
               "EXT2FS_NO_MTAB_OK": "yes", "E2FSPROGS_SKIP_PROGRESS": "yes", "E2FSPROGS_LIBMAGIC_SUPPRESS": "yes",
               "E2FSCK_TIME": "1700000000", "MALLOC_PERTURB_": "165", "SOURCE_DATE_EPOCH": "1700000000"}


def status_without(programs):
    """What to exit with because programs are missing; 0 where all are there."""
    missing = [name for name in programs if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    if not missing:
        return 0
    print("missing:", ", ".join(missing), file=sys.stderr)
    return 1 if os.environ.get("E2QCOW_CI") else 77


def fast_folder():
    """Where temporary files belong; None for the default."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def run(words, cwd, timeout=20, stdin=None):
    """Output and exit status; -1 when it took too long."""
    try:
        done = subprocess.run(words, cwd=cwd, env=ENVIRONMENT, timeout=timeout, input=stdin, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout, done.returncode
    except subprocess.TimeoutExpired:
        return b"", -1


def copy_with_holes(source, path):
    """Writes what an open file holds to another; zeros cost nothing."""
    with open(path, "wb") as out:
        while piece := source.read(1 << 16):
            if piece.count(0) == len(piece):
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)
        out.truncate(out.tell())


def judge(words, cwd):
    """What an outside program says; without its version and the addresses of a crash."""
    output, status = run(["setarch", "-R"] + words, cwd)
    lines = [line for line in output[:2_000_000].split(b"\n")
             if not re.match(rb"(e2fsck|dumpe2fs) 1\.", line) and not re.search(rb"\(\+?.*0x[0-9a-f]*\)\[0x", line)]
    return b"\n".join(re.sub(rb" fault addr=0x.*", b"", line) for line in lines), status


class Trial:
    """Works on fs.img in its folder."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.undecided = []  # what e2fsck does not answer, or not twice the same

    def path(self, name):
        return os.path.join(self.folder, name)

    def fsck(self, name, how):
        """What e2fsck says of a copy."""
        os.makedirs(self.path("judge"), exist_ok=True)
        with open(self.path(name), "rb") as file:
            copy_with_holes(file, self.path("judge/fs.img"))
        return judge(["e2fsck", how, "-N", "test_filesys", "fs.img"], self.path("judge"))

    def compare(self, how):
        ours = self.fsck("restored.img", how)
        theirs = self.fsck("fs.img", how)
        if theirs[1] == -1 or (ours != theirs and theirs != self.fsck("fs.img", how)):
            self.undecided.append(how)
            return None
        return None if ours == theirs else f"e2fsck {how} differs"

    def dump_and_restore(self, options):
        output, status = run([self.program, "dump", "-q"] + options + [self.path("fs.img"), self.path("fs.qcow2")],
                             self.folder, timeout=10)
        if status not in (0, 3):
            return f"dump {options}: status {status}: {output.decode(errors='replace')}"
        output, status = run([self.program, "restore", "-q", self.path("fs.qcow2"), self.path("restored.img")],
                             self.folder)
        return None if status == 0 else f"restore: status {status}: {output.decode(errors='replace')}"
