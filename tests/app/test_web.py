import re

import pytest

from .conftest import RUNTIME_JS, RUNTIME_JSON, Start
from .people import connected
from .server import CLIENT, ChatServer


@pytest.mark.parametrize("port", ["web", "api", "ws"])
@pytest.mark.parametrize("path", ["/healthz", "/healthz?ready=1"])
def test_every_port_answers_a_plain_health_check_while_a_socket_is_open(
    server: ChatServer, port: str, path: str, room: str
) -> None:
    with connected(server) as ada:
        ada.join(room, "Ada")
        answer = server.get(getattr(server, port), path)
    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(("port", "path"), [("web", "/"), ("web", "/no"), ("api", "/api/info"), ("ws", "/wss")])
def test_no_response_names_the_server_software_or_lets_a_browser_guess_its_type(
    server: ChatServer, port: str, path: str
) -> None:
    headers = server.get(getattr(server, port), path).headers
    assert "Server" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_allows_its_own_scripts_and_sockets_only(server: ChatServer) -> None:
    answer = server.get(server.web, "/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["default-src 'self'", "connect-src 'self' ws: wss:"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_page_has_one_line_for_its_configuration_before_its_own_scripts(server: ChatServer) -> None:
    scripts = re.findall("<script.*</script>", server.get(server.web, "/").text)
    assert scripts[0] == '<script src="config/runtime.js"></script>'
    assert "runtime" not in "".join(scripts[1:])


def test_everything_the_page_loads_is_relative_and_served(server: ChatServer) -> None:
    files = re.findall('(?:src|href)="([^"#]+)"', server.get(server.web, "/").text)
    assert {"config/runtime.js", "chat.js", "style.css"} <= set(files)
    assert [name for name in files if name.startswith(("/", "http"))] == []
    assert {name: server.get(server.web, f"/{name}").status_code for name in files} == dict.fromkeys(files, 200)


def test_a_file_is_sent_again_only_when_it_changed(server: ChatServer) -> None:
    first = server.get(server.web, "/chat.js")
    assert first.headers["Cache-Control"] == "no-cache"
    again = server.get(server.web, "/chat.js", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert server.get(server.web, "/chat.js", **{"If-None-Match": '"another"'}).content == first.content


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("runtime.js", RUNTIME_JS, "text/javascript"), ("runtime.json", RUNTIME_JSON, "application/json")],
)
def test_run_time_configuration_is_served_as_mounted_and_never_stored(
    server: ChatServer, name: str, content: str, kind: str
) -> None:
    answer = server.get(server.web, f"/config/{name}")
    assert answer.text == content
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/nope", "/nope/", "/wss", "/api", "/metrics", "/config/other.js", "/index.html"])
def test_an_unknown_path_is_404_and_never_the_page(server: ChatServer, path: str) -> None:
    answer = server.get(server.web, path)
    assert answer.status_code == 404
    assert f"<code>{path}</code>" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_base_path_belongs_to_the_app_in_all_three_listeners(start_server: Start) -> None:
    server = start_server(WEB_ENDPOINT="/chat", API_ENDPOINT="/chat/api", CHAT_ENDPOINT="/chat/wss")
    redirect = server.get(server.web, "/chat?room=a%20b&nick=Ada")
    assert (redirect.status_code, redirect.headers["Location"]) == (308, "/chat/?room=a%20b&nick=Ada")
    served = ["/chat/", "/chat/chat.js", "/chat/config/runtime.js", "/healthz"]
    assert [server.get(server.web, path).status_code for path in served] == [200] * len(served)
    assert [server.get(server.web, path).status_code for path in ("/", "/chat.js", "/config/runtime.js")] == [404] * 3
    assert 'href="/chat/"' in server.get(server.web, "/chat/nope").text
    assert server.get(server.api, "/chat/api/info").status_code == 200
    assert server.get(server.api, "/api/info").status_code == 404
    with connected(server, "/chat/wss") as ada:
        assert ada.join("lobby", "Ada")["you"] == "Ada"
    assert server.handshake("/wss").status == 404


def test_only_get_and_head_are_allowed(server: ChatServer) -> None:
    url = f"http://127.0.0.1:{server.web}/"
    assert CLIENT.head(url).status_code == 200
    refused = CLIENT.post(url)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET,HEAD")
