#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run what doc/fleet.md shows, with many small file systems.

usage: fleet.py E2QCOW

A quarter of the jobs of GNU parallel is killed at some moment, and the list repeated until it is done: then each image
must be the one that is made alone, and there must be no other file. E2QCOW_FLEET is the number of file systems (12).
Exit status: 0 passed, 1 failed, 77 a program is missing.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "..", "..")
NEEDED = ["parallel", "jq", "mke2fs", "qemu-img", "dpkg-query"]
MAY_PASS = 4
MOST_MEMORY = 192 << 10  # KiB

# Takes the place of the program in PATH: ends one job of four by a signal, at a moment that is drawn; the first job at
# once, so that there is one that does not end before.
KILLER = """#!/usr/bin/env python3
import os, random, signal, subprocess, sys
job = subprocess.Popen([{program!r}, *sys.argv[1:]])
number = random.choice([signal.SIGKILL, signal.SIGTERM])
try:
    os.close(os.open({log!r} + ".first", os.O_CREAT | os.O_EXCL))
    is_first = True
except FileExistsError:
    is_first = False
if is_first:
    job.send_signal(number)
elif random.random() < 0.25:
    try:
        job.wait(random.random() * 0.05)
    except subprocess.TimeoutExpired:
        job.send_signal(number)
status = job.wait()
with open({log!r}, "a") as log:
    log.write(f"{{status}}\\n")
sys.exit(128 - status if status < 0 else status)
"""

# The part of sbatch that the recipe uses.
SBATCH = """#!/usr/bin/env python3
import os, subprocess, sys
array, requeue, wrap, script = sys.argv[1:]
assert requeue == "--requeue" and wrap == "--wrap", sys.argv
first, last = array.removeprefix("--array=").split("-")
for task in range(int(first), int(last) + 1):
    subprocess.run(["sh", "-c", script], env={**os.environ, "SLURM_ARRAY_TASK_ID": str(task)}, check=True)
"""

# A bucket is a folder.
AWS = """#!/usr/bin/env python3
import os, shutil, sys
words = sys.argv[1:]
path = lambda url: url.removeprefix("s3://")
if words[:3] == ["s3", "cp", "--expected-size"]:
    size, source, target = words[3:]
    assert source == "-"
    with open(path(target), "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    assert os.path.getsize(path(target)) <= int(size), size
else:
    assert words[:2] == ["s3", "mv"], words
    os.rename(path(words[2]), path(words[3]))
"""

failures = []


def expect(holds, text):
    if not holds:
        failures.append(text)
        print("FAILED: " + text, flush=True)


