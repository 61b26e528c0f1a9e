"""What the three listeners have in common: /healthz and /readyz, headers, errors in their own format."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Status:
    """The state of the whole process.

    Attributes:
        started: Since when it runs, in monotonic seconds.
        draining: Whether it is going away.
        problem: Says why it may not take traffic all the same, in one line; None when it may.
    """

    started: float = field(default_factory=time.monotonic)
    draining: bool = False
    problem: Callable[[], str | None] = lambda: None

    def unready(self) -> str | None:
        """Why no new client should be sent here; None when it should."""
        return "draining" if self.draining else self.problem()


def listener(
    status: Status, headers: Mapping[str, str], explain: Callable[[web.Request, web.HTTPException], web.Response]
) -> web.Application:
    """An application with `GET /healthz` and `GET /readyz`, and nothing else yet.

    The two differ while the store is away: the process is well, and to start it anew would only cut its sockets.

    Args:
        status: Makes /healthz say 503 while draining, and /readyz also while there is a problem.
        headers: Set on every response that does not set them itself.
        explain: Writes the answer to a request that went nowhere (404, 405, 400).
    """

    @web.middleware
    async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPError as problem:
            answer = explain(request, problem)
            for name in {"Allow", "Retry-After"} & problem.headers.keys():
                answer.headers[name] = problem.headers[name]
            return answer

    async def finish(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.pop("Server", None)
        for name, value in {"X-Content-Type-Options": "nosniff", **headers}.items():
            response.headers.setdefault(name, value)

    def verdict(problem: str | None) -> web.Response:
        headers = {"Cache-Control": "no-store"}
        return web.Response(status=503 if problem else 200, text=f"{problem or 'ok'}\n", headers=headers)

    async def health(_: web.Request) -> web.Response:
        return verdict("draining" if status.draining else None)

    async def ready(_: web.Request) -> web.Response:
        return verdict(status.unready())

    application = web.Application(middlewares=[errors])
    application.on_response_prepare.append(finish)
    application.router.add_get("/healthz", health)
    application.router.add_get("/readyz", ready)
    return application


def below(endpoint: str, path: str) -> str:
    """A path under an endpoint, which is "/" or has no slash at its end."""
    return f"{endpoint.rstrip('/')}/{path}"
