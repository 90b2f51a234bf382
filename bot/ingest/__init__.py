"""Traces that applications send."""
