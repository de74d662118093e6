"""Solvers: generators of steps, driven by one loop. A solver knows only the protocols of an objective."""
