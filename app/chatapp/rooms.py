"""A room as one process holds it: who is in it, and its latest messages."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

HISTORY = 500


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
        epoch: Names this run of ids. Where ids begin at 1 again, after a restart without a store, a client that comes
            back with "I have 57" must not be taken at its word: its epoch differs.
        last: Id of the newest message, 0 when there is none.
        members: Nickname per listener; two listeners may share one.
        elsewhere: Nicknames of those who are in the room by way of other replicas.
    """

    name: str
    epoch: str
    last: int = 0
    members: dict[Listener, str] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    _messages: deque[Message] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def take(self, message: Message) -> None:
        """Keep a message; the history begins with it when it does not follow the last one."""
        if message.id != self.last + 1:
            self._messages.clear()
        self.last = message.id
        self._messages.append(message)

    def restart(self, epoch: str, last: int = 0) -> None:
        """Begin a new run of ids after `last`, with nothing kept."""
        self.epoch, self.last = epoch, last
        self._messages.clear()

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
        oldest = kept[0].id if kept else self.last + 1
        return History([message for message in kept if message.id > after], gap=after + 1 < oldest)

    def nicks(self) -> list[str]:
        """Who is here, each name once, in alphabetical order."""
        return sorted({*self.members.values(), *self.elsewhere}, key=lambda nick: (nick.casefold(), nick))

    def tell(self, frame: str) -> None:
        """Offer a frame to every member of this process."""
        for listener in list(self.members):
            listener.offer(frame)


def now() -> str:
    """The time of a message, UTC to the millisecond, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
