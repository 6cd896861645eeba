"""What the daemon leaves out of its memory, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_requests_is_loaded_without_the_tables_and_a_text_can_still_be_read() -> None:
    assert run(
        "from sloagent.app.footprint import leave_out_character_detection\n"
        "leave_out_character_detection()\n"
        "leave_out_character_detection()\n"
        "import sys, requests\n"
        "response = requests.Response()\n"
        "response._content = b'said'\n"
        "print('charset_normalizer' in sys.modules, response.text)"
    ) == "False said"  # fmt: skip


def test_the_tables_can_be_loaded_afterwards_by_whoever_wants_them() -> None:
    assert run(
        "from sloagent.app.footprint import leave_out_character_detection\n"
        "leave_out_character_detection()\n"
        "import charset_normalizer\n"
        "print(charset_normalizer.__name__)"
    ) == "charset_normalizer"  # fmt: skip
