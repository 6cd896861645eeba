"""A peer that is asked or told something over HTTP: how to talk to it, who we are, and what its failures mean."""
