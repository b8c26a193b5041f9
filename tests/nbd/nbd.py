#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dump from and restore to disks on NBD servers: real ones, ones that lose connections, and bad ones.

usage: nbd.py E2QCOW [NAME...]

What is dumped must be, byte for byte, what is dumped of the file that is served; what is restored is fetched by
nbdcopy. Exit status: 0 passed, 1 failed, 77 some were skipped (with E2QCOW_CI that is a failure).
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from bad_server import BadServer
from proxy import ByteProxy, Proxy
from servers import (ENVIRONMENT, PATIENCE, certificates, free_port, https_server, nbd_server, nbdkit, need,
                     need_nbdkit, qemu_nbd, PortServer, ssh_server, write)
from suite import run_suite

MIB = 1 << 20
MAY_PASS = 4  # the status of errors after which another attempt may succeed


class Failed(Exception):
    """What was expected did not come about."""


def expect(holds, text):
    if not holds:
        raise Failed(text)


def run(words, **options):
    return subprocess.run(words, env=ENVIRONMENT, check=False, text=True, errors="replace", timeout=PATIENCE * 2,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def must(*words):
    done = run(words)
    expect(done.returncode == 0, f"{' '.join(words)}: status {done.returncode}: {done.stderr}")
    return done.stdout


def make_file_system(path, megabytes=64):
    """With files whose contents cannot be compressed, and deep metadata."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as tree:
        chance = random.Random(1)
        for i in range(120):
            os.makedirs(f"{tree}/{i % 7}/{i % 5}", exist_ok=True)
            with open(f"{tree}/{i % 7}/{i % 5}/{i}", "wb") as file:
                for piece in range(4):
                    file.seek(piece * 3 * 8192)
                    file.write(chance.randbytes(8192))
        os.makedirs(f"{tree}/big")
        for i in range(300):
            with open(f"{tree}/big/{i}", "wb") as file:
                file.write(chance.randbytes(65536))
        must("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", tree, path, f"{megabytes}M")
    # So that what is in use lies apart.
    subprocess.run(["debugfs", "-w", "-f", "/dev/stdin", path], env=ENVIRONMENT, check=True, text=True,
                   input="".join(f"rm big/{i}\n" for i in range(0, 300, 2)), stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Tests:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.disk = self.path("disk.img")
        make_file_system(self.disk)
        self.to_stop = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def started(self, server):
        self.to_stop.append(server)
        return server

    def clean_up(self):
        while self.to_stop:
            server = self.to_stop.pop()
            getattr(server, "stop", None) and server.stop()
            getattr(server, "close", None) and server.close()
        for name in os.listdir(self.folder):
            if name not in ("disk.img", "local.qcow2", "all.qcow2"):
                with contextlib.suppress(OSError):
                    must("rm", "-rf", self.path(name))

    def e2qcow(self, *words):
        return run([self.program, *words])

    # --- judges ------------------------------------------------------------------

    def local(self, *options):
        name = self.path("all.qcow2" if "--all" in options else "local.qcow2")
        if not os.path.exists(name):
            must(self.program, "dump", "-q", *options, self.disk, name)
        return name

    def expect_dump(self, *source, options=(), same_as=()):
        """A dump of the source is that of disk.img."""
        for kind in ((), ("--all",)):
            image = self.path("remote.qcow2")
            done = self.e2qcow("dump", "-q", *kind, *options, *source, image)
            expect(done.returncode == 0 and not done.stderr, f"dump {source}: {done.returncode}: {done.stderr}")
            done = run(["qemu-img", "compare", image, self.local(*kind, *same_as)])
            expect(done.returncode == 0, f"dump {kind} of {source} is another one: {done.stdout}")

    def expect_failure(self, words, *texts, status=1):
        """One line with these texts."""
        began = time.monotonic()
        done = self.e2qcow(*words)
        expect(done.returncode == status, f"{words}: status {done.returncode}: {done.stderr}")
        lines = done.stderr.splitlines()
        expect(lines and all(text in lines[-1] for text in texts), f"{words}: says {done.stderr}")
        expect(len([line for line in lines if line.startswith("e2qcow")]) == 1, f"{words}: says {done.stderr}")
        expect(time.monotonic() - began < PATIENCE / 2, f"{words}: takes long")
        return done

    def expect_no_dump(self, *source, texts=(), options=(), status=1):
        """It fails, and an image that was there stays."""
        image = self.path("kept")
        write(image, "old")
        self.expect_failure(["dump", "-q", *options, *source, image], *texts, status=status)
        with open(image, encoding="ascii") as file:
            expect(file.read() == "old", "a failed dump has replaced the image")
        expect(len([name for name in os.listdir(self.folder) if name.startswith(".e2qcow")]) == 0, "leaves a file")

    def target(self, size=64 * MIB):
        """A file with old contents."""
        path = self.path("target.img")
        with open(path, "wb") as file:
            file.write(b"\xaa" * size)
        return path

    def expect_restored(self, *target, options=(), file=None, uri=None):
        """The dump of everything, restored, is what nbdcopy fetches, or what the served file holds."""
        image = self.local("--all")
        done = self.e2qcow("restore", "-q", *options, image, *target)
        expect(done.returncode == 0, f"restore to {target}: {done.returncode}: {done.stderr}")
        if uri:
            file = self.path("fetched.img")
            must("nbdcopy", "--request-size=65536", uri, file)
        done = run(["qemu-img", "compare", "-F", "raw", image, file])
        expect(done.returncode == 0, f"restored to {target}: {done.stdout}")
        expect(run(["e2fsck", "-fn", file]).returncode == 0, "e2fsck finds something in it")

    # --- real servers ------------------------------------------------------------

    def test_dumps_from_nbdkit_with_any_filter(self):
        need_nbdkit("file", "delay-filter", "noextents-filter", "blocksize-policy-filter")
        for filters in ([], ["--filter=noextents"], ["--filter=delay", "delay-read=1ms"],
                        ["--filter=blocksize-policy", "blocksize-minimum=4096", "blocksize-error-policy=error"],
                        ["--filter=blocksize-policy", "blocksize-minimum=64K", "blocksize-maximum=64K",
                         "blocksize-preferred=64K", "blocksize-error-policy=error"],
                        ["--filter=blocksize-policy", "blocksize-minimum=1", "blocksize-preferred=4096",
                         "blocksize-maximum=1M", "blocksize-error-policy=error"]):
            before = [word for word in filters if word.startswith("--")]
            after = [word for word in filters if not word.startswith("--")]
            server = self.started(nbdkit(self.path("s"), *before, "file", self.disk, *after))
            self.expect_dump(server.uri)
            server.stop()

    def test_dumps_from_qemu_nbd(self):
        for options in (["-e", "1"], ["-e", "8"], ["-r"]):
            server = self.started(qemu_nbd(self.path("s"), "-f", "raw", *options, self.disk))
            self.expect_dump(server.uri)
            server.stop()
        must("qemu-img", "convert", "-O", "qcow2", self.disk, self.path("disk.qcow2"))
        self.started(qemu_nbd(self.path("s"), "-f", "qcow2", "-r", self.path("disk.qcow2")))
        self.expect_dump("nbd+unix:///?socket=" + self.path("s"))

    def test_dumps_from_nbd_server(self):
        server = self.started(nbd_server(self.folder, self.disk))
        self.expect_dump(f"nbd://127.0.0.1:{server.port}/disk")
        self.expect_dump(f"nbd://localhost:{server.port}/disk")

    def test_more_connections_than_a_server_takes_are_done_without(self):
        self.started(qemu_nbd(self.path("s"), "-f", "raw", "-e", "1", "-r", self.disk))
        done = self.e2qcow("dump", "-q", "--connections", "2", "nbd+unix:///?socket=" + self.path("s"),
                           self.path("out"))
        expect(done.returncode == 0, done.stderr)

    def test_measures_and_compares(self):
        server = self.started(nbdkit(self.path("s"), "-r", "file", self.disk))
        remote = json.loads(must(self.program, "measure", "--json", server.uri))
        local = json.loads(must(self.program, "measure", "--json", self.disk))
        for key in ("selected-bytes", "classes", "disk-size", "estimate"):
            expect(remote[key] == local[key], f"{key}: {remote[key]} and {local[key]}")
        expect(self.e2qcow("compare", server.uri, self.disk).returncode == 0, "differs from itself")
        expect(self.e2qcow("compare", self.local(), server.uri).returncode == 0, "differs from its dump")
        with open(self.disk, "rb") as original, open(self.path("other.img"), "wb") as other:
            other.write(original.read())
            other.seek(1024 + 120)
            other.write(b"other")
        done = self.e2qcow("compare", server.uri, self.path("other.img"))
        expect(done.returncode == 1 and "1144" in done.stdout, f"a difference is not found: {done}")

    def test_holes_are_not_read(self):
        need_nbdkit("stats-filter")
        with open(self.path("sparse.img"), "wb") as file:
            file.truncate(2048 * MIB)
        must("mke2fs", "-q", "-F", "-t", "ext3", self.path("sparse.img"))
        server = self.started(nbdkit(self.path("s"), "-r", "--filter=stats", "file", self.path("sparse.img"),
                                     "statsfile=" + self.path("stats")))
        must(self.program, "dump", "-q", "--all", server.uri, self.path("remote.qcow2"))
        server.stop()
        must(self.program, "dump", "-q", "--all", self.path("sparse.img"), self.path("here.qcow2"))
        must("qemu-img", "compare", self.path("remote.qcow2"), self.path("here.qcow2"))
        with open(self.path("stats"), encoding="utf-8") as file:
            found = re.search(r"^read: .*?, ([\d.]+) (bytes|KiB|MiB)", file.read(), re.MULTILINE)
        expect(found, "nbdkit does not say what was read")
        read = float(found[1]) * {"bytes": 1, "KiB": 1 << 10, "MiB": MIB}[found[2]]
        allocated = os.stat(self.path("sparse.img")).st_blocks * 512
        expect(read < allocated + MIB, f"{read} bytes were read of {allocated}")

    def test_partitions_and_offsets(self):
        for kind, script in (("gpt", "label: gpt\nstart=2048, size=20480\nstart=22528, size=131072\n"),
                             ("dos", "label: dos\nstart=2048, size=20480, type=83\nstart=22528, type=05\n"
                                     "start=24576, size=131072, type=83\n")):
            disk = self.path(kind + ".img")
            with open(disk, "wb") as file:
                file.truncate(160 * MIB)
            subprocess.run(["sfdisk", "-q", disk], input=script, text=True, check=True, env=ENVIRONMENT,
                           stdout=subprocess.DEVNULL)
            number, begin = (2, 22528) if kind == "gpt" else (5, 24576)
            must("dd", "status=none", "conv=notrunc,sparse", "bs=1M", "oflag=seek_bytes", f"seek={begin * 512}",
                 "if=" + self.disk, "of=" + disk)
            server = self.started(nbdkit(self.path(kind), "-r", "file", disk))
            for place in (["--partition", str(number)], ["--offset", str(begin * 512)]):
                remote, local = self.path("remote.qcow2"), self.path("here.qcow2")
                for source, image in ((server.uri, remote), (disk, local)):
                    must(self.program, "dump", "-q", *place, source, image)
                must("qemu-img", "compare", "-s", remote, local)
            self.expect_failure(["dump", server.uri, self.path("out")], "there are partitions", "--partition N")
            must(self.program, "dump", "-q", "--partition", str(number), "--map-out", self.path("map"), server.uri,
                 remote)

    def test_what_else_is_recognised(self):
        with open(self.path("swap.img"), "wb") as file:
            file.truncate(8 * MIB)
        must("mkswap", self.path("swap.img"))
        server = self.started(nbdkit(self.path("s"), "-r", "file", self.path("swap.img")))
        self.expect_failure(["dump", server.uri, self.path("out")], "it is swap space")
        for source, image in ((server.uri, "remote.qcow2"), (self.path("swap.img"), "here.qcow2")):
            expect(self.e2qcow("dump", "-q", "--force", source, self.path(image)).returncode == 3, "no dump")
        must("qemu-img", "compare", "-s", self.path("remote.qcow2"), self.path("here.qcow2"))

    def test_unreadable_blocks(self):
        need_nbdkit("error-filter", "eval")
        script = ('pread=test $(( $4 + $3 )) -gt 20000000 -a $4 -lt 21000000 && '
                  '{ echo EIO broken >&2; exit 1; }; dd if=' + self.disk +
                  ' iflag=skip_bytes,count_bytes skip=$4 count=$3 status=none')
        server = self.started(nbdkit(self.path("s"), "-r", "eval", f"get_size=stat -c %s {self.disk}", script))
        image = self.path("out")
        done = self.e2qcow("dump", "--all", "--report", self.path("report"), server.uri, image)
        expect(done.returncode == 3, f"status {done.returncode}: {done.stderr}")
        must("qemu-img", "check", image)
        with open(self.path("report"), encoding="utf-8") as file:
            lost = json.load(file)
        expect("unreadable" in json.dumps(lost), "nothing in the report")
        self.expect_failure(["dump", "--all", "--strict", "-q", server.uri, image], "read at", "Input/output error")

    def test_other_errors_are_of_the_whole(self):
        need_nbdkit("eval")
        script = 'pread=test $4 -gt 20000000 && { echo EPERM no >&2; exit 1; }; dd if=' + self.disk + \
                 ' iflag=skip_bytes,count_bytes skip=$4 count=$3 status=none'
        server = self.started(nbdkit(self.path("s"), "-r", "eval", f"get_size=stat -c %s {self.disk}", script))
        self.expect_no_dump(server.uri, options=["--all"], texts=["the server refuses it", "not permitted"])

    def test_restores_to_nbdkit(self):
        need_nbdkit("file", "memory", "blocksize-policy-filter")
        target = self.target()
        server = self.started(nbdkit(self.path("s"), "file", target))
        self.expect_restored(server.uri, file=target)
        server.stop()
        for policy in ([], ["blocksize-minimum=4096"], ["blocksize-minimum=64K", "blocksize-preferred=64K",
                                                       "blocksize-maximum=64K"]):
            words = ["--filter=blocksize-policy"] if policy else []
            server = self.started(nbdkit(self.path("s"), *words, "memory", "64M", *policy,
                                         *(["blocksize-error-policy=error"] if policy else [])))
            self.expect_restored(server.uri, uri=server.uri)
            server.stop()

    def test_restores_without_zeroing_and_flushing(self):
        need_nbdkit("nozero-filter", "eval")
        server = self.started(nbdkit(self.path("s"), "--filter=nozero", "memory", "64M"))
        self.expect_restored(server.uri, uri=server.uri)

    def test_restores_to_qemu_nbd(self):
        for options in (["-e", "1"], ["-e", "8"]):
            target = self.target()
            server = self.started(qemu_nbd(self.path("s"), "-f", "raw", *options, target))
            self.expect_restored(server.uri, file=target)
            self.expect_restored(server.uri, options=["--discard"], file=target)
            server.stop()

    def test_restores_to_nbd_server(self):
        target = self.target()
        server = self.started(nbd_server(self.folder, target))
        self.expect_restored(f"nbd://localhost:{server.port}/disk", file=target)

    def test_commands_in_brackets(self):
        need_nbdkit("file")
        self.expect_dump("[", "nbdkit", "file", self.disk, "]")
        self.expect_dump("[", "qemu-nbd", "-f", "raw", "-r", "-e", "8", self.disk, "]")
        done = self.e2qcow("compare", "[", "nbdkit", "-r", "file", self.disk, "]", "[", "nbdkit", "file", self.disk,
                           "]")
        expect(done.returncode == 0, done.stderr)
        target = self.target()
        self.expect_restored("[", "nbdkit", "file", target, "]", file=target)
        with open(self.path("out"), "wb") as out:
            subprocess.run([self.program, "dump", "-q", "[", "nbdkit", "-r", "file", self.disk, "]", "-"], stdout=out,
                           check=True, env=ENVIRONMENT)
        must("qemu-img", "compare", self.path("out"), self.local())

    def test_commands_that_fail(self):
        done = self.expect_failure(["dump", "[", "sh", "-c", "echo that is why >&2; exit 5", "]", self.path("o")],
                                   "the command ended with status 5")
        expect("that is why" in done.stderr, "the command's message is not shown")
        self.expect_failure(["dump", "[", "no-such-program", "]", self.path("o")], "no-such-program", "No such file")
        self.expect_failure(["dump", "[", "]", self.path("o")], "there is no command")
        self.expect_failure(["dump", "[", "nbdkit", "memory", "1M"], "does not end with ]", status=2)
        self.expect_failure(["dump", "--timeout", "1", "[", "sleep", "1000", "]", self.path("o")],
                            "the server does not answer", status=MAY_PASS)
        self.expect_no_dump("[", "nbdkit", "--filter=delay", "file", self.disk, "delay-read=100ms", "--run",
                            "true", "]", texts=["e2qcow"])

    def test_a_command_that_dies_is_an_error_of_the_whole(self):
        need_nbdkit("delay-filter")
        mark = self.path("pid")
        image = self.path("kept")
        write(image, "old")
        words = [self.program, "dump", "-q", "--all", "[", "sh", "-c",
                 f"echo $$ >{mark}; exec nbdkit -r -t 1 --filter=delay file {self.disk} delay-read=30ms", "]", image]
        with subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
            os.kill(self.pid_in(mark), signal.SIGKILL)
            text = process.communicate(timeout=PATIENCE)[1]
        expect(process.returncode == 1 and "was ended by signal 9" in text, f"{process.returncode}: {text}")
        with open(image, encoding="ascii") as file:
            expect(file.read() == "old", "the image was replaced")

    def test_commands_do_not_stay_behind(self):
        need_nbdkit("delay-filter")
        mark = self.path("pid")
        for number in (signal.SIGINT, signal.SIGKILL):
            words = [self.program, "dump", "-q", "--all", "[", "sh", "-c",
                     f"echo $$ >{mark}; exec nbdkit -r -t 1 --filter=delay file {self.disk} delay-read=30ms", "]",
                     self.path("o")]
            with subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
                child = self.pid_in(mark)
                process.send_signal(number)
                process.wait(PATIENCE)
            expect(process.returncode == -number, f"status {process.returncode}")
            deadline = time.monotonic() + PATIENCE
            while os.path.exists(f"/proc/{child}/exe") and os.path.exists(f"/proc/{child}"):
                with contextlib.suppress(OSError):
                    os.readlink(f"/proc/{child}/exe")
                expect(time.monotonic() < deadline, "the command stays behind")
            os.unlink(mark)

    def pid_in(self, mark):
        deadline = time.monotonic() + PATIENCE
        while True:
            expect(time.monotonic() < deadline, "the command was not started")
            with contextlib.suppress(OSError, ValueError), open(mark, encoding="ascii") as file:
                text = file.read()
                if text.endswith("\n"):
                    return int(text)

    # --- encryption --------------------------------------------------------------

    def tls_server(self, keys, port, *words):
        return self.started(PortServer(port, [
            "qemu-nbd", "-t", "-p", str(port), "-b", "127.0.0.1", "-f", "raw", "-e", "8", "--object",
            f"tls-creds-x509,id=t,endpoint=server,verify-peer=yes,dir={keys}", "--tls-creds", "t", "-x", "disk", *words,
            self.disk], stderr=subprocess.DEVNULL))

    def keys(self, name="keys", names=("localhost",)):
        keys = certificates(self.path(name), names)
        return keys

    def test_tls_with_certificates(self):
        need("qemu-nbd")
        keys, port = self.keys(), free_port()
        self.tls_server(keys, port, "-r")
        uri = f"nbds://localhost:{port}/disk?tls-certificates={keys}"
        self.expect_dump(uri)
        expect(self.e2qcow("compare", uri, self.disk).returncode == 0, "differs")
        others = self.keys("others")
        self.expect_failure(["dump", f"nbds://localhost:{port}/disk?tls-certificates={others}", self.path("o")],
                            "no connection")
        self.expect_failure(["dump", f"nbds://127.0.0.1:{port}/disk?tls-certificates={keys}", self.path("o")],
                            "no connection")
        self.expect_failure(["dump", f"nbd://localhost:{port}/disk", self.path("o")], "no connection")
        self.expect_failure(["dump", f"nbds://localhost:{port}/other?tls-certificates={keys}", self.path("o")],
                            "no connection")

    def test_tls_with_shared_keys(self):
        need_nbdkit("file")
        need("psktool")
        keys = self.path("keys.psk")
        subprocess.run(["psktool", "-u", "alice", "-p", keys], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        server = self.started(nbdkit(self.path("s"), "--tls=require", f"--tls-psk={keys}", "-r", "file", self.disk))
        self.expect_dump(f"nbds+unix://alice@/?socket={server.path}&tls-psk-file={keys}")
        self.expect_failure(["dump", server.uri, self.path("o")], "no connection")
        plain = self.started(nbdkit(self.path("plain"), "-r", "file", self.disk))
        self.expect_failure(["dump", f"nbds+unix://alice@/?socket={plain.path}&tls-psk-file={keys}", self.path("o")],
                            "no connection")

    # --- other protocols ---------------------------------------------------------

    def test_dumps_over_ssh(self):
        need_nbdkit("ssh")
        server = self.started(ssh_server(self.folder))
        self.expect_dump("[", "nbdkit", "-r", "ssh", "host=127.0.0.1", f"port={server.port}", self.disk,
                         f"identity={self.path('user')}", f"known-hosts={self.path('known_hosts')}", "]")

    def test_dumps_over_https(self):
        need_nbdkit("curl")
        keys = self.keys()
        server = https_server(self.folder, f"{keys}/server-cert.pem", f"{keys}/server-key.pem")
        try:
            self.expect_dump("[", "nbdkit", "-r", "curl", f"https://localhost:{server.server_port}/disk.img",
                             f"cainfo={keys}/ca-cert.pem", "]", options=["--connections", "8"])
        finally:
            server.shutdown()

    # --- lost connections --------------------------------------------------------

    # Not nbdkit: version 1.32 may crash when a connection is lost.
    def read_only_server(self):
        return self.started(qemu_nbd(self.path("s"), "-f", "raw", "-r", "-e", "100", self.disk))

    def test_reading_goes_on_after_cuts(self):
        server = self.read_only_server()
        for every in (50, 7):
            proxy = self.started(Proxy(server.connect, every))
            self.expect_dump(f"nbd://127.0.0.1:{proxy.port}/")
            expect(proxy.cuts > 0, "nothing was cut")
            self.expect_dump(f"nbd://127.0.0.1:{proxy.port}/", options=["--connections", "1"])

    def test_writing_goes_on_after_cuts(self):
        for every in (50, 9):
            target = self.target()
            server = self.started(qemu_nbd(self.path("s"), "-f", "raw", "-e", "100", target))
            proxy = self.started(Proxy(server.connect, every))
            self.expect_restored(f"nbd://127.0.0.1:{proxy.port}/", file=target)
            expect(proxy.cuts > 0, "nothing was cut")
            server.stop()

    def test_what_was_not_flushed_is_written_again(self):
        for shares in (False, True):
            server = self.started(BadServer(b"\xaa" * (64 * MIB), cut_every=10, shares=shares))
            uri = f"nbd://127.0.0.1:{server.port}/"
            must(self.program, "restore", "-q", self.local("--all"), uri)
            expect(server.cuts > 2 and server.flushes > 2, f"{server.cuts} cuts, {server.flushes} flushes")
            with open(self.path("fetched.img"), "wb") as file:
                file.write(server.disk)
            must("qemu-img", "compare", "-F", "raw", self.local("--all"), self.path("fetched.img"))

    def test_reconnects_by_name_when_rights_are_given_up(self):
        server = self.read_only_server()
        proxy = self.started(Proxy(server.connect, 20))
        done = self.e2qcow("compare", f"nbd://localhost:{proxy.port}/", self.disk)
        expect(done.returncode == 0 and proxy.cuts > 0, f"{proxy.cuts} cuts: {done.stderr}")

    def test_reconnects_with_tls_when_rights_are_given_up(self):
        need("qemu-nbd")
        keys, port = self.keys(), free_port()
        self.tls_server(keys, port, "-r")
        proxy = self.started(ByteProxy(lambda: socket.create_connection(("127.0.0.1", port)), 700_000))
        uri = f"nbds://localhost:{proxy.port}/disk?tls-certificates={keys}"
        done = self.e2qcow("compare", uri, self.disk)
        expect(done.returncode == 0 and proxy.cuts > 0, f"{proxy.cuts} cuts: {done.returncode}: {done.stderr}")

    def test_a_server_that_does_not_come_back(self):
        server = self.read_only_server()
        proxy = self.started(Proxy(server.connect, 20, comes_back=False))
        self.expect_no_dump(f"nbd://127.0.0.1:{proxy.port}/", options=["--reconnect", "1", "--connections", "1"],
                            texts=[f"nbd://127.0.0.1:{proxy.port}/", "connection"], status=MAY_PASS)
        target = self.target()
        server = self.started(qemu_nbd(self.path("w"), "-f", "raw", "-e", "8", target))
        proxy = self.started(Proxy(server.connect, 20, comes_back=False))
        self.expect_failure(["restore", "-q", "--reconnect", "1", "--connections", "1", self.local("--all"),
                             f"nbd://127.0.0.1:{proxy.port}/"], "connection", status=MAY_PASS)
        expect(run(["e2fsck", "-fn", target]).returncode != 0, "what is half written looks whole")

    def test_servers_are_told_that_it_is_the_end(self):
        with open(self.disk, "rb") as file:
            server = self.started(BadServer(file.read(), shares=True))
        self.expect_dump(f"nbd://127.0.0.1:{server.port}/", options=["--connections", "4"])
        server.join()
        expect(server.disconnects == server.connections, f"{server.disconnects} of {server.connections} ends are said")

    def test_a_server_that_always_breaks_is_given_up(self):
        server = self.read_only_server()
        proxy = self.started(Proxy(server.connect, 1))
        self.expect_no_dump(f"nbd://127.0.0.1:{proxy.port}/", texts=["connection"], status=MAY_PASS)

    def test_stalls_end(self):
        server = self.started(BadServer(open(self.disk, "rb").read(), stalls=30))
        self.expect_no_dump(f"nbd://127.0.0.1:{server.port}/", options=["--timeout", "1", "--reconnect", "1"],
                            texts=["no reply for 1 second"], status=MAY_PASS)

    def test_sigint_ends_at_once(self):
        stalled = self.started(BadServer(open(self.disk, "rb").read(), stalls=30))
        ends = socket.socketpair()
        silent = self.started(Proxy(lambda: ends[0], 0))
        for source, is_there in ((stalled, lambda: stalled.requests >= 30), (silent, lambda: True)):
            words = [self.program, "dump", "-q", f"nbd://127.0.0.1:{source.port}/", self.path("o")]
            with subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
                while not is_there() and process.poll() is None:
                    pass
                self.wait_for_handler(process)
                process.send_signal(signal.SIGINT)
                began = time.monotonic()
                process.wait(PATIENCE)
            expect(process.returncode == -signal.SIGINT, f"status {process.returncode}: {process.stderr}")
            expect(time.monotonic() - began < 10, "SIGINT takes long")
            expect(not os.path.exists(self.path("o")), "there is an image")

    def wait_for_handler(self, process):
        """Until it has a handler for SIGINT."""
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as file:
                caught = [line for line in file if line.startswith("SigCgt")]
            if caught and int(caught[0].split()[1], 16) & (1 << (signal.SIGINT - 1)):
                return

    # --- bad input ---------------------------------------------------------------

    def test_bad_servers(self):
        data = open(self.disk, "rb").read()

        def refused(*texts, **faults):
            server = self.started(BadServer(data, **faults))
            self.expect_no_dump(f"nbd://127.0.0.1:{server.port}/", texts=texts)

        refused("has 0 bytes", sizes=[0])
        refused("1000 bytes", "sectors of 512", sizes=[1000])
        refused("two disks of that name", sizes=[64 * MIB, 32 * MIB], shares=True)
        refused("has another disk now", sizes=[64 * MIB, 32 * MIB], cut_every=30)
        refused("a range of no bytes at", extents=[(0, 0), (4096, 0)])
        refused("ends at", extents=[(1 << 30, 0)])

    def test_bad_names(self):
        need_nbdkit("file")
        server = self.started(qemu_nbd(self.path("s"), "-f", "raw", "-r", "-x", "disk", self.disk))
        out = self.path("o")
        self.expect_failure(["dump", f"nbd+unix:///other?socket={server.path}", out], "no connection", "other")
        self.expect_failure(["dump", f"nbd+unix:///?socket={self.path('nowhere')}", out], "No such file",
                            status=MAY_PASS)
        self.expect_failure(["dump", f"nbd://127.0.0.1:{free_port()}", out], "Connection refused", status=MAY_PASS)
        self.expect_failure(["dump", "nbd://no-such-host.invalid/", out], "no address of no-such-host.invalid",
                            status=MAY_PASS)
        self.expect_failure(["dump", "nbd+unix:///", out], "no connection")
        web = self.started(PortServer((port := free_port()), [sys.executable, "-m", "http.server", "--bind",
                                                              "127.0.0.1", str(port)], stderr=subprocess.DEVNULL,
                                      cwd=self.folder))
        self.expect_failure(["dump", "--timeout", "1", f"nbd://127.0.0.1:{web.port}/", out], "no connection",
                            status=MAY_PASS)
        self.expect_failure(["dump", self.disk, server.uri], "an image is a file")
        self.expect_failure(["restore", self.local("--all"), f"nbd+unix:///disk?socket={server.path}"],
                            "lets nobody write")
        self.expect_failure(["restore", server.uri, server.uri], "as the input and as the output")
        small = self.started(nbdkit(self.path("small"), "memory", "1M"))
        self.expect_failure(["restore", self.local("--all"), small.uri], "too small")
        self.expect_failure(["restore", self.local(), small.uri], "only metadata")

    def test_partitions_on_a_target_are_kept(self):
        target = self.path("target.img")
        with open(target, "wb") as file:
            file.truncate(80 * MIB)
        subprocess.run(["sfdisk", "-q", target], input="label: gpt\nsize=20480\n", text=True, check=True,
                       env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        server = self.started(nbdkit(self.path("s"), "file", target))
        self.expect_failure(["restore", self.local("--all"), server.uri], "partition table", "--replace-partitions")
        must("sfdisk", "-d", target)

    def test_files_with_such_names(self):
        os.makedirs(self.path("nbd:"))
        os.symlink(self.disk, self.path("nbd:x"))
        done = run([self.program, "dump", "-q", "nbd:x", "o"], cwd=self.folder)
        expect(done.returncode == 0, done.stderr)


def main():
    program = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    if "without NBD" in must(program, "--version"):
        print("skipped: built without libnbd")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        need("mke2fs", "qemu-img", "e2fsck")
        tests = Tests(program, folder)

        def run_one(name, _):
            try:
                getattr(tests, name)()
            finally:
                tests.clean_up()

        return run_suite(Tests, wanted, run_one)


if __name__ == "__main__":
    sys.exit(main())
