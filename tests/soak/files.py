"""The files of the soak's agent: as they are meant to be, changed for a while, and bad in several ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.plan import Scale

SLOS = (Path(__file__).with_name("slos.yaml")).read_text()
AWAY = "backlog"
"""The SLO that a change takes out of the file for a while."""


@dataclass
class Files:
    """`sloagent.yaml` and `slos.yaml` in a directory."""

    directory: Path
    url: str
    scale: Scale
    changes: set[str] = field(default_factory=set)
    """The changes in force."""

    def write(self) -> None:
        """Write both, with the changes in force."""
        self.directory.mkdir(parents=True, exist_ok=True)
        questions = 2 if "fewer questions at once" in self.changes else 4
        (self.directory / "sloagent.yaml").write_text(
            f"prometheus: {{url: '{self.url}'}}\n"
            "slos: [slos.yaml]\n"
            f"evaluation: {{delay: 30s, catch_up: {self.scale.catch_up_hours}h, query_timeout: 2s,"
            f" max_queries: {questions}}}\n"
            f"store: {{path: sloagent.db, full_rows: {self.scale.full_rows}, retention: {self.scale.days + 5}d}}\n"
            "report: {languages: [en, zh]}\n"
        )
        text = SLOS
        if "without an SLO" in self.changes:
            head, found, rest = text.partition(f"  - name: {AWAY}\n")
            text = head + "  - name:" + rest.partition("  - name:")[2]
            assert found
        if "another title" in self.changes:
            text = text.replace("en: API latency", "en: API latency as it is called now")
        (self.directory / "slos.yaml").write_text(text)

    def spoil(self, how: str) -> None:
        """Make one of them bad; `write` puts it right."""
        slos, agent = self.directory / "slos.yaml", self.directory / "sloagent.yaml"
        match how:
            case "a typo":
                slos.write_text(slos.read_text().replace("at_most:", "at_mots:", 1))
            case "no YAML":
                slos.write_text("slos: [}")
            case "no file":
                slos.unlink()
            case _:
                agent.write_text(agent.read_text() + "evaluaton: {delay: 1s}\n")
