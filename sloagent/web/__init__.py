"""The daemon's face: what it answers over HTTP."""
