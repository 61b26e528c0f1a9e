"""The reference chat app: a page, a REST API and a WebSocket chat, each on a port of its own."""

__version__ = "0.2.0"
