#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dump a mounted file system while programs write to it.

usage: live.py E2QCOW [ROUNDS]

What is frozen must be clean for e2fsck, what is not must never be said to be more than e2fsck finds; files that
were synced must be whole; and whatever happens to the dump or to its watchdog, the file system must be writable
again. Exit status: 0 passed, 1 failed, 77 file systems cannot be mounted here.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C"}
WRITERS = 3
PATIENCE = 60  # seconds, for what should take one

# name, mke2fs options, mount options. A small journal is written over all the time.
KINDS = [
    ("journal", "-t ext4 -b 4096 -J size=16", "loop"),
    ("small-journal", "-t ext4 -b 1024 -J size=1", "loop"),
    ("data-in-journal", "-t ext4 -b 1024 -J size=8", "loop,data=journal"),
    ("fast-commits", "-t ext4 -b 1024 -O fast_commit -J size=8", "loop"),
    ("no-journal", "-t ext4 -b 1024 -O ^has_journal", "loop"),
    ("ext2", "-t ext2 -b 1024", "loop"),
]

failures = []


def expect(holds, text):
    if not holds:
        failures.append(text)
        print("FAILED: " + text, flush=True)


def run(words, **options):
    return subprocess.run(words, env=ENVIRONMENT, check=False, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def must(*words):
    done = run(words)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: {done.stdout}")
    return done.stdout


class Mounted:
    def __init__(self, folder, options, mount_options="loop", size=64 << 20):
        self.options = mount_options
        self.image = os.path.join(folder, "disk.img")
        self.place = os.path.join(folder, "mnt")
        with open(self.image, "wb") as file:
            file.truncate(size)
        must("mke2fs", "-q", "-F", *options.split(), self.image)
        os.makedirs(self.place, exist_ok=True)

    def __enter__(self):
        must("mount", "-o", self.options, self.image, self.place)
        self.device = must("findmnt", "-no", "SOURCE", self.place).strip()
        return self

    def __exit__(self, *_):
        must("umount", self.place)


def write_a_lot(place, number, stop):
    """Creates, renames and removes files until it is told to stop."""
    rng = random.Random(number)
    for i in range(1 << 30):
        if stop.is_set():
            return
        folder = os.path.join(place, f"writer-{number}", str(rng.randrange(30)))
        with contextlib.suppress(OSError):  # full, or removed by another one
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"file-{i}")
            with open(path, "wb") as file:
                file.write(rng.randbytes(rng.randrange(5000)))
            if i % 3 == 0:
                os.rename(path, path + "-renamed")
            if i % 5 == 0:
                os.setxattr(path if i % 3 else path + "-renamed", "user.key", rng.randbytes(200))
            if i % 40 == 0:
                subprocess.run(["rm", "-rf", folder], check=False, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def writers(place):
    stop = threading.Event()
    threads = [threading.Thread(target=write_a_lot, args=(place, i, stop)) for i in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def is_well(disk):
    """What e2fsck says, after the journal was replayed: clean, but for orphans and the counts that they keep."""
    first = run(["e2fsck", "-fy", "-E", "journal_only", disk])
    second = run(["e2fsck", "-fn", disk])
    if second.returncode == 0:
        return True
    harmless = ("inode", "Orphan", "orphan")
    third = run(["e2fsck", "-fy", disk]).stdout
    fourth = run(["e2fsck", "-fn", disk])
    only_orphans = all(any(word in line for word in harmless) for line in third.splitlines() if "Clear" in line)
    return first.returncode < 4 and fourth.returncode == 0 and only_orphans and "FIXED" not in third


class Judge:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.image = os.path.join(folder, "image.qcow2")
        self.disk = os.path.join(folder, "restored.img")

    def dump(self, *options):
        """(status, how it was captured)."""
        done = run([self.program, "dump", "-q", *options, self.image])
        info = json.loads(must(self.program, "info", "--json", self.image))
        must(self.program, "restore", "-q", self.image, self.disk)
        return done.returncode, info["dump"]["capture"], done.stdout

    def judge_frozen(self, kind, mounted):
        for options in ([], ["--all"], ["--compress", "zlib"]):
            status, state, said = self.dump("--freeze", *options, mounted.place)
            expect((status, state) == (0, "frozen"), f"{kind}: --freeze {options}: {status}, {state}: {said}")
            checked = run(["e2fsck", "-fn", self.disk])
            expect(checked.returncode == 0, f"{kind}: --freeze {options}: e2fsck: {checked.stdout}")

    def judge_unfrozen(self, kind, mounted):
        status, state, said = self.dump("--force", mounted.device)
        expect(state in ("power-failure", "unchanged", "changed"), f"{kind}: --force: {state}")
        expect(state != "changed" or status == 3, f"{kind}: --force: {state}, but status {status}: {said}")
        if state == "power-failure":
            expect(is_well(self.disk), f"{kind}: --force: said to be as after a power failure, and e2fsck finds more")
        return state


def judge_rounds(program, folder, rounds):
    states = {}
    for kind, *options in KINDS:
        with Mounted(folder, *options) as mounted:
            judge = Judge(program, folder)
            with writers(mounted.place):
                for _ in range(rounds):
                    judge.judge_frozen(kind, mounted)
                    state = judge.judge_unfrozen(kind, mounted)
                    states[state] = states.get(state, 0) + 1
    print("unfrozen: " + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))


def judge_synced_files(program, folder):
    """A file that was synced is whole in a frozen dump of everything."""
    with Mounted(folder, KINDS[0][1]) as mounted:
        judge, contents = Judge(program, folder), random.Random(1).randbytes(3 << 20)
        must("cat", mounted.device)  # the cache of the device has old contents now
        with open(os.path.join(mounted.place, "synced"), "wb") as file:
            file.write(contents)
            os.fsync(file.fileno())
        judge.dump("--freeze", "--all", mounted.place)
        must("debugfs", "-R", f"dump synced {folder}/copy", judge.disk)
        with open(os.path.join(folder, "copy"), "rb") as file:
            expect(file.read() == contents, "a synced file is not whole")


STEPS = ("before-freeze", "after-freeze", "reading", "before-thaw", "after-thaw")


def judge_accidents(program, folder):
    """Signals to each process at each step: the file system is writable again."""
    hook = os.path.join(folder, "hook.so")
    must("cc", "-shared", "-fPIC", "-o", hook, os.path.join(HERE, "freeze_hook.c"))
    with Mounted(folder, KINDS[0][1]) as mounted:
        must("cp", "-r", HERE, mounted.place)
        for step in STEPS:
            for who in ("dump", "watchdog"):
                for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGTERM):
                    judge_accident(program, folder, mounted, hook, f"{step} {who} {int(number)}")
        for step in ("after-freeze", "reading", "before-thaw"):
            text, status = judge_accident(program, folder, mounted, hook, f"{step} dump 0")
            expect(status == 3 and "was thawed after" in text, f"thawed by somebody else {step}: {status}: {text}")


