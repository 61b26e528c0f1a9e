"""The store is away, or will not have us: the process lives, says why, loses nothing, and recovers by itself."""

import errno
import os
import re
import shutil
import ssl
from contextlib import nullcontext
from pathlib import Path

import pytest

from chatctl.certificates import self_signed
from chatctl.paths import repository

from .conftest import Replicas, Start
from .people import connected
from .server import PATIENCE, ChatServer, spawn, until
from .valkey_server import Store


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Folders with a certificate and its key each: for localhost, and for another name."""
    for folder, host in (("localhost", "localhost"), ("elsewhere", "elsewhere.test")):
        (tmp_path / folder).mkdir()
        certificate, key = self_signed([host])
        (tmp_path / folder / "tls.crt").write_text(certificate)
        (tmp_path / folder / "tls.key").write_text(key)
    return tmp_path


def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def output(server: ChatServer) -> str:
    """All that the server has logged; it ends for that."""
    server.process.kill()
    return server.process.communicate()[1]


def complaints(log: str) -> list[str]:
    """What was logged about the store, without the time."""
    return re.findall("(?:WARNING|INFO|ERROR) chatapp.store: (.*)", log)


def lives_without_its_store(server: ChatServer, *, worked: bool = False) -> None:
    """What the page and the orchestrator see meanwhile; one that `worked` before stays ready."""
    ports = (server.web, server.api, server.ws)
    assert [server.get(port, "/healthz").status_code for port in ports] == [200] * 3
    ready = 200 if worked else 503
    assert [server.get(port, "/healthz?ready=1").status_code for port in ports] == [ready] * 3
    assert server.get(server.web, "/").status_code == 200
    assert server.get(server.api, "/api/info").status_code == 200
    refused = server.get(server.api, "/api/rooms")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "store" in refused.json()["error"]
    handshake = server.handshake()
    assert (handshake.status, handshake.headers["retry-after"]) == (503, "1")
    assert server.metric("chatapp_ready") == 0
    assert server.metric('chatapp_handshakes_refused_total{reason="store"}') == 1


def notices(server: ChatServer) -> None:
    until(lambda: server.unready() != "", "the server notices")


def until_ready(server: ChatServer) -> None:
    until(lambda: server.unready() == "", "the server is ready")


def works(server: ChatServer) -> None:
    """It has recovered by itself."""
    until_ready(server)
    with connected(server) as ada:
        ada.join("lobby", "Ada")
        assert ada.say("hello")["text"] == "hello"
    assert server.metric("chatapp_ready") == 1


def test_without_a_store_ready_means_alive(server: ChatServer) -> None:
    assert server.unready() == ""


def test_it_starts_before_its_store(start_server: Start, store: Store) -> None:
    store.stop()
    server = start_server(VALKEY_URL=store.url())
    until(lambda: server.unready() == f"valkey at 127.0.0.1:{store.port}: connection refused", "it says why")
    lives_without_its_store(server)
    store.start()
    works(server)
    log = output(server)
    assert complaints(log) == [
        f"valkey at 127.0.0.1:{store.port}: connection refused",
        f"valkey at 127.0.0.1:{store.port}: connected",
    ]
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("password", "why"),
    [("wrong-pass", "wrong password (WRONGPASS)"), ("", "it asks for a password, and VALKEY_URL has none (NOAUTH)")],
)
def test_a_wrong_password_is_named_and_never_shown(start_server: Start, store: Store, password: str, why: str) -> None:
    server = start_server(VALKEY_URL=store.url(password))
    until(lambda: server.unready() == f"valkey at 127.0.0.1:{store.port}: {why}", "it says why")
    lives_without_its_store(server)
    with store.client() as client:
        # What the operator does about it. The server asks for none at all when it is empty.
        client.config_set("requirepass", password)
    works(server)
    log = output(server)
    assert [line.partition(": ")[2] for line in complaints(log)] == [why, "connected"]
    assert "wrong-pass" not in log
    assert "s3cret" not in log


def test_a_password_that_nobody_asks_for_is_named(start_server: Start, store: Store) -> None:
    with store.client() as client:
        client.config_set("requirepass", "")
    server = start_server(VALKEY_URL=store.url())
    until(lambda: "the server asks for none" in server.unready(), "it says why")
    assert "s3cret" not in server.unready() + output(server)


def test_troubleshooting_quotes_what_the_app_says() -> None:
    page = (repository() / "docs/troubleshooting.md").read_text().partition("| the log says")[2].partition("## ")[0]
    quoted = [reason for row in page.splitlines()[2:] for reason in re.findall("`([^`]+)`", row.split(" | ")[0])]
    said = (repository() / "app/chatapp/valkey_reasons.py").read_text() + os.strerror(errno.ECONNREFUSED).lower()
    assert len(quoted) > 4
    assert [reason for reason in quoted if reason not in said] == []


def test_a_password_works_as_it_is_and_encoded(start_server: Start, store: Store) -> None:
    """As it is: Kubernetes puts a Secret into VALKEY_URL without encoding it."""
    works(start_server(VALKEY_URL=f"valkey://:{store.password}@127.0.0.1:{store.port}/0"))
    works(start_server(VALKEY_URL=store.url().replace("valkey://", "redis://default")))


def test_a_name_that_does_not_exist_is_named(start_server: Start, store: Store) -> None:
    server = start_server(VALKEY_URL=store.url(host="valkey.invalid"))
    until(lambda: "valkey.invalid:" in server.unready() and "cannot be resolved" in server.unready(), "it says why")
    lives_without_its_store(server)


@pytest.mark.parametrize("scheme", ["valkeys", "rediss"])
def test_tls_is_spoken_and_checked(start_server: Start, store: Store, certificates: Path, scheme: str) -> None:
    with store.front(server_context(certificates / "localhost")) as front:
        url = store.url(host="localhost", port=front.port).replace("valkey://", f"{scheme}://")
        works(start_server(VALKEY_URL=url, VALKEY_CA_FILE=str(certificates / "localhost/tls.crt")))


def test_a_ca_that_did_not_sign_is_named_and_may_be_replaced(
    start_server: Start, store: Store, certificates: Path
) -> None:
    ca_file = certificates / "ca.crt"
    shutil.copy(certificates / "elsewhere/tls.crt", ca_file)
    with store.front(server_context(certificates / "localhost")) as front:
        url = store.url(host="localhost", port=front.port).replace("valkey://", "valkeys://")
        server = start_server(VALKEY_URL=url, VALKEY_CA_FILE=str(ca_file))
        why = (
            f"valkey at localhost:{front.port}: wrong TLS certificate: nobody in VALKEY_CA_FILE {ca_file} has signed it"
        )
        until(lambda: server.unready().startswith(why), "it says why")
        lives_without_its_store(server)
        shutil.copy(certificates / "localhost/tls.crt", ca_file)
        works(server)
        assert len(complaints(output(server))) == 2


def test_a_certificate_for_another_name_is_refused(start_server: Start, store: Store, certificates: Path) -> None:
    with store.front(server_context(certificates / "elsewhere")) as front:
        url = store.url(host="localhost", port=front.port).replace("valkey://", "valkeys://")
        server = start_server(VALKEY_URL=url, VALKEY_CA_FILE=str(certificates / "elsewhere/tls.crt"))
        why = f"valkey at localhost:{front.port}: wrong TLS certificate: it is not for localhost"
        until(lambda: server.unready() == why, "it says why")
        lives_without_its_store(server)


def test_a_missing_ca_file_is_named(start_server: Start, store: Store) -> None:
    url = store.url().replace("valkey://", "valkeys://")
    server = start_server(VALKEY_URL=url, VALKEY_CA_FILE="/nowhere/ca.crt")
    until(lambda: "VALKEY_CA_FILE /nowhere/ca.crt cannot be used" in server.unready(), "it says why")
    lives_without_its_store(server)


def test_no_tls_to_a_server_that_wants_it_and_tls_to_one_that_does_not(
    start_server: Start, store: Store, certificates: Path
) -> None:
    with store.front(server_context(certificates / "localhost")) as front:
        plain = start_server(VALKEY_URL=store.url(port=front.port))
        until(lambda: "begins with valkeys://" in plain.unready(), "it says why")
    tls = start_server(VALKEY_URL=store.url().replace("valkey://", "valkeys://"))
    until(lambda: "not reached yet" not in tls.unready(), "it says why")
    lives_without_its_store(tls)


def test_open_sockets_stay_and_go_on_when_the_store_is_killed_and_comes_back(replicas: Replicas, store: Store) -> None:
    here, there = replicas(2)
    with connected(here) as ada, connected(there) as bob:
        ada.join("lobby", "Ada")
        bob.join("lobby", "Bob")
        ada.say("one")
        store.stop()
        for server in (here, there):
            notices(server)
            lives_without_its_store(server, worked=True)
        ada.tell("send", text="two", key="k-2")
        error = ada.hear("error")
        assert (error["key"], error["retry"]) == ("k-2", True)
        assert "not stored" in error["reason"]
        ada.tell("join", room="elsewhere", nick="Ada")
        assert ada.hear("error")["retry"] is True
        ada.tell("ping")
        assert ada.hear("pong")
        store.start()
        for server in (here, there):
            until_ready(server)
        assert ada.say("two", key="k-2")["id"] == 2
        assert [bob.hear("message")["id"] for _ in range(2)] == [1, 2]
        assert ada.join("lobby", "Ada", after=0)["members"] == ["Ada", "Bob"]
    for server in (here, there):
        log = output(server)
        assert "Traceback" not in log
        # Cut, then refused, and well: however long it took.
        assert len(complaints(log)) <= 5


def test_a_store_that_hangs_holds_nobody_up(replicas: Replicas, store: Store) -> None:
    (server,) = replicas(1)
    with connected(server) as ada:
        ada.join("lobby", "Ada")
        with store.frozen():
            ada.tell("send", text="into the void", key="k-1")
            assert ada.hear("error")["key"] == "k-1"
            until(lambda: server.unready().endswith("no answer in time"), "it says why")
            lives_without_its_store(server, worked=True)
            ada.tell("send", text="refused", key="k-2")
            assert ada.hear("error")["key"] == "k-2"
        until_ready(server)
        ada.tell("send", text="afterwards")
        texts = [ada.hear("message")["text"]]
        while texts[-1] != "afterwards":
            texts.append(ada.hear("message")["text"])
        # The first may have reached the store before it froze, and then appears, once.
        assert texts in (["afterwards"], ["into the void", "afterwards"])


def test_a_store_that_takes_no_writes_is_not_ready(start_server: Start, store: Store) -> None:
    with store.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    server = start_server(VALKEY_URL=store.url())
    until(lambda: "(READONLY)" in server.unready(), "it says why")
    with store.client() as client:
        client.execute_command("REPLICAOF", "NO", "ONE")
    works(server)


def test_a_store_without_memory_refuses_messages_and_says_so(replicas: Replicas, store: Store) -> None:
    (server,) = replicas(1)
    with store.client() as client, connected(server) as ada:
        ada.join("lobby", "Ada")
        client.config_set("maxmemory", 1)
        ada.tell("send", text="too much", key="k-1")
        assert ada.hear("error")["retry"] is True
        until(lambda: "(OOM)" in server.unready(), "it says why")
        client.config_set("maxmemory", 0)
        until_ready(server)
        assert ada.say("fits")["id"] == 1


@pytest.mark.parametrize("state", ["up", "away", "hangs"])
def test_it_ends_in_time_and_in_order_whether_the_store_is_there_or_not(
    replicas: Replicas, store: Store, state: str
) -> None:
    (server,) = replicas(1)
    with connected(server) as ada:
        ada.join("lobby", "Ada")
        if state == "away":
            store.stop()
        with store.frozen() if state == "hangs" else nullcontext():
            assert server.stop() == 0
    assert "Traceback" not in server.process.communicate()[1]


@pytest.mark.parametrize(
    "url",
    ["s3cret", "http://:s3cret@valkey", "valkey://:s3cret@", "valkey://:s3cret@valkey:99999", "valkey://u:s3cret@h/x"],
)
def test_a_wrong_url_is_refused_without_showing_it(tree: Path, url: str) -> None:
    process = spawn(tree, {"VALKEY_URL": url})
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert complaint.startswith("chatapp: VALKEY_URL must be ")
    assert complaint.count("\n") == 1
    assert "s3cret" not in complaint


def test_a_ca_without_tls_is_a_mistake(tree: Path) -> None:
    process = spawn(tree, {"VALKEY_URL": "valkey://valkey:6379", "VALKEY_CA_FILE": "/ca.crt"})
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "VALKEY_CA_FILE" in complaint
