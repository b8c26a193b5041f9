#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fill a mounted file system for the benchmark.

    fill.py files ROOT DIRECTORIES    1000 small files in each directory
    fill.py full ROOT PERCENT         copies of files of /usr and some random
                                      ones until PERCENT of the blocks are used
    fill.py names ROOT FILES          empty files in one directory
    fill.py scattered ROOT FILES      each of five blocks, all of them apart, so
                                      that it needs another one for its extents
"""

import ctypes
import errno
import os
import random
import sys

BLOCK = 4096
FILES_PER_DIRECTORY = 1000
MIB = 1 << 20


def main():
    fills = {"files": fill_files, "full": fill_full, "names": fill_names,
             "scattered": fill_scattered}
    if len(sys.argv) != 4 or sys.argv[1] not in fills:
        sys.exit(__doc__)
    fills[sys.argv[1]](sys.argv[2], int(sys.argv[3]))


# --- many small files --------------------------------------------------------

def fill_files(root, directories):
    rng = random.Random(1)
    paths = [os.path.join(root, f"project-{i // 25:02d}", f"part-{i:04d}")
             for i in range(directories)]
    for path in paths:
        os.makedirs(path, exist_ok=True)
    for path in paths:
        make_directory(path, rng)


def make_directory(path, rng):
    os.chdir(path)
    for i in range(FILES_PER_DIRECTORY):
        make_file(f"file-{i:06d}.dat", rng)
    commit(".")


def make_file(name, rng):
    """One file of a kind drawn at random; about 78 % are empty
    and have nothing else."""
    kind = rng.random()
    if kind < 0.040:
        # Too long for the inode, so it takes a block.
        os.symlink(long_target(name, rng), name)
    elif kind < 0.050:
        os.symlink("../target/" + name, name)
    else:
        fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        if kind < 0.150:
            os.write(fd, rng.randbytes(rng.randrange(200, 2 * BLOCK)))
        elif kind < 0.153:
            # Every second block a hole: more extents than the inode holds.
            write_scattered(fd, rng.randrange(6, 24))
        elif kind < 0.1531:
            # More extents than one extent block holds.
            write_scattered(fd, 400)
        elif kind < 0.170:
            os.setxattr(fd, "user.short", b"level-%d" % rng.randrange(9))
        elif kind < 0.215:
            # Too long for the inode, so it takes a block of its own.
            os.setxattr(fd, "user.long", long_value(rng))
        os.close(fd)


# Both as compressible as what people keep there, and no two alike.

def long_target(name, rng):
    return f"../../releases/version-{rng.randrange(1000)}/usr/share/" \
        f"packages/common/resources/{name}"


def long_value(rng):
    entry = f"https://archive.example.org/{rng.randrange(10 ** 9):09d}; "
    return (entry * 12).encode()


def write_scattered(fd, blocks):
    for i in range(blocks):
        os.pwrite(fd, bytes([i % 255 + 1]) * BLOCK, 2 * BLOCK * i)


def commit(path):
    """fsync of a directory ends the running transaction of the journal, so
    that a million files use up all of the journal."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(fd)
    os.close(fd)


# --- nearly full -------------------------------------------------------------

# Of the data, this much is random bytes that do not compress.
RANDOM_SHARE = 0.12
# A few huge files would make up most of the data otherwise.
LARGEST_COPY = 48 * MIB


def fill_full(root, percent):
    rng = random.Random(2)
    written = random_bytes = number = 0
    for data in varied_copies(rng):
        while random_bytes < RANDOM_SHARE * (written + random_bytes):
            noise = rng.randbytes(rng.randrange(64 << 10, 4 * MIB))
            if not write_unless_full(root, f"noise-{number:07d}", noise, percent):
                return
            random_bytes += len(noise)
            number += 1
        if not write_unless_full(root, f"copy-{number:07d}", data, percent):
            return
        written += len(data)
        number += 1


def varied_copies(rng):
    """Endless contents made of the files of /usr. Each pass over them maps the
    bytes in another way: just as compressible, but no block is the same."""
    paths = regular_files("/usr")
    while True:
        rng.shuffle(paths)
        table = byte_permutation(rng)
        for path in paths:
            try:
                with open(path, "rb") as file:
                    yield file.read(LARGEST_COPY).translate(table)
            except OSError:
                continue  # gone or unreadable meanwhile


def regular_files(top):
    found = []
    for folder, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.append(path)
    return found


def byte_permutation(rng):
    """A permutation of the byte values that keeps 0, so zero runs stay."""
    values = list(range(1, 256))
    rng.shuffle(values)
    return bytes([0] + values)


def write_unless_full(root, name, data, percent):
    """False when the file system has got its share, True otherwise. A file
    that would overshoot is cut."""
    stat = os.statvfs(root)
    wanted = stat.f_blocks * percent // 100
    room = (wanted - (stat.f_blocks - stat.f_bfree)) * stat.f_frsize
    if room <= 0:
        return False
    folder = os.path.join(root, f"set-{hash_of(name) % 200:03d}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data[:room])
    return True


def hash_of(name):
    """The same on every run, unlike hash()."""
    return int.from_bytes(name.encode()[-4:], "big") * 2654435761 >> 8


# --- one large directory -----------------------------------------------------

def fill_names(root, files):
    folder = os.path.join(root, "files")
    os.mkdir(folder)
    os.chdir(folder)
    rng = random.Random(3)
    for i in range(files):
        os.close(create(f"{rng.choice(('report', 'invoice', 'letter to'))} {i:07d}.txt"))


# --- scattered blocks --------------------------------------------------------

EXTENTS = 5  # one more than an inode holds
FREE_BLOCK_EVERY = 32 << 10  # bytes


def fill_scattered(root, files):
    """A disk that was full once: all that is free are single blocks, and the
    files have to do with them."""
    folder = os.path.join(root, "files")
    os.mkdir(folder)
    paths = [os.path.join(folder, str(i)) for i in range(files)]
    for path in paths:  # while there is room for the directory
        os.close(create(path))
    large = create(os.path.join(root, "large"))
    size = (EXTENTS + 1) * files * FREE_BLOCK_EVERY * 11 // 10
    os.posix_fallocate(large, 0, size)
    take_all_space(os.path.join(root, "rest"), size)
    for offset in range(0, size, FREE_BLOCK_EVERY):
        punch_hole(large, offset, BLOCK)
    os.fsync(large)  # the journal gives the blocks back
    for path in paths:
        fd = create(path)
        for i in range(EXTENTS):
            os.posix_fallocate(fd, 2 * i * BLOCK, BLOCK)
        os.close(fd)


def create(path):
    return os.open(path, os.O_CREAT | os.O_RDWR)


def take_all_space(path, length):
    fd, end = create(path), 0
    while length >= BLOCK:
        try:
            os.posix_fallocate(fd, end, length)
            end += length
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            length //= 2
    os.close(fd)


def punch_hole(fd, offset, length):
    keep_size, punch = 1, 2
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    if fallocate(fd, keep_size | punch, offset, length) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


if __name__ == "__main__":
    main()
