"""Templates of the user's run in a process of their own, with little memory and little time: a template may loop."""

from __future__ import annotations

import pickle
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateNotFound, TemplateSyntaxError

from sloagent.errors import ConfigError
from sloagent.report import templating

MOST_SECONDS = 30
MOST_MEMORY_BYTES = 1024 * 1024 * 1024
MOST_OUTPUT_BYTES = 64 * 1024 * 1024


class TemplateError(ConfigError):
    """A template of the user's that is wrong, or takes more than it may."""


def rendered(page: templating.Page, directories: Sequence[Path]) -> str:
    """The text of a page, made in a child process. Raises TemplateError with the template's own place and words."""
    given = pickle.dumps((page, tuple(directories)))
    try:
        done = subprocess.run(
            # -P: what lies where the user is must not be imported instead of what is installed.
            [sys.executable, "-P", "-m", "sloagent.report.child"], input=given, capture_output=True, timeout=MOST_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TemplateError(
            f"the templates in {directories[0]} took more than {MOST_SECONDS} s", hint="look for a loop without an end"
        ) from None
    if done.returncode == 0:
        return done.stdout.decode()
    said = done.stderr.decode(errors="replace").strip().splitlines()
    why = said[-1] if said else f"it ended with {done.returncode}"
    if done.returncode < 0 or "MemoryError" in why:
        why = f"they took more than {MOST_MEMORY_BYTES >> 20} MiB of memory or {MOST_SECONDS} s of processor time"
    raise TemplateError(
        f"the templates in {directories[0]} cannot be rendered: {why}",
        hint="a template that is removed from there is replaced by the shipped one of its name",
    )


def _told(error: Exception) -> str:
    """What is wrong with a template, in one line, and where."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name}:{error.lineno}: {error.message}"
    said = error.message if isinstance(error, JinjaError) else f"{type(error).__name__}: {error}"
    if isinstance(error, TemplateNotFound):
        said = f"no template is named {error.name}"
    # Jinja puts the template's own file and line into the trace.
    places = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.endswith(".j2")]
    where = f"{places[-1].filename}:{places[-1].lineno}: " if places else ""
    return where + " ".join((said or type(error).__name__).split())


def main() -> int:
    """Render what standard input holds and print it; limits first."""
    import resource

    given = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a template writes no file
    page, directories = pickle.loads(given)  # noqa: S301 - from our own parent
    try:
        text = templating.rendered(page, directories)
    except (JinjaError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError) as error:
        print(_told(error), file=sys.stderr)  # noqa: T201 - to our own parent
        return 2
    content = text.encode()
    if len(content) > MOST_OUTPUT_BYTES:
        print(f"the text has more than {MOST_OUTPUT_BYTES >> 20} MiB", file=sys.stderr)  # noqa: T201
        return 2
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
