"""Peers, each in an environment of its own that a script makes: none of them is a requirement of this project."""
