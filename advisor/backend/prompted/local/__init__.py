"""Language models in a folder on this machine: causal, sequence to sequence, masked, and of entailment."""

from advisor.backend.prompted.local.loading import load_language_model

__all__ = ["load_language_model"]
