"""The shared store: where it is, who is told, what is kept."""

import base64
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from .view import RenderChart, View

OWN: dict[str, Any] = {"enabled": True, "auth": {"existingSecret": "login"}}
AWKWARD = "p@ss word/:#?%+ü"


def secret(release: View) -> dict[str, str]:
    """The texts in the release's own Secret."""
    return {key: base64.b64decode(text).decode() for key, text in release.the("Secret")["data"].items()}


def sources(release: View) -> dict[str, Any]:
    """Where the container's variables for the store come from."""
    names = ("VALKEY_URL", "VALKEY_PASSWORD", "VALKEY_CA_FILE")
    return {
        each["name"]: each.get("value") or each["valueFrom"]["secretKeyRef"]
        for each in release.container["env"]
        if each["name"] in names
    }


def test_by_default_there_is_no_store(chart: RenderChart) -> None:
    release = chart()
    assert sources(release) == {}
    assert {each["kind"] for each in release.objects}.isdisjoint({"StatefulSet", "Secret", "PersistentVolumeClaim"})


def test_password_in_the_values_goes_into_a_secret_and_nowhere_else(chart: RenderChart) -> None:
    release = chart(valkey={"enabled": True, "auth": {"password": AWKWARD}})
    assert sources(release) == {"VALKEY_URL": {"name": "chatapp-valkey", "key": "url"}}
    texts = secret(release)
    url = urlsplit(texts["url"])
    assert (url.scheme, url.hostname, url.port, url.path) == ("redis", "chatapp-valkey", 6379, "/0")
    assert unquote(url.password or "") == texts["password"] == AWKWARD
    assert [each["kind"] for each in release.objects if AWKWARD in str(each)] == []


def test_password_in_a_secret_of_ones_own_is_put_into_the_url_in_the_pod(chart: RenderChart) -> None:
    release = chart(valkey=OWN | {"auth": {"existingSecret": "login", "passwordKey": "pass"}})
    assert release.of_kind("Secret") == []
    assert sources(release) == {
        "VALKEY_PASSWORD": {"name": "login", "key": "pass"},
        "VALKEY_URL": "redis://:$(VALKEY_PASSWORD)@chatapp-valkey:6379/0",
    }
    order = [each["name"] for each in release.container["env"]]
    assert order.index("VALKEY_PASSWORD") < order.index("VALKEY_URL")


def test_whole_url_can_come_from_a_secret(chart: RenderChart) -> None:
    release = chart(valkey={"external": {"host": "store"}, "auth": {"existingSecret": "login", "urlKey": "url"}})
    assert sources(release) == {"VALKEY_URL": {"name": "login", "key": "url"}}


def test_secret_wins_over_a_password(chart: RenderChart) -> None:
    release = chart(valkey=OWN | {"auth": {"existingSecret": "login", "password": AWKWARD}})
    assert release.of_kind("Secret") == []
    assert AWKWARD not in release.text


@pytest.mark.parametrize(
    ("external", "auth", "url"),
    [
        ({"host": "store.example.com"}, {}, "redis://store.example.com:6379/0"),
        ({"host": "store", "port": 7000, "database": 3}, {"password": "x"}, "redis://:x@store:7000/3"),
        ({"host": "store", "username": "me@home"}, {"password": "x"}, "redis://me%40home:x@store:6379/0"),
        ({"host": "[2001:db8::1]", "tls": {"enabled": True}}, {}, "rediss://[2001:db8::1]:6379/0"),
    ],
)
def test_store_elsewhere(chart: RenderChart, external: dict[str, Any], auth: dict[str, Any], url: str) -> None:
    release = chart(valkey={"external": external, "auth": auth})
    assert secret(release)["url"] == url
    assert release.of_kind("StatefulSet") == []


