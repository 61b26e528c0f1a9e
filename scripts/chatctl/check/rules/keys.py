"""The chart as a whole: its keys, and two of it in one parent chart."""

import json
import re
from collections.abc import Iterator, Mapping

from chatctl.check.chartcase import ChartCase, leaves
from chatctl.check.model import Object, Release, release
from chatctl.check.reach import EVERY, MUST, reach
from chatctl.check.rule import Fault, chart_rule
from chatctl.check.rules.comparisons import first_difference, unrolled
from chatctl.render import Rendered

UNSTABLE = re.compile(r"\b(lookup|now|date\w*|ago|rand\w+|uuidv4|gen\w+|htpasswd|bcrypt|getHostByName)\b")
"""Functions whose result is another one each time, or another in a cluster."""

VERSION = "app.kubernetes.io/version"
"""The label that says what runs; the image's keys change it everywhere."""


@chart_rule(
    "key-everything",
    "a key that no value set sets is a key that nobody ever tried",
    "zero-to-jupyterhub lints with values that set every key",
    needs=("probes",),
)
def key_everything(case: ChartCase) -> Iterator[Fault]:
    """The value sets in ci/ give every key of values.yaml another value than its default; one set, most of them."""
    probed = {probe.key for probe in case.probes}
    for key in leaves(case.defaults):
        if key not in probed:
            yield Fault("ci/everything-values.yaml", ".".join(key), "it is not set", "give it another value there")
    for probe in case.probes:
        if probe.after is None:
            wrong = "it can be set neither alone nor with all others"
            yield Fault("ci/everything-values.yaml", ".".join(probe.key), wrong, "give it a value that fits the others")


@chart_rule(
    "key-used",
    "a key that changes nothing is a promise that the chart breaks",
    "cert-manager lints its values with helm-tool",
    needs=("probes",),
)
def key_used(case: ChartCase) -> Iterator[Fault]:
    """Every key of values.yaml changes the output, but those that are declared to change nothing."""
    for probe in case.probes:
        may = reach(probe.key)
        if probe.before and probe.after and may != "" and probe.before.text == probe.after.text:
            wrong = f"setting it to {json.dumps(probe.value)} changes nothing in the output"
            mend = "look where a template reads it, or remove it with its schema"
            yield Fault("values.yaml", ".".join(probe.key), wrong, mend)


@chart_rule(
    "key-reach",
    "a key of one object that changes another leaks: cert-manager's nodeSelector did",
    "helm/helm#5238; cert-manager merged global.nodeSelector so",
    needs=("probes",),
)
def key_reach(case: ChartCase) -> Iterator[Fault]:
    """Setting one key changes the objects that it should, and no others."""
    for probe in case.probes:
        key, may = ".".join(probe.key), reach(probe.key)
        if may is None:
            mend = "add a row to scripts/chatctl/check/reach.py"
            yield Fault("values.yaml", key, "nobody said what it may change", mend)
        elif probe.before and probe.after and may != EVERY:
            for each, field in _changed(probe.before, probe.after):
                if each.kind not in may.split() and not ("image" in probe.key and field.endswith(VERSION)):
                    mend = f"read another key here, deepCopy maps before a merge; {key} is for {may.replace(' ', ', ')}"
                    yield Fault(each, field, f"the value {key} changes it", mend)
            if key.startswith(MUST):
                changed = {each.kind for each, _ in _changed(probe.before, probe.after)}
                for kind in sorted(set(may.split()) - changed):
                    yield Fault("values.yaml", key, f"it does not reach the {kind}", f"render it in the {kind} too")


@chart_rule(
    "key-rolls",
    "each key of the configuration must reach the pods, not only the one that was tried",
    "jameswynn/helm-charts#28",
    needs=("probes",),
)
def key_rolls(case: ChartCase) -> Iterator[Fault]:
    """Whichever key changes the configuration changes the pods that use it."""
    for probe in case.probes:
        if probe.before and probe.after and probe.before.text != probe.after.text:
            before, after = (release(each, "", "", {}) for each in (probe.before, probe.after))
            for fault in unrolled(before, after):
                yield Fault(fault.at, fault.path, f"after a change of {'.'.join(probe.key)}, {fault.wrong}", fault.mend)


@chart_rule(
    "key-declared",
    "a key that a template asks for and nobody can set is always empty: a typo, or a feature that is not there",
    "cert-manager lints its values with helm-tool",
)
def key_declared(case: ChartCase) -> Iterator[Fault]:
    """Every key that a template asks for is declared in values.yaml or below a free map of it."""
    words = {word for values in (case.defaults, *case.everything) for word in _words(values)}
    words |= {word for text in case.sources.values() for word in re.findall(r'"([A-Za-z]\w*)"', text)}
    for file, text in case.sources.items():
        for number, line in enumerate(_code(text).splitlines(), 1):
            for chain in re.findall(r"\.Values((?:\.[A-Za-z]\w*)+)", line):
                key = tuple(chain.split(".")[1:])
                if not _is_declared(case, key):
                    yield Fault(
                        f"{file}:{number}", ".".join(key), "values.yaml has no such key", "mend its name, or add it"
                    )
            for name in re.findall(r"(?<=[\s(|.$\w])\.([a-z]\w*)", re.sub(r"\.Values(\.\w+)+", "", line)):
                if name not in words:
                    wrong = f"no key of values.yaml is called {name}, and no template makes one"
                    yield Fault(f"{file}:{number}", name, wrong, "mend its name, or add the key")


