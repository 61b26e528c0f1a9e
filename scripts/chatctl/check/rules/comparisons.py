"""What must not differ, or must, between several renders of one value set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatctl.check.cases import Case
from chatctl.check.model import Object, Release
from chatctl.check.rule import Fault, comparison
from chatctl.check.rules.names import name_valid


@comparison(
    "deterministic",
    "a random or timed value makes every sync a change, and every change a restart",
    "element-hq/ess-helm, tests/manifests",
    needs=("again",),
)
def deterministic(case: Case) -> Iterator[Fault]:
    """Two renders of the same are the same."""
    yield from _differences(
        case.base, case["again"], "a second render differs here", "take nothing from chance or time"
    )


@comparison(
    "helm-3-4",
    "people have either Helm; GitOps tools often Helm 3",
    "helm/helm#31643, helm/helm#32530",
    needs=("helm3",),
)
def helm_3_4(case: Case) -> Iterator[Fault]:
    """Helm 3 and Helm 4 render the same objects."""
    yield from _differences(case.base, case["helm3"], "Helm 3 renders it otherwise", "rely on no null and no hasKey")


@comparison(
    "no-capabilities",
    "`helm template` and Argo CD know no cluster: what hides behind a look-up is not there for them",
    "cert-manager/cert-manager#5162, argoproj/argo-helm#2243",
    needs=("offered",),
)
def no_capabilities(case: Case) -> Iterator[Fault]:
    """What the cluster offers, and its version, changes nothing."""
    wrong = "it depends on the cluster's version or APIs"
    yield from _differences(case.base, case["offered"], wrong, "ask no .Capabilities; make it a value")


@comparison(
    "version-bump",
    "a new chart version alone must not restart a pod",
    "helm/helm#9660, akuity/kargo#7191; zero-to-jupyterhub hashes whole files",
    needs=("bumped",),
)
def version_bump(case: Case) -> Iterator[Fault]:
    """A chart version bump changes the label helm.sh/chart alone, and no pod."""
    mend = "keep the chart's version to chatapp.labels; hash data, not files"
    before, after = (_without_version(release) for release in (case.base, case["bumped"]))
    yield from _differences(before, after, "a new chart version changes it", mend)


@comparison(
    "config-rolls",
    "a mounted file never refreshes: without a hash on the pod template people run on the old configuration",
    "jameswynn/helm-charts#28, element-hq/ess-helm#805",
    needs=("reconfigured", "rerouted"),
)
def config_rolls(case: Case) -> Iterator[Fault]:
    """A change of the configuration changes the pod template of whoever uses it."""
    for changed in ("reconfigured", "rerouted"):
        yield from unrolled(case.base, case[changed])


@comparison(
    "name-long",
    "a name that is cut wrong is refused at the one customer with a long release name",
    "element-hq/ess-helm tests with the longest release names",
    needs=("long",),
)
def name_long(case: Case) -> Iterator[Fault]:
    """Every name is valid and at most 63 characters long at the longest release name."""
    yield from name_valid(case["long"])


@comparison(
    "releases-apart",
    "two releases in one namespace must not own, select or mount each other's objects",
    "chart/templates/_names.tpl",
    needs=("long", "long-twin"),
)
def releases_apart(case: Case) -> Iterator[Fault]:
    """Two releases share no name and no pod, even if only the last of 53 characters differs."""
    one, two = case["long"], case["long-twin"]
    given = {case.base.values["fullnameOverride"], case.base.values["serviceAccount"]["name"]} - {""}
    for each in two.objects:
        # A name that the values give is the user's to keep apart.
        if one.find(each.kind, each.name) is not None and not each.name.startswith(tuple(given)):
            wrong = f"release {two.name} has {each} too, like release {one.name}"
            yield Fault(each, "metadata.name", wrong, "keep the whole release name, or its hash where it is cut")
    yield from _selected_by_another(one, two)


@comparison(
    "selector-stable",
    "a selector can't be changed: an upgrade that tries is refused",
    "jupyterhub/zero-to-jupyterhub-k8s#711; kubernetes.io/docs/concepts/workloads/controllers/deployment",
    needs=("defaults", "bumped"),
)
def selector_stable(case: Case) -> Iterator[Fault]:
    """No value and no chart version changes a workload's selector."""
    own = {each.kind: each.spec.get("selector") for each in case.base.of_kind("Deployment", "StatefulSet")}
    for other, cause in ((case["defaults"], "these values change"), (case["bumped"], "a new chart version changes")):
        for each in other.of_kind(*own):
            if each.spec.get("selector") != own[each.kind]:
                wrong = f"{cause} {first_difference(own[each.kind], each.spec.get('selector'), 'spec.selector')}"
                yield Fault(each, "spec.selector", wrong, "select by chart name or alias, release and component")


def unrolled(before: Release, after: Release) -> Iterator[Fault]:
    """Yield the workloads whose pods stay though a ConfigMap or Secret that they use changed."""
    changed = {
        (each.kind, each.name)
        for each in after.of_kind("ConfigMap", "Secret")
        if (old := before.find(each.kind, each.name)) is not None
        and any(old.data.get(field) != each.data.get(field) for field in ("data", "stringData", "binaryData"))
    }
    stay = {str(pod.owner) for pod in before.pods for other in after.pods if pod.data == other.data}
    for pod in (pod for pod in after.pods if pod.serves and str(pod.owner) in stay):
        for kind, name in sorted(changed):
            if name in str(pod.spec):
                wrong = f"{kind}/{name} changed, and the pods stay as they are"
                yield Fault(pod.owner, pod.at("metadata.annotations"), wrong, "put a hash of its data on the pods")


def _selected_by_another(one: Release, two: Release) -> Iterator[Fault]:
    for service in one.of_kind("Service"):
        for pod in two.selected_by(service.spec.get("selector")):
            wrong = f"it selects the pods of {pod.owner}, of another release"
            yield Fault(service, "spec.selector", wrong, "include chatapp.labels.selector")


def _without_version(release: Release) -> Release:
    def stripped(each: Object) -> Object:
        labels = {key: value for key, value in each.labels.items() if key != "helm.sh/chart"}
        return Object({**each.data, "metadata": {**each.metadata, "labels": labels}}, each.template)

    return Release(release.name, release.namespace, release.values, [stripped(each) for each in release.objects])


def _differences(before: Release, after: Release, wrong: str, mend: str) -> Iterator[Fault]:
    """Yield each object that is not the same in both, with the first field that differs."""
    old = {(each.kind, each.name): each for each in before.objects}
    new = {(each.kind, each.name): each for each in after.objects}
    for key in old.keys() | new.keys():
        one, two = old.get(key), new.get(key)
        if one is None or two is None:
            yield Fault(one or two or "", "", f"{wrong}: it is in one of them only", mend)
        elif one.data != two.data:
            yield Fault(two, first_difference(one.data, two.data), wrong, mend)


def first_difference(one: object, two: object, path: str = "") -> str:
    """Return the path of the first field in which two values differ."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        pairs: Sequence[tuple[str, Any, Any]] = [
            (f"{path}.{key}".removeprefix("."), one.get(key), two.get(key))
            for key in [*one, *(two.keys() - one.keys())]
        ]
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(one, two, strict=True))]
    else:
        return path
    return next(first_difference(a, b, place) for place, a, b in pairs if a != b)
