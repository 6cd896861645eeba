"""Rules as text: a rule file, PrometheusRule objects, OpenSLO documents, and a file of tests for promtool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sloagent.app import openslo_export
from sloagent.app.rules_export import Export
from sloagent.model.slo import SLO, Text
from sloagent.sources.promql import duration
from sloagent.sources.rules.rule import Alert, Compiled, Record, group_name
from sloagent.sources.rules.trying import Trial, trials

Block = dict[str, object]
HEAD = "# Written by `sloagent rules export`: change the SLOs and write it anew."


def prometheus(made: Export) -> str:
    """One rule file with a group for each SLO."""
    return f"{_head(made)}{_yaml({'groups': [_group(one) for one in made.compiled]})}"


def prometheusrules(made: Export) -> str:
    """A PrometheusRule object for each SLO: all in one would be too large for a ConfigMap of the operator."""
    objects: list[tuple[SLO, list[Block]]] = [(one.slo, [_group(one)]) for one in made.compiled]
    objects += [(one.slo, []) for one in made.refused]
    return _head(made) + "---\n".join(
        _yaml(
            {
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "PrometheusRule",
                "metadata": {"name": group_name(slo), "labels": {"app.kubernetes.io/managed-by": "sloagent"}},
                "spec": {"groups": groups},
            }
        )
        for slo, groups in objects
    )


def tests(one: Compiled, rule_file: str) -> str:
    """The tests of an SLO's rule file that lies beside it, for `promtool test rules`; empty where there is no alert."""
    found = [_test(trial) for trial in trials(one)]
    if not found:
        return ""
    interval = duration(one.slo.interval)
    return f"{HEAD}\n{_yaml({'rule_files': [rule_file], 'evaluation_interval': interval, 'tests': found})}"


def openslo(made: Export, titles: Mapping[str, Text]) -> str:
    """OpenSLO documents, each set a service with its SLOs; `titles` are those of the sets."""
    return _head(made) + "---\n".join(_yaml(document) for document in openslo_export.documents(made, titles))


def write_openslo(made: Export, titles: Mapping[str, Text], directory: Path) -> int:
    """A file for each set; how many were written. A set of which nothing can be said has a file with the reasons."""
    directory.mkdir(parents=True, exist_ok=True)
    sets = dict.fromkeys([*(one.slo.set for one in made.compiled), *(one.slo.set for one in made.refused)])
    for name in sets:
        part = Export(
            tuple(one for one in made.compiled if one.slo.set == name),
            tuple(one for one in made.refused if one.slo.set == name),
        )
        (directory / f"{name}.openslo.yaml").write_text(openslo(part, titles), encoding="utf-8")
    return len(sets)


def write(made: Export, form: str, directory: Path) -> int:
    """A file for each SLO, of rules with one of tests beside it, or of an object; how many files were written.

    One for a refused SLO holds no group, only the reason: so nothing stays in force of what it held before.
    """
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    for slo in (*(one.slo for one in made.compiled), *(one.slo for one in made.refused)):
        part, name = made.of(slo), f"{slo.set}.{slo.name}"
        ending, text = (
            (".rules.yaml", prometheus(part))
            if form == "prometheus"
            else (".prometheusrule.yaml", prometheusrules(part))
        )
        (directory / f"{name}{ending}").write_text(text, encoding="utf-8")
        count += 1
        tested = "".join(tests(one, name + ending) for one in part.compiled) if form == "prometheus" else ""
        if tested:
            (directory / f"{name}.rules.test.yaml").write_text(tested, encoding="utf-8")
            count += 1
    return count


def _head(made: Export) -> str:
    lines = [HEAD]
    lines += [f"# Refused, {one.slo.set}/{one.slo.name}: {' '.join(one.reason.split())}" for one in made.refused]
    lines += [
        f"# Left out of {one.slo.set}/{one.slo.name}: {' '.join(what.split())}"
        for one in made.compiled
        for what in one.left_out
    ]
    return "\n".join(lines) + "\n"


def _group(one: Compiled) -> Block:
    return {"name": group_name(one.slo), "interval": duration(one.slo.interval), "rules": list(_rules(one.rules))}


def _rules(rules: Iterable[Record | Alert]) -> Iterator[Block]:
    for rule in rules:
        match rule:
            case Record():
                yield {"record": rule.metric, "expr": rule.expression, "labels": dict(rule.labels)}
            case Alert():
                block: Block = {"alert": rule.name, "expr": rule.expression}
                block |= {"for": duration(rule.after)} if rule.after else {}
                block |= {"keep_firing_for": duration(rule.keep)} if rule.keep else {}
                yield block | {"labels": dict(rule.labels), "annotations": dict(rule.annotations)}


def _test(trial: Trial) -> Block:
    return {
        "name": trial.name,
        "interval": duration(trial.step),
        "input_series": [{"series": series, "values": values} for series, values in trial.series],
        "promql_expr_test": [
            {
                "expr": one.expression,
                "eval_time": duration(one.at),
                "exp_samples": [{"labels": labels, "value": value} for labels, value in one.series],
            }
            for one in trial.expected
        ],
    }


def _yaml(block: Block) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Texts of several lines stand as they are."""

        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
            """No anchors: not everything that reads rules knows them."""
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(block, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
