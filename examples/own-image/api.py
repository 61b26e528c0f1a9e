"""The team's API server: what is under API_URL, and /health for Kubernetes."""

import json
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = os.environ.get("API_URL", "/api").rstrip("/")


class Api(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self) -> None:
        """Say who answers, or 404."""
        answers = {f"{PREFIX}/about": {"name": "own-image", "hostname": socket.gethostname()}, "/health": {"ok": True}}
        answer = answers.get(self.path, {"error": f"there is no {self.path}"})
        self.send_response(200 if self.path in answers else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: Kubernetes asks every few seconds."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ["API_LISTEN"])), Api).serve_forever()
