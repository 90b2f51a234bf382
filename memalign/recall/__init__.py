"""Recall: the similar cases and the fitting guidelines that a judge is shown for a record."""
