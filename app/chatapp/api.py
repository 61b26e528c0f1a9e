"""The REST API, and /metrics beside it: at the root, where no Ingress path leads."""

import socket
import time

from aiohttp import web

from . import __version__
from .config import Config
from .listener import Status, below, listener
from .metrics import CONTENT_TYPE, Metrics
from .protocol import message_fields
from .rooms import Rooms


def application(config: Config, status: Status, rooms: Rooms, metrics: Metrics) -> web.Application:
    """The API listener: JSON under `<API_ENDPOINT>`, errors as `{"error": "..."}`."""
    info_path = below(config.api_endpoint, "info")
    rooms_path = below(config.api_endpoint, "rooms")

    async def info(_: web.Request) -> web.Response:
        uptime = round(time.monotonic() - status.started, 3)
        return web.json_response(
            {"name": "chatapp", "version": __version__, "hostname": socket.gethostname(), "uptime_seconds": uptime}
        )

    async def list_rooms(_: web.Request) -> web.Response:
        found = [{"name": room.name, "members": room.nicks(), "last": room.last} for room in rooms.all()]
        return web.json_response({"rooms": found})

    async def messages(request: web.Request) -> web.Response:
        name = request.match_info["room"]
        room = rooms.find(name)
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
        metrics.rooms.set(len(rooms.all()))
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
