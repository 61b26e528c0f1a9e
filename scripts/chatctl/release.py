"""Install the chart as a release and follow it until it serves, or take it back as it was.

Helm runs as the pinned program with an explicit kubeconfig; nothing of the user's Helm or kubectl settings is read.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kr8s
import yaml
from kr8s.objects import Namespace

from chatctl import imagename, kubeyaml, workload
from chatctl.console import Steps
from chatctl.errors import ChatctlError, ToolError, UserError
from chatctl.paths import repository
from chatctl.render import Rendered, Request, as_yaml, client_env, render


@dataclass(frozen=True)
class Release:
    """A release of the chart in a cluster: what `helm -n NAMESPACE status NAME` is asked about."""

    helm: Path
    kubeconfig: Path
    name: str
    namespace: str

    def helm_run(self, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run Helm against this cluster and namespace."""
        words = [self.helm, *arguments, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}"]
        argv = [str(word) for word in words]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, env=client_env(), check=False)

    def helm_output(self, *arguments: object, stdin: str = "") -> str:
        """Run Helm and return what it prints.

        Raises:
            ToolError: Helm failed.
        """
        done = self.helm_run(*arguments, stdin=stdin)
        if done.returncode != 0:
            raise ToolError(f"helm {arguments[0]} failed: {_reason(done.stderr)}.")
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Return what Helm knows of the release (`helm status -o json`), empty if it is not installed."""
        done = self.helm_run("status", self.name, "--output=json")
        if done.returncode != 0 and "release: not found" in done.stderr:
            return {}
        if done.returncode != 0:
            raise ToolError(f"Helm can't ask the cluster for release {self.name}: {_reason(done.stderr)}.")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def values(self) -> dict[str, Any]:
        """Return the values of the installed release, defaults included."""
        answer: dict[str, Any] = json.loads(self.helm_output("get", "values", self.name, "--all", "--output=json"))
        return answer

    def manifests(self) -> list[Any]:
        """Return the objects of the installed release, its tests included."""
        parts = [self.helm_output("get", part, self.name) for part in ("manifest", "hooks")]
        return [document for part in parts for document in kubeyaml.load_all(part)]

    def last_deployed(self) -> int:
        """Return the newest revision that was deployed or gave way to one that was, 0 if there is none."""
        if not self.status():
            return 0
        history = json.loads(self.helm_output("history", self.name, "--output=json"))
        return max((each["revision"] for each in history if each["status"] in ("deployed", "superseded")), default=0)


def image_values(reference: str) -> dict[str, Any]:
    """Return the chart values that name an image, from a reference as `docker pull` takes it.

    Raises:
        UserError: it is not an image reference.
    """
    fields = imagename.parse(reference)
    if fields is None:
        raise UserError(f"{reference!r} is not an image reference; write it like registry.example.com/team/chat:1.2.")
    fields["tag"] = fields["tag"] or ("" if fields["digest"] else "latest")
    return {"image": fields}


def keys(values: Sequence[Path]) -> set[str]:
    """Return the top-level keys that values files set; they were rendered before, so they are maps."""
    return {key for file in values for key in yaml.safe_load(file.read_text()) or {}}


def plan(target: Release, values: Sequence[Path], overrides: Mapping[str, Any]) -> Rendered:
    """Render what would be installed, so that a wrong value or name is refused before anything is touched."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", target.namespace):
        raise UserError(
            f"{target.namespace!r} can't name a namespace; take up to 63 lower-case letters, digits and dashes."
        )
    chart = repository() / "chart"
    request = Request(target.helm, chart, tuple(values), as_yaml(overrides), (), target.name, target.namespace)
    return render(request)


def install(
    release: Release,
    values: Sequence[Path],
    overrides: Mapping[str, Any],
    labels: Mapping[str, str],
    steps: Steps,
) -> tuple[Rendered, bool]:
    """Bring the release to what the chart renders to; return that, and whether anything had to change.

    A release that fails is taken back: to the last revision that was deployed, or to nothing. A namespace that is not
    there is made, with `labels`, and goes again with a new release that fails.

    Raises:
        UserError: its pods can't run, and why.
        ToolError: Helm or the cluster failed.
    """
    rendered = plan(release, values, overrides)
    before = release.status()
    state = before.get("info", {}).get("status", "")
    if state.startswith("pending"):
        raise UserError(
            f"release {release.name} is {state}: another Helm works on it, or was stopped while it did; wait for it, "
            f"or undo it with `helm rollback` or `helm uninstall {release.name} -n {release.namespace}`."
        )
    if state == "deployed" and _same(release.manifests(), rendered.objects):
        return rendered, False
    revision = release.last_deployed()
    verb = "Upgrading" if before else "Installing"
    with steps.step(f"{verb} release {release.name} in namespace {release.namespace}") as note:
        api = workload.connect(release.kubeconfig)
        made = _make_namespace(api, release.namespace, labels)
        files = [f"--values={file}" for file in values]
        chart = repository() / "chart"
        try:
            release.helm_output(
                "upgrade", release.name, chart, "--install", *files, "--values=-", stdin=json.dumps(dict(overrides))
            )
            for each in rendered.objects:
                if each["kind"] == "Deployment":
                    workload.wait_until_available(api, release.namespace, each["metadata"]["name"], note)
        except BaseException as error:
            note("taking it back")
            left = _take_back(release, revision, made)
            if left and isinstance(error, ChatctlError):
                raise type(error)(f"{error} Taking it back failed as well: {left}") from error
            raise
    return rendered, True


