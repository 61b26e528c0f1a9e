"""The page and its files, and the run-time configuration that the chart mounts beside them."""

import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from aiohttp import ETag, web

from .config import Config
from .listener import Status, below, listener

ROOT = Path(__file__).parent.parent / "web"
_RUNTIME_FILES = ("runtime.js", "runtime.json")
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    # Files keep their names from version to version, so a browser asks each time and mostly hears 304.
    "Cache-Control": "no-cache",
    # connect-src names the socket schemes because 'self' covers them only in engines from 2022 on, and because
    # runtimeConfig.endpoints may point the socket at another origin.
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
}
_NOT_FOUND = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not found - chatapp</title>
<link rel="stylesheet" href="{base}style.css">
<body class="notice">
<img src="{base}icon.svg" alt="" width="56" height="56">
<h1>There is no page here</h1>
<p>Nothing is served at <code>{path}</code>. The chat is at <a href="{base}"><code>{base}</code></a>.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, read once. Its ETag is a hash: image builds may give every file the same time."""

    body: bytes
    content_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> "Asset":
        """Read a file whose type `_TYPES` knows."""
        body = path.read_bytes()
        return cls(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])

    async def serve(self, request: web.Request) -> web.Response:
        """The file, or 304 when the browser has it."""
        wanted = request.if_none_match or ()
        if any(tag.value in (self.etag, "*") for tag in wanted):
            response = web.Response(status=304)
        else:
            response = web.Response(body=self.body, content_type=self.content_type, charset="utf-8")
        response.etag = ETag(self.etag)
        return response


def application(config: Config, status: Status, root: Path = ROOT) -> web.Application:
    """The web listener: the page at `<WEB_ENDPOINT>`, everything else below it, and 404 for what is not there."""
    base = below(config.web_endpoint, "")

    async def add_slash(request: web.Request) -> web.Response:
        # The page's addresses are relative, so it must be loaded from a path that ends in a slash.
        query = request.rel_url.raw_query_string
        raise web.HTTPPermanentRedirect(f"{base}?{query}" if query else base)

    async def runtime(request: web.Request) -> web.Response:
        path = root / "config" / request.path.rpartition("/")[2]
        if not path.is_file():
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-store"}
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)

    def explain(request: web.Request, problem: web.HTTPException) -> web.Response:
        if problem.status != 404:
            return web.Response(status=problem.status, text=f"{problem.reason}\n")
        text = _NOT_FOUND.format(base=escape(base), path=escape(request.path))
        headers = {"Cache-Control": "no-store"}
        return web.Response(status=404, text=text, content_type="text/html", headers=headers)

    app = listener(status, _HEADERS, explain)
    if config.web_endpoint != "/":
        app.router.add_get(config.web_endpoint, add_slash)
    for path in sorted(root.iterdir()):
        if path.is_file():
            name = "" if path.name == "index.html" else path.name
            app.router.add_get(base + name, Asset.read(path).serve)
    for name in _RUNTIME_FILES:
        app.router.add_get(f"{base}config/{name}", runtime)
    return app
