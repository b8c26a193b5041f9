#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure e2qcow against e2image, qemu-img, partclone and plain copying.

For each row our program and its peers take turns, so that a change of the
machine's speed meets all of them alike; the ratio of two programs is the median
of the ratios of each round. Inputs are in the page cache, outputs are removed
and the file system is synced between runs, outside the measured time. Sizes are
compared as the apparent ones. All rows take most of an hour.
"""

import argparse
import contextlib
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

MIB = 1 << 20
GIB = 1 << 30
SKIP_STATUS = 77  # of make_data.sh
HERE = os.path.dirname(os.path.abspath(__file__))
SLOW_DEVICE = os.path.join(HERE, "..", "tests", "support", "slow_device.sh")


# --- what is measured --------------------------------------------------------

@dataclass
class Bar:
    """A limit for the ratio of the row's first program to this one."""
    value: float
    at_least: bool = False

    def reached(self, measured):
        if self.at_least:
            return measured >= self.value
        return measured <= self.value

    def __str__(self):
        return f"{'>=' if self.at_least else '<='} {self.value:.3g}"


@dataclass
class Program:
    """Arguments may hold {e2qcow}, {e2image}, {src} the file system image, {out} the
    output, {dir} a folder for by-products, or the name of a prepared file."""
    label: str
    argv: list
    time: Bar = None
    size: Bar = None
    disk: Bar = None  # the same for what they take on the disk, without holes
    more: float = None  # seconds that the row's first program may take longer than this one
    once: bool = False  # too slow to be run in every round
    writes: bool = True  # an output
    mounted: bool = False  # reads a device while it is mounted


@dataclass
class Row:
    name: str
    what: str
    data: str
    space: int  # GiB that the outputs existing at one time take
    programs: list  # the first is ours, the others are its peers
    prepared: dict = field(default_factory=dict)  # name: argv, run untimed
    memory: int = None  # bar for our peak memory, in MiB
    inodes: int = None  # are gone through; how many a second is shown
    cores: int = 1
    loop: bool = False  # {src} is a loop device, of a copy
    delay: str = None  # of every read of {src}, as nbdkit takes it; nothing of it is in the page cache then
    target: str = None  # the same of every write to {target}, a disk on a server

    def bars(self):
        limits = [self.memory]
        for program in self.programs:
            limits += [program.time, program.size, program.disk, program.more]
        return len([limit for limit in limits if limit])


def dump(*options, **bars):
    argv = ["{e2qcow}", "dump", *options, "--quiet", "{src}", "{out}"]
    return Program(" ".join(["e2qcow dump", *options]), argv, **bars)


def restore(image, **bars):
    return Program("e2qcow restore",
                   ["{e2qcow}", "restore", "--quiet", image, "{out}"], **bars)


# What serves {src} in a row with a delay.
SERVER = "nbd+unix:///?socket={dir}/socket"


def dump_from_server(*options, **bars):
    argv = ["{e2qcow}", "dump", *options, "--quiet", SERVER, "{out}"]
    return Program(" ".join(["e2qcow dump", *options, "nbd+unix:..."]), argv, **bars)


def through(image, *command):
    """An unchanged program on an image."""
    return Program("e2qcow exec -- " + " ".join(command),
                   ["{e2qcow}", "exec", "--", *command, image], writes=False)


def e2image(*options, source="{src}", **bars):
    return Program(" ".join(["e2image", *options]),
                   ["e2image", *options, source, "{out}"], **bars)


def compat(*options, source="{src}"):
    """Our e2image."""
    return Program(" ".join(["our e2image", *options]),
                   ["{e2image}", *options, source, "{out}"])


def dd(image, **bars):
    return Program("dd bs=1M of our image",
                   ["dd", "bs=1M", "status=none", f"if={image}", "of={out}"], **bars)


def cp(image):
    return Program("cp of our image",
                   ["cp", "--reflink=never", "--sparse=never", image, "{out}"])


def qemu_convert(*options, source="{src}", source_format="raw", **bars):
    options = ["convert", *options]
    argv = ["qemu-img", *options, "-f", source_format, source, "{out}"]
    return Program(" ".join(["qemu-img", *options]), argv, **bars)