def test(release: Release, steps: Steps) -> None:
    """Run `helm test`: a real handshake through the Service, inside the cluster.

    Raises:
        ToolError: it failed; the message carries the last line of the test's log.
    """
    with steps.step("helm test: a WebSocket handshake through the Service"):
        done = release.helm_run("test", release.name, "--logs", "--timeout=90s")
        if done.returncode != 0:
            told = [line for line in done.stdout.splitlines() if line.startswith("FAILED:")]
            raise ToolError(
                f"helm test failed: {told[-1].removeprefix('FAILED:').strip() if told else _reason(done.stderr)}"
            )


def addresses(objects: Sequence[Any], http_port: int | None, https_port: int | None) -> list[str]:
    """Return the URLs at which the rendered Ingresses and HTTPRoutes serve the page, each once.

    A port that is None is the scheme's own. A Gateway's certificates are its owner's business: an HTTPRoute counts as
    https where all listeners that it names are called so or have port 443.
    """
    found = []
    for ingress in (each for each in objects if each["kind"] == "Ingress"):
        spec = ingress["spec"]
        secure = {host for entry in spec.get("tls", []) for host in entry.get("hosts", [])}
        for rule in spec["rules"]:
            paths = [path["path"] for path in rule["http"]["paths"]]
            found.append(_address(rule["host"], paths, https_port, http_port, https=rule["host"] in secure))
    for route in (each for each in objects if each["kind"] == "HTTPRoute"):
        spec = route["spec"]
        listeners = [(ref.get("sectionName", ""), ref.get("port")) for ref in spec["parentRefs"]]
        https = all("secure" in name or "https" in name or port == 443 for name, port in listeners)
        paths = [match["path"]["value"] for rule in spec["rules"] for match in rule["matches"]]
        found += [_address(host, paths, https_port, http_port, https=https) for host in spec["hostnames"]]
    return list(dict.fromkeys(found))


def _address(host: str, paths: Sequence[str], https_port: int | None, http_port: int | None, *, https: bool) -> str:
    """Return the URL of a host's shortest path, which is the page's."""
    port = https_port if https else http_port
    root = min(paths, key=len).rstrip("/")
    return f"http{'s' if https else ''}://{host}{f':{port}' if port else ''}{root}/"


def _make_namespace(api: kr8s.Api, name: str, labels: Mapping[str, str]) -> Any:
    """Return the namespace if it had to be made, else None.

    Raises:
        UserError: the cluster refuses it.
    """
    namespace: Any = Namespace({"metadata": {"name": name, "labels": dict(labels)}}, api=api)
    try:
        if namespace.exists():
            return None
        namespace.create()
    except kr8s.ServerError as error:
        if error.response is not None and error.response.status_code in (403, 409):
            return None  # no right to look, or made meanwhile: Helm will say if it is not there
        raise UserError(f"namespace {name} can't be made: {error}; name another with --namespace.") from error
    return namespace


def _take_back(release: Release, revision: int, made: Any) -> str:
    """Return to `revision`, or to nothing where it is 0; return why that failed, or ""."""
    if revision:
        done = release.helm_run("rollback", release.name, revision, "--wait", "--timeout=120s")
    else:
        done = release.helm_run("uninstall", release.name, "--ignore-not-found", "--wait", "--timeout=60s")
    if made is not None:
        made.delete()
        made.wait("delete", timeout=60)
    return "" if done.returncode == 0 else _reason(done.stderr)


def _same(installed: Sequence[Any], rendered: Sequence[Any]) -> bool:
    def canonical(objects: Sequence[Any]) -> list[str]:
        return sorted(json.dumps(each, sort_keys=True) for each in objects)

    return canonical(installed) == canonical(rendered)


def _reason(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("Error:")]
    return (told or lines or ["it said nothing"])[-1].removeprefix("Error: ")
