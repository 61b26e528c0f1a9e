"""People who use the chat while something is done to it: what they met says whether they noticed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from chatctl import process

from .visitor import get, open_socket

SERVICE_RESTART = 1012
"""Close code by which a server says: I am going, come back."""


@dataclass
class People:
    """Those who use the chat at one address: one asks for page and API all the time, one keeps a socket.

    Attributes:
        hosts: Which pod answered each question to the API.
        closed: The close code of each socket that ended.
        failures: Requests that were not answered with 200, and sockets that could not be opened.
    """

    address: str
    hosts: list[str] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    sockets: int = 0
    _leave: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def here(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask), threading.Thread(target=self._talk)]
        for thread in threads:
            thread.start()
        try:
            process.wait_for(lambda: self.hosts and self.sockets, "nobody got in")
            yield
        finally:
            self._leave.set()
            for thread in threads:
                thread.join()

    def _ask(self) -> None:
        while not self._leave.wait(0.02):
            for path in ("/", "/api/info"):
                try:
                    answer = get(f"http://{self.address}{path}")
                except httpx.HTTPError as error:
                    self.failures.append(f"{path}: {error!r}")
                    continue
                if answer.status_code != 200:
                    self.failures.append(f"{path}: {answer.status_code}")
                elif path == "/api/info":
                    self.hosts.append(answer.json()["hostname"])

    def _talk(self) -> None:
        while not self._leave.is_set():
            try:
                with open_socket(f"ws://{self.address}/wss") as socket:
                    self.sockets += 1
                    socket.send(json.dumps({"type": "join", "room": "lobby", "nick": "Ada"}))
                    while not self._leave.is_set():
                        try:
                            socket.recv(timeout=0.1)
                        except TimeoutError:
                            continue
            except ConnectionClosed as closed:
                self.closed.append(closed.rcvd.code if closed.rcvd else 1006)
            except (OSError, InvalidHandshake) as error:
                self.failures.append(f"/wss: {error!r}")
                self._leave.wait(0.1)
