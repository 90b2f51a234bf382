"""Flow A: a stored trace is sampled, judged, and stored as a verdict with its card."""