def judge_accident(program, folder, mounted, hook, what):
    image = os.path.join(folder, "accident.qcow2")
    with contextlib.suppress(FileNotFoundError):
        os.remove(image)
    dump = subprocess.Popen([program, "dump", "--freeze=1", mounted.device, image], text=True,
                            env={**ENVIRONMENT, "LD_PRELOAD": hook, "FREEZE_HOOK": what}, stderr=subprocess.PIPE)
    said = dump.stderr.readline()  # of the hook: before it acts
    expect(said.startswith("hook: "), f"{what}: {said}")
    try:
        written = run(["touch", os.path.join(mounted.place, "file")], timeout=PATIENCE)
        expect(written.returncode == 0, f"{what}: {written.stdout}")
    except subprocess.TimeoutExpired:
        expect(False, f"{what}: the file system stays frozen")
        run(["fsfreeze", "-u", mounted.place])
    if " dump 19" in what:
        dump.kill()
    said += dump.stderr.read()
    status = dump.wait()
    expect(status >= 0 or not os.path.exists(image), f"{what}: an image though the dump ended with {status}")
    expect(not run(["fsfreeze", "-u", mounted.place]).returncode == 0, f"{what}: it was still frozen")
    return said, status


def judge_others(program, folder):
    """What others have frozen stays so."""
    with Mounted(folder, KINDS[0][1]) as mounted:
        judge = Judge(program, folder)
        must("fsfreeze", "-f", mounted.place)
        status, state, said = judge.dump("--freeze", mounted.device)
        expect((status, state) == (0, "frozen") and "still is" in said, f"frozen by others: {status}, {state}: {said}")
        expect(run(["fsfreeze", "-u", mounted.place]).returncode == 0, "frozen by others: it was thawed")


