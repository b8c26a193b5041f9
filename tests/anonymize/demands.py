# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of the options: keys, names that stay, strictness, refusals, and the audit."""

import json
import os
import struct

import judges
from builder import copy, mounted
from disk import Disk
from directory_slack import leaves
from trial import run
from verdicts import verdicts

DAY = 86400 * 10**9  # nanoseconds


def leaks(places):
    return [f"{len(places)} places leak: {'; '.join(sorted(places))}"] if places else []


def same_bytes(one, other):
    with open(one, "rb") as first, open(other, "rb") as second:
        return first.read() == second.read()


def key_problems(dumper, image, key):
    """The same key gives the same image with any number of threads, another key another one."""
    problems = dumper.e2qcow(image, "again", "--anonymize", "--anonymize-key", key, "--threads", "1")
    problems += dumper.e2qcow(image, "other", "--anonymize", "--threads", "4")
    if problems:
        return problems
    if os.stat(key).st_mode & 0o777 != 0o600:
        problems.append("the key file is not private")
    if not same_bytes(dumper.path("again.qcow2"), dumper.path("key.qcow2")):
        problems.append("the same key gives another image with one thread than with four")
    if same_bytes(dumper.path("other.qcow2"), dumper.path("key.qcow2")):
        problems.append("another key gives the same image")
    return problems


def change_directories(image, folder):
    """Names come and go in directories that stay as large as they are."""
    with mounted(image, folder) as top:
        for name in "hashed", "short":
            path = os.path.join(top, name)
            found = sorted(os.listdir(path))
            for old in found[5:40:7]:
                os.unlink(os.path.join(path, old))
            for old in found[5:40:14]:
                with open(os.path.join(path, "N" + old[1:]), "wb"):
                    pass


def stability_problems(dumper, image, name, *options):
    """With the same key as in the dump of this name, the names that are in both versions have the same new ones."""
    changed = dumper.path("changed.img")
    copy(image, changed)
    change_directories(changed, dumper.folder)
    problems = dumper.e2qcow(changed, "later", *options)
    if problems:
        return problems
    old, new, old_copy, new_copy = (judges.walk(path, dumper.folder).names() for path in
                                    (image, changed, dumper.path(name + ".img"), dumper.path("later.img")))
    kept = [where for where in old if old[where] == new.get(where)]
    if len(kept) < 20 or len(kept) == len(old):
        problems.append("too few names changed, or too many")
    moved = [where for where in kept if old_copy.get(where) != new_copy.get(where)]
    if moved:
        problems.append(f"{len(moved)} names moved though they did not change, one of inode {moved[0][1]}")
    return problems


# --- refusals and private files --------------------------------------------------

def refusal_problems(dumper, image):
    """Nothing is dumped with contents, without a key file that can be written, or with a map on standard output."""
    problems = []
    target = dumper.path("refused.qcow2")
    for options in (["--anonymize", "--all"], ["--anonymize", "--anonymize-key", "/proc/no/key"],
                    ["--anonymize", "--name-map", "-"], ["--anonymize", "--name-map", "/proc/no/map"],
                    ["--anonymize=no"]):
        _, status = run([dumper.program, "dump", "-q", *options, image, target], dumper.folder)
        if status == 0 or os.path.exists(target):
            problems.append(f"dump {' '.join(options)} is not refused")
    map_path = dumper.path("names")
    problems += dumper.e2qcow(image, "mapped", "--anonymise", "--name-map", map_path)
    if not problems and os.stat(map_path).st_mode & 0o777 != 0o600:
        problems.append("the name map is not private")
    output, status = run([dumper.program, "info", dumper.path("key.qcow2")], dumper.folder)
    if status != 0 or b"anonym" not in output.lower():
        problems.append("info does not report that the image is anonymised")
    return problems


# --- the audit -------------------------------------------------------------------

