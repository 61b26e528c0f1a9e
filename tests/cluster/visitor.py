"""A visitor of the test cluster: its hosts are *.localhost names, which glibc does not find on loopback by itself."""

import socket

import httpx
from websockets.sync.client import ClientConnection, connect


def get(url: str) -> httpx.Response:
    """Ask for a page; certificates are not verified, as local ones are self-signed."""
    parts = httpx.URL(url)
    with httpx.Client(verify=False, trust_env=False) as client:
        return client.get(parts.copy_with(host="127.0.0.1"), headers={"Host": parts.netloc.decode()})


def open_socket(url: str) -> ClientConnection:
    """Open a WebSocket at a ws:// address."""
    return connect(url, sock=socket.create_connection(("127.0.0.1", httpx.URL(url).port or 80)), proxy=None)
