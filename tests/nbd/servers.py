# SPDX-License-Identifier: GPL-2.0-or-later
"""Real NBD servers, each on a socket of its own."""

import functools
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
from suite import Missing  # pylint: disable=wrong-import-position

ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C"}
PATIENCE = 60  # seconds, for what should take one


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=ENVIRONMENT["PATH"]):
            raise Missing(program)


def need_nbdkit(*modules):
    """Plugins and filters, as "ssh" and "delay-filter"."""
    need("nbdkit")
    for module in modules:
        kind, name = ("--filter=" + module[:-7], "null") if module.endswith("-filter") else (None, module)
        words = ["nbdkit", *([kind] if kind else []), name, "--dump-plugin"]
        if subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            raise Missing("nbdkit's " + module)


class Server:
    """A program that listens on a unix socket; started again by start()."""

    def __init__(self, path, words, **options):
        self.path = path
        self.words = words
        self.options = options
        self.process = None
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(self.words, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, **self.options)
        while not self.accepts():
            if self.process.poll() is not None:
                raise RuntimeError(f"{' '.join(self.words)}: status {self.process.returncode}")

    def accepts(self):
        """By the kernel's list: a connection would count, and the first may be the only one."""
        with open("/proc/net/unix", encoding="ascii", errors="replace") as file:
            return any(line.split()[-1] == self.path and line.split()[3] == "00010000" for line in file)

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        return connection

    @property
    def uri(self):
        return "nbd+unix:///?socket=" + self.path

    def stop(self):
        end(self.process)


def end(process):
    """Qemu-nbd does not end as long as a client shakes hands with it."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def nbdkit(path, *words, **options):
    need("nbdkit")
    return Server(path, ["nbdkit", "-f", "-U", path, *words], **options)


def qemu_nbd(path, *words):
    need("qemu-nbd")
    return Server(path, ["qemu-nbd", "-t", "-k", path, *words], stderr=subprocess.DEVNULL)


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """Files, or the ranges of them that are asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.translate_path(self.path)
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        with open(path, "rb") as file:
            file.seek(int(first))
            data = file.read(int(last) + 1 - int(first))
        self.send_response(206)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{os.path.getsize(path)}")
        self.end_headers()
        self.wfile.write(data)

    def end_headers(self):
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *_):
        pass


class HttpsServer(http.server.ThreadingHTTPServer):
    """Shakes hands in the thread of each connection, so that none waits for another one's."""
    request_queue_size = 64

    def __init__(self, handler, context):
        super().__init__(("127.0.0.1", 0), handler)
        self.context = context

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as connection:
            super().finish_request(connection, client_address)


def https_server(folder, certificate, key):
    """Returns the server, whose port is server_port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HttpsServer(functools.partial(RangeHandler, directory=folder), context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_port(port, process):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args}: status {process.returncode}") from None


class PortServer:
    """A program that listens on a TCP port."""

    def __init__(self, port, words, **options):
        self.port = port
        self.process = subprocess.Popen(words, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        **options)
        wait_for_port(port, self.process)

    def stop(self):
        end(self.process)


class DaemonServer:
    """A program that goes to the background; its last argument is the file with its number."""

    def __init__(self, port, words):
        self.port = port
        self.pid_file = words[-1]
        subprocess.run(words, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, check=True)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                pass

    def stop(self):
        with open(self.pid_file, encoding="ascii") as file:
            os.kill(int(file.read()), 15)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def nbd_server(folder, disk, read_only=False):
    need("nbd-server")
    port = free_port()
    config = os.path.join(folder, "nbd-server.conf")
    write(config, f"[generic]\n\tport = {port}\n\tlistenaddr = 127.0.0.1\n[disk]\n\texportname = {disk}\n"
                  f"\tflush = true\n\treadonly = {'true' if read_only else 'false'}\n")
    return DaemonServer(port, ["nbd-server", "-C", config, "-p", os.path.join(folder, "nbd-server.pid")])


def ssh_server(folder):
    need("sshd", "ssh-keygen")
    port = free_port()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(folder, name)], check=True)
    shutil.copy(os.path.join(folder, "user.pub"), os.path.join(folder, "authorized_keys"))
    config = os.path.join(folder, "sshd_config")
    write(config, f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile "
                  f"{folder}/authorized_keys\nStrictModes no\nPidFile none\nUsePAM no\nSubsystem sftp internal-sftp\n")
    with open(os.path.join(folder, "host.pub"), encoding="ascii") as file:
        kind, key = file.read().split()[:2]
    write(os.path.join(folder, "known_hosts"), f"[127.0.0.1]:{port} {kind} {key}\n")
    os.makedirs("/run/sshd", exist_ok=True)
    return PortServer(port, [shutil.which("sshd", path=ENVIRONMENT["PATH"]), "-D", "-f", config],
                      stderr=subprocess.DEVNULL)


def certificates(folder, names=("localhost",)):
    """An authority, a server and a client, as libnbd and qemu-nbd want them. Returns their folder."""
    need("certtool")
    os.makedirs(folder)

    def certtool(*words):
        subprocess.run(["certtool", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def key_and_template(name, text):
        certtool("--generate-privkey", "--key-type=ecdsa", "--outfile", f"{name}-key.pem")
        write(os.path.join(folder, f"{name}.info"), f"cn = {name}\nexpiration_days = 9999\n" + text)

    key_and_template("ca", "ca\ncert_signing_key\n")
    certtool("--generate-self-signed", "--load-privkey", "ca-key.pem", "--template", "ca.info", "--outfile",
             "ca-cert.pem")
    key_and_template("server", "tls_www_server\nsigning_key\n" + "".join(f"dns_name = {name}\n" for name in names))
    key_and_template("client", "tls_www_client\nsigning_key\n")
    for name in ("server", "client"):
        certtool("--generate-certificate", "--load-ca-certificate", "ca-cert.pem", "--load-ca-privkey", "ca-key.pem",
                 "--load-privkey", f"{name}-key.pem", "--template", f"{name}.info", "--outfile", f"{name}-cert.pem")
    return folder
