"""The team's WebSocket server: what one says, all hear."""

import asyncio
import os
import signal

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError

SERVICE_RESTART = 1012
people: set[ServerConnection] = set()


async def talk(person: ServerConnection) -> None:
    """Serve one socket until it closes."""
    people.add(person)
    try:
        async for text in person:
            broadcast(people, text)
    except ConnectionClosedError:
        pass  # without a close frame: a network that went away
    finally:
        people.discard(person)


async def main() -> None:
    """Serve until SIGTERM, then tell everybody to come back: another pod will be there."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ping = float(os.environ.get("SOCKET_PING_SECONDS", "25"))
    async with serve(talk, None, int(os.environ["SOCKET_LISTEN"]), ping_interval=ping) as server:
        await stop.wait()
        server.close(code=SERVICE_RESTART, reason="restarting")


if __name__ == "__main__":
    asyncio.run(main())
