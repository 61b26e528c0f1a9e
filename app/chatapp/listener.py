"""What the three listeners have in common: /healthz, headers, errors in their own format."""

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
        problem: Says in one line why people can't talk all the same; None when they can.
        worked: Says whether they could at any time since the start.
    """

    started: float = field(default_factory=time.monotonic)
    draining: bool = False
    problem: Callable[[], str | None] = lambda: None
    worked: Callable[[], bool] = lambda: True


def listener(
    status: Status, headers: Mapping[str, str], explain: Callable[[web.Request, web.HTTPException], web.Response]
) -> web.Application:
    """An application with `GET /healthz`, and nothing else yet.

    It asks whether the process is alive, and with `?ready=1` whether people may be sent here. They differ for a process
    that has never reached its store: a rollout must not go on with it, and a new start would not help. One that has
    lost its store goes on being ready, and says what is wrong: all replicas have lost it, and the page is still served.

    Args:
        status: Makes it say 503.
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

    async def health(request: web.Request) -> web.Response:
        problem = status.problem() if "ready" in request.query else None
        fit = not status.draining and (problem is None or status.worked())
        text = "draining" if status.draining else problem if not fit else f"ok, but {problem}" if problem else "ok"
        return web.Response(status=200 if fit else 503, text=f"{text}\n", headers={"Cache-Control": "no-store"})

    application = web.Application(middlewares=[errors])
    application.on_response_prepare.append(finish)
    application.router.add_get("/healthz", health)
    return application


def below(endpoint: str, path: str) -> str:
    """A path under an endpoint, which is "/" or has no slash at its end."""
    return f"{endpoint.rstrip('/')}/{path}"
