"""SLO sets as OpenSLO v1 documents, read and written; the specification is that of github.com/OpenSLO/OpenSLO."""
