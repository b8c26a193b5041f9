# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare a file system with its anonymised copy. Each judge returns what is wrong, a line each."""

import os
import re
import stat

from builder import command, copy, mounted
from disk import CASEFOLD, INDEX, Disk, le16, le32
from directory_slack import index_blocks, leaves
from trial import judge

# --- e2fsck ------------------------------------------------------------------

NAMES = [  # messages of e2fsck with names and paths in them; a name may hold any character but a line's end
    (rb"'\.\.' in .* \((\d+)\) is .* \((\d+)\), should be .* \((\d+)\)\.",
     rb"'..' in PATH (\1) is PATH (\2), should be PATH (\3)."),
    (rb"Entry '(\.\.?)' in .* \((\d+)\)( |$)", rb"Entry '\1' in PATH (\2)\3"),
    (rb"Entry '.*' in .* \((\d+)\)( |$)", rb"Entry 'NAME' in PATH (\1)\2"),
    (rb"Encrypted entry '.*' in .* \((\d+)\)( |$)", rb"Encrypted entry 'NAME' in PATH (\1)\2"),
    (rb"Directory /.* has the casefold flag", rb"Directory PATH has the casefold flag"),
    (rb"Duplicate entry '(?!\.\.?').*' found", rb"Duplicate entry 'NAME' found"),
    (rb"(First|Second) entry '.*' \(inode=", rb"\1 entry 'NAME' (inode="),
    (rb"Marking .* \((\d+)\) to be rebuilt", rb"Marking PATH (\1) to be rebuilt"),
    (rb"Rename to .*\? (no|yes)", rb"Rename to NAME? \1"),
    (rb"(Symlink|File|Encrypted symlink) .* \(inode #", rb"\1 PATH (inode #"),
    (rb"^(\s+)/.* \(inode #", rb"\1PATH (inode #"),
    (rb" \((?:/|<\d+>|\.\.\.).*\)", rb" (PATH)"),
    (rb"^test_filesys: (?=\*|\d)", rb""),
]
# Section 6.3: messages that print content. The number is another one where the content is.
CONTENT = [
    (rb"(Illegal (?:indirect |double indirect |triple indirect )?block #?-?\d+) \(\d+\)", rb"\1 (N)"),
    (rb"(Illegal block number passed to [a-z0-9_]+) #\d+", rb"\1 #N"),
    (rb"has a hash \(\d+\) which is invalid", rb"has a hash (N) which is invalid"),
    (rb"unsupported hash version \(\d+\)", rb"unsupported hash version (N)"),
    (rb"illegal extended attribute value inode \d+", rb"illegal extended attribute value inode N"),
    (rb"bad block number \d+", rb"bad block number N"),
    (rb"(Illegal (?:double |triple )?indirect block) \(\d+\)", rb"\1 (N)"),
    (rb"(bitmap for group \d+ is not in group\.  \(block) \d+", rb"\1 N"),
    (rb"(Inode table for group \d+ is not in group\.  \(block) \d+", rb"\1 N"),
    (rb"has a extra size \(\d+\)", rb"has a extra size (N)"),
    (rb"(i_faddr for inode \d+ .* is) \d+", rb"\1 N"),
]
# Section 6.4: e2fsck edits names or sorts them anew; what follows depends on the new names' hashes.
EDITS = re.compile(rb"illegal characters in its name|non-unique filename|Optimizing directories|Rehashing|"
                   rb"to be rebuilt|Clear HTree index\? yes")
AFTER_EDITS = [(rb".*has bad (min|max) hash", rb""), (rb"\d+/(\d+) blocks", rb"N/\1 blocks"),
               (rb"(blocks count wrong).*", rb"\1"), (rb"(Block bitmap differences:).*", rb"\1"),
               (rb"[\d.]+% non-contiguous", rb"N% non-contiguous"), (rb"(\*\*\* RESULT|Free blocks).*", rb"\1")]


