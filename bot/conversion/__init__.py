"""Exports of other tools, and tables, as trace lines. Nothing in here knows Slack, the store or a server."""
