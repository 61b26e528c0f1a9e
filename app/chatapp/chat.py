"""The chat: handshakes, frames, and the orderly end of every socket."""

import asyncio
import logging

from aiohttp import WSCloseCode, web

from . import protocol
from .config import Config
from .connection import CLOSE_TIMEOUT, Connection
from .listener import Status, below, listener
from .metrics import Metrics
from .origin import refusal
from .protocol import Join, Ping, ProtocolError, Send
from .rooms import Message, Room
from .store import MAX_ROOMS, Store, StoreError, TooManyRoomsError

# Seconds by which news of members is held back, so that a thousand people who come back at once are not told of each
# other a million times.
MEMBERS_DELAY = 0.1
# Seconds between two sockets while draining, at most: few sockets are closed quickly.
DRAIN_PAUSE = 0.02

# To people, who need not know where the store is; the log and /healthz?ready=1 say what is wrong with it.
_AWAY = "The server cannot reach its store at the moment; try again."

_log = logging.getLogger("chatapp.chat")


class Chat:
    """Everyone who is connected to this process."""

    def __init__(self, config: Config, status: Status, store: Store, metrics: Metrics) -> None:
        self._config = config
        self._status = status
        self._store = store
        self._metrics = metrics
        self._connections: dict[Connection, asyncio.Future[None]] = {}
        self._announcing: set[Room] = set()
        self._announcements: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """The ws listener: the chat at `<CHAT_ENDPOINT>`, with and without a slash at its end."""
        endpoint = self._config.chat_endpoint

        def explain(request: web.Request, problem: web.HTTPException) -> web.Response:
            text = problem.text
            if problem.status == 404:
                text = f"Nothing is served at {request.path} on this port; the chat is at {endpoint}."
            return web.Response(status=problem.status, text=f"{text}\n")

        app = listener(self._status, {"Cache-Control": "no-store"}, explain)
        for path in dict.fromkeys((endpoint, below(endpoint, ""))):
            app.router.add_get(path, self._handshake, allow_head=False)
        return app

    async def drain(self) -> None:
        """Close every socket with 1012, "service restart", spread over at most WS_DRAIN_SECONDS.

        Spread, so that the clients do not all knock at the next pod in the same moment.
        """
        if self._connections:
            _log.info("closing %d sockets", len(self._connections))
        while self._connections:
            pause = min(DRAIN_PAUSE, self._config.drain_seconds / len(self._connections))
            ends = list(self._connections.values())
            for connection in list(self._connections):
                connection.close(WSCloseCode.SERVICE_RESTART, "server is restarting")
                await asyncio.sleep(pause)
            await asyncio.wait(ends)

    def said(self, room: Room, message: Message) -> None:
        """Tell everyone in the room."""
        room.tell(protocol.message(message))

    def missed(self, room: Room, last: int, epoch: str) -> None:
        """Welcome everyone in the room anew, as if they had just come back with what they have."""
        history = room.since(last, epoch)
        for member, nick in list(room.members.items()):
            member.offer(protocol.welcome(room, nick, history))

    def moved(self, room: Room) -> None:
        """Let everyone know who is in the room, other replicas too, but not more often than every MEMBERS_DELAY."""
        if room not in self._announcing:
            self._announcing.add(room)
            task = asyncio.create_task(self._announce_members(room))
            self._announcements.add(task)
            task.add_done_callback(self._announcements.discard)

    async def _announce_members(self, room: Room) -> None:
        await asyncio.sleep(MEMBERS_DELAY)
        self._announcing.discard(room)
        await self._store.share(room)
        room.tell(protocol.members(room))

    async def _handshake(self, request: web.Request) -> web.StreamResponse:
        if self._status.draining:
            return self._refuse("draining", 503, "This server is going away; connect again.", {"Retry-After": "1"})
        if not _asks_for_websocket(request):
            return self._refuse(
                "not_websocket",
                426,
                "This is a WebSocket endpoint, and the request has no Connection: Upgrade and Upgrade: websocket: "
                "either the client is not a WebSocket client, or a proxy on the way took them out.",
                {"Upgrade": "websocket", "Connection": "Upgrade"},
            )
        problem = refusal(request.headers.get("Origin"), request.headers.get("Host", ""), self._config.allowed_origins)
        if problem:
            return self._refuse("origin", 403, problem, {})
        if self._store.problem:
            # Not logged: the store's problem is, once, and whoever is turned away comes back every few seconds.
            self._metrics.refused.labels("store").inc()
            return web.Response(status=503, text=f"{_AWAY}\n", headers={"Retry-After": "1"})
        # No compression: it costs memory per socket and invites BREACH-like attacks (OWASP).
        socket = web.WebSocketResponse(
            heartbeat=self._config.ping_interval,
            max_msg_size=protocol.MAX_FRAME_BYTES,
            timeout=CLOSE_TIMEOUT,
            compress=False,
        )
        try:
            await socket.prepare(request)
        except web.HTTPBadRequest as malformed:
            return self._refuse("malformed", malformed.status, malformed.text or "", {"Sec-WebSocket-Version": "13"})
        await self._serve(request, socket)
        return socket

    def _refuse(self, reason: str, status: int, text: str, headers: dict[str, str]) -> web.Response:
        self._metrics.refused.labels(reason).inc()
        _log.warning("handshake refused with %d: %s", status, text)
        return web.Response(status=status, text=f"{text}\n", headers=headers)

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        if request.transport is None:
            return
        connection = Connection(socket, request.transport)
        ended = self._connections[connection] = asyncio.get_running_loop().create_future()
        self._metrics.open_sockets.set(len(self._connections))
        try:
            code = await connection.run(lambda data: self._take(connection, data))
            # A client may choose among two thousand codes; a label must not.
            self._metrics.closed.labels(code if code in set(WSCloseCode) else "other").inc()
        finally:
            self._leave(connection)
            del self._connections[connection]
            ended.set_result(None)
            self._metrics.open_sockets.set(len(self._connections))

    async def _take(self, connection: Connection, data: str | bytes) -> None:
        try:
            if isinstance(data, bytes):
                raise ProtocolError("A frame must be text, not binary.")
            match protocol.parse(data):
                case Join() as join:
                    await self._join(connection, join)
                case Send() as send:
                    await self._send(connection, send)
                case Ping():
                    connection.offer(protocol.pong())
        except ProtocolError as problem:
            connection.offer(protocol.error(problem))

    async def _join(self, connection: Connection, join: Join) -> None:
        try:
            room = await self._store.enter(join.room, join.nick)
        except TooManyRoomsError:
            raise ProtocolError(f"There are {MAX_ROOMS} rooms already; join one that exists.") from None
        except StoreError:
            raise ProtocolError(_AWAY, retry=True) from None
        # Nothing is awaited from here on: a message between the welcome's history and the membership would be lost.
        self._leave(connection)
        connection.room, connection.nick = room, join.nick
        room.members[connection] = join.nick
        connection.offer(protocol.welcome(room, join.nick, room.since(join.after, join.epoch)))
        self.moved(room)

    def _leave(self, connection: Connection) -> None:
        if connection.room:
            del connection.room.members[connection]
            self.moved(connection.room)
            connection.room = None

    async def _send(self, connection: Connection, send: Send) -> None:
        if connection.room is None:
            raise ProtocolError("Join a room before sending.", send.key)
        try:
            await self._store.post(connection.room, connection.nick, send.text, send.key)
        except StoreError:
            raise ProtocolError(f"The message was not stored. {_AWAY}", send.key, retry=True) from None
        self._metrics.messages.inc()


def _asks_for_websocket(request: web.Request) -> bool:
    options = [option.strip().lower() for option in request.headers.get("Connection", "").split(",")]
    return "upgrade" in options and request.headers.get("Upgrade", "").strip().lower() == "websocket"
