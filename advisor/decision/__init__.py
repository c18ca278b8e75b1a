"""The decision: facts, candidates with their vetoes, the verdict, and how firm it is."""
