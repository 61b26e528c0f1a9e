"""Pins of a test's own: a Go module proxy and wheels in a folder, served to the real go and pip without a network."""

import hashlib
import json
import os
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chatctl.gobuild import GO_SETTINGS

GO_MOD = "module example.com/pins\n\ngo 1.26\n"


@dataclass(frozen=True)
class Module:
    """A Go module in the proxy, and the two checksums that go.sum holds of it."""

    name: str
    version: str
    checksum: str
    go_mod_checksum: str

    @property
    def go_sum(self) -> str:
        """Its lines in go.sum."""
        return f"{self.name} {self.version} {self.checksum}\n{self.name} {self.version}/go.mod {self.go_mod_checksum}\n"


@dataclass(frozen=True)
class Pins:
    """A repository's `ci/toolchain`, and the proxy that its Go modules come from."""

    folder: Path
    proxy: Path
    go: Path

    def write(self, group: str, **files: str) -> Path:
        """Write the pin files of a group; `go_mod` is go.mod, and so on. Return the group's folder."""
        folder = self.folder / group
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text)
        return folder

    def publish(self, name: str, version: str, files: Mapping[str, str]) -> Module:
        """Put a module into the proxy (go.dev/ref/mod#goproxy-protocol) and have go itself sum it up."""
        shelf = self.proxy / name / "@v"
        shelf.mkdir(parents=True, exist_ok=True)
        go_mod = f"module {name}\n\ngo 1.26\n"
        (shelf / f"{version}.info").write_text(json.dumps({"Version": version}))
        (shelf / f"{version}.mod").write_text(go_mod)
        with zipfile.ZipFile(shelf / f"{version}.zip", "w") as archive:
            for path, text in {"go.mod": go_mod, **files}.items():
                archive.writestr(f"{name}@{version}/{path}", text)
        argv = [str(self.go), "mod", "download", "-json", f"{name}@{version}"]
        env = {**os.environ, **GO_SETTINGS, "GOMODCACHE": str(self.proxy.parent / "summed")}
        done = subprocess.run(argv, cwd=self.proxy, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        summed = json.loads(done.stdout)
        return Module(name, version, summed["Sum"], summed["GoModSum"])


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str]) -> str:
    """Make a wheel in `folder`; return the requirements that pin it and ask no registry."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}-py3-none-any.whl"
    information = f"{name}-{version}.dist-info"
    about = {
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/RECORD": "",
    }
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in {**files, **about}.items():
            archive.writestr(path, text)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"--no-index\n--find-links {folder}\n{name}=={version} --hash=sha256:{digest}\n"
