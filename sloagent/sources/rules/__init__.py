"""From an SLO to rules that Prometheus, or whatever reads its rule files, evaluates by itself."""
