"""Where rooms are kept: what the chat asks of a store, and the one that keeps them in memory."""

import secrets
from dataclasses import dataclass
from typing import Protocol

from .rooms import Message, Room, now

MAX_ROOMS = 1000


class StoreError(Exception):
    """The store cannot do this now, and may later; the message says why, to whoever runs the app."""


class TooManyRoomsError(Exception):
    """There are MAX_ROOMS rooms already."""


class Audience(Protocol):
    """The people of this process, who are told by the store what happens in their rooms."""

    def said(self, room: Room, message: Message) -> None:
        """A message is kept, and comes next in its room."""

    def missed(self, room: Room, last: int, epoch: str) -> None:
        """What is kept no longer continues after message `last` of that epoch: everyone must take a new start."""

    def moved(self, room: Room) -> None:
        """Someone came or went."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A room in a list of all."""

    name: str
    members: list[str]
    last: int


class Store(Protocol):
    """Keeps rooms, people and messages. Every coroutine may raise StoreError."""

    @property
    def problem(self) -> str | None:
        """Why the store cannot be used now, in one line; None when it can."""

    @property
    def worked(self) -> bool:
        """Whether it could be used at any time since the start."""

    def open(self, audience: Audience) -> None:
        """Begin, without waiting: a store that is away must not keep the page from being served."""

    async def close(self) -> None:
        """Take this process's people out of every room, and end. Raises nothing."""

    async def enter(self, name: str, nick: str) -> Room:
        """The room of that name, made when it is new, with every message that was kept before this call.

        The caller adds the member before it awaits anything else: until it does, the store knows of `nick` by itself.

        Raises:
            TooManyRoomsError: when it would be one too many.
        """

    async def share(self, room: Room) -> None:
        """Let other replicas know who is in the room here, and learn who is there. Raises nothing."""

    async def post(self, room: Room, nick: str, text: str, key: str | None) -> None:
        """Keep a new message. It is told to the audience, the sender included, once it is kept and not before."""

    async def find(self, name: str) -> Room | None:
        """The room of that name with its history, if there is one; only to be looked at."""

    async def all(self) -> list[Summary]:
        """All rooms by name."""

    def held(self) -> int:
        """How many rooms this process holds."""


class MemoryStore:
    """One process's own rooms, gone when it ends. None is ever removed: its ids must go on increasing."""

    problem = None
    worked = True

    def __init__(self) -> None:
        self._epoch = secrets.token_hex(4)
        self._rooms: dict[str, Room] = {}

    def open(self, audience: Audience) -> None:
        """See Store."""
        self._audience = audience

    async def close(self) -> None:
        """See Store."""

    async def enter(self, name: str, nick: str) -> Room:  # noqa: ARG002
        """See Store."""
        if name not in self._rooms:
            if len(self._rooms) >= MAX_ROOMS:
                raise TooManyRoomsError
            self._rooms[name] = Room(name, self._epoch)
        return self._rooms[name]

    async def share(self, room: Room) -> None:
        """See Store: there are no others."""

    async def post(self, room: Room, nick: str, text: str, key: str | None) -> None:
        """See Store."""
        message = Message(room.last + 1, room.name, nick, text, now(), key)
        room.take(message)
        self._audience.said(room, message)

    async def find(self, name: str) -> Room | None:
        """See Store."""
        return self._rooms.get(name)

    async def all(self) -> list[Summary]:
        """See Store."""
        rooms = sorted(self._rooms.values(), key=lambda room: room.name)
        return [Summary(room.name, room.nicks(), room.last) for room in rooms]

    def held(self) -> int:
        """See Store."""
        return len(self._rooms)
