"""Benchmarks: every strategy on labelled data at several label counts, and the regret of choosing by a policy."""