def partclone():
    return Program("partclone.ext4 -c",
                   ["partclone.ext4", "-c", "-q", "-s", "{src}", "-o", "{out}",
                    "-L", "{dir}/partclone.log"])


def dump_on(base, source, *options):
    return Program(" ".join(["e2qcow dump --base", *options]),
                   ["{e2qcow}", "dump", "--base", base, *options, "--quiet", source, "{out}"])


def change_copy(how, percent):
    """A copy of {src} in which something was changed: see change_copy.py."""
    return [os.path.join(HERE, "change_copy.py"), how, str(percent), "{src}"]


def prepare_dump(*options):
    """Our image as the input of something else."""
    return ["{e2qcow}", "dump", *options, "--quiet", "{src}"]


# What a dump reads, for one_at_a_time.py.
LIST_STRETCHES = ["sh", "-c", '"$0" dump --compress none --quiet "$1" "$2.dump" && '
                  '"$0" map --json "$2.dump" >"$2" && rm "$2.dump"', "{e2qcow}", "{src}"]

FAST = ["-m", "16", "-W"]  # what makes qemu-img convert fastest
RAW = [*FAST, "-O", "raw"]
QCOW2 = [*FAST, "-O", "qcow2"]

ROWS = [
    Row("meta-million", "metadata of a million files", "million", 4,
        [dump("--compress", "none"),
         e2image("-Q", time=Bar(0.55)),
         dd("{ours}", time=Bar(1.3))],
        prepared={"ours": prepare_dump("--compress", "none")}),
    Row("digests-million", "the same with and without digests", "million", 4,
        [dump("--compress", "none"),
         dump("--compress", "none", "--digest", "none", time=Bar(1.05))]),
    Row("digests-million-zstd", "compressed, with and without digests", "million", 3,
        [dump("--compress", "zstd"),
         dump("--compress", "zstd", "--digest", "none", time=Bar(1.05))]),
    Row("verify-million", "an uncompressed metadata image compared with its digests", "million", 6,
        [Program("e2qcow verify", ["{e2qcow}", "verify", "--quiet", "{ours}"], writes=False),
         restore("{ours}", time=Bar(0.5))],
        prepared={"ours": prepare_dump("--compress", "none")}),
    Row("verify-million-zstd", "the same of a zstd image", "million", 6,
        [Program("e2qcow verify", ["{e2qcow}", "verify", "--quiet", "{ours}"], writes=False),
         restore("{ours}", time=Bar(0.5))],
        prepared={"ours": prepare_dump("--compress", "zstd")}),
    Row("base-unchanged", "a million files on a dump of the same", "million", 4,
        [dump_on("{ours}", "{src}", "--compress", "none"),
         dump("--compress", "none", time=Bar(0.9), disk=Bar(0.01))],
        prepared={"ours": prepare_dump("--compress", "none")}),
    Row("base-unchanged-zstd", "the same, compressed", "million", 3,
        [dump_on("{ours}", "{src}", "--compress", "zstd"),
         dump("--compress", "zstd", time=Bar(0.9), disk=Bar(0.01))],
        prepared={"ours": prepare_dump("--compress", "zstd")}),
    Row("base-touched", "the same, all files of 1 % of the directories touched", "million", 4,
        [dump_on("{ours}", "{touched}", "--compress", "none"),
         Program("e2qcow dump --compress none", ["{e2qcow}", "dump", "--compress", "none", "--quiet", "{touched}", "{out}"],
                 time=Bar(1.0), disk=Bar(0.1))],
        prepared={"ours": prepare_dump("--compress", "none"), "touched": change_copy("touch_directories", 1)}),
    Row("base-full", "all blocks in use of a full file system, 5 % of its data changed", "full", 17,
        [dump_on("{ours}", "{changed}", "--all", "--compress", "none"),
         Program("qemu-img create, then rebase",
                 ["sh", "-c", 'qemu-img create -q -f qcow2 -b "$0" -F raw "$2" && '
                  'qemu-img rebase -f qcow2 -b "$1" -F qcow2 "$2"', "{changed}", "{ours}", "{out}"],
                 time=Bar(0.5))],
        prepared={"ours": prepare_dump("--all", "--compress", "none"), "changed": change_copy("overwrite_files", 5)}),
    Row("restore-changes", "a metadata image onto its own disk", "million", 6,
        [Program("e2qcow restore --changes-only",
                 ["{e2qcow}", "restore", "--quiet", "--changes-only", "{ours}", "{restored}"], writes=False),
         restore("{ours}", time=Bar(0.6))],
        prepared={"ours": prepare_dump("--compress", "none"),
                  "restored": ["sh", "-c", '"$0" dump --compress none --quiet "$1" "$2.image" && '
                               '"$0" restore --quiet "$2.image" "$2" && rm "$2.image"', "{e2qcow}", "{src}"]}),
    Row("walk", "the walk over a million inodes, nothing written", "million", 1,
        [Program("e2qcow measure", ["{e2qcow}", "measure", "--json", "{src}"], writes=False)],
        inodes=1_000_000),
    Row("meta-million-zstd", "metadata of a million files, compressed", "million", 3,
        [dump("--compress", "zstd"),
         e2image("-Q", time=Bar(0.5), size=Bar(1 / 30))]),
    Row("meta-huge", "metadata of 64 TiB", "huge", 3,
        [dump("--compress", "none"),
         e2image("-Q", time=Bar(0.03), once=True)],
        memory=160),
    Row("meta-huge-zstd", "metadata of 64 TiB, compressed", "huge", 3,
        [dump("--compress", "zstd"),
         e2image("-Q", time=Bar(0.03), once=True)],
        memory=192),
    Row("all-full", "all blocks in use of a full file system", "full", 17,
        [dump("--all", "--compress", "none"),
         e2image("-Qa", time=Bar(0.40)),
         qemu_convert(*QCOW2, time=Bar(1.0)),
         partclone(),
         dd("{ours}"),
         cp("{ours}")],
        prepared={"ours": prepare_dump("--all", "--compress", "none")}),
    Row("all-full-zstd", "all blocks in use, compressed with zstd", "full", 9,
        [dump("--all", "--compress", "zstd"),
         qemu_convert("-c", *QCOW2, "-o", "compression_type=zstd",
                      time=Bar(0.67), size=Bar(1.0))]),
    Row("all-full-zlib", "all blocks in use, compressed with zlib", "full", 9,
        [dump("--all", "--compress", "zlib"),
         qemu_convert("-c", *QCOW2, time=Bar(0.8), size=Bar(1.0))]),
    Row("restore-million", "an uncompressed metadata image to raw", "million", 6,
        [restore("{ours}"),
         Program("e2image -r", ["e2image", "-r", "{theirs}", "{out}"],
                 time=Bar(0.40)),
         qemu_convert(*RAW, source="{ours}", source_format="qcow2",
                      time=Bar(0.8))],
        # e2image reads but the images that it wrote itself.
        prepared={"ours": prepare_dump("--compress", "none"),
                  "theirs": ["e2image", "-Q", "{src}"]}),
    Row("restore-full-zstd", "a zstd image of all blocks to raw", "full", 13,
        [restore("{ours}"),
         qemu_convert(*RAW, source="{ours}", source_format="qcow2",
                      time=Bar(0.67))],
        prepared={"ours": prepare_dump("--all", "--compress", "zstd")}),
    Row("exec-e2fsck", "e2fsck -fn on a zstd image of metadata", "million", 1,
        [through("{ours}", "e2fsck", "-fn"),
         Program("e2fsck -fn of the raw disk", ["e2fsck", "-fn", "{src}"],
                 time=Bar(1.15), writes=False)],
        prepared={"ours": prepare_dump("--compress", "zstd")}),
    Row("exec-dumpe2fs", "dumpe2fs on a zstd image of metadata", "million", 1,
        [through("{ours}", "dumpe2fs"),
         Program("dumpe2fs of the raw disk", ["dumpe2fs", "{src}"],
                 time=Bar(1.15), writes=False)],
        prepared={"ours": prepare_dump("--compress", "zstd")}),
    Row("e2image-million", "our e2image: metadata of a million files", "million", 4,
        [compat("-Q"), e2image("-Q", time=Bar(0.6))]),
    Row("e2image-million-raw", "our e2image: the same to raw", "million", 4,
        [compat("-r"), e2image("-r", time=Bar(0.6))]),
    Row("e2image-million-restore", "our e2image: its image to raw", "million", 6,
        [compat("-r", source="{theirs}"),
         e2image("-r", source="{theirs}", time=Bar(0.6))],
        prepared={"theirs": ["e2image", "-Q", "{src}"]}),
    Row("e2image-full", "our e2image: all blocks in use of a full file system", "full", 17,
        [compat("-Qa"), e2image("-Qa", time=Bar(0.6))]),
    Row("e2image-huge", "our e2image: metadata of 64 TiB", "huge", 3,
        [compat("-Q"), e2image("-Q", time=Bar(0.6), once=True)],
        memory=160),
    Row("anonymize-million", "metadata of a million files, anonymised", "million", 4,
        [dump("--anonymize", "--compress", "none"),
         dump("--compress", "none", time=Bar(1.6)),
         e2image("-Q", "-s", time=Bar(0.5))]),
    Row("anonymize-huge", "metadata of 64 TiB, anonymised", "huge", 3,
        [dump("--anonymize", "--compress", "none"),
         dump("--compress", "none", time=Bar(1.3))]),
    Row("anonymize-names", "a million names in one directory, anonymised", "names", 2,
        [dump("--anonymize", "--compress", "none"),
         dump("--compress", "none", more=3)],
        memory=256),
    Row("anonymize-levels", "the same in an index of three levels", "levels", 2,
        [dump("--anonymize", "--compress", "none"),
         dump("--compress", "none", more=12)],
        memory=256),
    Row("audit-million", "the search for all names of a million files", "million", 4,
        [Program("e2qcow audit", ["{e2qcow}", "audit", "--quiet", "{anonymous}", "{src}"], writes=False),
         dump("--anonymize", "--compress", "none", time=Bar(20))],
        prepared={"anonymous": prepare_dump("--anonymize", "--compress", "none")}, memory=512),
    Row("freeze-million", "metadata of a million files, frozen meanwhile", "million", 6,
        [dump("--freeze", "--compress", "none", mounted=True),
         dump("--compress", "none", time=Bar(1.3))],
        loop=True),
    Row("slow-device", "metadata that lies apart, on a disk that takes 1 ms a read", "scattered", 1,
        [dump("--compress", "none"),
         Program("one read at a time",
                 [os.path.join(HERE, "one_at_a_time.py"), "{src}", "{stretches}"],
                 time=Bar(1 / 8), writes=False),
         e2image("-Q", time=Bar(1 / 8))],
        prepared={"stretches": LIST_STRETCHES}, delay="1ms"),
    Row("memory-threads", "memory with 64 threads", "million", 2,
        [dump("--threads", "64"), dump("--threads", "2")], memory=192),
    Row("memory-threads-all", "the same, all blocks in use", "full", 9,
        [dump("--all", "--threads", "64"), dump("--all", "--threads", "2")], memory=192),
    Row("nbd-scattered", "metadata that lies apart, on a server that takes 2 ms a read", "scattered", 1,
        [dump_from_server("--compress", "none"),
         Program("one read at a time",
                 [os.path.join(HERE, "one_at_a_time.py"), "{src}", "{stretches}"],
                 time=Bar(0.05), writes=False),
         dump("--compress", "none", time=Bar(0.25))],  # through nbdfuse
        prepared={"stretches": LIST_STRETCHES}, delay="2ms", memory=192),
    Row("nbd-full", "metadata of a full file system on a server", "full", 17,
        [dump_from_server("--compress", "none"),
         Program("nbdcopy, then e2image -Q",
                 ["sh", "-c", 'nbdcopy "$0" "$1/copy" && e2image -Q "$1/copy" "$2"; rm "$1/copy"', SERVER, "{dir}",
                  "{out}"], time=Bar(0.2))],
        delay="0ms", memory=192),
    Row("nbd-all", "all blocks in use of a full file system on a server", "full", 17,
        [dump_from_server("--all", "--compress", "none"),
         qemu_convert(*QCOW2, source=SERVER, time=Bar(0.8))],
        delay="0ms", memory=192),
    Row("nbd-all-64-threads", "the same with 64 threads", "full", 9,
        [dump_from_server("--all", "--threads", "64")], delay="0ms", memory=192),
    Row("nbd-restore", "an image of all blocks to a server that takes 2 ms a write", "full", 25,
        [Program("e2qcow restore", ["{e2qcow}", "restore", "--quiet", "{ours}", "{target}"], writes=False),
         Program("nbdcopy of the raw file", ["nbdcopy", "--flush", "{src}", "{target}"], time=Bar(1.1),
                 writes=False)],
        prepared={"ours": prepare_dump("--all", "--compress", "none")}, target="2ms", memory=192),
    Row("threads", "two threads against one", "full", 5,
        [Program("--threads 1", dump("--all", "--compress", "zstd",
                                     "--threads", "1").argv),
         Program("--threads 2", dump("--all", "--compress", "zstd",
                                     "--threads", "2").argv,
                 time=Bar(1.6, at_least=True))],
        cores=2),
]


