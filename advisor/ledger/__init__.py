"""The ledger: what was forecast and what was measured, run by run, in a file of the user's, and what that teaches."""