def test_certificate_authority_is_mounted_and_named(chart: RenderChart) -> None:
    tls = {"enabled": True, "caSecret": "store-ca", "caKey": "root.pem"}
    release = chart(valkey={"external": {"host": "store", "tls": tls}})
    assert sources(release)["VALKEY_CA_FILE"] == "/etc/valkey-ca/root.pem"
    volume = {"name": "valkey-ca", "secret": {"secretName": "store-ca"}}
    assert volume in release.pod["spec"]["volumes"]
    mount = {"name": "valkey-ca", "mountPath": "/etc/valkey-ca", "readOnly": True}
    assert mount in release.container["volumeMounts"]


def test_new_password_rolls_both_and_new_chat_image_not_the_store(chart: RenderChart) -> None:
    def pods(**values: Any) -> tuple[Any, Any]:
        release = chart(**values)
        return release.pod, release.the("StatefulSet")["spec"]["template"]

    one, other = ({"enabled": True, "auth": {"password": password}} for password in ("one", "other"))
    assert all(old != new for old, new in zip(pods(valkey=one), pods(valkey=other), strict=True))
    (app, store), (new_app, same_store) = pods(valkey=one), pods(valkey=one, image={"tag": "2.0"})
    assert app != new_app
    assert store == same_store


def test_hash_of_the_secret_tells_nobody_the_password(chart: RenderChart) -> None:
    release = chart(valkey={"enabled": True, "auth": {"password": "x"}})
    assert len(release.pod["metadata"]["annotations"]["checksum/store"]) == 4


def test_own_store_is_one_pod_that_syncs_every_write_and_is_told_the_password_by_hash(chart: RenderChart) -> None:
    spec = chart(valkey=OWN).the("StatefulSet")["spec"]
    assert spec["replicas"] == 1
    (container,) = spec["template"]["spec"]["containers"]
    script = container["command"][2]
    assert "--appendonly yes --appendfsync always" in script
    assert "requirepass" not in script
    assert container["args"] == ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction"]
    assert container["env"] == [
        {"name": "REDISCLI_AUTH", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}
    ]


def test_claim_stays_when_the_release_goes(chart: RenderChart) -> None:
    claim = chart(valkey=OWN).the("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.mark.parametrize(
    ("persistence", "volume"),
    [
        ({}, {"persistentVolumeClaim": {"claimName": "chatapp-valkey"}}),
        ({"existingClaim": "mine"}, {"persistentVolumeClaim": {"claimName": "mine"}}),
        ({"enabled": False}, {"emptyDir": {}}),
    ],
)
def test_data_is_where_the_values_say(chart: RenderChart, persistence: dict[str, Any], volume: dict[str, Any]) -> None:
    release = chart(valkey=OWN | {"persistence": persistence})
    assert release.the("StatefulSet")["spec"]["template"]["spec"]["volumes"] == [{"name": "data", **volume}]
    assert len(release.of_kind("PersistentVolumeClaim")) == int(persistence == {})


def test_policies_let_the_app_ask_its_store_and_nobody_else(chart: RenderChart) -> None:
    release = chart(valkey=OWN, networkPolicy={"enabled": True})
    policies = {each["metadata"]["name"]: each["spec"] for each in release.of_kind("NetworkPolicy")}
    store = policies["chatapp-valkey"]
    assert [peer["podSelector"]["matchLabels"] for rule in store["ingress"] for peer in rule["from"]] == [
        release.the("Deployment")["spec"]["selector"]["matchLabels"]
    ]
    assert store["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in store
    asked = [rule["to"][0].get("podSelector", {}).get("matchLabels") for rule in policies["chatapp"]["egress"]]
    assert release.the("StatefulSet")["spec"]["selector"]["matchLabels"] in asked


def test_names_fit_a_stateful_set_however_long_the_release(chart: RenderChart) -> None:
    release = chart(release="r" * 53, valkey=OWN)
    name = release.the("StatefulSet")["metadata"]["name"]
    assert len(name) <= 52
    assert name.endswith("-valkey")
    assert f"@{name}:6379" in sources(release)["VALKEY_URL"]
