"""Local http and ftp servers for the tests of downloads, with the faults of real ones."""

import re
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pyftpdlib uses asyncore
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, ThrottledDTPHandler
    from pyftpdlib.servers import FTPServer


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@dataclass
class Reply:
    """How the http server answers a request."""

    content: bytes
    status: int = 200
    ranges: bool = True
    changed: bool = False  # since a client had a part of it
    location: str | None = None
    cut: int | None = None  # the connection ends after so many bytes of the body
    gate: threading.Event | None = None  # the second half of the body waits for it


class Http(ThreadingHTTPServer):
    """`replies[path]` answers requests for a path: a reply all of them, a list one each and its last one the rest."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _HttpHandler)
        self.replies = {}
        self.requests = []  # (path, Range)

    def address(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request, client_address):
        pass  # a client that was killed


class _HttpHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, self.headers["Range"]))
        reply = self.server.replies.get(self.path, Reply(b"none", 404))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        body, status = reply.content, reply.status
        headers = {"Location": reply.location} if reply.location else {}
        if reply.changed and self.headers["If-Unmodified-Since"]:
            body, status = b"changed", 412
        if reply.ranges and status == 200 and self.headers["Range"]:
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"]).group(1))
            body, whole = body[start:], len(body)
            status = 206 if body else 416
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}" if body else f"bytes */{whole}"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.gate:
            self.wfile.write(body[: len(body) // 2])
            reply.gate.wait(60)
            body = body[len(body) // 2 :]
        self.wfile.write(body[: reply.cut])

    def log_message(self, *_):
        pass


@contextmanager
def http() -> Iterator[Http]:
    with Http() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Ftp:
    """An ftp server for the files in a folder. `rate` limits each transfer, in bytes a second; 0 is no limit."""

    def __init__(self, folder):
        authorizer = DummyAuthorizer()
        authorizer.add_anonymous(str(folder))
        self.commands = commands = []  # (command, argument)

        class Transfer(ThrottledDTPHandler):
            pass

        class Handler(FTPHandler):
            def process_command(self, command, *arguments, **keywords):
                commands.append((command, *arguments))
                return super().process_command(command, *arguments, **keywords)

        Handler.authorizer = authorizer
        Handler.dtp_handler = self._transfer = Transfer
        self.server = FTPServer(("127.0.0.1", 0), Handler)

    @property
    def rate(self):
        return self._transfer.write_limit

    @rate.setter
    def rate(self, bytes_a_second):
        self._transfer.write_limit = bytes_a_second

    def address(self, path):
        return f"ftp://127.0.0.1:{self.server.address[1]}{path}"


@contextmanager
def ftp(folder) -> Iterator[Ftp]:
    ftp = Ftp(folder)
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            ftp.server.serve_forever(timeout=0.05, blocking=False)
        ftp.server.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ftp
    finally:
        stop.set()
        thread.join()
