# SPDX-License-Identifier: GPL-2.0-or-later
"""The register of what was planted in a file system, and the search for it."""

import os
import re

# Nine characters, so that random names meet one by chance in less than one run of ten thousand.
MARKER = "Zq{:03d}VkjX"
_PATTERNS = [re.compile(rb"zq(\d{3})vkjx"), re.compile(rb"z\0q\0((?:\d\0){3})v\0k\0j\0x")]  # the other one: UTF-16


def data_in(path):
    """The bytes of a file that are not in holes, in pieces of what follows without one."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = 0
        while begin < size:
            try:
                begin = os.lseek(file.fileno(), begin, os.SEEK_DATA)
            except OSError:  # a hole to the end
                return
            end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            yield begin, os.pread(file.fileno(), end - begin, begin)
            begin = end


class Plants:
    """What is private in a file system.

    A place has a marker, bytes of its own, or (where there is no room for either) bytes at an offset of the disk
    that must not stay. What is `held` is in a dump of metadata that is not anonymised.
    """

    def __init__(self):
        self.places = []  # (name, held); the number of a marker is an index
        self.bytes = {}  # place: the bytes that must not occur
        self.cells = {}  # place: (offset, bytes) that must not be there

    def marker(self, place, held=True):
        assert place not in [name for name, _ in self.places], place
        self.places.append((place, held))
        return MARKER.format(len(self.places) - 1).encode()

    def text(self, place, held=True):
        return self.marker(place, held).decode()

    def forget(self, ending):
        """What was planted there is overwritten now."""
        for number, (place, _) in enumerate(self.places):
            if place.endswith(ending):
                self.places[number] = f"{place} ({number})", None

    def literal(self, place, data, held=True):
        assert len(data) >= 8
        self.marker(place, held)
        self.bytes[place] = bytes(data)

    def cell(self, place, offset, data, held=True):
        self.marker(place, held)
        self.cells[place] = offset, bytes(data)

    def fill(self, place, length, held=True):
        """Text of this length, in which the marker is as often as it fits."""
        marker = self.marker(place, held)
        assert length >= len(marker), place
        return (marker * (length // len(marker) + 1))[:length]

    def in_bytes(self, data):
        """Numbers of the places whose markers or bytes are in there."""
        lowered = data.lower()
        digits = {match.group(1).replace(b"\0", b"") for pattern in _PATTERNS for match in pattern.finditer(lowered)}
        found = {number for number in map(int, digits) if number < len(self.places)}
        for number, (place, _) in enumerate(self.places):
            if place in self.bytes and self.bytes[place] in data:
                found.add(number)
        return found

    def leaks(self, path, is_disk=False):
        """The names of the places that a file has something of."""
        found = set()
        for _, data in data_in(path):
            found |= self.in_bytes(data)
        leaking = {self.places[number][0] for number in found}
        if is_disk:
            with open(path, "rb") as file:
                for place, (offset, data) in self.cells.items():
                    if os.pread(file.fileno(), len(data), offset) == data:
                        leaking.add(place)
        return leaking

    def held(self):
        return {place for place, held in self.places if held}

    def names(self):
        return {place for place, held in self.places if held is not None}
