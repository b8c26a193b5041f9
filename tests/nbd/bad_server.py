# SPDX-License-Identifier: GPL-2.0-or-later
"""An NBD server that does what no real one should: forgets what was not flushed, stalls, changes its size, lies
about extents. doc/proto.md of nbd is the protocol."""

import socket
import struct
import threading

from proxy import Listener, receive

OPTION_MAGIC = 0x3e889045565a9
REQUEST_MAGIC = 0x25609513
SIMPLE_MAGIC = 0x67446698
STRUCTURED_MAGIC = 0x668e33ef
OPTION_ABORT, OPTION_INFO, OPTION_GO, OPTION_STRUCTURED, OPTION_SET_CONTEXT = 2, 6, 7, 8, 10
ACK, INFO, CONTEXT, UNSUPPORTED = 1, 3, 4, (1 << 31) + 1
HAS_FLAGS, CAN_FLUSH, CAN_ZERO, CAN_SHARE = 1, 4, 64, 256
READ, WRITE, DISCONNECT, FLUSH, ZEROES, STATUS = 0, 1, 2, 3, 6, 7


class BadServer(Listener):
    """`sizes`: what is said of the size, in turn for each connection. `extents`: what is said of the allocation, a list
    of (length, flags). `stalls`: the request, counted over all connections, from which on there are no answers.
    `cut_every`: the request of a connection at which the server ends and is started again: all connections are lost,
    and all that was not flushed."""

    def __init__(self, data, sizes=None, extents=None, stalls=0, cut_every=0, shares=False):
        self.disk = bytearray(data)
        self.unflushed = []
        self.sizes = sizes or [len(data)]
        self.extents = extents
        self.stalls = stalls
        self.cut_every = cut_every
        self.flags = HAS_FLAGS | CAN_FLUSH | CAN_ZERO | (CAN_SHARE if shares else 0)
        self.clients = []
        self.connections = self.disconnects = self.requests = self.cuts = self.flushes = 0
        self.lock = threading.Lock()
        super().__init__()

    def begin(self, client):
        self.start(self.serve, client)

    def join(self):
        """Waits for the end of all connections."""
        for thread in self.threads:
            thread.join()

    def serve(self, client):
        try:
            size = self.sizes[min(self.connections, len(self.sizes) - 1)]
            self.connections += 1
            self.clients.append(client)
            if self.shake_hands(client, size):
                self.answer(client)
        except (OSError, ConnectionError):
            pass
        client.close()

    def shake_hands(self, client, size):
        client.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
        receive(client, 4)
        while True:
            _, option, length = struct.unpack(">QII", receive(client, 16))
            receive(client, length)

            def reply(kind, data=b"", of=option):
                client.sendall(struct.pack(">QIII", OPTION_MAGIC, of, kind, len(data)) + data)

            if option in (OPTION_GO, OPTION_INFO):
                reply(INFO, struct.pack(">HQH", 0, size, self.flags))
                reply(ACK)
                if option == OPTION_GO:
                    return True
            elif option == OPTION_STRUCTURED and self.extents is not None:
                reply(ACK)
            elif option == OPTION_SET_CONTEXT and self.extents is not None:
                reply(CONTEXT, struct.pack(">I", 1) + b"base:allocation")
                reply(ACK)
            elif option == OPTION_ABORT:
                reply(ACK)
                return False
            else:
                reply(UNSUPPORTED)

    def answer(self, client):
        count = 0
        while True:
            _, _, kind, cookie, offset, length = struct.unpack(">IHHQQI", receive(client, 28))
            data = receive(client, length) if kind == WRITE else b""
            with self.lock:
                if kind == DISCONNECT:
                    self.disconnects += 1
                    return
                if client not in self.clients:
                    return
                count += 1
                self.requests += 1
                if self.cut_every and count == self.cut_every:
                    for where, before in reversed(self.unflushed):
                        self.disk[where:where + len(before)] = before
                    self.unflushed = []
                    self.cuts += 1
                    for each in self.clients:
                        each.shutdown(socket.SHUT_RDWR)
                    self.clients = []
                    return
                if self.stalls and self.requests >= self.stalls:
                    continue
                if kind in (WRITE, ZEROES):
                    self.unflushed.append((offset, bytes(self.disk[offset:offset + length])))
                    self.disk[offset:offset + length] = data or bytes(length)
                elif kind == FLUSH:
                    self.unflushed = []
                    self.flushes += 1
                client.sendall(self.reply_to(kind, cookie, offset, length))

    def reply_to(self, kind, cookie, offset, length):
        if kind == STATUS:
            body = struct.pack(">I", 1) + b"".join(struct.pack(">II", *each) for each in self.extents)
            return struct.pack(">IHHQI", STRUCTURED_MAGIC, 1, 5, cookie, len(body)) + body
        body = bytes(self.disk[offset:offset + length]) if kind == READ else b""
        if kind == READ and self.extents is not None:
            return struct.pack(">IHHQIQ", STRUCTURED_MAGIC, 1, 1, cookie, len(body) + 8, offset) + body
        return struct.pack(">IIQ", SIMPLE_MAGIC, 0, cookie) + body
