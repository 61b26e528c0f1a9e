"""The numbers that `/metrics` shows, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters and gauges of one server; names follow Prometheus (base units, `_total`)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.open_sockets = Gauge("chatapp_open_sockets", "Open chat sockets", registry=self._registry)
        self.rooms = Gauge("chatapp_rooms", "Rooms that this process holds", registry=self._registry)
        self.ready = Gauge("chatapp_ready", "Whether people can talk", registry=self._registry)
        self.messages = Counter("chatapp_messages", "Messages posted here", registry=self._registry)
        self.refused = Counter(
            "chatapp_handshakes_refused",
            "Handshakes answered with anything but 101, by reason",
            ["reason"],
            registry=self._registry,
        )
        self.closed = Counter(
            "chatapp_sockets_closed", "Closed chat sockets, by close code", ["code"], registry=self._registry
        )

    def text(self) -> bytes:
        """All of them in the Prometheus text format."""
        return generate_latest(self._registry)
