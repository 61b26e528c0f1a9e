"""`python -m chatapp`: read the environment, serve, end with 0; or say what is wrong with it and end with 1."""

import asyncio
import logging
import os
import sys

from .config import ConfigError, from_environment


def main() -> int:
    """Run the server and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        config = from_environment(os.environ)
        # Only now, because the libraries take longer to load than a wrong variable takes to find.
        from .server import serve

        asyncio.run(serve(config))
    except ConfigError as problem:
        print(f"chatapp: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
