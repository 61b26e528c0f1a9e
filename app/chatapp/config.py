"""What the environment says, checked once at the start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .address import Address
from .origin import Origin

# The shortest idle limit in the field is 30 s (GKE, Azure), so a ping must come sooner than that.
MAX_PING_INTERVAL = 25.0
MAX_DRAIN_SECONDS = 86400.0

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_ENDPOINT = re.compile(r"/|(/[A-Za-z0-9._~-]+)+")
# Every listener answers these at its root, so that no endpoint can hide them.
_OWN_PATHS = frozenset({"/healthz", "/metrics"})


class ConfigError(ValueError):
    """A variable with a value that cannot be used; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Config:
    """Ports, paths and limits of one server.

    Attributes:
        web_port: Port of the page.
        api_port: Port of the REST API.
        ws_port: Port of the chat.
        web_endpoint: Path of the page, "/" or without a trailing slash; the same goes for the next two.
        api_endpoint: Path of the REST API.
        chat_endpoint: Path of the chat.
        ping_interval: Seconds of silence after which the server pings a socket.
        drain_seconds: Seconds over which the sockets are closed on SIGTERM.
        allowed_origins: Who may open a socket; empty means pages of the same host and port.
        valkey: The store that replicas share; None means that rooms live in memory.
    """

    web_port: int
    api_port: int
    ws_port: int
    web_endpoint: str
    api_endpoint: str
    chat_endpoint: str
    ping_interval: float
    drain_seconds: float
    allowed_origins: frozenset[Origin]
    valkey: Address | None


def from_environment(environ: Mapping[str, str]) -> Config:
    """Read the variables that app/README.md lists; one that is empty counts as not set.

    Raises:
        ConfigError: for the first variable with a wrong value, by name.
    """
    env = {name: value for name, value in environ.items() if value}
    config = Config(
        web_port=_port(env, "WEB_PORT", 3000),
        api_port=_port(env, "API_PORT", 3001),
        ws_port=_port(env, "WS_PORT", 3002),
        web_endpoint=_endpoint(env, "WEB_ENDPOINT", "/"),
        api_endpoint=_endpoint(env, "API_ENDPOINT", "/api"),
        chat_endpoint=_endpoint(env, "CHAT_ENDPOINT", "/wss"),
        ping_interval=_seconds(env, "WS_PING_INTERVAL", 25.0, lowest=0.1, highest=MAX_PING_INTERVAL),
        drain_seconds=_seconds(env, "WS_DRAIN_SECONDS", 10.0, lowest=0.0, highest=MAX_DRAIN_SECONDS),
        allowed_origins=_origins(env, "WS_ALLOWED_ORIGINS"),
        valkey=_valkey(env, "VALKEY_URL", "VALKEY_CA_FILE"),
    )
    names: dict[int, str] = {}
    for name, port in (("WEB_PORT", config.web_port), ("API_PORT", config.api_port), ("WS_PORT", config.ws_port)):
        if port in names:
            raise ConfigError(f"{names[port]} and {name} are both {port}, but each listener needs a port of its own.")
        names[port] = name
    return config


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, str(default))
    if not re.fullmatch("[0-9]{1,5}", value) or not 1 <= int(value) <= 65535:
        raise _wrong(name, value, "a whole number from 1 to 65535", str(default))
    return int(value)


def _endpoint(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, default)
    if not _ENDPOINT.fullmatch(value) or value in _OWN_PATHS or {".", ".."} & set(value.split("/")):
        expected = "a path like / or /chat, without a slash at its end, other than /healthz and /metrics"
        raise _wrong(name, value, expected, default)
    return value


def _seconds(env: Mapping[str, str], name: str, default: float, lowest: float, highest: float) -> float:
    value = env.get(name, f"{default:g}")
    if not _NUMBER.fullmatch(value) or not lowest <= float(value) <= highest:
        raise _wrong(name, value, f"a number of seconds from {lowest:g} to {highest:g}", f"{default:g}")
    return float(value)


def _origins(env: Mapping[str, str], name: str) -> frozenset[Origin]:
    entries = [entry.strip() for entry in env[name].split(",")] if name in env else []
    try:
        return frozenset(Origin.parse(entry) for entry in entries)
    except ValueError:
        expected = "a comma-separated list of origins like https://chat.example.com"
        raise _wrong(name, env[name], expected, "the page's own host") from None


def _valkey(env: Mapping[str, str], url: str, ca_file: str) -> Address | None:
    if url not in env:
        return None
    try:
        address = Address.parse(env[url], env.get(ca_file))
    except ValueError:
        # Without the value, which may hold a password.
        expected = "valkey://[[user]:password@]host[:port][/db], or valkeys:// for TLS"
        raise ConfigError(f"{url} must be {expected}; correct it, or leave it out for rooms in memory.") from None
    if address.ca_file and not address.tls:
        raise ConfigError(f"{ca_file} is set, but {url} does not ask for TLS; it begins with valkeys:// if it should.")
    return address


def _wrong(name: str, value: str, expected: str, default: str) -> ConfigError:
    return ConfigError(f"{name} is {value!r}, but must be {expected}; correct it, or leave it out for {default}.")
