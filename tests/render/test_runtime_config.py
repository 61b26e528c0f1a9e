"""The files that tell the front end its endpoints. What the script does is in tests/browser/test_runtime_config.py."""

from pathlib import Path
from typing import Any

import pytest

from .view import RenderChart, edit

AWKWARD = {
    "html": "</script><script>alert(1)</script><!--",
    "quotes": "\"'`\\",
    "lines": "\u2028\u2029\n\r\t\x01",
    "letters": "ü 漢 😀",
    "numbers": [0, -1, 0.5, 1048576, 9007199254740991],
    "nested": {"yes": True, "no": False, "": "", "list": [[], {}]},
}


def test_script_and_json_say_the_same(chart: RenderChart) -> None:
    release = chart(runtimeConfig={"extra": {"title": "Talk"}, "globalName": "talk", "polyfill": True})
    assert release.script_settings == release.runtime | {"globalName": "talk", "polyfill": True}
    assert release.runtime == {
        "endpoints": {"web": "/", "api": "/api", "ws": "/wss"},
        "env": {"WEB_ENDPOINT": "/", "API_ENDPOINT": "/api", "CHAT_ENDPOINT": "/wss"},
        "extra": {"title": "Talk"},
    }


def test_awkward_values_arrive_as_they_are(chart: RenderChart) -> None:
    release = chart(runtimeConfig={"extra": AWKWARD})
    assert release.runtime["extra"] == AWKWARD
    assert release.script_settings["extra"] == AWKWARD


def test_script_cannot_be_left_from_inside_a_value(chart: RenderChart) -> None:
    script = chart(runtimeConfig={"extra": AWKWARD}).runtime_files["runtime.js"]
    assert "<" not in script.partition("}({")[2]
    assert not {"\u2028", "\u2029"} & set(script)


def test_env_file_has_the_variables(chart: RenderChart) -> None:
    release = chart(runtimeConfig={"files": {"env": "/srv/.env"}, "env": {"API_URL": "api", "WEB_ENDPOINT": ""}})
    assert release.runtime_files["runtime.env"] == "API_ENDPOINT=/api\nAPI_URL=/api\nCHAT_ENDPOINT=/wss\n"


def test_endpoint_elsewhere_changes_what_the_front_end_gets_and_nothing_else(chart: RenderChart) -> None:
    release = chart(runtimeConfig={"endpoints": {"ws": "wss://chat.example.net/wss"}})
    assert release.runtime["endpoints"]["ws"] == "wss://chat.example.net/wss"
    assert release.runtime["env"]["CHAT_ENDPOINT"] == "wss://chat.example.net/wss"
    assert release.env["CHAT_ENDPOINT"] == "/wss"
    assert release.rules == chart().rules


def test_removed_route_may_live_elsewhere(chart: RenderChart) -> None:
    release = chart(ingress={"paths": {"ws": ""}}, runtimeConfig={"endpoints": {"ws": "wss://chat.example.net/wss"}})
    assert release.runtime["endpoints"]["ws"] == "wss://chat.example.net/wss"
    assert "CHAT_ENDPOINT" not in release.env


def test_each_file_is_mounted_on_its_own_path(chart: RenderChart) -> None:
    release = chart(runtimeConfig={"files": {"js": "/a/b.js", "json": "", "env": "/c/.env"}})
    assert {mount["mountPath"]: mount["subPath"] for mount in release.container["volumeMounts"]} == {
        "/a/b.js": "runtime.js",
        "/c/.env": "runtime.env",
    }


@pytest.mark.parametrize("off", [{"enabled": False}, {"files": {"js": "", "json": ""}}])
def test_no_files_no_trace(chart: RenderChart, off: dict[str, Any]) -> None:
    release = chart(runtimeConfig=off)
    assert release.of_kind("ConfigMap") == []
    assert release.hash is None
    assert "volumeMounts" not in release.container
    assert "volumes" not in release.pod["spec"]
    assert ("CHAT_ENDPOINT" in release.env) is off.get("enabled", True)


@pytest.mark.parametrize(
    "change",
    [
        {"ingress": {"paths": {"ws": "/socket"}}},
        {"runtimeConfig": {"extra": {"title": "Talk"}}},
        {"runtimeConfig": {"globalName": "talk"}},
        {"runtimeConfig": {"polyfill": True}},
        {"runtimeConfig": {"env": {"CHAT_URL": "ws"}}},
        {"runtimeConfig": {"endpoints": {"api": "https://api.example.com"}}},
        {"runtimeConfig": {"files": {"json": ""}}},
    ],
    ids=str,
)
def test_change_of_the_configuration_rolls_the_pods(chart: RenderChart, change: dict[str, Any]) -> None:
    assert chart(**change).hash != chart().hash


def test_new_script_rolls_the_pods(chart: RenderChart, chart_copy: Path) -> None:
    edit(chart_copy / "files/runtime-config.js", "function freeze", "/* new */ function freeze")
    assert chart(folder=chart_copy).hash != chart().hash


def test_new_chart_version_alone_changes_no_pod(chart: RenderChart, chart_copy: Path) -> None:
    edit(chart_copy / "Chart.yaml", "version: 0.2.0", "version: 0.3.0")
    before, after = chart(), chart(folder=chart_copy)
    assert after.pod == before.pod
    assert after.text.replace("chatapp-0.3.0", "chatapp-0.2.0") == before.text