def audit_problems(dumper, image):
    """Of an anonymised dump it finds nothing, also without the device; and as JSON."""
    problems = []
    dump = dumper.path("key.qcow2")
    for words in [dump], [dump, image], ["--json", dump, image]:
        output, status = run([dumper.program, "audit", *words], dumper.folder, timeout=60)
        if status != 0:
            problems.append(f"audit: status {status}: {output.decode(errors='replace')[:300]}")
        elif words[0] == "--json":
            json.loads(output)
    return problems


def audit_status(dumper, name, device):
    return run([dumper.program, "audit", dumper.path(name + ".qcow2"), device], dumper.folder, timeout=60)[1]


def leaf_with_slack(disk, inode):
    """(block, offset in the disk of slack with room for it in UTF-16, a name) in a directory."""
    return next((block, block * disk.block_size + entry.slack, entry.name) for block in leaves(disk, inode)
                for entry in disk.entries(inode, block)
                if len(entry.name) > 20 and entry.end - entry.slack >= 2 * len(entry.name))


def audit_finds_problems(dumper, built):
    """Of a plain dump it reports leaks; and of an anonymised one to which a name came back, in slack, in other case."""
    problems = dumper.e2qcow(built.image, "plain")
    if not problems and audit_status(dumper, "plain", built.image) != 1:
        problems.append("audit: has no complaint about a dump that is not anonymised")
    with Disk(built.image) as disk:
        inode = built.inodes["hashed"]
        block, at, name = leaf_with_slack(disk, inode)
    for what, text in (("a name", name), ("a name in other case", name.upper()),
                       ("a name in UTF-16", name.decode().encode("utf-16-le"))):
        with_name = dumper.path("with-name.img")
        copy(dumper.path("key.img"), with_name)
        with Disk(with_name) as disk:
            disk.write(at, text)
            disk.seal_leaf(inode, block)
        failed = dumper.e2qcow(with_name, "with-name-dump")
        if failed or audit_status(dumper, "with-name-dump", built.image) != 1:
            problems.append(f"audit: does not find {what} in slack")
    return problems


# --- strictness ------------------------------------------------------------------

def ids_of_rights(walk, tag):
    """Of users or groups in lists of rights, in the order of inodes."""
    values = [bytes.fromhex(value) for _, found in sorted(walk.attributes) for value in found
              if value.startswith("02000000")]
    return [number for value in values for kind, _, number in struct.iter_unpack("<HHI", value[4:]) if kind == tag]


def strict_problems(dumper, built):
    """Also without UUIDs; owners are others, but for root; times are days."""
    with Disk(built.image) as disk:
        built.plants.literal("UUID", disk.uuid)
    problems = dumper.e2qcow(built.image, "strict", "--anonymize=strict")
    if problems:
        return problems
    copied = dumper.path("strict.img")
    problems += leaks(dumper.leaks(built.plants, "strict"))
    problems += verdicts(built.name, built.image, copied, dumper.folder, with_names=True, has_times=False)
    walks = [judges.walk(path, dumper.folder) for path in (built.image, copied)]
    old, new = ({status[0]: status for _, _, status in walk.found} for walk in walks)
    for what, index, tag in ("user", 6, 2), ("group", 7, 8):
        pairs = {(old[inode][index], new[inode][index]) for inode in old if inode in new}
        pairs |= set(zip(*(ids_of_rights(walk, tag) for walk in walks)))
        if len(pairs) != len(dict(pairs)) or len(pairs) != len({after for _, after in pairs}):
            problems.append(f"strict: the {what}s are not a permutation")
        if (0, 0) not in pairs or (len(pairs) > 3 and all(before == after for before, after in pairs)):
            problems.append(f"strict: root is another {what}, or the others are the same")
    replayed = built.name == "fast-commits"  # which sets some to the present
    if not replayed and any(status[8] % DAY or status[9] % DAY for status in new.values()):
        problems.append("strict: a time is not a day")
    return ["strict: " + problem.removeprefix("strict: ") for problem in problems]
