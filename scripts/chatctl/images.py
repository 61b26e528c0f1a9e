"""Container images without a registry: written by hand around one program, or built by buildah, kept as OCI archives.

An archive in the cache is named by what went into it, so it is made once. Layout: OCI image specification 1.1 (image
layout, manifest, configuration); the annotation `io.containerd.image.name` is how containerd names what it imports.
"""

import hashlib
import io
import json
import re
import signal
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chatctl import packages, process
from chatctl.console import Steps
from chatctl.errors import UserError
from chatctl.paths import cache_dir, repository

BASE = "localhost/base:1"
BASE_SUITE = "bookworm"
BASE_PACKAGES = ["ca-certificates", "curl", "python3", "python3-venv"]
STORE_SUITE = "trixie"
STORE_PACKAGES = ["valkey-server", "valkey-tools"]
"""The first Debian with Valkey: its client, and a server with TLS, which the pinned one is built without."""
APP_FILES = ["Containerfile", ".dockerignore", "requirements.lock", "chatapp/*.py", "web/**/*"]
"""What the reference app's image is made of."""
FIND_SECONDS = 45


@dataclass(frozen=True)
class Image:
    """An image of one layer: the `files` (path in the image -> path here), or a whole tree as a tar file.

    `name` is a full reference; containerd looks images up by exactly that.
    """

    name: str
    files: Mapping[str, Path] = field(default_factory=dict)
    tree: Path | None = None
    entrypoint: Sequence[str] = ()


@dataclass(frozen=True)
class Found:
    """An image that can be imported: the reference it will have, and its OCI archive."""

    reference: str
    archive: Path