def judge_refusals(program, folder):
    """Nothing is frozen if something that the dump writes would have to wait."""
    with Mounted(folder, KINDS[0][1]) as mounted, contextlib.ExitStack() as undo:
        place, device = mounted.place, mounted.device

        def refused(what, *options, output=None, stderr=subprocess.STDOUT, environment=None, name=None):
            words = [program, "dump", "--freeze=1", *options, device, output or os.path.join(folder, "refused.qcow2")]
            done = subprocess.run(words, env={**ENVIRONMENT, **(environment or {})}, check=False, text=True,
                                  stdout=subprocess.PIPE, stderr=stderr, timeout=PATIENCE)
            said = done.stdout if stderr == subprocess.STDOUT else ""
            expect(done.returncode == 1, f"{what}: status {done.returncode}: {said}")
            expect(stderr != subprocess.STDOUT or (name or "is on the file system that would be frozen") in said,
                   f"{what}: {said}")
            must("touch", os.path.join(place, "file"))

        def mount(*words):
            target = os.path.join(folder, f"mnt{len(os.listdir(folder))}")
            os.mkdir(target)
            must("mount", *words, target)
            undo.callback(must, "umount", target)
            return target

        refused("the image", output=f"{place}/image")
        refused("a report", f"--report={place}/report")
        refused("a map", f"--map-out={place}/map")
        refused("a name map", "--anonymize", f"--name-map={place}/names")
        refused("a key", "--anonymize", f"--anonymize-key={place}/key")
        refused("temporary files", environment={"TMPDIR": place})
        os.symlink(f"{place}/elsewhere", os.path.join(folder, "link"))
        refused("a link", output=os.path.join(folder, "link"))
        refused("a bind mount", output=mount("--bind", place) + "/image")
        with open(os.path.join(place, "inner.img"), "wb") as file:
            file.truncate(8 << 20)
        must("mke2fs", "-q", "-F", os.path.join(place, "inner.img"))
        refused("a file system in a file", output=mount("-o", "loop", os.path.join(place, "inner.img")) + "/image")
        for name in ("lower", "upper", "work"):
            os.mkdir(os.path.join(place, name))
        overlay = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
        refused("an overlay", output=mount("-t", "overlay", "-o", overlay, "overlay") + "/image")
        with open(os.path.join(place, "log"), "w", encoding="ascii") as log:
            refused("standard error", stderr=log)
            os.set_inheritable(log.fileno(), True)
            done = subprocess.run([program, "dump", "--freeze=1", device, os.path.join(folder, "x")], env=ENVIRONMENT,
                                  check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  close_fds=False)
            expect(done.returncode == 1 and "/log (descriptor " in done.stdout, f"inherited: {done.stdout}")
    refused_unmounted = run([program, "dump", "--freeze", mounted.image, os.path.join(folder, "x")])
    expect("is not mounted" in refused_unmounted.stdout, refused_unmounted.stdout)


def judge_long_freezes(program, folder):
    """All blocks in use of so much that it would be frozen for longer than allowed."""
    with Mounted(folder, "-t ext4 -O ^has_journal -N 100000", size=400 << 30) as mounted:
        must("fallocate", "-l", "300G", os.path.join(mounted.place, "much"))
        image = os.path.join(folder, "long.qcow2")
        done = run([program, "dump", "--all", "--freeze=1", mounted.device, image])
        expect(done.returncode == 1 and "would take about" in done.stdout and "1.00 s" in done.stdout,
               f"a long freeze: status {done.returncode}: {done.stdout}")
        expect(not os.path.exists(image), "a refused dump leaves an image")
        must("touch", os.path.join(mounted.place, "file"))
        done = run([program, "dump", "--freeze=60", mounted.device, image])  # its metadata is little
        expect(done.returncode == 0, f"metadata of a large file system: status {done.returncode}: {done.stdout}")
        os.unlink(image)


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if os.geteuid() != 0:
        print("only root can mount and freeze")
        return 77
    top = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="live-", dir=top) as folder:
        judge_rounds(program, folder, rounds)
        judge_synced_files(program, folder)
        judge_others(program, folder)
        judge_refusals(program, folder)
        judge_long_freezes(program, folder)
        judge_accidents(program, folder)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
