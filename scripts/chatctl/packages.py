"""Programs that come from the operating system, not from the pins: named, then installed where apt can."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from chatctl import process
from chatctl.console import Steps
from chatctl.errors import UserError
from chatctl.paths import cache_dir

COMPILER: Mapping[str, str] = {
    "gcc": "gcc",
    "libc6-dev": "/usr/include/stdio.h",
    "libseccomp-dev": "/usr/include/seccomp.h",
    "pkg-config": "pkg-config",
}
"""What runc, the one program with C in it, is compiled with: Debian package -> the program or file it is known by."""

DOWNLOADS: Mapping[str, str] = {"ca-certificates": "/etc/ssl/certs/ca-certificates.crt"}
"""What Go trusts when it downloads modules."""

NODE: Mapping[str, str] = {
    "catatonit": "/usr/bin/catatonit",
    "conntrack": "conntrack",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iproute2": "ip",
    "iptables": "iptables",
    "kmod": "modprobe",
    "socat": "socat",
}
"""What a node of the local cluster runs on."""

IMAGES: Mapping[str, str] = {
    "buildah": "buildah",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "mmdebstrap": "mmdebstrap",
}
"""What container images are built with."""


def ensure(wanted: Mapping[str, str], steps: Steps) -> None:
    """Install those of the `wanted` packages whose program or file is missing, after saying which.

    Raises:
        UserError: apt or root is missing; the message names the packages.
        ToolError: apt failed.
    """
    missing = [package for package, known_by in sorted(wanted.items()) if not _present(known_by)]
    if not missing:
        return
    names = " ".join(missing)
    if not shutil.which("apt-get"):
        raise UserError(f"this machine lacks {names} (Debian's names) and has no apt-get; install them and run again.")
    if os.geteuid() != 0:
        raise UserError(f"this machine lacks {names}; run `apt-get install {names}` as root and try again.")
    log = cache_dir() / "logs" / "apt.log"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with steps.step(f"Installing Debian packages: {', '.join(missing)}", "30 s") as note:
        process.logged(["apt-get", "update", "-q"], log, env=env, note=note)
        process.logged(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], log, env=env, note=note)


def _present(known_by: str) -> bool:
    if known_by.startswith("/"):
        return Path(known_by).exists()
    system = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # a plain `su` leaves these out
    return shutil.which(known_by, path=system) is not None
