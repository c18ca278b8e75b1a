"""The plan: ordered steps, everything pinned."""
