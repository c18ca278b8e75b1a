"""The doctor: what this machine is, what is wrong with it, what fits on it, and which forecasts its bench narrows."""