def write_archive(target: Path, images: Sequence[Image]) -> None:
    """Write the images as one OCI archive (a tar file) that `ctr images import` and buildah read."""
    index: list[dict[str, object]] = []
    blobs: set[str] = set()
    with tarfile.open(target, "w") as archive:
        for image in images:
            with scratch(target) as folder:
                layer = image.tree or _layer(folder / "layer.tar", image.files)
                layer_digest = _digest_of(layer)
                if layer_digest not in blobs:
                    archive.add(layer, f"blobs/sha256/{layer_digest}")
                    blobs.add(layer_digest)
                layer_size = layer.stat().st_size
            config = {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Entrypoint": list(image.entrypoint), "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
            }
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": _add_json(archive, "application/vnd.oci.image.config.v1+json", config, blobs),
                "layers": [
                    {
                        "mediaType": "application/vnd.oci.image.layer.v1.tar",
                        "digest": f"sha256:{layer_digest}",
                        "size": layer_size,
                    }
                ],
            }
            entry = _add_json(archive, str(manifest["mediaType"]), manifest, blobs)
            index.append({**entry, "annotations": {"io.containerd.image.name": image.name}})
        _add_file(archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        _add_file(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": index}).encode())


def base_image(steps: Steps) -> Found:
    """Build the small Debian that stands in for the images no registry can give.

    It is the base of the reference app, the shell of the storage provisioner and the curl of `helm test`.
    """
    return _debian(BASE, BASE_SUITE, BASE_PACKAGES, {}, steps)


def store_image(server: Path, steps: Steps) -> Found:
    """Build the image that stands in for Valkey's own: the pinned server, in /usr/local/bin, and Debian's around it."""
    version = server.parent.name.rpartition("-")[2]
    return _debian(f"localhost/store:{version}", STORE_SUITE, STORE_PACKAGES, {"/usr/local/bin": server}, steps)


def _debian(reference: str, suite: str, names: Sequence[str], programs: Mapping[str, Path], steps: Steps) -> Found:
    """Build a small Debian with some packages, and with programs of ours in its folders."""
    packages.ensure(packages.IMAGES, steps)
    kind = reference.removeprefix("localhost/").partition(":")[0]
    target = _cached(kind, json.dumps([reference, suite, names]).encode())
    if not target.exists():
        with steps.step(f"Building the {kind} image", "30 s") as note, scratch(target) as folder:
            tree = folder / "tree.tar"
            copies = [f"--customize-hook=copy-in {program} {place}" for place, program in programs.items()]
            argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(names)}", *copies, suite, tree]
            process.logged(argv, cache_dir() / "logs" / "mmdebstrap.log", note=note)
            write_archive(folder / "archive", [Image(reference, tree=tree, entrypoint=["/bin/sh"])])
            (folder / "archive").rename(target)
    return Found(reference, target)


def app_image(base: Path, steps: Steps) -> Found:
    """Build the reference app's image, tagged by its content."""
    return build(repository() / "app", APP_FILES, "chatapp", base, steps)


def build(folder: Path, patterns: Sequence[str], name: str, base: Path, steps: Steps) -> Found:
    """Build the Containerfile of `folder` on the image in archive `base`, as localhost/NAME, tagged by its content.

    Args:
        folder: What the build sees.
        patterns: Which files of it the image is made of; a change in others makes no new one.
        name: What the image is called.
        base: The archive of the image that build argument BASE names.
        steps: Where progress is shown.
    """
    files = sorted(file for pattern in patterns for file in folder.glob(pattern) if file.is_file())
    contents = [part for file in files for part in (str(file.relative_to(folder)).encode(), file.read_bytes())]
    target = _cached(folder.name, b"\0".join([base.name.encode(), *contents]))
    reference = f"localhost/{name}:{target.stem.rpartition('-')[2]}"
    if not target.exists():
        with steps.step(f"Building image {name}", "25 s") as note, scratch(target) as place:
            buildah = _private_storage(place)
            # pip inside the build trusts and asks what the machine's pip does.
            mounts = [f"-v={path}:{path}:ro" for path in ("/etc/ssl/certs", "/etc/pip.conf") if Path(path).exists()]
            command = [*buildah, "build", "--isolation=chroot", "--network=host", *mounts, f"--tag={reference}"]
            process.logged([*command, f"--build-arg=BASE=oci-archive:{base}", folder], _log(), note=note)
            archive = f"{place}/archive"
            process.logged([*buildah, "push", "-D", reference, f"oci-archive:{archive}:{reference}"], _log(), note=note)
            Path(archive).rename(target)
    return Found(reference, target)


def user_image(reference: str, folder: Path, steps: Steps) -> Found:
    """Find the image that a user named: in root's buildah storage, in a Docker engine, or in its registry.

    It gets a name made of its content, so that a rebuilt image is rolled out. Its archive, and what has to be copied
    for that, is written into `folder`.

    Raises:
        UserError: it is in none of them.
    """
    packages.ensure(packages.IMAGES, steps)
    with steps.step(f"Looking for the image {reference}") as note:
        reason = ""
        for source, buildah in _sources(reference, _private_storage(folder)):
            note(f"as {source}")
            identity, reason = _pull([*buildah, "pull", "--retry=0", source], note)
            if identity:
                base_name = re.sub(r"(:[^/:]*)?(@.*)?$", "", reference).rpartition("/")[2]
                name = f"localhost/{base_name}:{identity[:12]}"
                target = folder / f"{identity[:12]}.tar"
                process.logged([*buildah, "push", "-D", identity, f"oci-archive:{target}:{name}"], _log(), note=note)
                return Found(name, target)
        raise UserError(
            f"the image {reference} is neither on this machine (for root) nor to be pulled ({reason}); "
            f"build it with `buildah build -t {reference} .` or `docker build -t {reference} .`, or mend its name."
        )


def _sources(reference: str, private: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """Return where an image may be (containers-transports(5)), and the buildah command that gets it from there.

    What is copied from elsewhere goes into a `private` storage, not into the machine's.
    """
    names = [reference, f"localhost/{reference}"]  # buildah calls what it builds localhost/NAME where no host is named
    local: list[tuple[str, Sequence[str]]] = [(f"containers-storage:{name}", ["buildah"]) for name in names]
    docker = [(f"docker-daemon:{reference}", private)] if Path("/var/run/docker.sock").exists() else []
    return [*local, *docker, (f"docker://{reference}", private)]


def _pull(argv: Sequence[str], note: Callable[[str], None]) -> tuple[str, str]:
    """Run `buildah pull`; return the image's id, or "" and the reason why there is none.

    Finding it may take `FIND_SECONDS`; copying what was found, as long as it takes.
    """
    lines = [""]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pull:
        limit = threading.Timer(FIND_SECONDS, pull.kill)
        limit.start()
        for line in pull.stdout or ():
            lines.append(line.strip())
            note(lines[-1])
            if line.startswith(("Getting image source", "Copying")):
                limit.cancel()
        limit.cancel()
    if pull.returncode == 0:
        return lines[-1], ""
    killed = pull.returncode == -signal.SIGKILL
    return "", f"no answer within {FIND_SECONDS} s" if killed else lines[-1].removeprefix("Error: ")


def _private_storage(folder: Path) -> list[str]:
    return ["buildah", "--storage-driver=vfs", f"--root={folder}/storage", f"--runroot={folder}/run"]


def _log() -> Path:
    return cache_dir() / "logs" / "buildah.log"


@contextmanager
def scratch(target: Path) -> Iterator[Path]:
    """Yield a folder beside `target` for making it, gone afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _cached(kind: str, recipe: bytes) -> Path:
    return cache_dir() / "images" / f"{kind}-{hashlib.sha256(recipe).hexdigest()[:12]}.tar"


def _layer(target: Path, files: Mapping[str, Path]) -> Path:
    def as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755  # whatever the umask was
        entry.mtime = 0
        return entry

    with tarfile.open(target, "w") as layer:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        layer.addfile(folder)
        for path, source in sorted(files.items()):
            layer.add(source, path.lstrip("/"), filter=as_root)
    return target


def _digest_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add_json(archive: tarfile.TarFile, media_type: str, content: object, blobs: set[str]) -> dict[str, object]:
    data = json.dumps(content, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    if digest not in blobs:
        _add_file(archive, f"blobs/sha256/{digest}", data)
        blobs.add(digest)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _add_file(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
