"""Make a started node a cluster: its images, kubeadm, and the add-ons that make it useful."""

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import Literal

import yaml

from chatctl import certificates, images, packages, process, toolchain
from chatctl.cluster import node as nodes
from chatctl.cluster.model import Cluster, Node
from chatctl.console import Steps
from chatctl.images import Image
from chatctl.paths import cache_dir, repository
from chatctl.render import client_env

HERE = Path(__file__).parent
CONTROL_PLANE = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
NODE_TOOLS = ["containerd", "containerd-shim-runc-v2", "ctr", "runc", "kubeadm", "kubelet", "kube-proxy"]
ADDON_TOOLS = ["etcd", "coredns", "local-path-provisioner", "traefik"]
TOOLS = ["kubectl", *NODE_TOOLS, *CONTROL_PLANE, *ADDON_TOOLS]


def default_image(part: Literal["tests", "valkey"]) -> str:
    """Return the chart's default image of its test or its store, which one built here stands in for."""
    chart = yaml.safe_load((repository() / "chart" / "values.yaml").read_text())
    image = chart[part]["image"]
    return f"{image['registry']}/{image['repository']}:{image['tag']}"


def bring_store(node: Node, tools: Mapping[str, Path], steps: Steps) -> None:
    """Bring a running node the image of the embedded store."""
    server = toolchain.ensure(["valkey-server"], steps)["valkey-server"]
    found = images.store_image(server, steps)
    import_images(node, tools, [found.archive])
    tag_image(node, tools, found.reference, default_image("valkey"))


def prepare(steps: Steps) -> dict[str, Path]:
    """Bring what a cluster is made of: Debian packages and tools. Return the tools' paths."""
    packages.ensure(packages.NODE, steps)
    return toolchain.ensure(TOOLS, steps)


def start(cluster: Cluster, tools: Mapping[str, Path], archives: Sequence[Path], steps: Steps) -> Node:
    """Start the cluster and import the image `archives`; on failure nothing of it is left.

    Raises:
        ToolError: a part did not come up; the message names its log, which is kept.
    """
    nodes.stop(cluster.name)  # what a reboot left of it
    crds = toolchain.crds("gateway.networking.k8s.io", steps)
    system = _system_archive(tools, steps)
    folders = _folders(tools)
    try:
        with steps.step("Starting the node"):
            node = nodes.start(cluster, folders, lambda new: configure(new, tools))
            node.reach_directly()
        with ThreadPoolExecutor() as pool, steps.step("Starting Kubernetes", "25 s") as note:
            _import(node, folders, system)
            others = [pool.submit(_import, node, folders, archive) for archive in archives]
            skip = "--skip-phases=addon/coredns,addon/kube-proxy,show-join-command"
            init = ["kubeadm", "init", "--config=/run/node/kubeadm.yaml", "--ignore-preflight-errors=all", skip]
            node.run(init, folders, note)
            for other in others:
                other.result()
            shutil.copy(node.path("/etc/kubernetes/admin.conf"), cluster.kubeconfig)
        with steps.step("Adding DNS, storage, Traefik and the Gateway API"):
            _add_ons(node, tools, crds)
    except BaseException:
        nodes.stop(cluster.name)
        raise
    node.mark_ready()
    return node


def wait_until_ready(cluster: Cluster, kubectl: Path, steps: Steps) -> None:
    """Wait until the node and every add-on is ready."""
    with steps.step("Waiting for the node and its add-ons"):
        wait = [kubectl, f"--kubeconfig={cluster.kubeconfig}", "wait", "--timeout=180s"]
        process.output([*wait, "--for=condition=Ready", "node", "--all"], env=client_env())
        for namespace in ("kube-system", "storage", "traefik"):
            process.output(
                [*wait, "--for=condition=Available", "deployment", "--all", "-n", namespace], env=client_env()
            )


def import_images(node: Node, tools: Mapping[str, Path], archives: Sequence[Path]) -> None:
    """Import those archives that a running node does not have yet; an archive is named by its content."""
    for archive in archives:
        if not (node.cluster.folder / "images" / archive.name).exists():
            _import(node, _folders(tools), archive)


def tag_image(node: Node, tools: Mapping[str, Path], name: str, other: str) -> None:
    """Give an imported image another name."""
    node.run(["ctr", "-n", "k8s.io", "images", "tag", "--force", name, other], _folders(tools))


def _folders(tools: Mapping[str, Path]) -> list[Path]:
    return sorted({path.parent for path in tools.values()})


def _import(node: Node, folders: Sequence[Path], archive: Path) -> None:
    node.run(["ctr", "-n", "k8s.io", "images", "import", "--local", archive], folders)
    (node.cluster.folder / "images" / archive.name).touch()


def configure(node: Node, tools: Mapping[str, Path]) -> None:
    """Write the node's configuration files."""
    fill = {
        "runc": str(tools["runc"]),
        "address": node.address,
        "cgroup": node.cluster.cgroup,
        "version": toolchain.TOOLS["kubeadm"].version,
        "etcd": toolchain.TOOLS["etcd"].version,
    }
    for name in ("containerd.toml", "kubeadm.yaml", "kube-proxy.yaml", "cni.conflist"):
        text = (HERE / name).read_text()
        (node.cluster.folder / name).write_text(Template(text).substitute(fill))
    (node.cluster.folder / "resolv.conf").write_text("")


def _system_archive(tools: Mapping[str, Path], steps: Steps) -> Path:
    """Return one archive with the images of the control plane and the add-ons, each a single program."""
    programs = [*CONTROL_PLANE, *ADDON_TOOLS]
    key = "-".join(sorted({tools[name].parent.name.rpartition("-")[2] for name in programs}))
    target = cache_dir() / "images" / f"system-{key}.tar"
    if not target.exists():
        with steps.step("Packing the control plane's images", "10 s"), images.scratch(target) as folder:
            programs_images = map(_program_image, programs, [tools[name] for name in programs])
            images.write_archive(folder / "archive", [*programs_images, _pause()])
            (folder / "archive").rename(target)
    return target


def _program_image(name: str, program: Path) -> Image:
    path = f"/usr/local/bin/{name}"
    version = toolchain.TOOLS[name].version
    return Image(f"localhost/{name}:{version}", files={path: program}, entrypoint=[path])


def _pause() -> Image:
    return Image("localhost/pause:1", files={"/catatonit": Path("/usr/bin/catatonit")}, entrypoint=["/catatonit", "-P"])


def _add_ons(node: Node, tools: Mapping[str, Path], crds: Path) -> None:
    kubectl = [tools["kubectl"], f"--kubeconfig={node.cluster.kubeconfig}"]
    apply = [*kubectl, "apply", "--server-side", "-f"]
    process.output([*apply, crds], env=client_env())
    process.output([*kubectl, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], env=client_env())
    versions = {
        "coredns": toolchain.TOOLS["coredns"].version,
        "storage": toolchain.TOOLS["local-path-provisioner"].version,
        "traefik": toolchain.TOOLS["traefik"].version,
    }
    manifests = [Template(file.read_text()).substitute(versions) for file in sorted((HERE / "addons").glob("*.yaml"))]
    certificate, key = certificates.self_signed(["*.localhost", "localhost"])
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "localhost", "namespace": "traefik"},
        "stringData": {"tls.crt": certificate, "tls.key": key},
    }
    process.output([*apply, "-"], stdin="\n---\n".join([*manifests, yaml.safe_dump(secret)]), env=client_env())
