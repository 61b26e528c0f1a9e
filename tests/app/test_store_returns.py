"""The store loses its connections, its memory or its life: what was acknowledged comes back, and losses are said."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from .conftest import Replicas, Start
from .people import Person, connected
from .server import PATIENCE, until
from .valkey_server import Front, Store

HEARTBEAT = 2.1
"""Seconds after which a replica has asked its store something."""


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


def test_a_store_that_dies_while_it_is_asked_is_found_again(replicas: Replicas, store: Store) -> None:
    """All connections end in one moment then, those that wait for an answer and the one that follows."""
    (server,) = replicas(1)
    with connected(server) as ada:
        ada.join("lobby", "Ada")
        for number in (1, 2, 3):
            with store.frozen(), ThreadPoolExecutor(1) as pool:
                # Its answer is still awaited when the store dies.
                question = pool.submit(server.get, server.api, "/api/rooms")
                time.sleep(HEARTBEAT)
                store.stop()
                question.result()
            store.start()
            until(lambda: server.unready() == "", "the server is ready again")
            assert ada.say("and on")["id"] == number


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
                listener.hear_until(listener.hear("message")["id"] + 40)
                store.stop(signal.SIGKILL)
                until(lambda: here.unready() != "" and there.unready() != "", "both replicas notice")
                store.start()
                until(lambda: not here.unready() and not there.unready(), "both replicas are ready again")
            listener.hear_until(listener.hear("message")["id"] + 40)
            stopped.set()
            fates = {key: fate for task in speaking for key, fate in task.result().items()}
        last = stack.enter_context(connected(here)).join("lobby", "last")
        texts = [message["text"] for message in last["messages"]]
        assert [message["id"] for message in last["messages"]] == list(range(1, last["last"] + 1))
        assert len(set(texts)) == len(texts)
        assert {key for key, fate in fates.items() if fate == "message"} <= set(texts) <= set(fates)
        assert "error" in fates.values()


@dataclass(frozen=True)
class CutOff:
    """Two people of one room on two replicas, of which Bob's has just lost its way to Valkey.

    Attributes:
        ada: Her replica was never cut off. Both have heard her say "one".
        bob: He hears the rest when the front, which his replica reaches Valkey through, is mended.
    """

    ada: Person
    bob: Person
    front: Front


@pytest.fixture
def cut_off(replicas: Replicas, start_server: Start, store: Store) -> Iterator[CutOff]:
    (here,) = replicas(1)
    with store.front() as front:
        there = start_server(VALKEY_URL=store.url(port=front.port))
        until(lambda: not there.unready(), "the replica behind the front is ready")
        with connected(here) as ada, connected(there) as bob:
            ada.join("lobby", "Ada")
            bob.join("lobby", "Bob")
            ada.say("one")
            assert bob.hear("message")["text"] == "one"
            front.cut()
            until(lambda: there.unready() != "", "the replica notices")
            assert not here.unready()
            yield CutOff(ada, bob, front)


def test_who_was_cut_off_from_the_store_hears_all_of_it_later_and_nothing_twice(cut_off: CutOff) -> None:
    for text in ("two", "three"):
        cut_off.ada.say(text)
    cut_off.front.mend()
    assert [message["text"] for message in cut_off.bob.hear_until(3)] == ["two", "three"]
    assert cut_off.bob.say("four")["id"] == 4
    assert cut_off.ada.hear("message")["id"] == 4


def test_more_than_is_kept_while_cut_off_is_said_to_be_missing(cut_off: CutOff) -> None:
    for number in range(2, 603):
        cut_off.ada.tell("send", text=str(number))
    cut_off.ada.hear_until(602)
    cut_off.front.mend()
    welcome = cut_off.bob.hear("welcome")
    assert (welcome["gap"], welcome["messages"][0]["id"]) == (True, 103)
    ids = [message["id"] for message in [*welcome["messages"], *cut_off.bob.hear_until(602)]]
    assert all(second == first + 1 for first, second in pairwise(ids))
