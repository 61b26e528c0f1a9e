"""The frames of the chat: what a client may say, within which limits, and how the server's are written.

The table in app/README.md is the same thing for people.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from .rooms import History, Message, Room

MAX_TEXT = 2000
MAX_NICK = 32
MAX_ROOM = 40
MAX_KEY = 64
# Room for a text of MAX_TEXT characters outside the basic plane, each written as two \uXXXX escapes.
MAX_FRAME_BYTES = 32 * 1024

_ROOM = re.compile(rf"\w[\w.-]{{0,{MAX_ROOM - 1}}}")


class ProtocolError(Exception):
    """A frame the server does not take; the message says why.

    Attributes:
        key: Names the refused message, if it had a key.
        retry: The same frame may be taken later.
    """

    def __init__(self, reason: str, key: str | None = None, *, retry: bool = False) -> None:
        super().__init__(reason)
        self.key = key
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Join:
    """Enter a room, leaving the one before; `after` and `epoch` say what the client already has."""

    room: str
    nick: str
    after: int | None
    epoch: str | None


@dataclass(frozen=True, slots=True)
class Send:
    """Say something in the room; `key` comes back with the message."""

    text: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Ping:
    """Is the server still there? A page can neither send nor see WebSocket pings, so it asks with a frame."""


def parse(frame: str) -> Join | Send | Ping:
    """Read a client's frame.

    Raises:
        ProtocolError: when it is not one, or breaks a limit.
    """
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError):
        raise ProtocolError("A frame must be a JSON object.") from None
    match fields:
        case {"type": "join"}:
            return Join(_room(fields), _nick(fields), _after(fields), _optional(fields, "epoch"))
        case {"type": "send"}:
            return _send(fields)
        case {"type": "ping"}:
            return Ping()
    raise ProtocolError('A frame must be a JSON object with "type": "join", "send" or "ping".')


def _room(fields: dict[str, Any]) -> str:
    room = fields.get("room")
    if not isinstance(room, str) or not _ROOM.fullmatch(room):
        raise ProtocolError(
            f"A room's name has 1 to {MAX_ROOM} letters, digits, hyphens, dots or underscores and starts with a letter,"
            " digit or underscore."
        )
    return room


def _nick(fields: dict[str, Any]) -> str:
    value = fields.get("nick")
    nick = " ".join(value.split()) if isinstance(value, str) else ""
    if not 1 <= len(nick) <= MAX_NICK or not nick.isprintable():
        raise ProtocolError(f"A nickname has 1 to {MAX_NICK} printable characters.")
    return nick


def _after(fields: dict[str, Any]) -> int | None:
    after = fields.get("after")
    if after is None or (isinstance(after, int) and not isinstance(after, bool) and after >= 0):
        return after
    raise ProtocolError('"after" is the id of the last message you have: a whole number, 0 or more.')


def _send(fields: dict[str, Any]) -> Send:
    key = _optional(fields, "key")
    value = fields.get("text")
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= MAX_TEXT:
        raise ProtocolError(f"A message has 1 to {MAX_TEXT} characters.", key)
    return Send(text, key)


def _optional(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None or (isinstance(value, str) and 1 <= len(value) <= MAX_KEY):
        return value
    raise ProtocolError(f'"{name}" has 1 to {MAX_KEY} characters.')


def welcome(room: Room, nick: str, history: History) -> str:
    """To the one who joined: the room as it is, and what they missed."""
    return _frame(
        "welcome",
        room=room.name,
        you=nick,
        members=room.nicks(),
        messages=[message_fields(message) for message in history.messages],
        last=room.last,
        epoch=room.epoch,
        gap=history.gap,
    )


def message(message: Message) -> str:
    """To everyone in the room, the sender included."""
    return _frame("message", **message_fields(message))


def members(room: Room) -> str:
    """To everyone in the room, when someone came or went."""
    return _frame("members", room=room.name, members=room.nicks())


def pong() -> str:
    """The answer to Ping."""
    return _frame("pong")


def error(problem: ProtocolError) -> str:
    """To the one whose frame was refused; the socket stays open."""
    fields: dict[str, Any] = {"reason": str(problem)}
    if problem.key is not None:
        fields["key"] = problem.key
    if problem.retry:
        fields["retry"] = True
    return _frame("error", **fields)


def message_fields(message: Message) -> dict[str, Any]:
    """A message as frames and the API show it: without a key when the sender gave none."""
    return {name: value for name, value in asdict(message).items() if value is not None}


def _frame(kind: str, **fields: Any) -> str:
    # ASCII output on purpose: half a surrogate pair, legal in JSON escapes, cannot be written as UTF-8.
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))
