"""Take the README's picture: `python -m tests.browser.screenshot http://chatapp.localhost:8080 docs/chat.png`.

Two people really talk; the picture is what the first of them sees.
"""

import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from . import engines
from .chat_page import enter, messages, say

ROOM = "why-is-it-dead"
DIALOGUE = (
    ("Ada", "The page loads, the API answers, and the chat is dead."),
    ("Ada", 'All it does is new WebSocket("/wss").'),
    ("Bob", "No scheme, no host: older browsers refuse that and send nothing."),
    ("Ada", "Then I build wss://chatapp.com/wss into the page?"),
    ("Bob", "And again for every new domain? Let the browser complete /wss."),
    ("Ada", "It works: we are talking through it."),
)


def take(url: str, picture: Path) -> None:
    """Have the dialogue in the release at `url` and write the picture (PNG, 1200x750 at twice the density).

    The room must have no history; a new pod has none.
    """
    with sync_playwright() as playwright, engines.launch(playwright, engines.modern()) as browser:
        people = {
            nick: browser.new_page(
                viewport={"width": 1200, "height": 750}, device_scale_factor=2, ignore_https_errors=True
            )
            for nick in ("Ada", "Bob")
        }
        for nick, page in people.items():
            enter(page, url, ROOM, nick)
        for number, (nick, text) in enumerate(DIALOGUE, start=1):
            say(people[nick], text)
            for page in people.values():
                expect(messages(page)).to_have_count(number)
        people["Ada"].screenshot(path=picture)


if __name__ == "__main__":
    take(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
