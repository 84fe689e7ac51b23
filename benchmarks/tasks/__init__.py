"""Measures the whole program by tasks: `python benchmarks/tasks --help`."""
