"""The product beside servers of others, in the same run: `python -m benchmarks peers`."""
