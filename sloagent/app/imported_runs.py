"""Runs that were brought in from files: the store keeps what their files say, and nothing changes it."""

from __future__ import annotations

from collections.abc import Sequence

from sloagent.errors import RunError
from sloagent.model.record import RunRecord
from sloagent.model.run import Run
from sloagent.store import Store


def heads(store: Store) -> list[Run]:
    """The runs without what was found in them. Raises StoreError, and ConfigError where another version kept them."""
    from sloagent.app import run_file

    kept = ((name, store.document(run_file.KIND, name)) for name in store.documents(run_file.KIND))
    return [run_file.head(content, f"the imported run {name}") for name, content in kept if content is not None]


def keep(store: Store, records: Sequence[RunRecord]) -> list[bool]:
    """Keep the records of runs, all or none; of each, False where the same was kept before.

    Raises RunError where one has no name or another run has it, and StoreError.
    """
    from sloagent.app import run_file
    from sloagent.app.runs import check_name

    watched = {run.name for run in store.runs()}
    contents: dict[str, bytes] = {}
    new: list[bool] = []
    for record in records:
        name, content = record.run.name, run_file.encode(record)
        check_name("a run", name)
        kept = contents.get(name) or store.document(run_file.KIND, name)
        if name in watched or (kept is not None and kept != content):
            raise RunError(
                f"a run named `{name}` exists already, and it is another one", kind="stands",
                hint="runs are never replaced; `sloagent report --run FILE` reads the file itself",
            )  # fmt: skip
        new.append(kept is None)
        contents[name] = content
    for (name, content), is_new in zip(contents.items(), new, strict=False):
        if is_new:
            store.save_document(run_file.KIND, name, content)
    return new
