"""Tracing tools that traces are read from, and that verdicts and people's votes are written back to."""
