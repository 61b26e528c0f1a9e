"""Connections to Valkey, and the few things that the chat asks of it."""

import errno
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from valkey.asyncio import BlockingConnectionPool, Connection, SSLConnection, Valkey

from . import valkey_scripts as scripts
from .address import Address
from .rooms import HISTORY, Message
from .store import MAX_ROOMS, Summary

# Seconds for one command, and the same again for a connection when there is none.
TIMEOUT = 2
# Commands under way at a time. More of them wait, at most TIMEOUT.
CONNECTIONS = 16
# Seconds after which the people of a replica that says nothing are gone.
REPLICA_TTL = 7.0
# Seconds for which a room is kept that nobody is in.
ROOM_TTL = 30 * 86400.0

_ROOMS = "chatapp:rooms"
_NEWS = "chatapp:news"
_MESSAGES = "chatapp:messages:"
_PEOPLE = "chatapp:people:"
_REPLICA = "chatapp:replica:"
# Entries of one stream in one answer.
_BATCH = 100


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a room's stream; see valkey_scripts. It is before any message when its epoch is 0."""

    epoch: int
    number: int

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read the id of an entry."""
        epoch, _, number = text.partition(b"-")
        return cls(int(epoch), int(number))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


Entries = list[tuple[Position, Message]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in: messages by room, and the rooms in which other replicas' people came or went."""

    messages: dict[str, Entries]
    moved: set[str]
    news: str


class Link:
    """One connection that follows, and a few for commands. Raises ValkeyError or OSError when one fails.

    A broken link is thrown away; the next one reads the CA file anew, which may have been replaced meanwhile.
    """

    def __init__(self, address: Address, replica: str, block: float) -> None:
        self._replica = replica
        self._block = round(block * 1000)
        self._commands = _client(address, TIMEOUT, CONNECTIONS)
        self._follower = _client(address, block + TIMEOUT, 1)
        register = self._commands.register_script
        self._append, self._read = register(scripts.APPEND), register(scripts.READ)
        self._share, self._list = register(scripts.SHARE), register(scripts.LIST)

    async def close(self) -> None:
        """Cut all connections."""
        for client in (self._commands, self._follower):
            await client.aclose()

    async def check(self) -> None:
        """See whether Valkey takes writes: one that only reads is no store."""
        await self._commands.set(f"{_REPLICA}{self._replica}", "", px=_ms(REPLICA_TTL))

    async def append(self, message: Message) -> None:
        """Add a message to its room's stream, which gives it its id."""
        fields = {"nick": message.nick, "text": message.text, "at": message.at, "key": message.key}
        # ASCII, because half a surrogate pair cannot be written as UTF-8.
        body = json.dumps(fields, separators=(",", ":"))
        await self._append([_MESSAGES + message.room, _ROOMS], [message.room, _ms(ROOM_TTL), HISTORY, body])

    async def read(self, room: str, *, create: bool) -> tuple[Position, Entries] | None:
        """Return the position of a room's last message and what is kept.

        None: there is no such room, and with `create`, there are too many already.
        """
        limit = MAX_ROOMS if create else 0
        answer: Any = await self._read([_MESSAGES + room, _ROOMS], [room, _ms(ROOM_TTL), limit])
        return answer and (Position.parse(answer[0]), _entries(room, answer[1]))

    async def share(
        self, room: str, nicks: Iterable[str], known: Position, *, forget: bool, tell: bool
    ) -> tuple[Position, frozenset[str]]:
        """Write down who is in a room by way of this replica.

        Args:
            room: Its name.
            nicks: Who is there.
            known: The last position that this replica has seen.
            forget: Drop replicas that have said nothing for REPLICA_TTL.
            tell: Wake every follower, also if nothing has changed.

        Returns:
            The position of the last message, and who is there by way of others.
        """
        keys = [_MESSAGES + room, _ROOMS, _PEOPLE + room, _NEWS]
        here = json.dumps(sorted(set(nicks)))
        flags = [int(forget), int(tell)]
        answer: Any = await self._share(
            keys, [room, _ms(ROOM_TTL), self._replica, here, _ms(REPLICA_TTL), *flags, str(known)]
        )
        return Position.parse(answer[0]), _nicks(answer[1:])

    async def list(self) -> list[Summary]:
        """Every room, by name."""
        answer: Any = await self._list([_ROOMS], [_ms(ROOM_TTL), _MESSAGES, _PEOPLE])
        rooms = [Summary(row[0].decode(), sorted(_nicks(row[2:])), Position.parse(row[1]).number) for row in answer]
        return sorted(rooms, key=lambda room: room.name)

    async def follow(self, rooms: dict[str, Position], news: str) -> Heard:
        """Wait for what comes after these positions, and after this entry of the news."""
        streams: dict[Any, Any] = {_NEWS: news}
        streams.update({_MESSAGES + name: str(position) for name, position in rooms.items()})
        answer: Any = await self._follower.xread(streams, count=_BATCH, block=self._block)
        messages: dict[str, Entries] = {}
        moved: set[str] = set()
        for stream, entries in answer:
            name = stream.decode()
            if name == _NEWS:
                news = entries[-1][0].decode()
                mine = self._replica.encode()
                moved = {fields[b"room"].decode() for _, fields in entries if fields[b"replica"] != mine}
            else:
                room = name.removeprefix(_MESSAGES)
                messages[room] = _entries(room, [(i, [b"m", fields[b"m"]]) for i, fields in entries])
        return Heard(messages, moved, news)


class _TLS(SSLConnection):
    """With a context of ours: the library's would trust the system's CAs beside VALKEY_CA_FILE."""

    def __init__(self, context: ssl.SSLContext, **arguments: Any) -> None:
        super().__init__(ssl_check_hostname=True, **arguments)
        self.ssl_context.context = context


def _client(address: Address, timeout: float, connections: int) -> Valkey:
    tls: dict[str, Any] = {"connection_class": Connection}
    if address.tls:
        tls = {"connection_class": _TLS, "context": _trust(address.ca_file)}
    pool = BlockingConnectionPool(
        **tls,
        host=address.host,
        port=address.port,
        db=address.db,
        username=address.user or None,
        password=address.password or None,
        socket_timeout=timeout,
        socket_connect_timeout=TIMEOUT,
        max_connections=connections,
        timeout=TIMEOUT,
        client_name="chatapp",
    )
    return Valkey.from_pool(pool)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    ca_file.read_bytes()  # the ssl module's errors do not name the file
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise OSError(errno.EINVAL, "it holds no certificate in PEM", str(ca_file)) from None


def _entries(room: str, raw: Iterable[tuple[bytes, list[bytes]]]) -> Entries:
    found = []
    for place, fields in raw:
        position, body = Position.parse(place), json.loads(fields[1])
        message = Message(position.number, room, body["nick"], body["text"], body["at"], body["key"])
        found.append((position, message))
    return found


def _nicks(lists: Iterable[bytes]) -> frozenset[str]:
    return frozenset(nick for nicks in lists for nick in json.loads(nicks))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
