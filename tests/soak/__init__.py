"""The soak: thirty generated days in a real Prometheus, gone through with kills, outages, wrong clocks and reloads."""
