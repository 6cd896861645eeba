"""`python -m sloagent` is `sloagent`."""

from sloagent.cli import main

main()
