"""Which pages may open a socket, judged by the handshake's Origin and Host headers.

Cookies ride on a WebSocket handshake and CORS does not apply to it, so the server itself has to look at Origin
(OWASP: cross-site WebSocket hijacking).
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a page, the port always filled in (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """Read `https://chat.example.com` or `http://localhost:8080`.

        Raises:
            ValueError: when the text is anything but an http or https scheme, a host and perhaps a port.
        """
        url = urlsplit(text)
        if url.scheme not in _DEFAULT_PORTS or not url.hostname or text != f"{url.scheme}://{url.netloc}":
            raise ValueError(text)
        host, port = _host_and_port(url, default=_DEFAULT_PORTS[url.scheme])
        return cls(url.scheme, host, port)


def refusal(origin: str | None, host: str, allowed: frozenset[Origin]) -> str | None:
    """Why a handshake is refused, as one sentence; None when it may go on.

    With a list, Origin must be on it. Without one, Origin's host and port must equal the Host header. The scheme is
    left out of that comparison, because TLS may end at a proxy and the server then cannot know the page's scheme; a
    port that is not written is the default port of Origin's scheme on both sides.

    A missing Origin passes when there is no list: every browser sends the header and no page can suppress it, so such
    a client is a program (curl, a test, a probe), which could write any Origin it likes. Refusing it would keep out
    nobody. A list is an explicit "only these", so with a list a missing Origin is refused as well.

    Args:
        origin: The Origin header, if there was one.
        host: The Host header.
        allowed: The list; empty means the host rule.
    """
    if origin is None:
        return "This handshake has no Origin, and WS_ALLOWED_ORIGINS lists who may connect." if allowed else None
    try:
        page = Origin.parse(origin)
    except ValueError:
        return f"Origin {origin} is not a web page's address, so it cannot match Host {host}."
    if allowed:
        return None if page in allowed else f"Origin {origin} is not in WS_ALLOWED_ORIGINS (Host was {host})."
    if (page.host, page.port) == _split_host(host, default=_DEFAULT_PORTS[page.scheme]):
        return None
    return f"Origin {origin} and Host {host} differ in host or port; list the origin in WS_ALLOWED_ORIGINS to allow it."


def _split_host(host: str, default: int) -> tuple[str, int] | None:
    try:
        return _host_and_port(urlsplit(f"//{host}"), default)
    except ValueError:
        return None


def _host_and_port(url: SplitResult, default: int) -> tuple[str, int]:
    if url.username is not None or url.hostname is None:
        raise ValueError(url.netloc)
    return url.hostname, default if url.port is None else url.port
