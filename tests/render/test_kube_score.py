"""What another tool thinks of the chart: each finding of kube-score is mended, or answered in ci/kube-score.yaml."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import yaml

from chatctl.paths import repository
from chatctl.toolchain import tool_path

from .view import VALUE_SETS, RenderChart

PASSED = 10
WANTED_TOO = ("container-seccomp-profile", "container-ports-check")
"""Checks that kube-score only makes when asked."""


@dataclass(frozen=True)
class Answer:
    """Why a finding is left as it is; `says` is a part of it, empty lists mean all."""

    check: str
    reason: str
    says: str = ""
    objects: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """One complaint of kube-score about an object of a value set."""

    values: str
    kind: str
    name: str
    check: str
    says: str

    def is_answered_by(self, answer: Answer) -> bool:
        return (
            self.check == answer.check
            and answer.says in self.says
            and (not answer.objects or self.kind in answer.objects)
            and (not answer.sets or self.values in answer.sets)
        )


ANSWERS = [Answer(**entry) for entry in yaml.safe_load((repository() / "ci/kube-score.yaml").read_text())]


@pytest.fixture(scope="module")
def findings(chart: RenderChart) -> list[Finding]:
    return [finding for file in VALUE_SETS for finding in complaints(file.stem, chart(file).text)]


def complaints(values: str, manifests: str) -> Iterator[Finding]:
    """What kube-score has against rendered objects."""
    argv = [str(tool_path("kube-score")), "score", "--kubernetes-version=v1.30", "--output-format=json", "-"]
    argv += [f"--enable-optional-test={check}" for check in WANTED_TOO]
    done = subprocess.run(argv, input=manifests, capture_output=True, text=True, check=False)
    objects = json.loads(done.stdout)
    assert objects, done.stderr
    for scored in objects:
        kind, name = scored["type_meta"]["kind"], scored["object_meta"]["name"]
        for check in scored["checks"]:
            if check["skipped"] or check["grade"] >= PASSED:
                continue
            for comment in check["comments"] or [{"path": "", "summary": check["check"]["name"]}]:
                says = f"{comment['path']} {comment['summary']}".strip()
                yield Finding(values, kind, name, check["check"]["id"], says)


def test_every_finding_has_an_answer(findings: list[Finding]) -> None:
    assert findings
    assert [each for each in findings if not any(map(each.is_answered_by, ANSWERS))] == []


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.check}-{answer.says}".strip("-"))
def test_every_answer_has_a_finding(findings: list[Finding], answer: Answer) -> None:
    assert any(each.is_answered_by(answer) for each in findings)
    assert set(answer.sets) <= {file.stem for file in VALUE_SETS}
    assert answer.reason


def test_a_finding_is_seen(chart: RenderChart) -> None:
    """kube-score really looks: a root file system that may be written to is one complaint more."""
    values = {"securityContext": {"readOnlyRootFilesystem": False}}
    before, after = (set(complaints("", chart(**each).text)) for each in ({}, values))
    assert {each.check for each in after - before} == {"container-security-context-readonlyrootfilesystem"}
    assert {each.kind for each in after - before} == {"Deployment", "Pod"}