def recipe(name):
    """The block of doc/fleet.md that has this name after its language."""
    with open(os.path.join(PROJECT, "doc", "fleet.md")) as file:
        return re.search(rf"^```\w+ {name}\n(.*?)^```$", file.read(), re.M | re.S).group(1)


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Fleet:
    """File systems in a folder of their own, with an image of each that was made alone."""

    def __init__(self, folder, program, count):
        self.folder = folder
        self.program = program
        self.bin = self.path("bin")
        for name in ("bin", "disks", "alone", "images"):
            os.mkdir(self.path(name))
        os.symlink(program, os.path.join(self.bin, "e2qcow"))
        self.names = [f"fs{number}" for number in range(count)]
        for number, name in enumerate(self.names):
            self.make_disk(name, 4 + 3 * (number % 5))
        with open(self.path("devices.txt"), "w") as file:
            file.writelines(f"disks/{name}.img\n" for name in self.names)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make_disk(self, name, mebibytes):
        disk = self.path("disks", name + ".img")
        files = self.path("files")
        os.mkdir(files)
        for number in range(20):
            with open(os.path.join(files, f"{name}-{number}"), "wb") as file:
                file.write(os.urandom(3000))
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", files, disk, f"{mebibytes}M"], check=True)
        shutil.rmtree(files)
        subprocess.run([self.program, "dump", "--quiet", disk, self.path("alone", name + ".qcow2")], check=True)

    def put_program(self, name, text):
        path = os.path.join(self.bin, name)
        if os.path.lexists(path):
            os.remove(path)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def shell(self, script, **variables):
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", **variables}
        return subprocess.run(["bash", "-c", script], cwd=self.folder, env=environment, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def empty_images(self):
        shutil.rmtree(self.path("images"))
        os.mkdir(self.path("images"))

    def expect_images(self, what):
        wanted = sorted(name + ".qcow2" for name in self.names)
        found = sorted(os.listdir(self.path("images")))
        expect(found == wanted, f"{what}: the files are {found}")
        for name in set(found) & set(wanted):
            expect(read(self.path("images", name)) == read(self.path("alone", name)), f"{what}: {name} is another")


def run_parallel(fleet):
    """Jobs are killed, and the list is repeated until it is done."""
    log = fleet.path("statuses")
    fleet.put_program("e2qcow", KILLER.format(program=fleet.program, log=log))
    runs = 0
    line = recipe("parallel")
    while fleet.shell(line).returncode != 0:
        line = recipe("parallel").replace("--joblog", "--resume-failed --joblog")
        runs += 1
        if runs > 50:
            expect(False, "parallel: the list is never done")
            break
    statuses = read(log).split()
    killed = [status for status in statuses if status.startswith(b"-")]
    print(f"parallel: {len(statuses)} jobs, {len(killed)} of them killed; {runs + 1} runs of the list")
    expect(len(fleet.names) < 10 or killed, "parallel: no job was killed")
    expect(all(status == b"0" or status.startswith(b"-") for status in statuses), f"parallel: statuses {statuses}")
    fleet.expect_images("parallel")
    os.remove(os.path.join(fleet.bin, "e2qcow"))
    os.symlink(fleet.program, os.path.join(fleet.bin, "e2qcow"))


def keep_what_is_there(fleet):
    """The whole list once more, after one disk was changed: one image is new."""
    changed = fleet.names[1]
    before = {name: os.stat(fleet.path("images", name + ".qcow2")) for name in fleet.names}
    subprocess.run(["debugfs", "-w", "-R", "rm /" + changed + "-7", fleet.path("disks", changed + ".img")],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run([fleet.program, "dump", "--quiet", fleet.path("disks", changed + ".img"),
                    fleet.path("alone", changed + ".qcow2")], check=True)
    done = fleet.shell(recipe("parallel").replace("jobs.log", "again.log"))
    expect(done.returncode == 0, "parallel, again: " + done.stdout)
    fleet.expect_images("parallel, again")
    new = [name for name in fleet.names
           if os.stat(fleet.path("images", name + ".qcow2")).st_ino != before[name].st_ino]
    expect(new == [changed], f"parallel, again: new are {new}")


def run_slurm(fleet):
    fleet.empty_images()
    fleet.put_program("sbatch", SBATCH)
    done = fleet.shell(recipe("slurm"))
    expect(done.returncode == 0, "slurm: " + done.stdout)
    fleet.expect_images("slurm")


def run_kubernetes(fleet):
    job = yaml.safe_load(recipe("kubernetes"))["spec"]
    pod = job["template"]["spec"]
    container = pod["containers"][0]
    rules = [rule["onExitCodes"] for rule in job["podFailurePolicy"]["rules"] if rule["action"] == "FailJob"]
    expect(all(MAY_PASS not in rule["values"] and rule["containerName"] == container["name"] for rule in rules),
           "kubernetes: a job that may pass fails")
    expect(pod["restartPolicy"] == "Never", "kubernetes: podFailurePolicy needs restartPolicy Never")
    volumes = {volume["name"] for volume in pod["volumes"]}
    device = container["volumeDevices"][0]
    folder = container["volumeMounts"][0]
    expect({device["name"], folder["name"]} == volumes, f"kubernetes: volumes {volumes}")
    places = {device["devicePath"]: fleet.path("disks", "fs0.img"), folder["mountPath"]: fleet.path("images")}
    words = container["args"]
    for inside, outside in places.items():
        expect(any(word.startswith(inside) for word in words), f"kubernetes: {inside} is not used")
        words = [outside + word[len(inside):] if word.startswith(inside) else word for word in words]
    fleet.empty_images()
    done = subprocess.run([fleet.program, *words], check=False)
    expect(done.returncode == 0, "kubernetes: the command of the container")
    expect(read(fleet.path("images", "db-0.qcow2")) == read(fleet.path("alone", "fs0.qcow2")), "kubernetes: the image")


def run_upload(fleet):
    fleet.put_program("aws", AWS)
    os.mkdir(fleet.path("bucket"))
    values = {"bucket": "bucket", "name": "fs0.qcow2"}
    done = fleet.shell(recipe("upload"), device="disks/fs0.img", **values)
    expect(done.returncode == 0, "upload: " + done.stdout)
    expect(os.listdir(fleet.path("bucket")) == ["fs0.qcow2"], "upload: the bucket")
    expect(read(fleet.path("bucket", "fs0.qcow2")) == read(fleet.path("alone", "fs0.qcow2")), "upload: the image")
    os.remove(fleet.path("bucket", "fs0.qcow2"))
    with open(fleet.path("no.img"), "wb") as file:
        file.write(bytes(1 << 20))
    done = fleet.shell(recipe("upload"), device="no.img", **values)
    expect(done.returncode != 0, "upload: a failed dump has status 0")
    expect("fs0.qcow2" not in os.listdir(fleet.path("bucket")), "upload: a failed dump got its name")


def check_memory(folder, program):
    """Half a gibibyte of data, of which half cannot be compressed: the bound does not depend on the number of threads."""
    if "asan" in program or "tsan" in program:
        return
    disk, image = os.path.join(folder, "large.img"), os.path.join(folder, "large.qcow2")
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", disk, "1500M"], check=True)
    with open(os.path.join(folder, "data"), "wb") as file:
        for number in range(512):
            file.write(os.urandom(1 << 20) if number % 2 else bytes([number % 256, 1]) * (1 << 19))
    subprocess.run(["debugfs", "-w", "-R", f"write {file.name} data", disk], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    for options in ([], ["--cluster-size=2M"], ["--compress=none"]):
        for threads in ("2", "64"):
            dump = subprocess.Popen([program, "dump", "--quiet", "--all", *options, "--threads", threads, disk, image])
            _, status, usage = os.wait4(dump.pid, 0)
            dump.returncode = os.waitstatus_to_exitcode(status)
            print(f"memory: {usage.ru_maxrss // 1024} MiB, {threads} threads {options}")
            expect(dump.returncode == 0 and usage.ru_maxrss <= MOST_MEMORY, f"memory, {threads} threads {options}")


def container_packages():
    """Those that each stage of the Containerfile installs."""
    with open(os.path.join(PROJECT, "Containerfile")) as file:
        text = file.read().replace("\\\n", " ")
    lists = re.findall(r"--no-install-recommends ([^&\n]*)", text)
    return [set(packages.split()) for packages in lists]


def owner_of(path):
    """The package of a library; its name may be that before /usr was merged."""
    for name in (path, path.removeprefix("/usr"), os.path.realpath(path)):
        said = subprocess.run(["dpkg-query", "-S", name], check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
        if said:
            return said.split(":")[0]
    return path


def with_dependencies(packages):
    """What is installed with them."""
    found, new = set(), {"libc6", *packages}
    while new:
        found |= new
        said = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}, ", *new], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        new = set(re.findall(r"(?:^|, *)([a-z0-9][a-z0-9+.-]+)", said)) - found
    return found


def check_container(program):
    """It has what building needs as ./dev has it, and every library that the program is linked with."""
    build, runtime = container_packages()
    with open(os.path.join(PROJECT, "dev")) as file:
        lines = re.search(r"^packages=\(\n(.*?)^\)", file.read(), re.M | re.S).group(1).splitlines()
    needed = set(" ".join(lines[:2]).split())
    expect(needed <= build, f"Containerfile: {needed - build} is not there to build with")
    if "asan" in os.path.realpath(program):
        return
    libraries = re.findall(r"=> (/\S+)", subprocess.run(["ldd", program], check=True, text=True,
                                                        stdout=subprocess.PIPE).stdout)
    owners = {owner_of(library) for library in libraries}
    there = with_dependencies(runtime)
    expect(owners <= there, f"Containerfile: {owners - there} is not there to run with")


def main():
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        print("skipped, not installed: " + ", ".join(missing))
        return 1 if os.environ.get("E2QCOW_CI") else 77
    seed = random.randrange(1 << 32)
    print(f"seed {seed}; E2QCOW_FLEET={os.environ.get('E2QCOW_FLEET', '12')}")
    random.seed(seed)
    program = os.path.realpath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(folder, program, int(os.environ.get("E2QCOW_FLEET", "12")))
        run_parallel(fleet)
        keep_what_is_there(fleet)
        run_slurm(fleet)
        run_kubernetes(fleet)
        run_upload(fleet)
        check_memory(folder, program)
    check_container(program)
    return 1 if failures else 0


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    sys.exit(main())
