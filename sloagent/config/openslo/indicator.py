"""The SLI of an SLO of OpenSLO, as an SLO file measures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sloagent import units
from sloagent.config.document import Path, Value
from sloagent.config.findings import Findings
from sloagent.config.openslo import notes, numbers, queries
from sloagent.config.openslo.entry import ANNOTATION, CANNOT, REFERENCE, SOURCE, Entry, note
from sloagent.config.openslo.promise import PLAIN_UNIT, Promise
from sloagent.config.openslo.shape import Metric, RatioMetric, SLISpec
from sloagent.model.slo import LatencySLI


@dataclass(slots=True)
class Indicator:
    """The SLI of an SLO, which may stand in a document of its own."""

    of: Entry
    spec: SLISpec
    findings: Findings
    path: Path

    def write(self, promise: Promise, interval: int) -> None:
        """Write what is measured and what is promised of it."""
        threshold, ratio = self.spec.thresholdMetric, self.spec.ratioMetric
        if (threshold is None) == (ratio is None):
            summary = "an SLI has one of ratioMetric and thresholdMetric"
            hint = "add one" if ratio is None else "keep one"
            self.findings.add(self.path, CANNOT, summary, hint, key=True)
        elif threshold is not None:
            self._value(threshold, promise, interval)
        elif ratio is not None:
            promise.no_threshold()
            (self._raw if ratio.raw is not None or ratio.rawType is not None else self._ratio)(ratio, promise, interval)

    def _value(self, metric: Metric, promise: Promise, interval: int) -> None:
        at = (*self.path, "thresholdMetric")
        query = self._query(metric, at)
        promise.of_numbers()
        if query is not None:
            self._put_query(("sli", "value", "query"), query, at, self._window([query], interval))
        if "unit" not in self.of.noted:
            self._put(("sli", "value", "unit"), PLAIN_UNIT, at)

    def _raw(self, ratio: RatioMetric, promise: Promise, interval: int) -> None:
        """A share that somebody has recorded: a value between 0 and 1."""
        at = (*self.path, "ratioMetric")
        if any(getattr(ratio, side) is not None for side in ("good", "bad", "total")):
            self._refuse(at, "raw stands for the whole ratio: good, bad and total exclude it", "keep one of the two")
        if ratio.raw is None or ratio.rawType is None:
            missing = "raw" if ratio.raw is None else "rawType"
            self._refuse(at, f"raw and rawType belong together, and {missing} is missing", f"add {missing}")
            return
        query = self._query(ratio.raw, (*at, "raw"))
        if not promise.in_slices:
            path = ("spec", "budgetingMethod")
            self.of.refuse(path, "a recorded ratio does not say how many events it was made of", "write Timeslices")
            return
        found = promise.of_events("the share that is promised of each slice")
        if query is None or found is None:
            return
        share, where = found
        if ratio.rawType == "failure":
            share = numbers.rest(share)
        side = "at_least" if ratio.rawType == "success" else "at_most"
        self.of.put(("objective", side), share, where)
        self._put(("sli", "value", "unit"), "ratio", (*at, "rawType"))
        self._put_query(("sli", "value", "query"), query, (*at, "raw"), self._window([query], interval))

    def _ratio(self, ratio: RatioMetric, promise: Promise, interval: int) -> None:
        at = (*self.path, "ratioMetric")
        sides = [side for side in ("good", "bad") if getattr(ratio, side) is not None]
        if len(sides) != 1 or ratio.total is None:
            summary = "a ratio has total, and one of good and bad"
            self._refuse(at, summary, "keep one of good and bad" if len(sides) == 2 else "add what is missing")
            return
        part: Metric = getattr(ratio, sides[0])
        metrics = {sides[0]: part, "total": ratio.total}
        found = {name: self._query(metric, (*at, name)) for name, metric in metrics.items()}
        share = promise.of_events("the share that is promised")
        texts: dict[str, str] = {}
        for name, query in found.items():
            rated = self._rated(query, ratio.counter, (*at, name)) if query is not None else None
            if rated is not None:
                texts[name] = rated
        if len(texts) < len(metrics):
            return
        window = self._window(list(texts.values()), interval)
        if notes.LATENCY in self.of.noted:
            self._latency(texts, sides[0], at, window, share)
            return
        if share is not None:
            self.of.put(("objective", "at_least"), *share)
        for name, query in texts.items():
            self._put_query(("sli", "ratio", name), query, (*at, name), window)

    def _latency(
        self, texts: Mapping[str, str], side: str, at: Path, window: int, share: tuple[str, Path] | None
    ) -> None:
        """Its queries must be those of its annotations; which of the two is meant nobody knows otherwise."""
        noted = self.of.noted
        if "at-most" not in noted:
            hint = f"add {notes.PREFIX}at-most: 1s"
            self.of.refuse(
                note(notes.LATENCY), "the limit of the latency is not said", hint, check=ANNOTATION, key=True
            )
            return
        if share is not None:
            self.of.put(("objective", "percentile"), numbers.percentile(share[0]), share[1])
        by = [label.strip() for label in noted["by"].split(",")] if "by" in noted else []
        names = [name.strip() for name in noted[notes.LATENCY].split(",")]
        try:
            limit = units.quantity(noted["at-most"], "seconds")
        except units.UnitError:
            return  # told where it stands in the SLO
        if limit <= 0:
            return
        sli = LatencySLI(tuple(names), noted.get("where", "").strip().removesuffix(","), tuple(by))
        for name, query in zip((side, "total"), queries.of_latency(sli, limit, window), strict=True):
            written = queries.with_range(texts[name], window)
            if side != "good" or "".join(written.split()) != "".join(query.split()):
                self._refuse(
                    (*at, name, "metricSource", "spec", "query"),
                    "this is not what the annotations say of the latency",
                    f"write {query}, or leave the annotations out: then it is a ratio without percentiles",
                    check=ANNOTATION,
                )
                return

    def _query(self, metric: Metric, path: Path) -> str | None:
        """The PromQL of a metric; None where it is for somebody else, or missing, and noted."""
        source, at = metric.metricSource, (*path, "metricSource")
        kind = source.type
        if source.metricSourceRef and source.metricSourceRef in self.of.known.source_types:
            kind = kind or self.of.known.source_types[source.metricSourceRef]
        elif not kind:
            name = source.metricSourceRef
            summary = (
                f'there is no DataSource named "{name}" in this file' if name else "the type of the source is not said"
            )
            here, key = ((*at, "metricSourceRef"), False) if name else (at, True)
            self.findings.add(here, REFERENCE if name else SOURCE, summary, "add type: Prometheus", key=key)
            return None
        if kind.lower() != "prometheus":
            hint = "write type: Prometheus, and a query in PromQL"
            here = (*at, "type") if source.type else (*at, "metricSourceRef")
            self.findings.add(here, SOURCE, f'sloagent asks Prometheus, and not "{kind}"', hint)
            return None
        for name in source.spec:
            if name != "query":
                hint = "leave it out; whom sloagent asks, and how, is in sloagent.yaml"
                self.findings.add((*at, "spec", name), SOURCE, f'unknown field "{name}"', hint, key=True)
        query = source.spec.get("query")
        if not isinstance(query, str):
            summary = "there is no query" if query is None else "the query is not text"
            self.findings.add((*at, "spec"), SOURCE, summary, "add query: with PromQL", key=True)
            return None
        return queries.without_templates(query)

    def _rated(self, query: str, counter: bool, path: Path) -> str | None:
        """The query of events per second: of counters as they stand, their rate."""
        if not counter or queries.looks_back(query):
            return query
        rated = queries.per_second(query)
        if rated is None:
            here = (*path, "metricSource", "spec", "query")
            summary = "which counters are to be rated cannot be told"
            self._refuse(here, summary, "write rate(…[5m]) around each of them, and counter: false")
        return rated

    def _window(self, texts: list[str], interval: int) -> int:
        """The look-back: as noted, else the one range that is written, else 5m or one time slice."""
        if "window" in self.of.noted:
            return self.of.seconds("window", 300)
        found = {length for text in texts for length in queries.ranges(text)}
        window = found.pop() if len(found) == 1 else interval if 300 % interval else 300
        self._put(("window",), f"{window}s", self.path)
        return window

    def _put_query(self, path: Path, query: str, at: Path, window: int) -> None:
        text = queries.with_window(query, window).replace("$", "$$").replace("$$window", queries.WINDOW)
        self._put(path, text, (*at, "metricSource", "spec", "query"))

    def _refuse(self, path: Path, summary: str, hint: str, *, check: str = CANNOT) -> None:
        self.findings.add(path, check, summary, hint, key=len(path) == len(self.path) + 1)

    def _put(self, path: Path, value: Value, at: Path) -> None:
        self.of.put(path, value, at, self.findings.document)
