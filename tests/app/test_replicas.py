"""Several replicas and one Valkey: whoever people are connected to, they are in one chat."""

import json
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from .conftest import Start
from .people import Person, connected
from .server import PATIENCE, ChatServer, until
from .valkey_server import Store

Replicas = Callable[[int], list[ChatServer]]


def hear_until(person: Person, last: int) -> list[dict[str, Any]]:
    """Every message up to the one with that id, as they come."""
    heard = [person.hear("message")]
    while heard[-1]["id"] < last:
        heard.append(person.hear("message"))
    return heard


def see(person: Person, members: list[str]) -> None:
    """Wait until the person is told that these are here."""
    while person.hear("members")["members"] != members:
        pass


def test_people_of_different_replicas_talk(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        assert ada.join("lobby", "Ada")["members"] == ["Ada"]
        assert bob.join("lobby", "Bob")["members"] == ["Ada", "Bob"]
        said = ada.say("hello", key="k-1")
        assert said == bob.hear("message")
        assert (said["id"], said["nick"], said["text"], said["key"]) == (1, "Ada", "hello", "k-1")
        assert bob.say("\ud834 half a pair")["id"] == 2
        assert ada.hear("message")["text"] == "\ud834 half a pair"


def test_ids_count_up_by_one_whoever_speaks_at_the_same_time(replicas: Replicas) -> None:
    servers, each = replicas(3), 60
    with ExitStack() as stack:
        people = [stack.enter_context(connected(server)) for server in servers * 2]
        for number, person in enumerate(people):
            person.join("crowd", f"person {number}")

        def speak(number: int) -> None:
            for text in range(each):
                people[number].tell("send", text=f"{number} {text}")

        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(speak, range(len(people))))
        everything = [hear_until(person, each * len(people)) for person in people]
    first = everything[0]
    assert [message["id"] for message in first] == list(range(1, each * len(people) + 1))
    assert all(heard == first for heard in everything)
    for number in range(len(people)):
        own = [message["text"] for message in first if message["nick"] == f"person {number}"]
        assert own == [f"{number} {text}" for text in range(each)]


