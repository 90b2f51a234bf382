"""Learning from feedback: what is new, what the models make of it, and the report."""
