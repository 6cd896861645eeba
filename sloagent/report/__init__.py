"""Verdicts as a document."""