@chart_rule(
    "no-lookup",
    "what is looked up in a cluster or made by chance differs between `helm template`, Argo CD and the next upgrade",
    "helm.sh/docs/chart_template_guide/functions_and_pipelines, lookup; argoproj/argo-cd#5202",
)
def no_lookup(case: ChartCase) -> Iterator[Fault]:
    """No template asks the cluster, the clock or chance."""
    for file, text in case.sources.items():
        for number, line in enumerate(_code(text).splitlines(), 1):
            for name in UNSTABLE.findall(line):
                yield Fault(f"{file}:{number}", name, f"{name} gives another result each time", "make it a value")


@chart_rule(
    "files-found",
    "Helm takes a file that is not there for an empty one, without a word: a test of nothing passes",
    "helm.sh/docs/chart_template_guide/accessing_files",
)
def files_found(case: ChartCase) -> Iterator[Fault]:
    """Every file that a template reads is in the chart, and not empty."""
    for file, text in case.sources.items():
        for number, line in enumerate(text.splitlines(), 1):
            for name in re.findall(r'\.Files\.Get "([^"]+)"', line):
                found = case.chart / name
                if not found.is_file() or not found.read_text().strip():
                    yield Fault(f"{file}:{number}", name, f"there is no {name}, or it is empty", "mend its name")


@chart_rule(
    "bare-root",
    "in a define, $ is what the caller passed, not the root: it works until somebody passes a list",
    "element-hq/ess-helm lints for it",
)
def bare_root(case: ChartCase) -> Iterator[Fault]:
    """No helper uses a bare $, and every define is named chatapp.<topic>."""
    for file, text in case.sources.items():
        for number, line in enumerate(_code(text).splitlines(), 1):
            if file.endswith(".tpl") and re.search(r"\$(?![\w])", line):
                yield Fault(f"{file}:{number}", "", "a bare $ stands in a helper", "take the root from the argument")
        for name in re.findall(r'define "([^"]*)"', text):
            if not name.startswith("chatapp."):
                wrong = f"{name!r} may be a helper of the parent chart's too"
                yield Fault(file, name, wrong, "name it chatapp.<topic>")


@chart_rule(
    "aliases-apart",
    "a parent chart that takes the chart twice must get two of everything",
    "helm.sh/docs/topics/charts, alias",
    needs=("umbrella",),
)
def aliases_apart(case: ChartCase) -> Iterator[Fault]:
    """Two aliases in one parent chart share no name, and no Service selects the other's pods, with either Helm."""
    for helm in ("4", "3"):
        parent = case.umbrella(helm)
        for each in parent.objects:
            if [(other.kind, other.name) for other in parent.objects].count((each.kind, each.name)) > 1:
                yield Fault(each, "metadata.name", "both aliases have it", "name objects after the alias too")
        for service in parent.of_kind("Service"):
            pods = [pod for pod in parent.selected_by(service.spec.get("selector")) if pod.serves]
            if len(pods) != 1:
                wrong = f"it selects the pods of {', '.join(str(pod.owner) for pod in pods) or 'nobody'}"
                yield Fault(service, "spec.selector", wrong, "let app.kubernetes.io/name follow the alias")


def _changed(before: Rendered, after: Rendered) -> Iterator[tuple[Object, str]]:
    """Yield the objects that differ, with the first field that does."""
    same = {document.text for document in before.documents} & {document.text for document in after.documents}

    def differing(rendered: Rendered) -> Release:
        text = "".join(
            f"---\n# Source: {each.template}\n{each.text}" for each in rendered.documents if each.text not in same
        )
        return release(Rendered(text), "", "", {})

    old, new = differing(before), differing(after)
    for each in new.objects:
        one = old.find(each.kind, each.name)
        if one is None or one.data != each.data:
            yield each, first_difference(one.data, each.data) if one else ""
    for each in old.objects:
        if new.find(each.kind, each.name) is None:
            yield each, ""


def _words(values: object) -> Iterator[str]:
    """Yield all keys in some values, those in lists too."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield key
            yield from _words(value)
    elif isinstance(values, list):
        for value in values:
            yield from _words(value)


def _is_declared(case: ChartCase, key: tuple[str, ...]) -> bool:
    values: object = case.defaults
    for name in key:
        if not isinstance(values, dict):
            return False
        if name not in values:
            return not values  # an empty map takes any key
        values = values[name]
    return True


def _code(text: str) -> str:
    """Return a template's actions line by line, without comments and texts in quotes."""
    text = re.sub(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    actions = (" ".join(re.findall(r"\{\{.*?\}\}", line)) for line in text.splitlines())
    return "\n".join(re.sub(r'"(\\.|[^"\\])*"|`[^`]*`', '""', line) for line in actions)
