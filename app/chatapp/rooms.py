"""Rooms, their members and their latest messages: all in memory, gone when the process ends."""

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

HISTORY = 500
MAX_ROOMS = 1000


class TooManyRoomsError(Exception):
    """There are MAX_ROOMS rooms already; none is ever removed, because its ids must go on increasing."""


class Listener(Protocol):
    """Someone in a room who is told what happens there."""

    def offer(self, frame: str) -> None:
        """Take one frame without ever waiting."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `id` counts up by one per room from 1, `key` is the sender's own id for it, `at` is UTC."""

    id: int
    room: str
    nick: str
    text: str
    at: str
    key: str | None


@dataclass(frozen=True, slots=True)
class History:
    """What a client has missed; `gap` says that older messages than these were lost to it."""

    messages: list[Message]
    gap: bool


@dataclass(slots=True, eq=False)
class Room:
    """A room's members and the last HISTORY messages.

    Attributes:
        name: As everyone writes it.
        epoch: Names this run of ids. After a restart ids begin at 1 again, and a client that comes back with "I have
            57" must not be taken at its word: its epoch differs.
        last: Id of the newest message, 0 when there is none.
        members: Nickname per listener; two listeners may share one.
    """

    name: str
    epoch: str
    last: int = 0
    members: dict[Listener, str] = field(default_factory=dict)
    _messages: deque[Message] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def post(self, nick: str, text: str, key: str | None) -> Message:
        """Keep a new message and return it with its id."""
        self.last += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = Message(self.last, self.name, nick, text, at, key)
        self._messages.append(message)
        return message

    def since(self, after: int | None, epoch: str | None) -> History:
        """What came after message `after`.

        Args:
            after: Id of the last message the client has; None for a newcomer, who misses nothing.
            epoch: The epoch that id belongs to, if the client says so.
        """
        kept = list(self._messages)
        if after is None:
            return History(kept, gap=False)
        if after > self.last or epoch not in (None, self.epoch):
            return History(kept, gap=True)
        oldest = self.last - len(kept) + 1
        return History([message for message in kept if message.id > after], gap=after + 1 < oldest)

    def nicks(self) -> list[str]:
        """Who is here, each name once, in alphabetical order."""
        return sorted(set(self.members.values()), key=lambda nick: (nick.casefold(), nick))

    def tell(self, frame: str) -> None:
        """Offer a frame to every member."""
        for listener in list(self.members):
            listener.offer(frame)


class Rooms:
    """Every room that anyone has joined."""

    def __init__(self) -> None:
        self._epoch = secrets.token_hex(4)
        self._rooms: dict[str, Room] = {}

    def open(self, name: str) -> Room:
        """The room of that name, made when it is new.

        Raises:
            TooManyRoomsError: when it would be one too many.
        """
        if name not in self._rooms:
            if len(self._rooms) >= MAX_ROOMS:
                raise TooManyRoomsError
            self._rooms[name] = Room(name, self._epoch)
        return self._rooms[name]

    def find(self, name: str) -> Room | None:
        """The room of that name, if there is one."""
        return self._rooms.get(name)

    def all(self) -> list[Room]:
        """All rooms by name."""
        return sorted(self._rooms.values(), key=lambda room: room.name)
