"""The `store:` block of sloagent.yaml."""

from __future__ import annotations

from pydantic import Field

from sloagent.settings import Duration, Settings


class StoreSettings(Settings):
    """Where verdicts are kept, and for how long."""

    path: str = Field(default="sloagent.db", min_length=1)
    """The SQLite file; a relative path counts from sloagent.yaml. `:memory:` keeps nothing after the end."""
    retention: Duration = Field(default=90 * 86_400.0, gt=0)
    """How long distributions and hourly tallies are kept. Runs are never forgotten."""
    full_rows: Duration = Field(default=7 * 86_400.0, gt=0)
    """How long every verdict keeps a row of its own, before an hour's rows become one tally."""
