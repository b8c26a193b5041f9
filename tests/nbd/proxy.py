# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands between a client and an NBD server, and cuts the connection at every Nth request."""

import socket
import struct
import threading

OPTION_GO = 7
WRITE = 1


def receive(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(min(count - len(data), 1 << 20))
        if not piece:
            raise ConnectionError
        data += piece
    return bytes(data)


class Listener:
    """Listens on a port of its own, and hands each connection to begin(), which starts threads."""

    def __init__(self):
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.begin(client)

    def start(self, function, *arguments):
        self.threads.append(threading.Thread(target=function, args=arguments, daemon=True))
        self.threads[-1].start()

    def close(self):
        self.listener.close()


class Proxy(Listener):
    """`every`: the request that is cut instead of passed on; 0: none is. `comes_back`:
    whether there are connections afterwards."""

    def __init__(self, connect, every, comes_back=True):
        self.connect = connect
        self.every = every
        self.comes_back = comes_back
        self.cuts = 0
        self.connections = 0
        super().__init__()

    def begin(self, client):
        if self.cuts and not self.comes_back:
            client.close()
            return
        self.connections += 1
        server = self.connect()
        self.start(self.pass_back, server, client)
        self.start(self.pass_on, client, server)

    def pass_back(self, server, client):
        try:
            while data := server.recv(1 << 18):
                client.sendall(data)
        except OSError:
            pass
        self.cut(client, server)

    def pass_on(self, client, server):
        try:
            server.sendall(receive(client, 4))
            option = None
            while option != OPTION_GO:
                header = receive(client, 16)
                option, length = struct.unpack(">II", header[8:])
                server.sendall(header + receive(client, length))
            count = 0
            while True:
                header = receive(client, 28)
                count += 1
                if self.every and count == self.every:
                    self.cuts += 1
                    break
                kind, length = struct.unpack(">H", header[6:8])[0], struct.unpack(">I", header[24:])[0]
                server.sendall(header + (receive(client, length) if kind == WRITE else b""))
        except (OSError, ConnectionError):
            pass
        self.cut(client, server)

    def cut(self, *connections):
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class ByteProxy(Proxy):
    """Cuts each connection after so many bytes of the server, whatever they mean."""

    def pass_on(self, client, server):
        try:
            while data := client.recv(1 << 18):
                server.sendall(data)
        except OSError:
            pass
        self.cut(client, server)

    def pass_back(self, server, client):
        left = self.every
        try:
            while left > 0 and (data := server.recv(min(left, 1 << 18))):
                left -= len(data)
                client.sendall(data)
        except OSError:
            pass
        self.cuts += 1 if left <= 0 else 0
        self.cut(client, server)
