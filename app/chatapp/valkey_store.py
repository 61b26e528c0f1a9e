"""The store that replicas share: rooms, people and messages in Valkey.

Each replica holds the rooms that its own people are in, as copies that it keeps up to date by following their streams.
Everyone hears a message by that one way, its sender too, so that all see the same order; a copy is at any time exactly
what its followers have heard, so that a newcomer's history and what follows it fit together.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from valkey.exceptions import ResponseError, ValkeyError

from .address import Address
from .rooms import Message, Room, now
from .store import Audience, StoreError, Summary, TooManyRoomsError
from .valkey_link import REPLICA_TTL, TIMEOUT, Entries, Link, Position
from .valkey_reasons import foreseen, reason

# Seconds between two signs of life, in which every room is looked at too.
HEARTBEAT = 2.0
# Seconds that the follower waits for messages before it looks up; what comes before that wakes it.
BLOCK = 5.0
# Seconds between two attempts to reach a store that is away.
RETRY = 0.5
# Seconds for goodbye, and a quarter of that again to cut the connections: others find out by themselves.
GOODBYE = 2.0
# Seconds for which a list of all rooms is good: pages ask for it all the time.
LIST_AGE = 1.0
# Rooms that are looked at together, so that people's commands find connections free.
_TOGETHER = 4

_log = logging.getLogger("chatapp.store")


@dataclass(slots=True, eq=False)
class Copy:
    """A room of the store as this process holds it.

    Attributes:
        room: What the chat sees of it. Its epoch is "" until it was read.
        arriving: Who is on the way in, and known to the store already.
        lock: Held while the room's people are written down, so that an older list never overtakes a newer one.
    """

    room: Room
    arriving: list[str] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def position(self) -> Position:
        """The last message here."""
        return Position(int(self.room.epoch or 0), self.room.last)

    @property
    def idle(self) -> bool:
        """Whether nobody needs it."""
        return not self.room.members and not self.arriving


class ValkeyStore:
    """See Store. It reaches for Valkey by itself, again and again, and works whenever Valkey does."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._replica = secrets.token_hex(8)
        self._problem: str | None = f"valkey at {address}: not reached yet"
        self._worked = False
        self._link: Link | None = None
        self._since = 0.0
        self._copies: dict[str, Copy] = {}
        self._heard = asyncio.Condition()
        self._rooms: tuple[float, list[Summary]] = (0.0, [])
        self._complaint = ""

    @property
    def problem(self) -> str | None:
        """See Store."""
        return self._problem

    @property
    def worked(self) -> bool:
        """See Store."""
        return self._worked

    def open(self, audience: Audience) -> None:
        """See Store."""
        self._audience = audience
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """See Store."""
        with contextlib.suppress(StoreError, TimeoutError), self._at_hand() as link:
            async with asyncio.timeout(GOODBYE):
                await self._look_at_all(link)
        self._task.cancel()
        await asyncio.wait((self._task,), timeout=GOODBYE / 4)

    async def enter(self, name: str, nick: str) -> Room:
        """See Store."""
        copy = self._copies.setdefault(name, Copy(Room(name, "")))
        copy.arriving.append(nick)
        try:
            with self._at_hand() as link:
                await self._reach(copy, await self._look_at(link, copy))
        except BaseException:
            # Others may have been told of someone who is not here.
            self._audience.moved(copy.room)
            raise
        finally:
            copy.arriving.remove(nick)
        return copy.room

    async def share(self, room: Room) -> None:
        """See Store."""
        copy = self._copies.get(room.name)
        if copy is None or copy.room is not room:
            return
        with contextlib.suppress(StoreError), self._at_hand() as link:
            if room.epoch:
                await self._look_at(link, copy)
        if copy.idle and self._copies.get(room.name) is copy:
            del self._copies[room.name]

    async def post(self, room: Room, nick: str, text: str, key: str | None) -> None:
        """See Store. When it fails on the way, the message may have been stored all the same; it then appears."""
        with self._at_hand() as link:
            await link.append(Message(0, room.name, nick, text, now(), key))

    async def find(self, name: str) -> Room | None:
        """See Store."""
        with self._at_hand() as link:
            found = await link.read(name, create=False)
        return found and _room(name, *found)

    async def all(self) -> list[Summary]:
        """See Store. The list may be LIST_AGE seconds old."""
        time = asyncio.get_running_loop().time()
        good_until, rooms = self._rooms
        if time > good_until:
            with self._at_hand() as link:
                rooms = await link.list()
            self._rooms = (time + LIST_AGE, rooms)
        return rooms

    def held(self) -> int:
        """See Store."""
        return len(self._copies)

    # --- reaching Valkey ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _at_hand(self) -> Iterator[Link]:
        if self._link is None:
            raise StoreError(self._problem)
        try:
            yield self._link
        except (ValkeyError, OSError) as problem:
            why = reason(problem, self._address, worked=True)
            if isinstance(problem, ResponseError):
                # A lost connection is the follower's to report, who notices in the same moment.
                self._complain(why)
            raise StoreError(why) from problem

    async def _run(self) -> None:
        while True:
            link = None
            try:
                link = Link(self._address, self._replica, BLOCK)
                await self._use(link)
            except Exception as problem:
                self._problem = reason(problem, self._address, worked=self._problem is None)
                self._complain(self._problem, None if foreseen(problem) else problem)
            finally:
                self._link = None
                if link:
                    with contextlib.suppress(ValkeyError, OSError):
                        await link.close()
            await asyncio.sleep(RETRY)

    async def _use(self, link: Link) -> None:
        # People of other replicas get time to come back too, before they are taken for gone.
        self._since = asyncio.get_running_loop().time()
        await self._look_at_all(link)
        self._link, self._problem, self._worked, self._complaint = link, None, True, ""
        _log.info("valkey at %s: connected", self._address)
        # Not a TaskGroup: when both end in one moment, as when Valkey is killed, that of Python 3.11.2 leaves a
        # cancellation behind, which ends this task too.
        tasks = [asyncio.create_task(work) for work in (self._follow(link), self._beat(link))]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()

    def _complain(self, complaint: str, unforeseen: Exception | None = None) -> None:
        """Log what is wrong, once until it is something else or over."""
        if complaint != self._complaint:
            self._complaint = complaint
            _log.warning("%s", complaint, exc_info=unforeseen)

    # --- following ---------------------------------------------------------------------------------------------------

    async def _follow(self, link: Link) -> None:
        # From the beginning of the news, because their ids too are those of another epoch if the store was emptied.
        news = "0"
        while True:
            places = {name: copy.position for name, copy in self._copies.items() if copy.room.epoch}
            heard = await link.follow(places, news)
            news = heard.news
            for name, entries in heard.messages.items():
                if name in self._copies:
                    self._hear(self._copies[name], entries)
            for name in heard.moved & self._copies.keys():
                self._audience.moved(self._copies[name].room)
            async with self._heard:
                self._heard.notify_all()

    def _hear(self, copy: Copy, entries: Entries, end: Position | None = None) -> None:
        """Take what is new of these entries, and then stand at `end`."""
        room = copy.room
        last, epoch = room.last, room.epoch
        fresh: list[Message] = []
        broken = False
        for position, message in entries:
            if position <= copy.position:
                continue
            if str(position.epoch) != room.epoch:
                room.restart(str(position.epoch), message.id - 1)
                broken = True
            broken |= message.id != room.last + 1
            room.take(message)
            fresh.append(message)
        if end and end.epoch > copy.position.epoch:
            room.restart(str(end.epoch), end.number)
            broken = True
        if broken:
            self._audience.missed(room, last, epoch)
        else:
            for message in fresh:
                self._audience.said(room, message)

    async def _reach(self, copy: Copy, position: Position) -> None:
        """Wait until the copy is at least there."""
        try:
            async with asyncio.timeout(TIMEOUT), self._heard:
                await self._heard.wait_for(lambda: copy.position >= position)
        except TimeoutError:
            raise StoreError(f"valkey at {self._address}: its messages are late") from None

    # --- people ------------------------------------------------------------------------------------------------------

    async def _beat(self, link: Link) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            await self._look_at_all(link)

    async def _look_at_all(self, link: Link) -> None:
        await link.check()
        before = [(copy, copy.room.elsewhere) for copy in self._copies.values() if copy.room.epoch]
        for start in range(0, len(before), _TOGETHER):
            await asyncio.gather(*(self._look_at(link, copy) for copy, _ in before[start : start + _TOGETHER]))
        for copy, elsewhere in before:
            if copy.room.elsewhere != elsewhere:
                self._audience.moved(copy.room)

    async def _look_at(self, link: Link, copy: Copy) -> Position:
        """Exchange who is in a room, and read it if it is new, here or in the store."""
        room = copy.room
        async with copy.lock:
            new = not room.epoch
            if new:
                await self._read(link, copy)
            nicks = {*room.members.values(), *copy.arriving}
            forget = asyncio.get_running_loop().time() > self._since + REPLICA_TTL
            # The follower waits for other rooms only; the news wake it, and then it looks at this one too.
            position, elsewhere = await link.share(room.name, nicks, copy.position, forget=forget, tell=new)
            if position.epoch != copy.position.epoch:
                await self._read(link, copy)
        room.elsewhere = elsewhere
        return position

    async def _read(self, link: Link, copy: Copy) -> None:
        found = await link.read(copy.room.name, create=True)
        if found is None:
            raise TooManyRoomsError
        end, entries = found
        self._hear(copy, entries, end)


def _room(name: str, end: Position, entries: Entries) -> Room:
    room = Room(name, str(end.epoch), entries[0][0].number - 1 if entries else end.number)
    for _, message in entries:
        room.take(message)
    return room
