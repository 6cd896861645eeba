"""A server that speaks the Kubernetes API, with a small Karmada in it: the peer that probes are tested with.

It runs as a process of its own (`world.World` starts it), keeps many clusters behind one port, tells the truth of when
each change was made, and fails in the ways in which real servers and networks fail.
"""
