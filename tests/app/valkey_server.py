"""A Valkey of a test's own: a real server on the loopback interface, which may be killed, restarted and cut off."""

import contextlib
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from valkey import Valkey
from valkey.exceptions import ValkeyError

from chatctl.toolchain import tool_path

from .server import free_ports, until


class Store:
    """A Valkey server that writes every change to disk before it answers, in a folder of its own.

    Attributes:
        port: Where it listens on 127.0.0.1, also after a restart.
        folder: Holds its data and its log.
        password: What it asks for; "" means nothing. Takes effect at the next start.
    """

    def __init__(self, folder: Path, password: str = "") -> None:
        (self.port,) = free_ports(1)
        self.password = password
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, password: str | None = None, host: str = "127.0.0.1", port: int | None = None) -> str:
        """VALKEY_URL for the app; another password, host or port on request."""
        secret = quote(self.password if password is None else password, safe="")
        return f"valkey://{f':{secret}@' if secret else ''}{host}:{port or self.port}/0"

    def start(self) -> None:
        """Run it and wait until it answers."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "requirepass": self.password,
            "logfile": str(self.folder / "log"),
        }
        argv = [str(tool_path("valkey-server")), *(part for name in options for part in (f"--{name}", options[name]))]
        self.folder.mkdir(exist_ok=True)
        self._process = subprocess.Popen(argv)
        until(self._answers, f"Valkey answers; {self.folder / 'log'} says more")

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, at once unless another signal is given."""
        if self._process:
            self._process.send_signal(number)
            if number != signal.SIGKILL:
                self._process.send_signal(signal.SIGCONT)  # one that is frozen would not heed it
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hold every connection and answer nothing."""
        process = self._process
        assert process
        process.send_signal(signal.SIGSTOP)
        yield
        process.send_signal(signal.SIGCONT)

    def client(self) -> Valkey:
        """A client with which a test looks in, or does what an operator might."""
        return Valkey(port=self.port, password=self.password or None, decode_responses=True)

    @contextmanager
    def front(self, context: ssl.SSLContext | None = None) -> Iterator["Front"]:
        """Something before it that can be cut, with TLS on request."""
        front = Front(self.port, context)
        yield front
        front.cut()

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(ValkeyError), self.client() as client:
            return bool(client.ping())
        return False


class Front:
    """Stands before a Valkey and passes on what comes; speaks TLS when it has a context, which that Valkey cannot.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    def __init__(self, target: int, context: ssl.SSLContext | None = None) -> None:
        (self.port,) = free_ports(1)
        self._target = target
        self._context = context
        self._open: set[socket.socket] = set()
        self.mend()

    def cut(self) -> None:
        """End every connection, and take no new one."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._open):
            _end(end)

    def mend(self) -> None:
        """Take connections (again)."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=listener.accept()[:1], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open |= {client, server}
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            _copy(client, server)
            self._open -= {client, server}
        client.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until one side is done, then end both."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
