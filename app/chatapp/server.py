"""One process, one event loop, three listeners; from the first port to the last socket."""

import asyncio
import logging
import signal

from aiohttp import web

from . import __version__, api
from . import web as page
from .chat import Chat
from .config import Config, ConfigError
from .listener import Status
from .metrics import Metrics
from .store import MemoryStore, Store

_log = logging.getLogger("chatapp")


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then close the sockets and return.

    Raises:
        ConfigError: when a port cannot be had.
    """
    # Handlers come first: as PID 1 a process without one ignores SIGTERM.
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    store, metrics = _store(config), Metrics()
    status = Status(problem=lambda: store.problem, worked=lambda: store.worked)
    chat = Chat(config, status, store, metrics)
    listeners = (
        ("WEB_PORT", config.web_port, page.application(config, status)),
        ("API_PORT", config.api_port, api.application(config, status, store, metrics)),
        ("WS_PORT", config.ws_port, chat.application()),
    )
    store.open(chat)
    runners = [await _listen(name, port, app, config) for name, port, app in listeners]
    _log.info(
        "chatapp %s serves the page at :%d%s, the API at :%d%s, the chat at :%d%s",
        __version__,
        config.web_port,
        config.web_endpoint,
        config.api_port,
        config.api_endpoint,
        config.ws_port,
        config.chat_endpoint,
    )
    await stop.wait()

    # The ports stay open while the sockets close: /healthz says 503, and a page on its way is still served.
    status.draining = True
    await chat.drain()
    await store.close()
    for runner in runners:
        await runner.cleanup()
    _log.info("all sockets are closed")


def _store(config: Config) -> Store:
    if config.valkey is None:
        return MemoryStore()
    # Only now: without a store to share, its client is not loaded.
    from .valkey_store import ValkeyStore

    return ValkeyStore(config.valkey)


async def _listen(name: str, port: int, app: web.Application, config: Config) -> web.AppRunner:
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=1.0,
        # aiohttp rounds timers above this up to the next second; pings must not be late.
        timeout_ceil_threshold=config.ping_interval,
    )
    await runner.setup()
    try:
        # No host: every address of the machine, IPv4 and IPv6.
        await web.TCPSite(runner, port=port).start()
    except OSError as problem:
        raise ConfigError(f"{name} is {port}, but that port cannot be had: {problem.strerror}.") from problem
    return runner
