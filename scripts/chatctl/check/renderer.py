"""Many renders: each asked for once, two at a time, which is what two cores take."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from chatctl.render import Rendered, Request, render

AT_ONCE = 2


class Renderer:
    """Renders in the background, and remembers.

    `note` is told how far it is.
    """

    def __init__(self, note: Callable[[str], None] = lambda _: None) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._note = note
        self._futures: dict[tuple[Request, int], Future[Rendered]] = {}
        self._done = 0

    def start(self, request: Request, again: int = 0) -> None:
        """Begin rendering, unless it was asked for before; `again` asks for another run of the same."""
        self._future(request, again)

    def __call__(self, request: Request, again: int = 0) -> Rendered:
        """Return what a request renders to.

        Raises:
            ChatctlError: it does not render.
        """
        return self._future(request, again).result()

    def close(self) -> None:
        """Wait for what is running, and drop what has not begun."""
        self._pool.shutdown(cancel_futures=True)

    @property
    def requests(self) -> list[Request]:
        """All requests that were run, in order; the same twice where it was asked for again."""
        return [request for request, _ in self._futures]

    def _future(self, request: Request, again: int) -> Future[Rendered]:
        if (request, again) not in self._futures:
            self._futures[request, again] = future = self._pool.submit(render, request)
            future.add_done_callback(self._count)
        return self._futures[request, again]

    def _count(self, _: Future[Rendered]) -> None:
        self._done += 1
        self._note(f"{self._done} of {len(self._futures)} renders")
