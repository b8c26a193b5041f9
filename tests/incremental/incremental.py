#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps on top of earlier dumps: qemu-img must find the same disk in the chain as in a whole dump.
    incremental.py E2QCOW [NAME...]
E2QCOW_ROUNDS: so many times as many random histories. E2QCOW_SEED: their seed."""

import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
from suite import run_suite  # pylint: disable=wrong-import-position
from trial import ENVIRONMENT, fast_folder, status_without  # pylint: disable=wrong-import-position

NEEDED = ["mke2fs", "debugfs", "e2fsck", "resize2fs", "tune2fs", "qemu-img", "qemu-io"]
KIB = 1 << 10
MIB = 1 << 20

# Each opens an image for writing or commits into it.
WRITERS = ["qemu-io -c 'read 0 512' OLD", "qemu-io -c 'write -P 9 2k 1k' OLD", "qemu-io -c 'write -P 9 3M 64k' OLD",
           "qemu-io -c 'write -z 2k 64k' OLD", "qemu-io -c 'write -c -P 7 6M 64k' OLD",
           "qemu-img snapshot -c s OLD", "qemu-img amend -o lazy_refcounts=on OLD", "qemu-img bitmap --add OLD b",
           "qemu-img check -q -r all OLD", "qemu-img convert -n -O qcow2 ZEROS OLD",
           "qemu-img create -q -f qcow2 -b OLD -F qcow2 o && qemu-io -c 'write -P 9 2k 1k' o && qemu-img commit -q o",
           "qemu-img create -q -f qcow2 -b OLD -F qcow2 o && qemu-io -c 'write -P 9 0 8M' o && qemu-img commit -q o",
           "qemu-img create -q -f qcow2 -b OLD -F qcow2 o && qemu-io -c 'write -P 9 0 8M' o && qemu-img commit -q -d o",
           "qemu-img create -q -f qcow2 -b OLD -F qcow2 o && qemu-io -c 'write -z 0 8M' o && qemu-img commit -q o"]


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


class Tests:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, cwd=None):
        return subprocess.run([str(word) for word in words], cwd=cwd or self.folder, env=ENVIRONMENT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def must(self, *words, statuses=(0,), cwd=None):
        done = self.run(*words, cwd=cwd)
        expect(done.returncode in statuses, f"{words}: status {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, text):
        return self.must("bash", "-c", text)

    def e2qcow(self, *words, statuses=(0,), cwd=None):
        return self.must(self.program, *words, statuses=statuses, cwd=cwd)

    def refused(self, *words, texts=(), status=1):
        """Says so in one line, and leaves no image."""
        before = sorted(os.listdir(self.folder))
        done = self.run(self.program, *words)
        expect(done.returncode == status, f"{words}: status {done.returncode}: {done.stderr}")
        lines = [line for line in done.stderr.splitlines() if line.startswith("e2qcow")]
        expect(len(lines) == 1 and all(text in lines[0] for text in texts), f"{words}: says {done.stderr}")
        expect(sorted(os.listdir(self.folder)) == before, f"{words}: leaves files")

    def new_disk(self, name="disk", options=(), size="16M"):
        for old in (name, "old", "new", "whole"):
            if os.path.exists(self.path(old)):
                os.remove(self.path(old))
        self.must("mke2fs", "-q", "-t", "ext4", "-F", *options, name, size)
        self.write_file(name, "letter", b"dear" * 5000)
        self.write_file(name, "photo", os.urandom(300000))

    def write_file(self, disk, name, data):
        with open(self.path("data"), "wb") as file:
            file.write(data)
        self.debugfs(disk, f"write data {name}")

    def debugfs(self, disk, *requests):
        for request in requests:
            self.must("debugfs", "-w", "-R", request, disk)

    def expect_chain(self, kind, disk="disk", image="new", below=("old",), options=()):
        """The image on those below has the disk of a whole dump."""
        self.e2qcow("dump", "-q", "--force", *kind, *options, disk, "whole", statuses=(0, 3))
        self.must("qemu-img", "check", "-q", image)
        self.must("qemu-img", "compare", image, "whole")
        backing = [word for name in below for word in ("--backing", name)]
        self.e2qcow("restore", "-q", image, *backing, "restored")
        self.e2qcow("compare", "-q", "restored:raw", "whole")
        self.e2qcow("verify", "-q", image)
        for name in ("whole", "restored"):
            os.remove(self.path(name))

    def dump_on(self, kind=(), disk="disk", new="new", old="old", options=()):
        self.e2qcow("dump", "-q", *kind, "--base", old, *options, disk, new)

    def test_what_changed_is_stored(self):
        for kind in ((), ("--all",)):
            for compress in ("none", "zstd", "zlib"):
                self.new_disk()
                options = ("--compress", compress, "--cluster-size", "4k")
                self.e2qcow("dump", "-q", *kind, *options, "disk", "old")
                self.dump_on(kind, options=("--compress", compress, "--verify"))
                self.expect_chain(kind)
                empty = json.loads(self.e2qcow("map", "--json", "new", "--backing", "old"))
                expect(all(part["depth"] != 0 for part in empty if part.get("data")), f"stores what is not new: {empty}")
                self.debugfs("disk", "rm letter")
                self.write_file("disk", "song", os.urandom(100000))
                self.dump_on(kind, options=("--compress", compress))
                self.expect_chain(kind)
                used, whole = (os.stat(self.path(name)).st_blocks * 512 for name in ("new", "old"))
                expect(used < whole, f"{kind} {compress}: {used} bytes of {whole}")

    def test_what_is_no_longer_selected_is_zeros(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--all", "disk", "old")
        self.debugfs("disk", "rm photo")
        self.dump_on(("--all",))
        self.expect_chain(("--all",))
        clusters = json.loads(self.e2qcow("map", "--json", "new", "--backing", "old"))
        expect(any(part["depth"] == 0 and part["zero"] for part in clusters), "hides nothing")

    def test_a_chain_of_a_week(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--all", "disk", "day0")
        below = ["day0"]
        for day in range(1, 8):
            self.write_file("disk", f"file{day}", os.urandom(50000))
            if day > 3:
                self.debugfs("disk", f"rm file{day - 3}")
            backing = [word for name in below[1:] for word in ("--backing", name)]
            self.dump_on(("--all",), new=f"day{day}", old=below[0], options=backing)
            self.expect_chain(("--all",), image=f"day{day}", below=below)
            below.insert(0, f"day{day}")
        self.must("qemu-img", "convert", "-O", "raw", "day7", "flat")
        self.must("e2fsck", "-fn", "flat")
        self.must("qemu-img", "rebase", "-b", "", "day1")  # flattened: its base is history
        self.e2qcow("restore", "-q", "day1", "restored", statuses=(0, 3))

    def test_random_histories(self):
        seed = int(os.environ.get("E2QCOW_SEED", random.SystemRandom().randrange(1 << 32)))
        rounds = 4 * int(os.environ.get("E2QCOW_ROUNDS", 1))
        print(f"seed {seed}, {rounds} histories")
        for number in range(rounds):
            self.random_history(random.Random(seed + number))

    def random_history(self, chance):
        kind = chance.choice([(), ("--all",)])
        block = chance.choice(["1024", "4096"])
        self.new_disk(options=("-b", block, "-O", chance.choice(["^has_journal", "^metadata_csum", "64bit"])),
                      size=f"{chance.randint(6, 30)}M")
        options = ("--compress", chance.choice(["none", "zstd"]), "--cluster-size", chance.choice(["4k", "16k", "64k"]),
                   "--digest", chance.choice(["xxh3", "sha256", "none"]))
        self.e2qcow("dump", "-q", "--force", *kind, *options, "disk", "image0", statuses=(0, 3))
        below = ["image0"]
        for step in range(1, chance.randint(2, 4)):
            for _ in range(chance.randint(0, 4)):
                self.change(chance, "disk")
            backing = [word for name in below[1:] for word in ("--backing", name)]
            options = ("--compress", chance.choice(["none", "zstd"]), "--force", *backing)
            options += chance.choice([(), ("--compare-data",)])
            name = f"image{step}"
            self.e2qcow("dump", "-q", *kind, "--base", below[0], *options, "disk", name, statuses=(0, 3))
            self.expect_chain(kind, image=name, below=below)
            below.insert(0, name)

    def change(self, chance, disk):
        name = f"f{chance.randrange(20)}"
        what = chance.randrange(8)
        if what < 2:
            self.write_file(disk, name, chance.randbytes(chance.randrange(1, 400000)))
        elif what == 2:
            self.debugfs(disk, f"rm {name}")
        elif what == 3:
            self.must("e2fsck", "-fyD", disk, statuses=(0, 1, 2))
        elif what == 4:
            self.must("resize2fs", "-f", disk, f"{chance.randint(8, 40)}M", statuses=(0, 1))
        elif what == 5:
            self.must("tune2fs", "-O", chance.choice(["dir_index", "^dir_index", "large_file", "extra_isize"]), disk,
                      statuses=(0, 1))
        elif what == 6:
            self.debugfs(disk, f"mkdir d{name}", f"symlink l{name} {'x' * chance.randrange(1, 200)}")
        else:
            self.must("tune2fs", "-L", f"label{chance.randrange(100)}", disk)

    def test_what_qemu_did_to_the_base(self):
        for number, writer in enumerate(WRITERS):
            for options in (("--compress", "none"), ("--compress", "zstd")):
                self.new_disk(size="10M")
                for name in ("o", "zeros"):
                    if os.path.exists(self.path(name)):
                        os.remove(self.path(name))
                self.must("truncate", "-s", "1M", "zeros")
                self.e2qcow("dump", "-q", "--all", *options, "disk", "old")
                if "ZEROS" in writer:
                    self.must("truncate", "-s", "10M", "zeros")
                done = self.run("bash", "-c", writer.replace("OLD", "old").replace("ZEROS", "-f raw zeros"))
                expect(done.returncode == 0, f"{writer}: {done.stderr}")
                self.write_file("disk", "new", os.urandom(20000))
                done = self.run(self.program, "dump", "-q", "--all", "--base", "old", "disk", "new")
                if done.returncode == 1 and "cannot be the base" in done.stderr:
                    continue
                expect(done.returncode == 0, f"{writer}: {done.stderr}")
                self.e2qcow("dump", "-q", "--all", "disk", "whole")
                done = self.run("qemu-img", "compare", "new", "whole")
                expect(done.returncode == 0, f"{number}: {writer} {options}: {done.stdout}{done.stderr}")
                done = self.run(self.program, "restore", "-q", "new", "--backing", "old", "restored")
                expect(done.returncode in (0, 3), f"{writer} {options}: {done.stderr}")
                self.e2qcow("compare", "-q", "restored:raw", "whole")

    def test_what_cannot_be_a_base(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "disk", "old")
        dump = ["dump", "--base", "old"]
        self.refused(*dump, "--all", "disk", "new", texts=["old: cannot be the base", "another kind: metadata"])
        self.refused(*dump, "--anonymize", "disk", "new", texts=["anonymised"])
        self.refused(*dump, "--compat", "0.10", "disk", "new", texts=["version 2"])
        self.refused(*dump, "--cluster-size", "2M", "disk", "new", texts=["as large as those of the base"])
        self.refused(*dump, "disk", "old", texts=["old"])
        os.link(self.path("old"), self.path("same"))
        self.refused(*dump, "disk", "same", texts=["same"])
        self.refused(*dump, "disk", "-", texts=["standard output"])
        self.refused("dump", "--base", "-", "disk", "new", texts=["standard input"])
        self.refused("dump", "--base", "nowhere", "disk", "new", texts=["nowhere: open: No such file"])
        self.refused(*dump, "disk", "nowhere/new", texts=["nowhere", "No such file"])
        self.refused("dump", "--base", "nbd://localhost/x", "disk", "new", texts=["on a server"])
        self.refused(*dump, "--base-name", "x" * 1024, "disk", "new", texts=["too long"])
        self.refused(*dump, "--if-changed", "disk", "new", texts=["--base", "--if-changed"], status=2)
        self.refused("dump", "--base-name", "x", "disk", "new", texts=["--base"], status=2)
        self.must("tune2fs", "-U", "random", "disk")
        self.refused(*dump, "disk", "new", texts=["another UUID"])
        self.e2qcow("dump", "-q", "--compat", "0.10", "disk", "old")
        self.refused(*dump, "disk", "new", texts=["version 2"])
        self.must("qemu-img", "convert", "-O", "qcow2", "disk", "old")
        self.refused(*dump, "disk", "new", texts=["no record of a dump"])
        self.e2qcow("dump", "-q", "disk", "old")
        self.must("truncate", "-s", "100K", "old")
        self.refused(*dump, "disk", "new", texts=["old"])

    def test_a_device_of_another_size(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "disk", "old")
        for size in ("20M", "12M"):
            self.must("resize2fs", "-f", "disk", size, statuses=(0, 1))
            os.truncate(self.path("disk"), int(size[:-1]) * MIB)
            self.refused("dump", "--base", "old", "disk", "new", texts=["its disk has", "--force"])
            self.dump_on(options=("--force",))
            self.expect_chain(())

    def test_anonymised_with_the_same_key(self):
        self.new_disk()
        options = ("--anonymize", "--anonymize-key")
        self.e2qcow("dump", "-q", *options, "key", "disk", "old")
        self.write_file("disk", "secret", b"x")
        self.dump_on(options=(*options, "key"))
        self.e2qcow("dump", "-q", *options, "key", "disk", "whole")
        self.must("qemu-img", "compare", "new", "whole")
        self.refused("dump", "--base", "old", *options, "other", "disk", "new2", texts=["the same key"])
        self.refused("dump", "--base", "old", "disk", "new2", texts=["anonymised"])

    def test_too_many_files(self):
        self.new_disk(size="2M", options=("-O", "^has_journal"))
        self.e2qcow("dump", "-q", "disk", "c0")
        below = ["c0"]
        for number in range(1, 16):
            backing = [word for name in below[1:] for word in ("--backing", name)]
            self.dump_on(new=f"c{number}", old=below[0], options=backing)
            below.insert(0, f"c{number}")
        backing = [word for name in below[1:] for word in ("--backing", name)]
        self.refused("dump", "--base", below[0], *backing, "disk", "c16", texts=["more than 16 files"])
        self.refused("dump", "--base", below[0], "disk", "c16", texts=["backing file", "--backing"])
        self.refused("dump", "--base", "c1", "--backing", "c1", "disk", "c16", texts=["c1"])

    def test_names(self):
        """QEMU finds the base from the image's folder on."""
        self.new_disk()
        for folder in ("a", "a/b", "shelf"):
            os.makedirs(self.path(folder), exist_ok=True)
        if not os.path.lexists(self.path("link")):
            os.symlink("a/b", self.path("link"))
        for old, new, name in (("shelf/old", "a/b/new", "../../shelf/old"), ("a/b/old", "a/b/new", "old"),
                               ("a/b/ol:d", "a/b/new", "./ol:d"), ("shelf/old", "link/new", "../../shelf/old"),
                               ("shelf/ö d", "new", "shelf/ö d")):
            self.e2qcow("dump", "-q", "disk", old)
            self.e2qcow("dump", "-q", "--base", old, "disk", new)
            info = json.loads(self.must("qemu-img", "info", "--output=json", new))
            expect(info["backing-filename"] == name, f"{new}: {info['backing-filename']}")
            self.must("qemu-img", "compare", new, old)
            os.remove(self.path(new))
        os.symlink("shelf/real", self.path("to-real"))
        self.e2qcow("dump", "-q", "disk", "shelf/real")
        self.e2qcow("dump", "-q", "--base", "a/b/old", "disk", "to-real")
        self.must("qemu-img", "check", "-q", "shelf/real")
        self.e2qcow("dump", "-q", "--base", "shelf/old", "--base-name", "/nowhere/x", "disk", "new")
        info = json.loads(self.e2qcow("info", "--json", "new"))
        expect(info["backing-file"] == "/nowhere/x" and len(info["base-identity"]) == 32, info)
        expect(info["dump"]["complete"], info)

    def test_streams(self):
        self.new_disk()
        for compress in ("none", "zstd"):
            self.e2qcow("dump", "-q", "disk", "old")
            self.write_file("disk", f"file-{compress}", b"x" * 10000)
            dump = f"{self.program} dump -q --compress {compress} --base old --base-name old"
            for spool in ("none", "auto"):
                self.shell(f"{dump} --spool {spool} disk - | cat >new")
                self.must("qemu-img", "check", "-q", "new")
                self.e2qcow("dump", "-q", "disk", "whole")
                self.must("qemu-img", "compare", "new", "whole")
            self.expect_chain(())
            done = self.shell(f"cat new | {self.program} restore -q - --backing old restored && echo done")
            expect(done == "done\n", done)
            self.e2qcow("compare", "-q", "restored:raw", "new", "--backing-b", "old")

    def test_another_base_is_refused(self):
        self.new_disk()
        for options in (("--compress", "none"), ("--compress", "zstd")):
            self.e2qcow("dump", "-q", *options, "disk", "old")
            shutil.copy(self.path("old"), self.path("kept"))
            self.dump_on()
            self.must("tune2fs", "-L", options[1], "disk")
            self.e2qcow("dump", "-q", *options, "disk", "old")  # the same blocks, other contents
            words = ["is not the image that new was made on"]
            self.refused("restore", "new", "--backing", "old", "restored", texts=words + ["--no-verify"])
            self.refused("compare", "new", "kept", "--backing-a", "old", texts=words, status=2)
            done = self.run(self.program, "exec", "--backing", "old", "--", "debugfs", "-R", "stats", "new")
            expect("is not the image that" in done.stderr, done.stderr)
            self.e2qcow("restore", "-q", "--no-verify", "new", "--backing", "old", "restored")
            self.e2qcow("restore", "-q", "new", "--backing", "kept", "restored")
            self.must("qemu-img", "rebase", "-u", "-b", "old", "-F", "qcow2", "new")  # somebody means it
            done = self.run(self.program, "restore", "-q", "new", "--backing", "old", "restored")
            expect(done.returncode == 0 and "another program has opened new" in done.stderr, done.stderr)

    def test_no_output_goes_to_the_files_below(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "disk", "a")
        self.dump_on(new="b", old="a")
        for option in ("--report", "--map-out"):
            for file in ("a", "b"):
                self.refused("dump", "--base", "b", "--backing", "a", option, file, "disk", "new", texts=[file])
        options = ("--anonymize", "--anonymize-key", "key")
        self.e2qcow("dump", "-q", *options, "disk", "p")
        self.refused("dump", *options, "--base", "p", "--name-map", "p", "disk", "new", texts=["p"])
        self.refused("dump", "--anonymize", "--anonymize-key", "p", "--base", "p", "disk", "new", texts=["p"])
        self.must("mke2fs", "-q", "-F", "-O", "journal_dev", "-b", "1024", "journal", "4M")
        done = self.run("sh", "-c", "losetup --find --show journal")
        if done.returncode == 0:
            device = done.stdout.strip()
            try:
                self.must("mke2fs", "-q", "-F", "-b", "1024", "-J", f"device={device}", "with-journal", "16M")
                self.e2qcow("dump", "-q", "--journal", device, "with-journal", "j")
                self.refused("dump", "--journal", device, "--base", "j", "--journal-image", "j", "with-journal", "new",
                             texts=["j"])
            finally:
                self.must("losetup", "--detach", device)
        self.must("qemu-img", "compare", "b", "a")

    def test_the_files_below_the_base_belong_together(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--all", "disk", "a")
        self.write_file("disk", "x", b"x" * 9000)
        self.dump_on(("--all",), new="b", old="a")
        self.write_file("disk", "y", b"y" * 9000)
        self.e2qcow("dump", "-q", "--all", "disk", "w")
        words = ["w: is not the image that b was made on"]
        self.refused("dump", "--all", "--base", "b", "--backing", "w", "disk", "c", texts=words)
        out = self.e2qcow("verify", "b", "--backing", "w", statuses=(4,))
        expect("is not the image that it was made on" in out, out)
        self.e2qcow("verify", "-q", "b", "--backing", "a")

    def test_a_base_that_was_written_to_since(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--all", "--compress", "none", "--cluster-size", "64k", "disk", "old")
        self.dump_on(("--all",))
        self.must("qemu-io", "-c", "write -P 9 0 4k", "old")  # a plain cluster: no table changes
        self.refused("restore", "new", "--backing", "old", "restored", texts=["has changed since"])

    def test_a_base_without_digests_is_warned_of(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--digest", "none", "disk", "old")
        done = self.run(self.program, "dump", "-q", "--base", "old", "disk", "new")
        expect(done.returncode == 0 and "old: holds no digests" in done.stderr, done.stderr)

    def test_a_layer_above_has_a_part_of_a_compressed_cluster(self):
        self.new_disk(options=("-b", "4096"), size="32M")
        self.write_file("disk", "text", b"many words " * 50000)
        self.e2qcow("dump", "-q", "--all", "--cluster-size", "64k", "disk", "low")
        self.must("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "-b", "low", "-F", "qcow2", "mid")
        for cluster in range(8, 400, 16):
            self.must("qemu-io", "-c", f"write -P 7 {cluster * 64 + 8}k 4k", "mid")
        shutil.copy(self.path("disk"), self.path("empty"))
        self.debugfs("empty", "rm text", "rm letter", "rm photo")
        self.e2qcow("dump", "-q", "--all", "--cluster-size", "64k", "empty", "old")
        self.must("qemu-img", "rebase", "-u", "-f", "qcow2", "-b", "mid", "-F", "qcow2", "old")
        below = ("--backing", "mid", "--backing", "low")
        self.e2qcow("dump", "-q", "--all", "--base", "old", *below, "disk", "new")
        self.e2qcow("dump", "-q", "--all", "disk", "whole")
        self.must("qemu-img", "compare", "new", "whole")

    def test_a_base_that_is_damaged(self):
        """What cannot be decoded is stored anew, and that something is wrong is said."""
        self.new_disk()
        self.write_file("disk", "text", b"many words " * 50000)
        self.e2qcow("dump", "-q", "--all", "disk", "good")
        with open(self.path("good"), "rb") as file:
            good = file.read()
        offset = good.rindex(b"\x28\xb5\x2f\xfd") + 8  # in the last frame of zstd
        chance = random.Random(1)
        with open(self.path("old"), "wb") as file:
            file.write(good[:offset] + chance.randbytes(300) + good[offset + 300:])
        for options in ((), ("--compare-data",)):
            self.dump_on(("--all",), options=options)
        self.e2qcow("dump", "-q", "--all", "disk", "whole")
        self.e2qcow("restore", "-q", "new", "--backing", "old", "restored")
        self.e2qcow("compare", "-q", "restored:raw", "whole")
        with open(self.path("old"), "wb") as file:
            file.write(good[:-512])
        done = self.run(self.program, "dump", "-q", "--all", "--base", "old", "disk", "new")
        expect(done.returncode == 0 and "old: is not as it was written" in done.stderr, done.stderr)

    def test_only_compressed_digests_are_believed(self):
        """A commit into plain clusters leaves no trace: what is there now counts."""
        self.new_disk()
        self.e2qcow("dump", "-q", "--all", "--compress", "none", "--cluster-size", "64k", "disk", "old")
        self.shell("rm -f o; qemu-img create -q -f qcow2 -b old -F qcow2 o && "
                   "qemu-io -c 'write -P 9 0 64k' o && qemu-img commit -q o")
        self.dump_on(("--all",))
        self.e2qcow("dump", "-q", "--all", "disk", "whole")
        self.must("qemu-img", "compare", "new", "whole")
        self.e2qcow("restore", "-q", "new", "--backing", "old", "restored")
        self.e2qcow("verify", "-q", "old", statuses=(2,))

    def test_a_decayed_base_shows_when_it_is_read(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--all", "--compress", "none", "disk", "old")
        with open(self.path("old"), "r+b") as file:
            data = file.read()
            place = data.index(b"deardear")
            file.seek(place)
            file.write(b"DEAR")
        self.dump_on(("--all",))  # stores the damaged cluster anew
        self.expect_chain(("--all",))

    def test_a_base_without_digests(self):
        self.new_disk()
        self.e2qcow("dump", "-q", "--digest", "none", "disk", "old")
        self.write_file("disk", "x", b"y" * 9000)
        self.dump_on()
        self.expect_chain(())
        self.dump_on(options=("--digest", "none"))
        self.must("qemu-img", "check", "-q", "new")


def main():
    program = os.path.abspath(sys.argv[1])
    if status := status_without(NEEDED):
        return status
    return run_suite(Tests, sys.argv[2:], lambda name, folder: getattr(Tests(program, folder), name)(), fast_folder())


if __name__ == "__main__":
    sys.exit(main())
