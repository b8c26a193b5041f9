# SPDX-License-Identifier: GPL-2.0-or-later
"""What is needed to build a file system: mke2fs, debugfs, the kernel, and edits of bytes."""

import contextlib
import os
import random
import shutil
import subprocess
import uuid

from trial import ENVIRONMENT
from disk import Disk
from plants import Plants


def command(*words, stdin=None, allowed=(0,)):
    """Its output; an error where it fails."""
    done = subprocess.run(words, env=ENVIRONMENT, input=stdin, check=False, timeout=120, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode not in allowed:
        output = done.stdout.decode(errors="replace")
        raise SystemExit(f"{' '.join(map(str, words))}: status {done.returncode}: {output}")
    return done.stdout


@contextlib.contextmanager
def mounted(image, folder, *options):
    """The folder where the kernel shows it."""
    top = os.path.join(folder, "mnt")
    os.makedirs(top, exist_ok=True)
    command("mount", "-t", "ext4", "-o", ",".join(("loop",) + options), image, top)
    try:
        yield top
    finally:
        command("umount", top)


def sync_log(top):
    """Commits what was done to the log, and nothing more."""
    folder = os.open(top, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def copy(source, target):
    command("cp", "--sparse=always", source, target)


class Builder:
    """A file system in a file, with the register of what was planted in it."""

    def __init__(self, folder, seed, name):
        self.folder = folder
        self.random = random.Random(f"{seed} {name}")
        self.name = name
        self.image = os.path.join(folder, name + ".img")
        self.plants = Plants()
        self.inodes = {}  # what it is: its number

    def make(self, kib, *options, block=4096, tree=None):
        with open(self.image, "wb") as file:
            file.truncate(kib * 1024)
        hash_seed, own = (str(uuid.UUID(bytes=self.random.randbytes(16))) for _ in range(2))
        command("mke2fs", "-q", "-F", "-b", str(block), "-U", own, "-E", f"lazy_itable_init=1,hash_seed={hash_seed}",
                *options, *(["-d", tree] if tree else []), self.image)

    def mounted(self, *options):
        return mounted(self.image, self.folder, *options)

    def disk(self):
        return Disk(self.image)

    def debugfs(self, *commands):
        return command("debugfs", "-w", "-f", "-", self.image, stdin="\n".join(commands).encode() + b"\n")

    def remember(self, **paths):
        for what, path in paths.items():
            self.inodes[what] = os.lstat(path).st_ino

    @contextlib.contextmanager
    def tree(self):
        """An empty folder for mke2fs -d."""
        top = os.path.join(self.folder, "tree")
        os.makedirs(top)
        try:
            yield top
        finally:
            shutil.rmtree(top)