# --- running -----------------------------------------------------------------

class Skip(Exception):
    """The row cannot be measured here."""


class Failure(Exception):
    """A program is missing or ends with an error."""


@dataclass
class Run:
    wall: float
    cpu: float
    memory: int
    allocated: int = 0
    apparent: int = 0


def measure(argv, out=None):
    """Run argv to its end; its output file `out` is looked at, not removed."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=errors)
        except FileNotFoundError:
            raise Failure("not installed") from None
        except PermissionError:
            raise Failure("cannot be executed") from None
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise Failure(failure_text(child.returncode, errors))
    # The kernel counts what the child shared with us before exec too, so no
    # program shows less memory than this script takes, about 20 MiB.
    run = Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
    if out:
        if not os.path.exists(out):
            raise Failure("ended well but wrote no output")
        stat = os.stat(out)
        run.allocated, run.apparent = stat.st_blocks * 512, stat.st_size
    return run


def failure_text(code, errors):
    errors.seek(0)
    lines = [line.strip() for line in errors.read().decode(errors="replace").split("\n")]
    said = "; ".join([line for line in lines if line][-2:])
    ending = f"signal {-code}" if code < 0 else f"status {code}"
    return f"failed, {ending}: {said[-150:]}"


def remove_and_settle(out, folder):
    """Writeback of one run must not disturb the next."""
    if os.path.exists(out):
        os.unlink(out)
    subprocess.run(["sync", "-f", folder], check=True)


def warm(path):
    """Read the data of a file into the page cache, leaving out its holes."""
    with open(path, "rb", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        buffer = bytearray(MIB)
        at = 0
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
                hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            except OSError:  # nothing but a hole up to the end
                return
            os.lseek(file.fileno(), at, os.SEEK_SET)
            while at < hole:
                at += file.readinto(buffer) or end


class Bench:
    def __init__(self, options):
        self.options = options
        self.ran_once = {}

    def folder_of(self, data):
        options = self.options
        return options.tmpfs if data == "huge" else options.data

    def make_data(self, data):
        folder = self.folder_of(data)
        name = data + ("-quick" if self.options.quick else "")
        note(f"data set {name} ...")
        status, said = run_script([os.path.join(HERE, "make_data.sh"), name, folder])
        if status == SKIP_STATUS:
            raise Skip(said.split("\n")[-1])
        if status != 0:
            raise Skip(f"making {name} failed: {said[-200:]}")
        return os.path.join(folder, name + ".img")

    def run_row(self, row):
        """The runs of each program by its place in the row; in their stead a
        text where it failed."""
        if row.cores > cores():
            raise Skip(f"needs {row.cores} cores")
        source = self.make_data(row.data)
        folder = self.folder_of(row.data)
        need = row.space * GIB // (16 if self.options.quick else 1)
        free = shutil.disk_usage(folder).free
        if free < need:
            raise Skip(f"needs {need / GIB:.1f} GiB free in {folder} for outputs "
                       f"(there are {free / GIB:.1f})")
        with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as work:
            names = {"e2qcow": self.options.e2qcow, "e2image": self.options.e2image, "src": source, "dir": work,
                     "out": os.path.join(work, "out")}
            missing = self.prepare(row, names)
            return self.rounds(row, names, missing)

    def prepare(self, row, names):
        """Make the inputs. Returns those that could not be made, with why."""
        missing = {}
        for name, argv in row.prepared.items():
            path = os.path.join(names["dir"], name + ".qcow2")
            try:
                measure([*expand(argv, names), path], path)
            except Failure as failure:
                missing[name] = str(failure)
            names[name] = path
        return missing

    def rounds(self, row, names, missing):
        results = [[] for _ in row.programs]
        for number in range(self.options.rounds + 1):
            for i, program in enumerate(row.programs):
                if isinstance(results[i], str) or (program.once and results[i]):
                    continue
                lost = [text for name, text in missing.items()
                        if any("{" + name + "}" in part for part in program.argv)]
                if lost:
                    results[i] = f"its input could not be made: {lost[0]}"
                    continue
                try:
                    run = self.run_program(row, program, names, number)
                except Failure as failure:
                    note(f"  {program.label}: {failure}")
                    results[i] = str(failure)
                    continue
                if number > 0 or program.once:  # round 0 is the warm-up
                    results[i].append(run)
        return results

    def run_program(self, row, program, names, number):
        remember = (program.label, names["src"]) if program.once else None
        if remember in self.ran_once:
            return self.ran_once[remember]
        out = names["out"]
        remove_and_settle(out, names["dir"])
        for name, path in names.items():
            used = any("{" + name + "}" in part for part in program.argv)
            if used and os.path.isfile(path) and name not in ("e2qcow", "e2image", "out"):
                warm(path)
        try:
            with source_disk(row, program, names) as disk, target_disk(row, names) as target:
                run = measure(expand(program.argv, {**names, "src": disk, "target": target}),
                              out if program.writes else None)
        finally:
            remove_and_settle(out, names["dir"])
        note(f"  {number or 'warm-up'}: {program.label}: {run.wall:.2f} s")
        if remember:
            self.ran_once[remember] = run
        return run


@contextlib.contextmanager
def source_disk(row, program, names):
    """What a program is to read in a row."""
    if row.loop:
        with loop_device(names, program.mounted) as disk:
            yield disk
        return
    if not row.delay:
        yield names["src"]
        return
    status, said = run_script([SLOW_DEVICE, "start", names["src"], names["dir"], row.delay])
    if status != 0:
        raise Skip(said)
    try:
        yield os.path.join(names["dir"], "nbd")
    finally:
        run_script([SLOW_DEVICE, "stop", names["dir"]])


@contextlib.contextmanager
def loop_device(names, is_mounted):
    """A copy of the disk, because mounting changes it; in the page cache of the device, as the others are."""
    copy, place = os.path.join(names["dir"], "copy"), os.path.join(names["dir"], "mounted")
    if not os.path.exists(copy):
        called("cp", "--sparse=always", names["src"], copy)
    device = called("losetup", "--find", "--show", copy)
    try:
        if is_mounted:
            os.makedirs(place, exist_ok=True)
            called("mount", device, place)
        warm(copy)
        yield device
    finally:
        if is_mounted:
            called("umount", place)
        called("losetup", "--detach", device)


def called(*argv):
    done = subprocess.run(argv, check=False, text=True, capture_output=True)
    if done.returncode != 0:
        raise Failure(f"{argv[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextlib.contextmanager
def target_disk(row, names):
    """What a program is to write to in a row: a disk on a server, as large as the source."""
    if not row.target:
        yield None
        return
    path, socket = os.path.join(names["dir"], "target"), os.path.join(names["dir"], "target-socket")
    with open(path, "wb") as file:
        file.truncate(os.path.getsize(names["src"]))
    try:
        server = subprocess.Popen(["nbdkit", "-f", "-U", socket, "-t", "64", "--filter=delay", "file", path,
                                   f"wdelay={row.target}"])
    except FileNotFoundError:
        raise Skip("nbdkit is not installed") from None
    try:
        while not os.path.exists(socket) and server.poll() is None:
            time.sleep(0.01)
        yield f"nbd+unix:///?socket={socket}"
    finally:
        server.terminate()
        server.wait()
        os.unlink(path)
        os.unlink(socket)


def run_script(argv):
    """Status and messages. The script may hold a mount, so when we are
    interrupted it is asked to end and waited for, with all it started."""
    script = subprocess.Popen(argv, stdout=subprocess.DEVNULL, text=True,
                              stderr=subprocess.PIPE, start_new_session=True)
    try:
        said = script.communicate()[1]
    except BaseException:
        os.killpg(script.pid, signal.SIGTERM)
        script.communicate()
        raise
    return script.returncode, said.strip()


def expand(argv, names):
    return [part.format(**names) for part in argv]


def note(text):
    print(text, file=sys.stderr, flush=True)


# --- results -----------------------------------------------------------------

HEADER = ["program", "time s", "cpu s", "peak MiB", "disk MiB", "size MiB",
          "time ratio (range)", "size ratio", "bars"]


@dataclass
class Score:
    reached: int = 0
    missed: int = 0
    open: int = 0  # could not be measured

    def text(self, bar, what, measured):
        if measured is None:
            self.open += 1
            return f"{what} {bar}: not measured"
        if bar.reached(measured):
            self.reached += 1
            return f"{what} {bar}: reached"
        self.missed += 1
        return f"{what} {bar}: MISSED"


def table(row, results, score):
    """The lines of cells that show one row."""
    ours = results[0] if not isinstance(results[0], str) else None
    lines = [HEADER]
    for program, runs in zip(row.programs, results):
        first = runs is results[0]
        measured = None if isinstance(runs, str) else runs
        ratios = [] if first or not ours else paired_ratios(ours, measured)
        has_size = ratios and middle(measured, "apparent") > 0
        size = middle(ours, "apparent") / middle(measured, "apparent") if has_size else None
        bars = []
        if first and row.memory:
            memory = middle(ours, "memory") / MIB if ours else None
            bars.append(score.text(Bar(row.memory), "memory MiB", memory))
        if first and row.inodes and ours:
            bars.append(f"{row.inodes / middle(ours, 'wall'):,.0f} inodes a second")
        if program.time:
            time_ratio = statistics.median(ratios) if ratios else None
            bars.append(score.text(program.time, "time", time_ratio))
        if program.size:
            bars.append(score.text(program.size, "size", size))
        if program.disk:
            disk = middle(ours, "allocated") / middle(measured, "allocated") if has_size else None
            bars.append(score.text(program.disk, "disk", disk))
        if program.more:
            seconds = statistics.median(pairs(ours, measured, lambda a, b: a.wall - b.wall)) if ratios else None
            bars.append(score.text(Bar(program.more), "seconds more", seconds))
        lines.append([program.label, *(numbers(measured) if measured else
                                       [runs, "", "", "", ""]),
                      ratio_text(ratios), "" if size is None else f"{size:.3f}",
                      ", ".join(bars)])
    return lines


def pairs(ours, theirs, compare):
    """Ours with theirs, round by round; the one run of a slow peer serves all."""
    if not theirs:
        return []
    if len(theirs) == 1:
        theirs = theirs * len(ours)
    return [compare(a, b) for a, b in zip(ours, theirs)]


def paired_ratios(ours, theirs):
    return pairs(ours, theirs, lambda a, b: a.wall / b.wall)


def ratio_text(ratios):
    if not ratios:
        return ""
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})"


def middle(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def numbers(runs):
    sizes = [f"{middle(runs, what) / MIB:.1f}"
             for what in ("memory", "allocated", "apparent")]
    return [f"{middle(runs, 'wall'):.2f}", f"{middle(runs, 'cpu'):.2f}", *sizes]


def print_table(lines, markdown):
    if markdown:
        lines = [lines[0], ["---"] + ["---:"] * 7 + ["---"], *lines[1:]]
        for cells in lines:
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return
    # The text of a failure runs over the columns of numbers it stands for.
    widths = [max(len(line[i]) for line in lines if line[2] or i == 0)
              for i in range(len(HEADER))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        if not line[2]:
            cells += [line[1], line[-1]]
        else:
            cells += [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1])]
            cells.append(line[-1])
        print("  " + "  ".join(cells).rstrip())


# --- the machine -------------------------------------------------------------

def machine(options):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    yield (f"{cpu_model()}, {cores()} cores, {memory:.0f} GiB memory, "
           f"{platform.system()} {platform.release()}, "
           f"data on {file_system_type(options.data)}, "
           f"load {os.getloadavg()[0]:.1f} at the start")
    yield "; ".join(name + ": " + first_line(argv) for name, argv in [
        ("e2qcow", [options.e2qcow, "--version"]),
        ("e2image", ["e2image", "-V"]),
        ("qemu-img", ["qemu-img", "--version"]),
        ("partclone", ["partclone.ext4", "-v"]),
        ("dd, cp", ["dd", "--version"])])


def cores():
    return len(os.sched_getaffinity(0))


def file_system_type(folder):
    said = subprocess.run(["df", "--output=fstype", folder], text=True,
                          stdout=subprocess.PIPE, check=True)
    return said.stdout.split()[-1]


def cpu_model():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def first_line(argv):
    """What a program says of itself; e2image says it on standard error and
    ends with an error."""
    try:
        said = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError:
        return "not installed"
    return (said.stdout.strip().split("\n") or [""])[0]


# --- command line ------------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(
        description="Measure e2qcow against its peers. Status 1: a bar is "
        "missed or our program failed (with --quick: only if it failed).")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="default: all")
    parser.add_argument("--e2qcow", required=True, help="the program to measure")
    parser.add_argument("--e2image", default="build/release/bin/e2image",
                        help="our e2image (default %(default)s)")
    parser.add_argument("--data", required=True,
                        help="folder for the data sets and outputs, about 35 GiB")
    parser.add_argument("--tmpfs", default="/dev/shm/e2qcow-bench",
                        help="folder on a tmpfs for the 64 TiB rows, about 6 GiB "
                        "(default %(default)s); its data is memory until removed")
    parser.add_argument("--quick", action="store_true",
                        help="small data sets, to try the benchmark; the bars "
                        "are meant for the full ones")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="measured rounds (default 5, with --quick 2)")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    options = parser.parse_args()
    options.data = os.path.abspath(options.data)
    options.rounds = options.rounds or (2 if options.quick else 5)
    if options.rounds < 1:
        parser.error("--rounds has to be at least 1")
    unknown = set(options.rows) - {row.name for row in ROWS}
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))} (see --list)")
    options.e2qcow = os.path.abspath(options.e2qcow)
    options.e2image = os.path.abspath(options.e2image)
    return options


def list_rows():
    for row in ROWS:
        print(f"{row.name}: {row.what}")
        if row.memory:
            print(f"    our peak memory <= {row.memory} MiB")
        for program in row.programs[1:]:
            bars = [f"{what} {bar}" for what, bar in
                    (("time", program.time), ("size", program.size), ("disk", program.disk)) if bar]
            print(f"    {row.programs[0].label} / {program.label}: "
                  f"{', '.join(bars) or 'no bar'}")


def main():
    options = arguments()
    if options.list:
        list_rows()
        return 0
    os.environ["LC_ALL"] = "C"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.makedirs(options.data, exist_ok=True)
    os.makedirs(options.tmpfs, exist_ok=True)
    for line in machine(options):
        print("- " + line if options.markdown else line)
    bench, score, failed = Bench(options), Score(), False
    for row in ROWS:
        if options.rows and row.name not in options.rows:
            continue
        print(f"\n{'### ' if options.markdown else ''}{row.name}: {row.what}\n", flush=True)
        try:
            results = bench.run_row(row)
        except Skip as reason:
            print(f"  skipped: {reason}", flush=True)
            score.open += row.bars()
            continue
        failed = failed or isinstance(results[0], str)
        print_table(table(row, results, score), options.markdown)
        sys.stdout.flush()
    print(f"\nbars: {score.reached} reached, {score.missed} missed, "
          f"{score.open} not measured"
          + (" (quick data: the bars are meant for the full sets)" if options.quick else ""))
    return 1 if failed or (score.missed and not options.quick) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
