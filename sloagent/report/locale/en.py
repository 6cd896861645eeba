"""English."""

from __future__ import annotations

WORDS = {
    # Outcomes, as verdicts in tables.
    "pass": "pass",
    "warn": "warn",
    "fail": "fail",
    "inconclusive": "inconclusive",
    "no_data": "no data",
    "error": "error",
    "measured": "measured",
    "missing": "not answered",
    "excluded": "excluded",
    "summed": "in hourly sums",
    # The one-line answer.
    "all_met": "All {all} SLOs were met.",
    "none_promised": "Nothing was promised: {measured} SLOs measured.",
    "none_judged": "Nothing that was promised can be judged yet: {measured} SLOs measured.",
    "some_met": "{met} of {all} SLOs were met.",
    "failed_in": "{title} failed in {bad} of {judged} windows ({when}).",
    "failed_whole": "{title} failed over the whole stretch.",
    "failed": "{title} failed.",
    "more_failed": "{count} more failed.",
    "undecided": "{count} could not be judged.",
    "more_measured": "{count} more only measured.",
    "unfinished": "The run is not finished: this is how it stands.",
    # Head.
    "range": "{from_to} · {duration}",
    "prometheus": "Prometheus {version}",
    "prometheus_unknown": "Prometheus",
    # Headings.
    "timeline": "Over time",
    "verdicts": "Verdicts",
    "attention": "What needs attention",
    "phases": "Phase by phase",
    "promises": "SLIs and SLOs",
    "results": "Results",
    "quality": "Data quality",
    "reading": "How to read the numbers",
    # Columns and labels.
    "slo": "SLO",
    "objective": "Objective",
    "worst_series": "Worst series",
    "series": "Series",
    "good_windows": "Good windows",
    "whole": "Whole run",
    "worst_window": "Worst window",
    "verdict": "Verdict",
    "value": "Value",
    "limit": "Limit",
    "status": "Status",
    "sli": "SLI",
    "official": "Official",
    "wip": "WIP",
    "tbd": "TBD",
    "phase": "Phase",
    "from": "From",
    "to": "To",
    "note": "Note",
    "events": "Events",
    "slots": "Slots evaluated",
    "findings": "Findings",
    "window": "window {duration}, every {interval}",
    "of": "{good} of {judged}",
    "at": "{value} at {time}",
    "only_series": "the only series",
    "more_series": "{count} more series",
    "more_left_out": "and {count} more series in report.json",
    "no_window": "no window lies wholly inside",
    "phases_short": "Where no window lies wholly inside a phase, all its events together are judged: the cell "
    "shows the value or its bucket.",
    "legend": "Each strip is one SLO; each cell is one slot, taller is worse.",
    "strip_slot": "One character is one slot, every {duration}.",
    "strip_slots": "One character is {duration}: it shows the worst slot in it.",
    "between_slots": "between slots",
    "timeline_label": "Outcome of each SLO over time",
    # Evidence.
    "said": "Prometheus said: {words}",
    "evidence": "Evidence",
    "evidence_at": "Slot {time}, {series}: the question as it was asked, and how to ask it again.",
    "evidence_slot": "Slot {time}: the question as it was asked, and how to ask it again.",
    "open_graph": "Open in Prometheus",
    "promql": "PromQL",
    "curl": "curl",
    # Data quality.
    "quality_good": "Every expected slot was evaluated, and nothing was refused.",
    "excluded_range": "Excluded {from_to}: {reason}",
    "slots_missing": "{count} slots without an answer: {when}",
    "and_more_stretches": "{count} more stretches",
    "slots_refused": "{count} slots refused for good ({kind}): {when}",
    "slots_excluded": "{count} slots excluded",
    "histogram_changed": "the metric changed its name: {names}",
    "override_unused": "the override for {match} matched nothing",
    "warned_by": "Prometheus warned in {count} slots: {warning}",
    "too_few": "{count} series with too few events to judge",
    "silent": "{count} series without events",
    "nothing_to_say": "—",
    # How to read.
    "read_windows": "Good windows: of the windows that could be judged, how many met the objective. A range such as "
    "“24–26 of 26” means that two windows are undecided.",
    "read_whole": "Whole run: the percentile of all events of the run together, from added histograms, never from "
    "averaged percentiles.",
    "read_pieces": "Those histograms are the sum of pieces, cut at the borders of run, phases and exclusions and at full "
    "hours. Each piece is Prometheus's own increase(), so what is counted between the last sample of one piece and the "
    "first of the next is lost or extrapolated. With short phases the sum differs from one increase() over the whole run, "
    "most for rare series: their percentile may be another. Windows are not affected.",
    "read_worst": "Worst window: the one window in which the series did worst, and the slot at which it ended.",
    "read_rank": "Worst: series are ranked by outcome, then by good windows, then by the smallest share of events within "
    "the limit in their worst window, not by the highest percentile. A series with a higher percentile but fewer slow "
    "calls can stand below.",
    "read_bounds": "A histogram knows counts per bucket and nothing finer. A percentile therefore stands with the bucket "
    "that it lies in, such as “4.41 s (4–5 s)”; in the first or the last bucket only the bucket is known. Verdicts "
    "are drawn from the bucket counts, never from the interpolated number.",
    "read_gate": "A series with too few events, or none, is listed and counted, but neither passes nor fails.",
}