def fsck(image, how, folder):
    """Its lines and its exit status; it writes only to a copy, and knows no other name of the file. `how`: options."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "fs.img")
    if os.path.lexists(path):
        os.unlink(path)
    if how.startswith("-fn"):
        os.symlink(os.path.abspath(image), path)
    else:
        copy(image, path)
    return judge(["e2fsck", *how.split(), "-N", "test_filesys", "fs.img"], folder)


def substituted(text, rules):
    lines = text.split(b"\n")
    for pattern, new in rules:
        lines = [re.sub(pattern, new, line) for line in lines]
    # An index whose hash is not known has no ranges: its hashes are of another function.
    unknown = set(re.findall(rb"directory inode (\d+) has an unsupported hash version", text))
    return [line for line in lines if line and not (
        (bad := re.search(rb"inode (\d+): block #\d+ has bad m(?:ax|in) hash", line)) and bad.group(1) in unknown)]


def first_difference(ours, theirs):
    for number in range(max(len(ours), len(theirs))):
        one, other = (lines[number].decode(errors="replace") if number < len(lines) else "(end)"
                      for lines in (ours, theirs))
        if one != other:
            return f"line {number + 1} is {one[:150]!r}, not {other[:150]!r}"
    return None


def same_fsck(original, copied, how, folder):
    theirs, their_status = fsck(original, how, os.path.join(folder, "judge"))
    ours, our_status = fsck(copied, how, os.path.join(folder, "judge"))
    if their_status == -1:
        return []  # e2fsck itself takes too long
    rules = NAMES + CONTENT
    if how == "-fy" and EDITS.search(theirs):
        rules = rules + AFTER_EDITS
    difference = first_difference(substituted(ours, rules), substituted(theirs, rules))
    if difference:
        return [f"e2fsck {how}: {difference}"]
    return [] if our_status == their_status else [f"e2fsck {how}: status {our_status}, not {their_status}"]


# --- the kernel ----------------------------------------------------------------

class Walk:
    """What the kernel shows of a file system; each name is looked up."""

    def __init__(self):
        self.error = None
        self.found = []  # (directory's inode, name, inode, what lstat() says of it)
        self.failed = []  # (directory's inode, the error)
        self.attributes = []  # (inode, number of attributes, sizes of the values)

    def shape(self, with_attributes=True):
        return (sorted((parent,) + status for parent, _, status in self.found), sorted(self.failed),
                sorted(self.attributes) if with_attributes else [])

    def names(self):
        """The names of each (directory, inode)."""
        names = {}
        for parent, name, status in self.found:
            names.setdefault((parent, status[0]), set()).add(name)
        return names


def attributes_of(path, with_owners):
    """The sizes of the values; lists of rights as they are."""
    found = []
    for name in os.listxattr(path, follow_symlinks=False):
        try:
            value = os.getxattr(path, name, follow_symlinks=False)
            found.append(value.hex() if with_owners and name.startswith("system.posix_acl") else str(len(value)))
        except OSError as error:
            found.append(f"error {error.errno}")
    return sorted(found)


def status_of(path, with_times):
    status = os.lstat(path)
    target = len(os.readlink(path)) if stat.S_ISLNK(status.st_mode) else 0
    known = (status.st_ino, status.st_mode, status.st_nlink, status.st_size, status.st_blocks, target)
    if with_times:
        known += (status.st_uid, status.st_gid, status.st_mtime_ns, status.st_ctime_ns)
    return known


def walk_folder(walk, path, inode, with_times):
    try:
        found = list(os.scandir(os.fsencode(path)))
    except OSError as error:
        walk.failed.append((inode, error.errno))
        return
    for entry in found:
        try:
            status = status_of(entry.path, with_times)
        except OSError as error:
            walk.failed.append((inode, error.errno))
            continue
        walk.found.append((inode, entry.name, status))
        try:
            walk.attributes.append((status[0], attributes_of(entry.path, with_times)))
        except OSError as error:
            walk.attributes.append((status[0], [f"error {error.errno}"]))
        if stat.S_ISDIR(status[1]):
            walk_folder(walk, entry.path, status[0], with_times)


def walk(image, folder, with_times=True):
    """Of a copy, whose journal the kernel replays."""
    result = Walk()
    path = os.path.join(folder, "walk.img")
    copy(image, path)
    with Disk(path) as disk:
        option = "rw" if disk.incompat & 4 else "ro"
    try:
        with mounted(path, folder, option) as top:
            walk_folder(result, top, 2, with_times)
    except SystemExit:
        result.error = "the kernel does not mount it"
    os.unlink(path)
    return result


def same_walk(theirs, ours, with_attributes):
    if theirs.error or ours.error:
        same = theirs.error == ours.error
        return [] if same else [f"kernel: {ours.error or 'mounts it'}, and before: {theirs.error or 'mounts it'}"]
    problems = []
    if len(ours.failed) != len(theirs.failed):
        problems.append(f"kernel: {len(ours.failed)} names or directories fail, and before: {len(theirs.failed)}")
    if len(ours.found) != len(theirs.found):
        problems.append(f"kernel: finds {len(ours.found)} names, and before: {len(theirs.found)}")
    shape, before = ours.shape(with_attributes), theirs.shape(with_attributes)
    if not problems and shape != before:
        one, other = next(((one, other) for ours, theirs in zip(shape, before)
                           for one, other in zip(ours, theirs) if one != other), ("more", "less"))
        problems.append(f"kernel: the tree differs, for example {one}, and before: {other}")
    return problems


# --- directories -----------------------------------------------------------------

def directories_of(disk):
    for inode in disk.inodes_in_use():
        if stat.S_ISDIR(disk.mode(inode)):
            yield inode


# A name may hold what looks like another line.
SHOWN_BY_HTREE = re.compile(rb"\s*(Entry #|Number of|Leaf|Reading|Root node|Reserved|Hash V|Info|Indirect|Flags)")


def htree_shape(image, inodes):
    """What debugfs shows of the indices, without names and hashes."""
    commands = "".join(f"htree <{inode}>\n" for inode in inodes).encode()
    text = command("debugfs", "-f", "-", image, stdin=commands)
    text = text.replace(os.fsencode(image), b"fs")
    text = re.sub(rb"(?m)^(Checksum:|leaf block checksum:).*", b"", text)
    text = re.sub(rb"Hash 0x[0-9a-f]+(-[0-9a-f]+)?", b"", text)
    lines = []
    for line in text.split(b"\n"):
        found = re.findall(rb"(\d+) 0x[0-9a-f]{8}-[0-9a-f]{8} \((\d+)\)", line)
        lines += found or [line for line in [line] if SHOWN_BY_HTREE.match(line)]
    return [line for line in lines if line]


def same_htrees(original, copied):
    with Disk(original) as disk:
        inodes = [inode for inode in directories_of(disk) if disk.flags(inode) & INDEX]
    if inodes and htree_shape(original, inodes) != htree_shape(copied, inodes):
        return ["debugfs: the indices have another shape"]
    return []


def entry_problem(before, after, directory):
    """What is wrong with a new entry, if anything is."""
    if (before.inode, before.length, before.type) != (after.inode, after.length, after.type):
        return "has another inode, length or type"
    if before.name in (b".", b"..") or (directory == 2 and before.name == b"lost+found"):
        return None if before.name == after.name else "is renamed"
    if directory == 11 and before.name == after.name == b"#%d" % before.inode:  # as e2fsck names it
        return None
    if before.inode == 0:
        return "is unused and has a name" if any(after.name) or before.name_length != after.name_length else None
    if not before.name_length <= after.name_length <= (before.name_length + 3) // 4 * 4:
        return f"has a name of {after.name_length} bytes, and before: {before.name_length}"
    if before.name == after.name:
        return "has its old name"
    return None


def block_problems(original, copied, block, directory):
    """Entries are where they were; what is between them is zero. And pairs of old and new names."""
    old, new = original.entries(directory, block), copied.entries(directory, block)
    if [entry.offset for entry in old] != [entry.offset for entry in new]:
        return ["entries are at other offsets"], []
    before, after = original.block(block), copied.block(block)
    problems = []
    for one, other in zip(old, new):
        problem = entry_problem(one, other, directory)
        if problem:
            problems.append(f"the entry at {one.offset} {problem}")
        if any(after[other.offset + 8 + other.name_length:other.hash]) or any(after[other.slack:other.end]):
            problems.append(f"bytes past the name at {one.offset} are not zero")
        if before[one.hash:one.slack] != after[other.hash:other.slack]:
            problems.append(f"the hash of the entry at {one.offset} is another one")
    return problems, [(one.name, other.name) for one, other in zip(old, new) if one.inode]


def index_problems(before, after, block, disk):
    """Of a block with cells: counts and blocks as before, and zeros past the last cell."""
    first, count, limit = disk.index_cells(block)
    if before[first:first + 4] != after[first:first + 4]:
        return ["an index block has another count"]
    blocks = [[le32(data, first + 8 * cell + 4) for cell in range(count)] for data in (before, after)]
    if blocks[0] != blocks[1]:
        return ["an index block points to other blocks"]
    return ["bytes past the cells are not zero"] if any(after[first + 8 * count:first + 8 * limit]) else []


def directory_problems(original, copied, inode):
    problems, pairs = [], []
    blocks = original.blocks(inode)
    above = set(index_blocks(original, inode)) if original.flags(inode) & INDEX else set()
    for block in blocks:
        if block in above:
            problems += index_problems(original.block(block), copied.block(block), block, original)
        else:
            found, names = block_problems(original, copied, block, inode)
            problems += [f"block {block}: {problem}" for problem in found]
            pairs += names
    if len(set(pairs)) != len({old for old, _ in pairs}) or len(set(pairs)) != len({new for _, new in pairs}):
        problems.append("names that were equal differ, or the reverse")
    if original.flags(inode) & CASEFOLD and len({new.lower() for _, new in pairs}) != len({new for _, new in pairs}):
        problems.append("names differ only in case")
    if len(problems) > 3:
        problems = problems[:3] + [f"{len(problems) - 3} more"]
    return [f"directory {inode}: {problem}" for problem in problems]


def same_directories(original_path, copied_path):
    with Disk(original_path) as original, Disk(copied_path) as copied:
        problems = []
        for inode in directories_of(original):
            problems += directory_problems(original, copied, inode)
        return problems


def names_on_disk(path):
    """The names at (directory, block, offset of the entry)."""
    with Disk(path) as disk:
        names = {}
        for inode in directories_of(disk):
            for block in leaves(disk, inode):
                names.update({(inode, block, entry.offset): entry.name for entry in disk.entries(inode, block)
                              if entry.inode})
        return names


def same_names_in_log(original, copied, folder):
    """A name that the log does not change does not change in the copy, and another one does."""
    before, ours_before = names_on_disk(original), names_on_disk(copied)
    paths = []
    for path in original, copied:
        paths.append(os.path.join(folder, f"replayed-{len(paths)}.img"))
        copy(path, paths[-1])
        command("e2fsck", "-E", "journal_only", "-p", paths[-1], allowed=range(256))
    after, ours_after = (names_on_disk(path) for path in paths)
    both = [where for where in before if where in after and where in ours_before and where in ours_after]
    wrong = [where for where in both
             if (before[where] == after[where]) != (ours_before[where] == ours_after[where])]
    if not wrong:
        return []
    return [f"log: {len(wrong)} of {len(both)} names, one of directory {wrong[0][0]} at {wrong[0][1:]}, differ from the"
            " directory's block, or should and do not"]


# --- superblocks -------------------------------------------------------------------

def superblock_problems(original_path, copied_path):
    """One new seed in all copies, labels as one text or none, and known functions of the kernel."""
    with Disk(original_path) as original, Disk(copied_path) as copied:
        problems = []
        seeds = {copied.read(at + 0xEC, 16) for at in original.superblocks()}
        if len(seeds) != 1 or original.read(1024 + 0xEC, 16) in seeds or bytes(16) in seeds:
            problems.append("the copies of the superblock do not have one new hash seed")
        for at in original.superblocks():
            if any(original.read(at + 0x78, 16)) != any(copied.read(at + 0x78, 16)):
                problems.append(f"the superblock at {at} has a label, or lacks one")
            function = original.read(at + 0x1A8, 32).strip(b"\0")
            if function == b"ext4_lookup" and copied.read(at + 0x1A8, 32).strip(b"\0") != function:
                problems.append("the name of a known function is lost")
            if le16(copied.bytes, at + 56) != le16(original.bytes, at + 56):
                problems.append(f"the superblock at {at} is not in the copy")
        return problems
