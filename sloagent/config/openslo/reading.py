"""Reads OpenSLO v1 documents as one SLO set: the SLOs of one service, with the SLIs and sources that they refer to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TypeVar

from sloagent.config import reader, structure
from sloagent.config.document import Document, Value
from sloagent.config.findings import Findings
from sloagent.config.openslo import notes
from sloagent.config.openslo.entry import ANNOTATION, CANNOT, REFERENCE, Entry, Known
from sloagent.config.openslo.made import Made
from sloagent.config.openslo.shape import ALERTING_KINDS, KINDS, SLI, SLO, VERSION, DataSource, Service
from sloagent.config.openslo.translating import translate
from sloagent.config.problem import Problem, cut, spelling_hint
from sloagent.config.to_model import KIND, Loaded, to_model

T = TypeVar("T", Service, DataSource, SLI, SLO)


def read(document: Document) -> Loaded:
    """The SLO set of a file of OpenSLO documents, or what is wrong with it."""
    objects = _Objects()
    for one in reader.documents(document):
        objects.take(one)
    objects.check()
    loaded = _translated(objects, document)
    problems = (*(problem for findings in objects.findings for problem in findings.problems), *loaded.problems)
    return Loaded(loaded.document, None if problems else loaded.slo_set, {}, problems)


@dataclass(slots=True)
class _Objects:
    """The documents of a file by kind, each with what was found wrong in it."""

    findings: list[Findings] = field(default_factory=list)
    read: list[tuple[Service | DataSource | SLI | SLO, Findings]] = field(default_factory=list)

    def take(self, document: Document) -> None:
        """Read one document."""
        findings = Findings(document)
        self.findings.append(findings)
        if document.value is None:
            return
        version, kind = document.at(("apiVersion",)), document.at(("kind",))
        if isinstance(version, str) and version.startswith("openslo/") and version != VERSION:
            summary = f'sloagent reads {VERSION}, and this is "{cut(version)}"'
            findings.add(("apiVersion",), CANNOT, summary, f"write it as {VERSION}")
        elif kind in ALERTING_KINDS:
            summary = f"sloagent alerts by rules of its own, and not by an {kind}"
            findings.add(("kind",), CANNOT, summary, "leave this document out; every SLO has alerts")
        elif isinstance(kind, str) and kind not in KINDS:
            findings.add(("kind",), f"{KIND}/value", f'"{cut(kind)}" is no kind of object', spelling_hint(kind, KINDS))
        else:
            shape = KINDS.get(kind, SLO) if isinstance(kind, str) else SLO
            read = structure.read(shape, document.value, findings, kind=KIND, directory=FilePath())
            if read is not None:
                self.read.append((read, findings))

    def of(self, kind: type[T]) -> Iterable[tuple[T, Findings]]:
        """Those of a kind."""
        return ((read, findings) for read, findings in self.read if isinstance(read, kind))

    def check(self) -> None:
        """Note names that are taken, connections, and SLOs of several services."""
        first: dict[tuple[str, str], Findings] = {}
        for read, findings in self.read:
            name = (read.kind, read.metadata.name)
            if name in first:
                line = first[name].document.mark(("metadata", "name")).line
                summary = f'the name "{name[1]}" is taken: the first {name[0]} is in line {line}'
                findings.add(("metadata", "name"), f"{KIND}/duplicate", summary, "give each its own name")
            first.setdefault(name, findings)
        for source, findings in self.of(DataSource):
            if source.spec.connectionDetails:
                summary = "which Prometheus is asked, and how, is in sloagent.yaml"
                findings.add(("spec", "connectionDetails"), CANNOT, summary, "leave them out here", key_alone=True)
        services = {slo.spec.service for slo, _ in self.of(SLO)}
        for slo, findings in self.of(SLO):
            own = next(iter(self.of(SLO)))[0].spec.service
            if slo.spec.service != own:
                summary = (
                    f'a file is one SLO set, and this SLO is of "{slo.spec.service}" where the first is of "{own}"'
                )
                findings.add(
                    ("spec", "service"), REFERENCE, summary, "write the SLOs of each service into their own file"
                )
        for service, findings in self.of(Service):
            for note in notes.short_names(service.metadata.annotations):
                if note != notes.TITLE_ZH:
                    key = ("metadata", "annotations", notes.PREFIX + note)
                    summary = f'sloagent has no annotation "{note}" of a service'
                    findings.add(key, ANNOTATION, summary, "leave it out", key=True)
            if services and service.metadata.name not in services:
                summary = f'no SLO in this file is of the service "{service.metadata.name}"'
                hint = spelling_hint(service.metadata.name, services, what="they are of")
                findings.add(("metadata", "name"), REFERENCE, summary, hint)


def _translated(objects: _Objects, document: Document) -> Loaded:
    """The set that is made of the SLOs, with what is wrong with what was made."""
    indicators = {sli.metadata.name: (sli, findings) for sli, findings in objects.of(SLI)}
    known = Known(indicators, {source.metadata.name: source.spec.type for source, _ in objects.of(DataSource)})
    made = Made({"apiVersion": "sloagent/v1", "kind": "SLOSet"})
    slos = list(objects.of(SLO))
    if not slos:
        problems: tuple[Problem, ...] = ()
        if not any(findings.problems for findings in objects.findings):
            summary = "there is no SLO in this file"
            problems = (Problem(document.path, 0, 0, REFERENCE, summary, hint="add a document of kind SLO"),)
        return Loaded(document, None, {}, problems)
    of_service = next(
        (found for found in objects.of(Service) if found[0].metadata.name == slos[0][0].spec.service), None
    )
    made.put(("metadata", "name"), slos[0][0].spec.service, slos[0][1].document, ("spec", "service"))
    if of_service is not None:
        service, findings = of_service
        zh = notes.short_names(service.metadata.annotations).get(notes.TITLE_ZH, "")
        if service.metadata.displayName or zh:
            title: dict[str, Value] = {"en": service.metadata.displayName or service.metadata.name, "zh": zh}
            made.put(("metadata", "title"), title, findings.document, ("metadata", "displayName"))
    for at, (slo, findings) in enumerate(slos):
        translate(Entry(slo, findings, known, made, at, notes.short_names(slo.metadata.annotations)))
    if any(findings.problems for findings in objects.findings):
        # What could not be made has been told; of what is left there would be told that it is missing.
        return Loaded(made.document(document), None, {}, ())
    loaded = to_model(made.document(document), {})
    return Loaded(loaded.document, loaded.slo_set, {}, tuple(made.told(problem) for problem in loaded.problems))
