import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from .server import ChatServer, start, until
from .valkey_server import Store

APP = Path(__file__).parents[2] / "app"
RUNTIME_JS = 'window.chatapp = { endpoints: { web: "/", api: "/api", ws: "/wss" } };\n'
RUNTIME_JSON = '{"endpoints": {"web": "/", "api": "/api", "ws": "/wss"}}\n'

Start = Callable[..., ChatServer]
Replicas = Callable[[int], list[ChatServer]]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as the image holds it, with the files that the chart mounts."""
    root = tmp_path_factory.mktemp("app")
    for folder in ("chatapp", "web"):
        shutil.copytree(APP / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "config"))
    config = root / "web" / "config"
    config.mkdir()
    (config / "runtime.js").write_text(RUNTIME_JS)
    (config / "runtime.json").write_text(RUNTIME_JSON)
    return root


@pytest.fixture(scope="session")
def server(tree: Path) -> Iterator[ChatServer]:
    """A server with every variable at its default but the ports; shared, so a test takes a room of its own."""
    running = start(tree, {})
    yield running
    running.process.kill()
    running.process.communicate()


@pytest.fixture
def start_server(tree: Path) -> Iterator[Start]:
    """Starts a server with the given variables."""
    running: list[ChatServer] = []

    def starter(**variables: str) -> ChatServer:
        running.append(start(tree, variables))
        return running[-1]

    yield starter
    for chat in running:
        chat.process.kill()
        chat.process.communicate()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A running Valkey that asks for a password, one that a URL has to encode."""
    valkey = Store(tmp_path / "valkey", password="s3cret/@%:#")
    valkey.start()
    yield valkey
    valkey.stop()


@pytest.fixture
def replicas(start_server: Start, store: Store) -> Replicas:
    """Starts servers that share the store, and waits until each of them may take traffic."""

    def starter(number: int) -> list[ChatServer]:
        servers = [start_server(VALKEY_URL=store.url()) for _ in range(number)]
        until(lambda: not any(server.unready() for server in servers), "all replicas are ready")
        return servers

    return starter


_rooms = count(1)


@pytest.fixture
def room() -> str:
    """A room that no other test has been in."""
    return f"room-{next(_rooms)}"
