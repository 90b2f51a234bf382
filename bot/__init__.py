"""Slack, HTTP, time and people: everything around the core."""