def test_a_newcomers_history_and_what_follows_fit_together_while_others_speak(replicas: Replicas) -> None:
    servers, total = replicas(2), 400
    with ExitStack() as stack:
        speakers = [stack.enter_context(connected(server)) for server in servers]
        for speaker in speakers:
            speaker.join("busy", "speaker")

        def speak(speaker: Person) -> None:
            for number in range(total // 2):
                speaker.say(str(number))

        def arrive(server: ChatServer) -> list[int]:
            with connected(server) as newcomer:
                history = newcomer.join("busy", "newcomer")["messages"]
                return [message["id"] for message in [*history, *hear_until(newcomer, total)]]

        with ThreadPoolExecutor(14) as pool:
            speaking = [pool.submit(speak, speaker) for speaker in speakers]
            seen = []
            for number in range(12):
                speakers_busy = not all(task.done() for task in speaking)
                if speakers_busy:
                    seen.append(pool.submit(arrive, servers[number % 2]))
                    time.sleep(0.02)
            assert len(seen) > 2
            assert all(task.result() == list(range(1, total + 1)) for task in seen)


def test_the_last_to_leave_takes_the_room_out_of_memory_and_history_is_there_again(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada:
        ada.join("lobby", "Ada")
        ada.say("hello")
    until(lambda: here.metric("chatapp_rooms") == 0, "the replica holds the room no more")
    for server in (here, there):
        with connected(server) as bob:
            assert [message["text"] for message in bob.join("lobby", "Bob")["messages"]] == ["hello"]


def test_history_is_bounded_and_a_gap_is_said(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        ada.join("lobby", "Ada")
        for number in range(510):
            ada.tell("send", text=str(number))
        hear_until(ada, 510)
        newcomer = bob.join("lobby", "Bob")
        assert ([message["id"] for message in newcomer["messages"]], newcomer["gap"]) == (list(range(11, 511)), False)
        assert bob.join("lobby", "Bob", after=10)["gap"] is False
        assert bob.join("lobby", "Bob", after=9)["gap"] is True


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_who_loses_their_replica_goes_on_at_another_with_what_they_missed(
    replicas: Replicas, end: signal.Signals
) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        epoch = ada.join("lobby", "Ada")["epoch"]
        bob.join("lobby", "Bob")
        ada.say("one")
        here.stop(end)
        bob.hear("message")
        bob.say("two")
        with connected(there) as again:
            welcome = again.join("lobby", "Ada", after=1, epoch=epoch)
            assert [message["text"] for message in welcome["messages"]] == ["two"]
            assert (welcome["gap"], welcome["epoch"], welcome["last"]) == (False, epoch, 2)


def test_history_ids_and_epoch_outlive_every_replica_and_the_store(
    replicas: Replicas, start_server: Start, store: Store
) -> None:
    (server,) = replicas(1)
    with connected(server) as ada:
        epoch = ada.join("lobby", "Ada")["epoch"]
        for text in ("one", "two", "three"):
            ada.say(text)
        server.stop(signal.SIGKILL)
        store.stop(signal.SIGKILL)
    store.start()
    fresh = start_server(VALKEY_URL=store.url())
    until(lambda: not fresh.unready(), "the new replica is ready")
    with connected(fresh) as ada:
        welcome = ada.join("lobby", "Ada", after=1, epoch=epoch)
        assert [message["id"] for message in welcome["messages"]] == [2, 3]
        assert (welcome["gap"], welcome["epoch"]) == (False, epoch)
        assert ada.say("four")["id"] == 4


def test_members_come_and_go_on_every_replica(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada:
        ada.join("lobby", "Ada")
        with connected(there) as bob, connected(there) as again:
            bob.join("lobby", "Bob")
            see(ada, ["Ada", "Bob"])
            assert again.join("lobby", "Ada")["members"] == ["Ada", "Bob"]
            bob.join("elsewhere", "Bob")
            see(ada, ["Ada"])
            bob.join("lobby", "Robert")
            see(ada, ["Ada", "Robert"])
        see(ada, ["Ada"])


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_people_of_a_replica_that_ends_are_gone_after_a_short_while(
    replicas: Replicas, end: signal.Signals
) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        bob.join("lobby", "Bob")
        ada.join("lobby", "Ada")
        see(ada, ["Ada", "Bob"])
        there.stop(end)
        see(ada, ["Ada"])
        until(lambda: members(here, "lobby") == ["Ada"], "the API says the same")


def members(server: ChatServer, name: str) -> list[str]:
    rooms = server.get(server.api, "/api/rooms").json()["rooms"]
    return next((room["members"] for room in rooms if room["name"] == name), [])


def test_the_api_of_every_replica_knows_every_room(replicas: Replicas) -> None:
    here, there = replicas(2)
    with connected(here) as ada:
        ada.join("b", "Ada")
        sent = [ada.say(text) for text in ("one", "two", "three")]
        ada.join("a", "Ada")
        expected = [{"name": "a", "members": ["Ada"], "last": 0}, {"name": "b", "members": [], "last": 3}]
        until(lambda: there.get(there.api, "/api/rooms").json()["rooms"] == expected, "both rooms are listed")
        for message in sent:
            del message["type"]
        answer = there.get(there.api, "/api/rooms/b/messages?after=1").json()
        assert (answer["messages"], answer["last"], answer["gap"]) == (sent[1:], 3, False)
        assert there.get(there.api, "/api/rooms/nobody-was-here/messages").status_code == 404


def test_rooms_are_limited_for_all_replicas_together_and_old_ones_make_place(replicas: Replicas, store: Store) -> None:
    (server,) = replicas(1)
    with store.client() as client, connected(server) as ada:
        client.zadd("chatapp:rooms", {f"room-{number}": time.time() * 1000 for number in range(1000)})
        ada.tell("join", room="lobby", nick="Ada")
        assert "1000 rooms" in ada.hear("error")["reason"]
        client.zadd("chatapp:rooms", {"room-7": (time.time() - 31 * 86400) * 1000})
        assert ada.join("lobby", "Ada")["members"] == ["Ada"]


def test_a_store_that_was_emptied_begins_a_new_epoch_and_everyone_is_told(replicas: Replicas, store: Store) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        epoch = ada.join("lobby", "Ada")["epoch"]
        bob.join("lobby", "Bob")
        ada.say("one")
        bob.hear("message")
        with store.client() as client:
            client.flushall()
        ada.tell("send", text="two")
        for person in (ada, bob):
            welcome = person.hear("welcome")
            # A heartbeat may have noticed before anyone spoke.
            heard = welcome["messages"] or [person.hear("message")]
            assert [(message["id"], message["text"]) for message in heard] == [(1, "two")]
            assert welcome["gap"] is True
            assert welcome["epoch"] > epoch
        assert bob.join("lobby", "Bob", after=1, epoch=epoch)["gap"] is True


def test_a_store_that_went_back_in_time_gives_out_no_id_twice_in_an_epoch(
    replicas: Replicas, store: Store, tmp_path: Path
) -> None:
    (server,) = replicas(1)
    with connected(server) as ada:
        epoch = ada.join("lobby", "Ada")["epoch"]
        ada.say("one")
        shutil.copytree(store.folder, tmp_path / "backup")
        ada.say("two")
        store.stop()
        shutil.rmtree(store.folder)
        shutil.copytree(tmp_path / "backup", store.folder)
        store.start()
        welcome = ada.hear("welcome")
        assert ([message["text"] for message in welcome["messages"]], welcome["gap"]) == (["one"], True)
        assert welcome["epoch"] > epoch
        assert ada.say("another two")["id"] == 2


def test_nothing_acknowledged_is_lost_or_doubled_when_the_store_is_killed_under_load(
    replicas: Replicas, store: Store
) -> None:
    here, there = replicas(2)
    stopped = Event()

    def speak(person: Person, nick: str) -> dict[str, str]:
        """Say one thing after the other until told to stop; what became of each, by its key."""
        fate: dict[str, str] = {}
        while not stopped.is_set():
            key = f"{nick}-{len(fate)}"
            person.tell("send", text=key, key=key)
            frame: dict[str, Any] = {}
            while frame.get("type") not in ("message", "error") or frame["key"] != key:
                frame = json.loads(person.socket.recv(PATIENCE))
            fate[key] = frame["type"]
            time.sleep(0.05)
        return fate

    with ExitStack() as stack:
        people = {f"{place.ws}-{n}": stack.enter_context(connected(place)) for place in (here, there) for n in "ab"}
        for nick, person in people.items():
            person.join("lobby", nick)
        listener = stack.enter_context(connected(there))
        listener.join("lobby", "listener")
        with ThreadPoolExecutor(len(people)) as pool:
            speaking = [pool.submit(speak, person, nick) for nick, person in people.items()]
            for _ in range(2):
                hear_until(listener, listener.hear("message")["id"] + 40)
                store.stop(signal.SIGKILL)
                until(lambda: here.unready() != "" and there.unready() != "", "both replicas notice")
                store.start()
                until(lambda: not here.unready() and not there.unready(), "both replicas are ready again")
            hear_until(listener, listener.hear("message")["id"] + 40)
            stopped.set()
            fates = {key: fate for task in speaking for key, fate in task.result().items()}
        last = stack.enter_context(connected(here)).join("lobby", "last")
        texts = [message["text"] for message in last["messages"]]
        assert [message["id"] for message in last["messages"]] == list(range(1, last["last"] + 1))
        assert len(set(texts)) == len(texts)
        assert {key for key, fate in fates.items() if fate == "message"} <= set(texts) <= set(fates)
        assert "error" in fates.values()


def test_who_was_cut_off_from_the_store_hears_all_of_it_later_and_nothing_twice(
    replicas: Replicas, start_server: Start, store: Store
) -> None:
    """One replica reaches Valkey through a front that goes away for a while; the other is never cut off."""
    (here,) = replicas(1)
    with store.front() as front:
        there = start_server(VALKEY_URL=store.url(port=front.port))
        until(lambda: not there.unready(), "the replica behind the front is ready")
        with connected(here) as ada, connected(there) as bob:
            ada.join("lobby", "Ada")
            bob.join("lobby", "Bob")
            ada.say("one")
            front.cut()
            until(lambda: there.unready() != "", "the replica notices")
            assert not here.unready()
            for text in ("two", "three"):
                ada.say(text)
            front.mend()
            assert [message["text"] for message in hear_until(bob, 3)] == ["one", "two", "three"]
            assert bob.say("four")["id"] == 4
            assert ada.hear("message")["id"] == 4


def test_more_than_is_kept_while_cut_off_is_said_to_be_missing(
    replicas: Replicas, start_server: Start, store: Store
) -> None:
    (here,) = replicas(1)
    with store.front() as front:
        there = start_server(VALKEY_URL=store.url(port=front.port))
        until(lambda: not there.unready(), "the replica behind the front is ready")
        with connected(here) as ada, connected(there) as bob:
            ada.join("lobby", "Ada")
            bob.join("lobby", "Bob")
            ada.say("one")
            bob.hear("message")
            front.cut()
            until(lambda: there.unready() != "", "the replica notices")
            for number in range(2, 603):
                ada.tell("send", text=str(number))
            hear_until(ada, 602)
            front.mend()
            welcome = bob.hear("welcome")
            assert (welcome["gap"], welcome["messages"][0]["id"]) == (True, 103)
            ids = [message["id"] for message in [*welcome["messages"], *hear_until(bob, 602)]]
            assert all(second == first + 1 for first, second in pairwise(ids))
