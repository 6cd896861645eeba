"""A scheduled judge of control planes: Prometheus is asked, SLOs are judged, verdicts are remembered."""
