# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps a file system and restores it."""

import os

from trial import run


class Dumper:
    """Ways to dump a file system and restore it."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def e2qcow(self, image, name, *options):
        """Dumps and restores; what went wrong, or nothing."""
        output, status = run([self.program, "dump", "-q", "--force", *options, image, self.path(name + ".qcow2")],
                             self.folder)
        with open(self.path(name + ".log"), "wb") as file:
            file.write(output)
        if status not in (0, 3):
            return [f"dump: status {status}: {output.decode(errors='replace')[:300]}"]
        output, status = run([self.program, "restore", "-q", self.path(name + ".qcow2"),
                              self.path(name + ".img")], self.folder)
        return [] if status == 0 else [f"restore: status {status}: {output.decode(errors='replace')[:300]}"]

    def offers_strict(self):
        return b"strict" in run([self.program, "dump", "--help"], self.folder)[0]

    def leaks(self, plants, name, is_disk=True):
        """The places that the image, the messages, the report or the restored disk have something of."""
        found = plants.leaks(self.path(name + ".img"), is_disk)
        for path in (self.path(name + ending) for ending in (".qcow2", ".log", ".report")):
            if os.path.exists(path):
                found |= plants.leaks(path)
        return found

    def e2image(self, image, name, program="e2image"):
        """Dumps with e2image -s and restores; what went wrong, or nothing."""
        for words in ([program, "-Q", "-s", image, self.path(name + ".qcow2")],
                      [program, "-r", self.path(name + ".qcow2"), self.path(name + ".img")]):
            output, status = run(words, self.folder)
            if status != 0 and not (program != "e2image" and status == 1 and os.path.exists(words[-1])):
                return [f"e2image: status {status}: {output.decode(errors='replace')[:300]}"]
            with open(self.path(name + ".log"), "ab") as file:
                file.write(output)
        return []

    def our_e2image(self, image, name):
        """The same with ours, whose status is 1 if the file system is damaged."""
        return self.e2image(image, name, os.path.join(os.path.dirname(self.program), "e2image"))
