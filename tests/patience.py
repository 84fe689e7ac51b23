"""How long a test waits for what must happen."""

PATIENCE = 100.0
"""Seconds after which a wait has failed. Nothing on an idle machine comes near: that something
never happens is a test's matter, how fast it is that of `benchmarks`."""
