"""Slack as a service: its connection, its errors, its users, its messages. No business rules."""
