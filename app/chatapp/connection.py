"""One open socket, seen from the chat: frames go in without waiting, and a slow reader cannot hold up the rest."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from .rooms import Room

# Frames that may wait for one socket. A reader this far behind is dropped, and resumes after its last id.
QUEUE_LIMIT = 256
# Seconds a peer has to answer a close frame before the connection is cut.
CLOSE_TIMEOUT = 2.0


class Connection:
    """A socket with its queue of frames, and the room and nickname it has joined with.

    Attributes:
        room: Where this client is, None before it joined.
        nick: Under which name.
    """

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self.room: Room | None = None
        self.nick = ""
        self._socket = socket
        self._transport = transport
        # None, always the last, ends the writing.
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._farewell: tuple[int, str] | None = None

    def offer(self, frame: str) -> None:
        """Queue a frame; too many waiting close the socket with 1013, "try again later".

        1013 and not 1008: the client did nothing wrong and should come back, resuming after the last id it has.
        """
        if self._farewell:
            return
        if self._queue.qsize() >= QUEUE_LIMIT:
            while not self._queue.empty():
                self._queue.get_nowait()
            self.close(WSCloseCode.TRY_AGAIN_LATER, "too slow")
        else:
            self._queue.put_nowait(frame)

    def close(self, code: int, reason: str) -> None:
        """Close the socket after the frames that wait already, and cut it when the peer does not answer in time."""
        if self._farewell is None:
            self._farewell = (code, reason)
            self._queue.put_nowait(None)
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._transport.abort)

    async def run(self, take: Callable[[str | bytes], Awaitable[None]]) -> int:
        """Hand every frame that comes to `take`, one after the other, until either side closes; return the close code.

        1006 means that there was none.

        The closing handshake is done here and not in `close`: while a task is reading, aiohttp closes the connection
        behind the close frame at once, and what the peer has on its way then resets it and may destroy that frame.
        """
        reader, writer = asyncio.create_task(self._read(take)), asyncio.create_task(self._write())
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                reader.result()
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.wait((reader, writer))
            if self._farewell:
                code, reason = self._farewell
                await self._socket.close(code=code, message=reason.encode())
            # A peer that vanished leaves unsent bytes, which would keep the connection open until the kernel gives up.
            self._transport.abort()
        return self._farewell[0] if self._farewell else self._socket.close_code or WSCloseCode.ABNORMAL_CLOSURE

    async def _read(self, take: Callable[[str | bytes], Awaitable[None]]) -> None:
        async for message in self._socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await take(message.data)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while (frame := await self._queue.get()) is not None:
                await self._socket.send_str(frame)
