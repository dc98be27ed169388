"""Servers of others, for comparison in the same run."""
