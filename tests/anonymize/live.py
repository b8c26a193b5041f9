# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants that are made by creating files: in a mounted file system, or in a folder for mke2fs -d."""

import fcntl
import os
import socket
import stat
import struct

from builder import sync_log

LABEL_OF_MOUNTED = 0x41009432  # FS_IOC_SETFSLABEL
ADD_KEY, SET_POLICY = 0xC0506617, 0x800C6613  # FS_IOC_ADD_ENCRYPTION_KEY, FS_IOC_SET_ENCRYPTION_POLICY


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def make_socket(path):
    """By a short name, because the address of a socket is short."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(os.path.dirname(path))
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.basename(path))
    os.fchdir(before)
    os.close(before)


def names_of_all_types(builder, top):
    """A directory of one block."""
    plants = builder.plants
    folder = os.path.join(top, plants.text("name of a directory"))
    os.mkdir(folder)

    def path(what):
        return os.path.join(folder, plants.text(f"name of a {what}"))
    file = path("file")
    write(file, b"contents " * 600)
    os.symlink("to", path("symlink"))
    os.mkfifo(path("fifo"))
    make_socket(path("socket"))
    os.mknod(path("character device"), 0o600 | stat.S_IFCHR, os.makedev(3, 4))
    os.mknod(path("block device"), 0o600 | stat.S_IFBLK, os.makedev(3, 5))
    os.mkdir(path("directory in a directory"))
    os.link(file, path("hard link"))
    write(os.path.join(folder, (plants.text("name of 255 bytes") * 30)[:255]), b"")
    os.mkdir(os.path.join(folder, plants.text("name in UTF-8") + "-äöü-名前"))
    write(os.path.join(os.fsencode(folder), plants.marker("name that is no text") + b"\n\x01\xff\"'\\"), b"")
    for number in range(12):  # every other is removed, for slack between names
        write(os.path.join(folder, f"slack-{number:02}" + "x" * 30), b"")
    for number in range(0, 12, 2):
        os.unlink(os.path.join(folder, f"slack-{number:02}" + "x" * 30))
    builder.remember(linear=folder)
    for what in os.scandir(folder):
        kind = {stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device",
                stat.S_IFBLK: "block device"}.get(stat.S_IFMT(what.stat(follow_symlinks=False).st_mode))
        if kind:
            builder.inodes[kind] = what.inode()


def found_again(builder, top):
    """As e2fsck names what it finds, and other names beside it."""
    folder = os.path.join(top, "lost+found")
    path = os.path.join(folder, builder.plants.text("name in lost+found"))
    write(path, b"")
    os.link(path, os.path.join(folder, f"#{os.lstat(path).st_ino}"))
    os.link(path, os.path.join(folder, "#7"))


def short_names(top):
    """All names of one letter, and some of two and three; their lengths make them easy to guess."""
    folder = os.path.join(top, "short")
    os.mkdir(folder)
    target = os.path.join(folder, "0")
    write(target, b"")
    letters = "abcdefghijklmnopqrstuvwxyz"
    for name in list(letters) + [a + b for a in letters[:8] for b in letters] + ["abc", "bin", "etc", "x.y", "..."]:
        os.link(target, os.path.join(folder, name))


def large_directory(builder, top, name, count, length, what):
    """Hard links to a file, in a directory with an index."""
    folder = os.path.join(top, name)
    os.mkdir(folder)
    marker = builder.plants.text(f"name in {what}")
    target = os.path.join(folder, marker)
    write(target, b"")
    for number in range(count):
        os.link(target, os.path.join(folder, f"{number:05}-{marker}-é".ljust(length - 1 - number % 7, "n")))
    builder.remember(**{name: folder})


def symlinks(builder, top, is_inline=False):
    plants = builder.plants
    paths = {}

    def link(what, target):
        paths[what] = os.path.join(top, f"link-{what}")
        os.symlink(target, paths[what])
    link("fast", "/" + plants.text("target of a fast symlink") + "/x")
    link("fast_full", "a/" + plants.text("target of a fast symlink of 59 bytes").ljust(57, "t"))
    link("slow", plants.text("target of a slow symlink") + "/slow" * 50 + plants.text("end of a slow symlink's target"))
    if is_inline:
        link("inline", plants.text("target of an inline symlink").ljust(64, "t")
             + plants.text("end of an inline symlink's target"))
    builder.remember(**paths)


def acl(user, group):
    """For its owner, a user, its group, a group, the mask and others."""
    rules = ((1, 7, -1), (2, 6, user), (4, 5, -1), (8, 4, group), (16, 7, -1), (32, 4, -1))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *rule) for rule in rules)


def attributes(builder, top, has_large=False):
    """In the inode (if there is room) and in a block; two files share one."""
    plants = builder.plants
    paths = {}

    def planted(what, size=40, namespace="user"):
        return f"{namespace}." + plants.text(f"name of {what}"), plants.fill(f"value of {what}", size)

    def file(what, data=b""):
        paths[what] = os.path.join(top, f"attributes-{what}")
        write(paths[what], data)
        return paths[what]
    path = file("inode_attributes")
    os.setxattr(path, *planted("an attribute in an inode"))
    path = file("block_attributes", b"x" * 5000)
    os.setxattr(path, *planted("an attribute in a block", 500))
    os.setxattr(path, *planted("a trusted attribute", 21, "trusted"))
    os.setxattr(path, *planted("a security attribute", 30, "security"))
    os.setxattr(path, "user.short", b"v")
    for name in ("user.bbb", "user.ccc", "user.aaa"):  # sorted in the block
        os.setxattr(path, name, plants.marker(f"value of {name}"))
    os.setxattr(path, "security.selinux", b"system_u:object_r:" + plants.marker("value of security.selinux") + b":s0\0")
    os.setxattr(path, "system.posix_acl_access", acl(1001, 2001))
    os.setxattr(path, "security.SMACK64", plants.marker("value of security.SMACK64"))
    shared = planted("a shared attribute", 300)
    for what in ("first_sharer", "second_sharer"):
        os.setxattr(file(what), *shared)
    if has_large:
        os.setxattr(file("large_attribute"), *planted("an attribute in an inode of its own", 9000))
    folder = os.path.join(top, "attributes-folder")
    os.mkdir(folder)
    os.setxattr(folder, *planted("an attribute of a directory", 350))
    link = os.path.join(top, "attributes-link")
    os.symlink("x", link)
    name, value = planted("an attribute of a symlink", 22, "trusted")
    os.setxattr(link, name, value, follow_symlinks=False)
    builder.remember(**paths)


def inline_contents(builder, top):
    plants = builder.plants
    paths = {what: os.path.join(top, what) for what in ("inline_file", "inline_folder", "inline_small")}
    write(paths["inline_file"], plants.fill("inline data in the inode", 60)
          + plants.fill("inline data in the attribute", 40))
    write(paths["inline_small"], plants.fill("inline data of a small file", 20))
    os.mkdir(paths["inline_folder"])
    for what in ("first name in an inline directory", "last name in an inline directory"):
        for number in range(3):
            write(os.path.join(paths["inline_folder"], f"{plants.text(what) if number == 1 else number}"), b"")
        if what.startswith("first"):
            os.unlink(os.path.join(paths["inline_folder"], "2"))
    builder.remember(**paths)


def sparse_file(path, extents, step=8192):
    with open(path, "wb") as file:
        for number in range(extents):
            file.seek(number * step)
            file.write(b"data")


def give_away(top):
    """To some users and groups, so that owners can be told apart."""
    for number, name in enumerate(sorted(os.listdir(top))):
        if name != "lost+found":
            os.chown(os.path.join(top, name), number % 5 * 1001, number % 4 * 2001, follow_symlinks=False)


def file_contents(builder, top):
    """What no dump of metadata has; here, that none comes in by another way."""
    path = os.path.join(top, "contents")
    write(path, builder.plants.fill("contents of a file", 20000, held=False))
    sparse_file(os.path.join(top, "many-extents"), 12)
    builder.remember(contents=path, extents=os.path.join(top, "many-extents"))


def deleted(builder, top, is_inline=False):
    """Names, targets and attributes that were deleted: only the log has them, and what the kernel does not wipe."""
    plants = builder.plants
    folder = os.path.join(top, "emptied")
    os.mkdir(folder)
    paths = [os.path.join(folder, plants.text("log: name of a deleted file"))]
    write(paths[0], b"x" * 5000)
    os.setxattr(paths[0], "user." + plants.text("log: name of a deleted attribute"),
                plants.fill("log: value of a deleted attribute", 400))
    for what, target in ("fast", ""), ("slow", "long/" * 20):
        paths.append(os.path.join(folder, what))
        os.symlink(target + plants.text(f"log: target of a deleted {what} symlink"), paths[-1])
    if is_inline:
        paths.append(os.path.join(folder, "inline"))
        write(paths[-1], plants.fill("inline data of a deleted file", 50))
        os.setxattr(paths[-1], "user." + plants.text("name of a deleted file's attribute"),
                    plants.fill("value of a deleted file's attribute", 20))
    for number in range(6):
        paths.append(os.path.join(folder, f"number-{number}"))
        write(paths[-1], b"")
    sync_log(folder)
    builder.remember(emptied=folder)
    builder.inodes["deleted"] = [os.lstat(path).st_ino for path in paths]
    for path in paths:
        os.unlink(path)
    os.sync()


def set_label(top, label):
    """In the superblock, by way of the log."""
    folder = os.open(top, os.O_RDONLY)
    fcntl.ioctl(folder, LABEL_OF_MOUNTED, label.encode().ljust(256, b"\0"))
    os.close(folder)


def encrypted_folder(top, name, key_byte):
    """A folder with a policy of version 2; the key goes with the mount."""
    path = os.path.join(top, name)
    os.mkdir(path)
    parent = os.open(top, os.O_RDONLY)
    key = bytearray(struct.pack("<II32sII32s", 2, 0, b"", 64, 0, b"") + bytes([key_byte]) * 64)
    fcntl.ioctl(parent, ADD_KEY, key)
    identifier = bytes(key[8:24])
    os.close(parent)
    folder = os.open(path, os.O_RDONLY)
    fcntl.ioctl(folder, SET_POLICY, struct.pack("<BBBBB3s16s", 2, 1, 4, 2, 0, b"", identifier))
    os.close(folder)
    return path, identifier
