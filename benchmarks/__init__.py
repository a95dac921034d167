"""Programs that check answers first and then time them; run from the repository root, `python -m benchmarks.layers`."""
