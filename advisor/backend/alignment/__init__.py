"""Alignment: a causal language model learns to write from demonstrations, preferences or judgements, through trl."""
