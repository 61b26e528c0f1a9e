"""The REST API, and /metrics beside it: at the root, where no Ingress path leads."""

import socket
import time
from collections.abc import Awaitable
from dataclasses import asdict
from typing import TypeVar

from aiohttp import web

from . import __version__
from .config import Config
from .listener import Status, below, listener
from .metrics import CONTENT_TYPE, Metrics
from .protocol import message_fields
from .store import Store, StoreError

T = TypeVar("T")


def application(config: Config, status: Status, store: Store, metrics: Metrics) -> web.Application:
    """The API listener: JSON under `<API_ENDPOINT>`, errors as `{"error": "..."}`."""
    info_path = below(config.api_endpoint, "info")
    rooms_path = below(config.api_endpoint, "rooms")

    async def info(_: web.Request) -> web.Response:
        uptime = round(time.monotonic() - status.started, 3)
        return web.json_response(
            {"name": "chatapp", "version": __version__, "hostname": socket.gethostname(), "uptime_seconds": uptime}
        )

    async def list_rooms(_: web.Request) -> web.Response:
        return web.json_response({"rooms": [asdict(room) for room in await _asked(store.all())]})

    async def messages(request: web.Request) -> web.Response:
        name = request.match_info["room"]
        room = await _asked(store.find(name))
        if room is None:
            raise web.HTTPNotFound(text=f"Nobody has joined a room {name} yet; {rooms_path} lists the rooms.")
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= 18):
            raise web.HTTPBadRequest(text=f"after is {after!r}, but must be a message's id: a whole number, 0 or more.")
        history = room.since(int(after), epoch=None)
        return web.json_response(
            {
                "room": room.name,
                "messages": [message_fields(message) for message in history.messages],
                "last": room.last,
                "epoch": room.epoch,
                "gap": history.gap,
            }
        )

    async def show_metrics(_: web.Request) -> web.Response:
        metrics.rooms.set(store.held())
        metrics.ready.set(not status.draining and status.problem() is None)
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    def explain(request: web.Request, problem: web.HTTPException) -> web.Response:
        text = problem.text or ""
        if text == f"{problem.status}: {problem.reason}":
            text = f"{request.method} {request.path} is not in this API; try GET {info_path} or GET {rooms_path}."
        return web.json_response({"error": text}, status=problem.status)

    app = listener(status, {"Cache-Control": "no-store"}, explain)
    app.router.add_get(info_path, info)
    app.router.add_get(rooms_path, list_rooms)
    app.router.add_get(f"{rooms_path}/{{room}}/messages", messages)
    app.router.add_get("/metrics", show_metrics)
    return app


async def _asked(answer: Awaitable[T]) -> T:
    """What the store answers, or 503: the reason is in the log and in /healthz, which no Ingress path publishes."""
    try:
        return await answer
    except StoreError:
        text = "The server cannot reach its store at the moment; try again."
        raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "1"}) from None
