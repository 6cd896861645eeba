"""`make bench`: what sloagent costs, held against a bare client and against its targets. Never part of the tests."""
