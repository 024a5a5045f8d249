"""Benchmarks: what things cost, measured next to their peers in the same run."""
