"""Benchmarks: each compares results before it measures. Run from the repository root: `python -m benchmarks.layers`."""
