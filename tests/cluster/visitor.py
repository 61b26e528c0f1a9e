"""A visitor of the test cluster: its hosts are *.localhost names, which glibc does not find on loopback by itself."""

import socket
import ssl

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from chatctl import certificates


def get(url: str) -> httpx.Response:
    """Ask for a page; certificates are not verified, as local ones are self-signed."""
    parts = httpx.URL(url)
    with httpx.Client(verify=False, trust_env=False) as client:
        return client.get(parts.copy_with(host="127.0.0.1"), headers={"Host": parts.netloc.decode()})


def open_socket(url: str) -> ClientConnection:
    """Open a WebSocket at a ws:// address."""
    return connect(url, sock=socket.create_connection(("127.0.0.1", httpx.URL(url).port or 80)), proxy=None)


def open_secure_socket(host: str, port: int) -> ClientConnection:
    """Open a WebSocket as a page of https://HOST/ does, at a port of loopback; no certificate is verified."""
    plain = socket.create_connection(("127.0.0.1", port))
    page = Origin(f"https://{host}")
    return connect(f"wss://{host}/wss", sock=plain, ssl=certificates.unverified(), origin=page, proxy=None)


def tls_version(host: str, port: int, certificate: str) -> str | None:
    """Return the TLS that a host speaks at a port of loopback, to somebody who trusts this certificate alone.

    Raises:
        ssl.SSLCertVerificationError: it has another one.
    """
    trusting_only_it = ssl.create_default_context(cadata=certificate)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting_only_it.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return secure.version()
