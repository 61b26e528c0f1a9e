"""What the three listeners have in common: /healthz, headers, errors in their own format."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Status:
    """The state of the whole process: since when it runs (monotonic seconds), and whether it is going away."""

    started: float = field(default_factory=time.monotonic)
    draining: bool = False


def listener(
    status: Status, headers: Mapping[str, str], explain: Callable[[web.Request, web.HTTPException], web.Response]
) -> web.Application:
    """An application with `GET /healthz` and nothing else yet.

    Args:
        status: Makes /healthz say 200, or 503 while draining.
        headers: Set on every response that does not set them itself.
        explain: Writes the answer to a request that went nowhere (404, 405, 400).
    """

    @web.middleware
    async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPError as problem:
            answer = explain(request, problem)
            if "Allow" in problem.headers:
                answer.headers["Allow"] = problem.headers["Allow"]
            return answer

    async def finish(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.pop("Server", None)
        for name, value in {"X-Content-Type-Options": "nosniff", **headers}.items():
            response.headers.setdefault(name, value)

    async def health(_: web.Request) -> web.Response:
        if status.draining:
            return web.Response(status=503, text="draining\n", headers={"Cache-Control": "no-store"})
        return web.Response(text="ok\n", headers={"Cache-Control": "no-store"})

    application = web.Application(middlewares=[errors])
    application.on_response_prepare.append(finish)
    application.router.add_get("/healthz", health)
    return application


def below(endpoint: str, path: str) -> str:
    """A path under an endpoint, which is "/" or has no slash at its end."""
    return f"{endpoint.rstrip('/')}/{path}"
