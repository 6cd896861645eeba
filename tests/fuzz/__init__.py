"""Inputs that nobody would write: each target is a function of bytes that raises where a promise is broken.

`make fuzz` runs the targets; whatever once broke a promise is kept in `found/` and replayed by `make check`.
"""
